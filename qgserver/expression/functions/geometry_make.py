"""Geometry: made of numbers, texts and other geometries."""

from __future__ import annotations

import math

import numpy as np
import shapely

from qgserver.errors import ExpressionError
from qgserver.expression.coerce import LooseInt
from qgserver.expression.function import Group
from qgserver.expression.geometries import (
    AnyGeometry,
    Coordinates,
    Geometry,
    Shape,
    Special,
    from_shape,
    from_wkb,
    from_wkt,
    straightened,
    to_shape,
)
from qgserver.expression.gml import read_gml
from qgserver.expression.shapes import (
    MAX_SEGMENTS,
    azimuth,
    collected,
    ellipse_ring,
    leaves,
    map_points,
    polygon,
    single_point,
)
from qgserver.expression.values import Value, is_geometry, to_double

function = Group("Geometry", faults=(shapely.errors.ShapelyError,))


@function("geom_from_wkt", "geomFromWKT")
def geom_from_wkt(text: str) -> AnyGeometry | None:
    """The geometry of a well-known text; NULL for anything else."""
    return from_wkt(text)


@function("geom_from_wkb")
def geom_from_wkb(binary: Value) -> AnyGeometry | None:
    """The geometry of a well-known binary."""
    if not isinstance(binary, bytes):
        raise ExpressionError("Value is not a binary value")
    return from_wkb(binary)


@function("geom_from_gml", "geomFromGML")
def geom_from_gml(gml: str) -> AnyGeometry | None:
    """The geometry of a GML text; NULL for anything else."""
    return read_gml(gml)


@function("make_point")
def make_point(*coordinates: Value) -> AnyGeometry:
    """A point of x, y and perhaps z and m."""
    if not 2 <= len(coordinates) <= 4:
        raise ExpressionError("make_point takes 2 to 4 arguments")
    row = [to_double(value) for value in coordinates]
    return from_shape(Shape("Point", len(row) > 2, len(row) > 3, np.array([row])))


@function("make_point_m")
def make_point_m(x: float, y: float, m: float) -> AnyGeometry:
    """A point of x, y and m."""
    return from_shape(Shape("Point", False, True, np.array([[x, y, m]])))


def _points(values: tuple[Value, ...]) -> list[Shape]:
    """The points among geometries and arrays of geometries. Raises for other values."""
    flat = [item for value in values for item in (value if isinstance(value, list) else [value])]
    if not all(is_geometry(item) for item in flat):
        raise ExpressionError("Cannot convert to geometry")
    shapes = [to_shape(item) for item in flat]
    return [shape for shape in shapes if shape.kind == "Point" and not shape.is_empty]


@function("make_line")
def make_line(*points: Value) -> AnyGeometry | None:
    """A line through points."""
    shapes = _points(points)
    if len(shapes) < 2:
        return None
    has_z, has_m = any(s.has_z for s in shapes), any(s.has_m for s in shapes)
    rows = np.full((len(shapes), 2 + has_z + has_m), np.nan)
    for at, shape in enumerate(shapes):
        if shape.points is not None:
            rows[at, :2] = shape.points[0, :2]
            if shape.has_z:
                rows[at, 2] = shape.points[0, 2]
            if shape.has_m:
                rows[at, -1] = shape.points[0, -1]
    return from_shape(Shape("LineString", has_z, has_m, rows))


@function("make_polygon")
def make_polygon(*rings: Value) -> AnyGeometry | None:
    """A polygon of an outer ring and holes, given as lines."""
    if not rings:
        raise ExpressionError("make_polygon needs an argument")
    if not all(is_geometry(ring) for ring in rings):
        raise ExpressionError("Cannot convert to geometry")
    shapes: list[Shape] = []
    for ring in rings:
        shape = to_shape(ring)
        shape = shape.parts[0] if shape.kind == "MultiLineString" and shape.parts else shape
        if shape.points is None or shape.kind == "Point":
            if not shapes:
                return None
            continue
        shapes.append(Shape(shape.kind, shape.has_z, shape.has_m, _ended(shape.points)))
    first = shapes[0]
    kind = "Polygon" if all(shape.kind == "LineString" for shape in shapes) else "CurvePolygon"
    return from_shape(Shape(kind, first.has_z, first.has_m, None, tuple(shapes)))


def _ended(points: Coordinates) -> Coordinates:
    """A ring that ends where it began."""
    return np.concatenate([points, points[:1]]) if len(points) and (points[0, :2] != points[-1, :2]).any() else points


@function("collect_geometries")
def collect_geometries(*geometries: Value) -> AnyGeometry | None:
    """A multi-geometry of geometries of the first one's type; others are left out."""
    flat = [item for value in geometries for item in (value if isinstance(value, list) else [value])]
    if not all(is_geometry(item) for item in flat):
        raise ExpressionError("Cannot convert to geometry")
    return collected([to_shape(item) for item in flat])


# -- figures --------------------------------------------------------------------------------------------------------


def _place(geometry: Geometry) -> tuple[float, float] | None:
    point = single_point(geometry)
    return None if point is None or point.is_empty else (float(point.x), float(point.y))


def _geometry(value: Value) -> Geometry:
    """A second argument, which QGIS looks at only when the first one is a point."""
    if not is_geometry(value):
        raise ExpressionError("Cannot convert to geometry")
    return straightened(value)


def _segments(segments: int) -> int:
    if segments < 3:
        raise ExpressionError("Segment must be greater than 2")
    if segments > MAX_SEGMENTS:
        raise ExpressionError("Too many segments")
    return segments


@function("make_circle")
def make_circle(center: Geometry, radius: Value, segments: LooseInt = 36) -> AnyGeometry | None:
    """A circle as a polygon."""
    place = _place(center)
    if place is None:
        return None
    size = abs(to_double(radius))
    return polygon(ellipse_ring(place, (size, size), 0.0, _segments(segments)))


@function("make_ellipse")
def make_ellipse(
    center: Geometry, semi_major_axis: float, semi_minor_axis: float, azimuth: float, segments: LooseInt = 36
) -> AnyGeometry | None:
    """An ellipse as a polygon."""
    place = _place(center)
    if place is None:
        return None
    major, minor = abs(semi_major_axis), abs(semi_minor_axis)
    if major < minor:
        major, minor, azimuth = minor, major, azimuth + 90
    return polygon(ellipse_ring(place, (major, minor), azimuth, _segments(segments)))


@function("make_regular_polygon")
def make_regular_polygon(center: Geometry, radius: Value, number_sides: LooseInt, circle: int = 0) -> Value:
    """A regular polygon: ``circle`` 0 inscribed, 1 circumscribed; ``radius`` is a point on the circle."""
    place = _place(center)
    edge = None if place is None else _place(_geometry(radius))
    if place is None or edge is None:
        return None
    if not 3 <= number_sides <= MAX_SEGMENTS:
        raise ExpressionError("Number of edges/sides must be greater than 2")
    if circle not in (0, 1):
        raise ExpressionError("Option can be 0 (inscribed) or 1 (circumscribed)")
    size, start = math.dist(place, edge), azimuth(edge[0] - place[0], edge[1] - place[1])
    if circle == 1:
        size, start = size / math.cos(math.pi / number_sides), start - 180 / number_sides
    return polygon(ellipse_ring(place, (size, size), start, number_sides))


@function("make_triangle")
def make_triangle(point1: Geometry, point2: Geometry, point3: Geometry) -> AnyGeometry | None:
    """A triangle of three points."""
    places = [_place(point) for point in (point1, point2, point3)]
    if any(place is None for place in places):
        return None
    (x1, y1), (x2, y2), (x3, y3) = places  # type: ignore[misc]  # none is None
    if (x1, y1) == (x2, y2) == (x3, y3):
        return Special(Shape("Triangle", False, False, None, ()), shapely.Polygon())
    ring = np.array([(x1, y1), (x2, y2), (x3, y3), (x1, y1)])
    return from_shape(Shape("Triangle", False, False, None, (Shape("LineString", False, False, ring),)))


@function("make_square")
def make_square(point1: Geometry, point2: Value) -> AnyGeometry | None:
    """A square of two opposite corners."""
    first = _place(point1)
    second = None if first is None else _place(_geometry(point2))
    if first is None or second is None:
        return None
    if first == second:
        return shapely.Polygon()
    (x1, y1), (x2, y2) = first, second
    cx, cy, dx, dy = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 2, (y2 - y1) / 2
    return polygon(np.array([(x1, y1), (cx - dy, cy + dx), (x2, y2), (cx + dy, cy - dx), (x1, y1)]))


@function("make_rectangle_3points")
def make_rectangle_3points(point1: Geometry, point2: Geometry, point3: Geometry, option: int = 0) -> Value:
    """A rectangle of one side and a third point: ``option`` 0 as far from the second point, 1 as far from the side."""
    places = [_place(point) for point in (point1, point2, point3)]
    if any(place is None for place in places):
        return None
    if option not in (0, 1):
        raise ExpressionError("Option can be 0 (distance) or 1 (projected)")
    a, b, c = (np.array(place) for place in places)
    side = b - a
    length = float(np.hypot(*side))
    cross = float(side[0] * (c - a)[1] - side[1] * (c - a)[0])
    if not length or not cross:
        return shapely.Polygon()
    depth = float(np.hypot(*(c - b))) if option == 0 else abs(cross) / length
    across = np.array([-side[1], side[0]]) / length * math.copysign(depth, cross)
    return polygon(np.array([a, b, b + across, a + across, a]))


@function("wedge_buffer")
def wedge_buffer(
    center: Value, azimuth: float, width: float, outer_radius: float, inner_radius: float = 0.0
) -> AnyGeometry:
    """A sector of a disc or ring: ``width`` degrees around a direction."""
    point = single_point(straightened(center)) if is_geometry(center) else None
    if point is None:
        raise ExpressionError("wedge_buffer needs a point as its center")
    place = (float(point.x), float(point.y))
    if abs(width) >= 360:
        rings = [_circle(place, radius) for radius in (outer_radius, inner_radius) if radius]
        return from_shape(Shape("CurvePolygon", False, False, None, tuple(rings)))
    start, end = azimuth - width / 2, azimuth + width / 2
    runs: list[tuple[str, list[tuple[float, float]]]] = []
    outer = [_at(place, outer_radius, angle) for angle in (start, azimuth, end)]
    inner = [_at(place, inner_radius, angle) for angle in (end, azimuth, start)] if inner_radius else [place]
    runs.append(("CircularString", outer))
    runs.append(("LineString", [outer[-1], inner[0]]))
    if inner_radius:
        runs.append(("CircularString", inner))
    runs.append(("LineString", [inner[-1], outer[0]]))
    parts = tuple(Shape(kind, False, False, np.array(points)) for kind, points in runs)
    ring = Shape("CompoundCurve", False, False, None, parts)
    return from_shape(Shape("CurvePolygon", False, False, None, (ring,)))


def _at(center: tuple[float, float], radius: float, angle: float) -> tuple[float, float]:
    turn = math.radians(angle)
    return center[0] + radius * math.sin(turn), center[1] + radius * math.cos(turn)


def _circle(center: tuple[float, float], radius: float) -> Shape:
    points = np.array([_at(center, radius, angle) for angle in (0, 90, 180, 270, 360)])
    arc = Shape("CircularString", False, False, points)
    return Shape("CompoundCurve", False, False, None, (arc,))


@function("nodes_to_points")
def nodes_to_points(geometry: AnyGeometry, ignore_closing_nodes: int = 0) -> AnyGeometry:
    """All vertices as a multi-point."""
    shape = to_shape(geometry)
    parts = []
    for leaf in leaves(shape):
        rows = leaf.points if leaf.points is not None else np.empty((0, 2))
        if ignore_closing_nodes and len(rows) > 2 and (rows[0] == rows[-1]).all():
            rows = rows[:-1]
        parts += [Shape("Point", leaf.has_z, leaf.has_m, rows[at : at + 1]) for at in range(len(rows))]
    return from_shape(Shape("MultiPoint", shape.has_z, shape.has_m, None, tuple(parts)))


@function("segments_to_lines")
def segments_to_lines(geometry: AnyGeometry) -> AnyGeometry:
    """Every segment as a line of its own."""
    shape = to_shape(geometry)
    parts: list[Shape] = []
    for leaf in leaves(shape):
        if leaf.points is not None and leaf.kind != "Point":
            spans = range(len(leaf.points) - 1)
            parts += [Shape("LineString", leaf.has_z, leaf.has_m, leaf.points[at : at + 2]) for at in spans]
    return from_shape(Shape("MultiLineString", shape.has_z, shape.has_m, None, tuple(parts)))


@function("close_line")
def close_line(geometry: AnyGeometry) -> AnyGeometry | None:
    """A line continued to where it began."""
    shape = to_shape(geometry)
    if shape.kind not in ("LineString", "MultiLineString"):
        return None

    def close(points: Coordinates) -> Coordinates:
        open_ = len(points) > 1 and (points[0, :2] != points[-1, :2]).any()
        return np.concatenate([points, points[:1]]) if open_ else points

    return map_points(geometry, close)
