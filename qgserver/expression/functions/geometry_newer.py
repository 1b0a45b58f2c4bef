"""Geometry functions that came after QGIS 3.22."""

from __future__ import annotations

import math

import numpy as np
import shapely

from qgserver.errors import ExpressionError
from qgserver.expression.coerce import Array
from qgserver.expression.context import Frame
from qgserver.expression.function import Group
from qgserver.expression.geometries import AnyGeometry, Coordinates, Geometry, from_shape, straightened, to_shape
from qgserver.expression.shapes import lines_of, map_points, polygons_of

function = Group("Geometry", faults=(shapely.errors.ShapelyError,))


def _densified(points: Coordinates, counts: Coordinates) -> Coordinates:
    """Vertices with ``counts`` (one for each segment) evenly spaced ones added between neighbours."""
    if len(points) < 2:
        return points
    pieces = []
    for start, end, count in zip(points, points[1:], counts.astype(int).tolist(), strict=False):
        shares = np.arange(count + 1)[:, None] / (count + 1)
        pieces.append(start + (end - start) * shares)
    return np.concatenate([*pieces, points[-1:]])


def _changeable(geometry: AnyGeometry) -> bool:
    return "Point" not in geometry.geom_type and not geometry.geom_type.startswith("Geometry")


@function("densify_by_count", since="3.28")
def densify_by_count(frame: Frame, geometry: AnyGeometry, vertices: int) -> AnyGeometry | None:
    """So many vertices added to every segment."""
    if not _changeable(geometry):
        return None
    count = max(vertices, 0)
    frame.budget.allow((count + 1) * len(shapely.get_coordinates(straightened(geometry))))
    return map_points(geometry, lambda points: _densified(points, np.full(max(len(points) - 1, 0), count)))


@function("densify_by_distance", since="3.28")
def densify_by_distance(frame: Frame, geometry: AnyGeometry, distance: float) -> AnyGeometry | None:
    """Vertices added so that no segment is longer than a distance."""
    if not _changeable(geometry):
        return None
    if not distance > 0:
        raise ExpressionError("The distance must be greater than 0")
    linear = straightened(geometry)
    frame.budget.allow(int(min(linear.length / distance, 1e12)) + len(shapely.get_coordinates(linear)))

    def change(points: Coordinates) -> Coordinates:
        lengths = np.hypot(*np.diff(points[:, :2], axis=0).T)
        return _densified(points, np.maximum(np.ceil(lengths / distance) - 1, 0))

    return map_points(linear, change)


@function("roundness", since="3.24")
def roundness(geometry: Geometry) -> float | None:
    """How close a polygon is to a circle (1)."""
    polygons = polygons_of(geometry)
    if len(polygons) != 1 or not polygons[0].length:
        return None
    return float(4 * math.pi * polygons[0].area / polygons[0].length ** 2)


@function("geometries_to_array", since="3.28")
def geometries_to_array(geometry: AnyGeometry) -> Array:
    """The parts of a multi-geometry as an array."""
    shape = to_shape(geometry)
    if not shape.kind.startswith(("Multi", "Geometry")):
        return [geometry]
    return [from_shape(part) for part in shape.parts]


@function("shared_paths", since="3.20")
def shared_paths(geometry1: Geometry, geometry2: Geometry) -> Geometry | None:
    """What two lines share, as lines in both directions."""
    if not lines_of(geometry1) or not lines_of(geometry2):
        return None
    paths: Geometry = shapely.shared_paths(geometry1, geometry2)
    both = [line for part in paths.geoms for line in lines_of(part) if not line.is_empty]
    return shapely.line_merge(shapely.MultiLineString(both))
