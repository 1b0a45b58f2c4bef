"""Geometry: what it is made of."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import shapely

from qgserver.errors import ExpressionError
from qgserver.expression.context import Frame
from qgserver.expression.function import Group
from qgserver.expression.geometries import (
    AnyGeometry,
    Geometry,
    Special,
    from_shape,
    straightened,
    to_shape,
    to_wkb,
    wkt,
)
from qgserver.expression.measure import planar_area, planar_length, planar_perimeter
from qgserver.expression.shapes import point, polygons_of, single_point, vertices
from qgserver.expression.values import Value, to_int

function = Group("Geometry", faults=(shapely.errors.ShapelyError,))


# -- coordinates ----------------------------------------------------------------------------------------------------


def _middle(geometry: Geometry, ordinate: Callable[[Geometry], float]) -> float:
    point = single_point(geometry)
    place = shapely.centroid(geometry) if point is None else point
    return math.nan if place.is_empty else float(ordinate(place))


@function("x")
def x(geometry: Geometry) -> float:
    """Easting of a point, or of the centroid of anything else."""
    return _middle(geometry, shapely.get_x)


@function("y")
def y(geometry: Geometry) -> float:
    """Northing of a point, or of the centroid of anything else."""
    return _middle(geometry, shapely.get_y)


@function("z")
def z(geometry: Geometry) -> float | None:
    """Height of a point."""
    place = single_point(geometry)
    return float(shapely.get_z(place)) if place is not None and place.has_z else None


@function("m")
def m(geometry: Geometry) -> float | None:
    """Measure of a point."""
    place = single_point(geometry)
    return float(shapely.get_m(place)) if place is not None and place.has_m else None


@function("x_min", "xmin")
def x_min(geometry: Geometry) -> float:
    """Western edge of the box."""
    return float(geometry.bounds[0])


@function("x_max", "xmax")
def x_max(geometry: Geometry) -> float:
    """Eastern edge of the box."""
    return float(geometry.bounds[2])


@function("y_min", "ymin")
def y_min(geometry: Geometry) -> float:
    """Southern edge of the box."""
    return float(geometry.bounds[1])


@function("y_max", "ymax")
def y_max(geometry: Geometry) -> float:
    """Northern edge of the box."""
    return float(geometry.bounds[3])


def _axis(geometry: Geometry, axis: int, pick: str) -> float | None:
    values = vertices(geometry)[:, axis]
    values = values[~np.isnan(values)]
    return float(getattr(values, pick)()) if len(values) else None


@function("z_min", since="3.20")
def z_min(geometry: Geometry) -> float | None:
    """Lowest height."""
    return _axis(geometry, 2, "min")


@function("z_max", since="3.20")
def z_max(geometry: Geometry) -> float | None:
    """Greatest height."""
    return _axis(geometry, 2, "max")


@function("m_min", since="3.20")
def m_min(geometry: Geometry) -> float | None:
    """Smallest measure."""
    return _axis(geometry, 3, "min")


@function("m_max", since="3.20")
def m_max(geometry: Geometry) -> float | None:
    """Greatest measure."""
    return _axis(geometry, 3, "max")


@function("bounds")
def bounds(geometry: Geometry) -> Geometry:
    """The box as a polygon."""
    x1, y1, x2, y2 = geometry.bounds
    return shapely.Polygon([(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)])


@function("bounds_width")
def bounds_width(geometry: Geometry) -> float:
    """Width of the box."""
    return float(geometry.bounds[2] - geometry.bounds[0])


@function("bounds_height")
def bounds_height(geometry: Geometry) -> float:
    """Height of the box."""
    return float(geometry.bounds[3] - geometry.bounds[1])


# -- measures -------------------------------------------------------------------------------------------------------


@function("area")
def area(geometry: AnyGeometry) -> float | None:
    """Planar area of polygons."""
    return planar_area(geometry)


@function("perimeter")
def perimeter(geometry: AnyGeometry) -> float | None:
    """Planar perimeter of polygons."""
    return planar_perimeter(geometry)


@function("length3D")
def length3d(geometry: Geometry) -> float | None:
    """Length of lines with heights."""
    if "LineString" not in geometry.geom_type:
        return None
    total = 0.0
    for part in shapely.get_parts(geometry):
        rows = shapely.get_coordinates(part, include_z=True)
        steps = np.diff(np.nan_to_num(rows), axis=0)
        total += float(np.sqrt((steps**2).sum(axis=1)).sum())
    return total


@function("straight_distance_2d")
def straight_distance_2d(geometry: Geometry) -> float | None:
    """Distance between the ends of a line."""
    if geometry.geom_type != "LineString":
        raise ExpressionError("straight_distance_2d needs a line")
    rows = shapely.get_coordinates(geometry)
    return float(np.hypot(*(rows[-1] - rows[0])))


@function("sinuosity")
def sinuosity(geometry: AnyGeometry) -> float | None:
    """Length of a line by the distance between its ends."""
    linear = straightened(geometry)
    straight = straight_distance_2d(linear)
    length = planar_length(geometry)
    if straight is None or length is None:
        return None
    return length / straight if straight else math.nan


# -- structure ------------------------------------------------------------------------------------------------------


@function("geometry_type")
def geometry_type(geometry: Geometry) -> str:
    """Point, Line or Polygon."""
    kind = geometry.geom_type.removeprefix("Multi")
    return {"Point": "Point", "LineString": "Line", "Polygon": "Polygon"}.get(kind, "Unknown geometry")


@function("num_points")
def num_points(geometry: AnyGeometry) -> int:
    """How many vertices."""
    count = len(vertices(geometry))
    return 1 if not count and getattr(geometry, "geom_type", "") == "Point" else count


@function("num_geometries")
def num_geometries(geometry: Geometry) -> int:
    """How many parts."""
    return len(geometry.geoms) if hasattr(geometry, "geoms") else 1


@function("num_rings")
def num_rings(geometry: Geometry) -> int | None:
    """How many rings polygons have."""
    polygons = polygons_of(geometry)
    return sum(1 + len(part.interiors) for part in polygons if not part.is_empty) if polygons else None


@function("num_interior_rings")
def num_interior_rings(geometry: Geometry) -> int | None:
    """How many holes polygons have."""
    polygons = polygons_of(geometry)
    return sum(len(part.interiors) for part in polygons) if polygons else None


@function("geometry_n")
def geometry_n(geometry: AnyGeometry, index: Value) -> AnyGeometry | None:
    """A part, from 1."""
    shape = to_shape(geometry)
    if not shape.kind.startswith(("Multi", "Geometry")):
        return None
    at = to_int(index)
    return from_shape(shape.parts[at - 1]) if 1 <= at <= len(shape.parts) else None


@function("interior_ring_n")
def interior_ring_n(geometry: AnyGeometry, index: int) -> AnyGeometry | None:
    """A hole of a polygon as a line, from 1."""
    shape = to_shape(geometry)
    if shape.kind not in ("Polygon", "CurvePolygon") or not 1 <= index < len(shape.parts):
        return None
    return from_shape(shape.parts[index])


@function("exterior_ring")
def exterior_ring(geometry: AnyGeometry) -> AnyGeometry | None:
    """The outer ring of a polygon as a line."""
    shape = to_shape(geometry)
    if shape.kind not in ("Polygon", "CurvePolygon", "Triangle") or not shape.parts:
        return None
    return from_shape(shape.parts[0])


def _vertex(geometry: AnyGeometry, at: int) -> Geometry | None:
    """The vertex at a position from 0, negative from the end; None outside."""
    rows = vertices(geometry)
    if not -len(rows) <= at < len(rows):
        return None
    row = rows[at]
    return shapely.points(row[:3]) if not np.isnan(row[2]) else point(row[0], row[1])


@function("point_n")
def point_n(geometry: AnyGeometry, index: Value) -> Geometry:
    """A vertex, from 1, negative from the end."""
    from qgserver.expression.coerce import loose_int

    at = loose_int(index)
    found = _vertex(geometry, at - 1 if at > 0 else at) if at else None
    if found is None:
        raise ExpressionError("Point index is out of range")
    return found


@function("start_point")
def start_point(geometry: AnyGeometry) -> Geometry:
    """The first vertex."""
    return _vertex(geometry, 0) or shapely.Point()


@function("end_point")
def end_point(geometry: AnyGeometry) -> Geometry:
    """The last vertex."""
    return _vertex(geometry, -1) or shapely.Point()


def vertex_ordinate(geometry: AnyGeometry, at: int, axis: int) -> float | None:
    """A coordinate of a vertex (from 0, negative from the end). Raises outside."""
    rows = vertices(geometry)
    if not -len(rows) <= at < len(rows):
        raise ExpressionError("Index is out of range")
    value = float(rows[at, axis])
    return None if value != value and axis > 1 else value


def _current(frame: Frame) -> AnyGeometry | None:
    return frame.feature.geometry if frame.feature is not None else None


@function("$x_at", "xat", "x_at")
def x_at(frame: Frame, i: Value) -> float | None:
    """Easting of a vertex of the current feature, from 0."""
    geometry = _current(frame)
    return None if geometry is None else vertex_ordinate(geometry, to_int(i), 0)


@function("$y_at", "yat", "y_at")
def y_at(frame: Frame, i: Value) -> float | None:
    """Northing of a vertex of the current feature, from 0."""
    geometry = _current(frame)
    return None if geometry is None else vertex_ordinate(geometry, to_int(i), 1)


@function("z_at", since="3.38")
def z_at(geometry: AnyGeometry, vertex: int) -> float | None:
    """Height of a vertex, from 0."""
    return vertex_ordinate(geometry, vertex, 2)


@function("m_at", since="3.38")
def m_at(geometry: AnyGeometry, vertex: int) -> float | None:
    """Measure of a vertex, from 0."""
    return vertex_ordinate(geometry, vertex, 3)


@function("is_closed")
def is_closed(geometry: Geometry) -> bool | None:
    """Whether a line ends where it began."""
    return bool(geometry.is_closed) if geometry.geom_type == "LineString" else None


@function("is_empty")
def is_empty(geometry: Geometry) -> bool:
    """Whether there are no vertices."""
    return bool(geometry.is_empty)


@function("is_empty_or_null", handles_null=True)
def is_empty_or_null(geometry: Value) -> bool:
    """Whether there are no vertices, or no geometry."""
    if geometry is None:
        return True
    if not hasattr(geometry, "geom_type"):
        raise ExpressionError("Cannot convert to geometry")
    return bool(straightened(geometry).is_empty)


@function("is_multipart")
def is_multipart(geometry: AnyGeometry) -> bool:
    """Whether the type is one of many parts."""
    return str(geometry.geom_type).startswith(("Multi", "Geometry"))


@function("is_valid")
def is_valid(geometry: AnyGeometry) -> bool:
    """Whether the geometry follows OGC's rules."""
    if isinstance(geometry, Special) and geometry.geom_type in ("LineString", "Polygon"):
        return False
    return bool(straightened(geometry).is_valid)


@function("geom_to_wkt", "geomToWKT")
def geom_to_wkt(geometry: AnyGeometry, precision: int = 8) -> str:
    """Well-known text with at most ``precision`` decimals."""
    return wkt(geometry, min(precision, 30))


@function("geom_to_wkb")
def geom_to_wkb(geometry: AnyGeometry) -> bytes:
    """Well-known binary."""
    return to_wkb(geometry)
