"""Cutting lines and polygons to a rectangle before they are drawn."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.errors import GEOSException

from qgserver.geo.extent import Extent
from qgserver.geo.geometry import LINESTRING, MULTILINESTRING, MULTIPOLYGON, POLYGON, GeometryArray
from qgserver.geo.wkb import concat, decode, take, to_shapely

LARGE = 2000
"""Polygons with fewer vertices are left whole: drawing them costs less than cutting them."""


def clip_to_rect(geometry: GeometryArray, rect: Extent) -> GeometryArray:
    """Lines that cross the edge of ``rect`` and large polygons that do, cut to it; the rest as it is. Feature by
    feature the same: what lies outside becomes empty."""
    counts = np.diff(geometry.vertex_offsets())
    linear = np.isin(geometry.types, (LINESTRING, MULTILINESTRING))
    large = np.isin(geometry.types, (POLYGON, MULTIPOLYGON)) & (counts > LARGE)
    candidates = linear | large
    if not candidates.any():
        return geometry
    boxes = geometry.boxes()
    with np.errstate(invalid="ignore"):
        out = (boxes[:, 0] < rect.xmin) | (boxes[:, 1] < rect.ymin)
        out |= (boxes[:, 2] > rect.xmax) | (boxes[:, 3] > rect.ymax)
    rows = np.flatnonzero(candidates & out)
    if not len(rows):
        return geometry
    try:
        cut = decode(shapely.to_wkb(_cut(take(geometry, rows), rect)).tolist())
    except GEOSException:
        return geometry
    order = np.arange(len(geometry))
    order[rows] = len(geometry) + np.arange(len(rows))
    return take(concat([geometry, cut]), order)


def _cut(geometry: GeometryArray, rect: Extent) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    shapes = to_shapely(geometry)
    invalid = ~shapely.is_valid(shapes) & (shapely.get_dimensions(shapes) == 2)
    if invalid.any():
        shapes[invalid] = shapely.make_valid(shapes[invalid])
    out: np.ndarray[tuple[int], np.dtype[np.object_]] = shapely.clip_by_rect(shapes, *rect.as_tuple())
    return out
