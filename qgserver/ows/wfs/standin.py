"""What GEOMETRYNAME puts in place of a feature's geometry (a parameter of QGIS Server's own)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import shapely

from qgserver.geo.geometry import POINT, POLYGON, GeometryArray
from qgserver.geo.wkb import to_shapely


def extents(geometry: GeometryArray) -> GeometryArray:
    """The box of each feature as a polygon, from the lower left corner counter-clockwise."""
    boxes = geometry.boxes()
    present = ~np.isnan(boxes[:, 0])
    coords = boxes[present][:, (0, 1, 2, 1, 2, 3, 0, 3, 0, 1)].reshape(-1, 2)
    return _single(present, coords, POLYGON, 5)


def centroids(geometry: GeometryArray) -> GeometryArray:
    """The centroid of each feature."""
    points = shapely.centroid(np.asarray(to_shapely(geometry), dtype=object))
    present = ~(shapely.is_missing(points) | shapely.is_empty(points))
    return _single(present, shapely.get_coordinates(points[present]), POINT, 1)


def _single(present: np.ndarray[tuple[int], np.dtype[np.bool_]], coords: object, kind: int, size: int) -> GeometryArray:
    features = np.concatenate(([0], np.cumsum(present, dtype=np.int64)))
    parts = np.arange(features[-1] + 1, dtype=np.int64)
    types = np.where(present, kind, 0).astype(np.uint8)
    return GeometryArray(types, np.asarray(coords, dtype=np.float64), parts * size, parts, features)


STAND_INS: Mapping[str, Callable[[GeometryArray], GeometryArray]] = MappingProxyType(
    {"EXTENT": extents, "CENTROID": centroids}
)
"""Word of GEOMETRYNAME -> what is written instead; ``NONE`` writes nothing, ``GEOMETRY`` the geometry itself."""
