"""Geometry: along lines, and shapes found in others."""

from __future__ import annotations

import math

import numpy as np
import shapely

from qgserver.errors import ExpressionError
from qgserver.expression.function import Group
from qgserver.expression.geometries import AnyGeometry, Coordinates, Geometry, Shape, from_shape, straightened, to_shape
from qgserver.expression.inscribed import pole, smallest_circle
from qgserver.expression.shapes import (
    MAX_SEGMENTS,
    azimuth,
    ellipse_ring,
    leaves,
    lines_of,
    moved,
    polygon,
    polygons_of,
    single_point,
)

function = Group("Geometry", faults=(shapely.errors.ShapelyError,))


def _runs(geometry: AnyGeometry) -> list[Coordinates]:
    """Vertex runs (float64[n, 2..4]) of lines and rings."""
    linear = straightened(geometry)
    return [leaf.points for leaf in leaves(to_shape(linear)) if leaf.kind != "Point" and leaf.points is not None]


def _along(points: Coordinates) -> Coordinates:
    """float64[n]: distance of each vertex from the start."""
    steps = np.hypot(*np.diff(points[:, :2], axis=0).T)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _locate(points: Coordinates, along: Coordinates, distance: float) -> Coordinates:
    """float64[2..4]: the vertex at a distance, z and m interpolated."""
    return np.array([np.interp(distance, along, points[:, axis]) for axis in range(points.shape[1])])


@function("line_interpolate_point")
def line_interpolate_point(geometry: AnyGeometry, distance: float) -> AnyGeometry | None:
    """The point at a distance along a line or ring; NULL beyond its ends."""
    if "Point" in geometry.geom_type or distance < 0:
        return None
    shape = to_shape(straightened(geometry))
    for points in _runs(geometry):
        along = _along(points)
        if distance <= along[-1]:
            row = _locate(points, along, distance)
            return from_shape(Shape("Point", shape.has_z, shape.has_m, row[None, :]))
        distance -= along[-1]
    return None


@function("line_interpolate_angle")
def line_interpolate_angle(geometry: AnyGeometry, distance: float) -> float:
    """Direction in degrees at a distance along a line; 0 beyond its ends."""
    if "Point" in geometry.geom_type or distance < 0:
        return 0.0
    for points in _runs(geometry):
        along = _along(points)
        if distance <= along[-1]:
            at = int(np.searchsorted(along, distance))
            closed = bool((points[0, :2] == points[-1, :2]).all())
            if along[at] == distance:
                return _bisector(points, at, closed)
            dx, dy = points[at, :2] - points[at - 1, :2]
            return azimuth(dx, dy)
        distance -= along[-1]
    return 0.0


def _bisector(points: Coordinates, at: int, closed: bool) -> float:
    """Mean direction in degrees of the segments before and after a vertex."""
    last = len(points) - 1
    before = at - 1 if at > 0 else (last - 1 if closed else None)
    after = at + 1 if at < last else (1 if closed else None)
    angles = []
    if before is not None:
        angles.append(azimuth(*(points[at, :2] - points[before, :2])))
    if after is not None:
        angles.append(azimuth(*(points[after, :2] - points[at, :2])))
    if len(angles) == 1:
        return angles[0]
    first, second = angles
    turn = (second - first + 180) % 360 - 180
    return (first + turn / 2) % 360


def _find_vertex(geometry: AnyGeometry, vertex: int) -> tuple[Coordinates, int] | None:
    """The run and the position in it of a vertex counted over all runs, negative from the end."""
    runs = _runs(geometry)
    total = sum(len(points) for points in runs)
    at = vertex + total if vertex < 0 else vertex
    for points in runs:
        if 0 <= at < len(points):
            return points, at
        at -= len(points)
    return None


@function("angle_at_vertex")
def angle_at_vertex(geometry: AnyGeometry, vertex: int) -> float:
    """Mean direction in degrees at a vertex (from 0, negative from the end)."""
    found = _find_vertex(geometry, vertex)
    if found is None:
        return 0.0
    points, at = found
    return _bisector(points, at, bool((points[0, :2] == points[-1, :2]).all()))


@function("distance_to_vertex")
def distance_to_vertex(geometry: AnyGeometry, vertex: int) -> float:
    """Distance along a line to a vertex (from 0); -1 without it."""
    runs = _runs(geometry)
    at = vertex + sum(len(points) for points in runs) if vertex < 0 else vertex
    passed = 0.0
    for points in runs:
        along = _along(points)
        if 0 <= at < len(points):
            return passed + float(along[at])
        at, passed = at - len(points), passed + float(along[-1])
    return -1.0


@function("line_locate_point")
def line_locate_point(geometry: Geometry, point: Geometry) -> float | None:
    """Distance along a line to the place nearest to a point."""
    place = single_point(point)
    if not lines_of(geometry) or place is None:
        return None
    return float(shapely.line_locate_point(geometry, place))


@function("line_substring")
def line_substring(geometry: AnyGeometry, start_distance: float, end_distance: float) -> AnyGeometry:
    """The part of a line between two distances."""
    shape = to_shape(straightened(geometry))
    if shape.kind == "MultiLineString" and shape.parts:
        shape = shape.parts[0]
    if shape.kind != "LineString" or shape.points is None:
        raise ExpressionError("line_substring needs a line")
    points, along = shape.points, _along(shape.points)
    start = max(0.0, start_distance)
    end = max(start, min(end_distance, float(along[-1])))
    start = min(start, end)
    inside = points[(along > start) & (along < end)]
    rows = [_locate(points, along, start)[None, :], inside, _locate(points, along, end)[None, :]]
    return from_shape(Shape("LineString", shape.has_z, shape.has_m, np.concatenate(rows)))


@function("extend")
def extend(geometry: AnyGeometry, start_distance: float, end_distance: float) -> AnyGeometry | None:
    """A line made longer at its ends."""
    if geometry.geom_type not in ("LineString", "MultiLineString"):
        return None

    def longer(points: Coordinates) -> Coordinates:
        result = points.copy()
        for end, neighbour, distance in ((0, 1, start_distance), (-1, -2, end_distance)):
            step = points[end] - points[neighbour]
            length = float(np.hypot(*step))
            if distance > 0 and length:
                result[end] = points[end] + step * (distance / length)
        return result

    return moved(geometry, longer)


# -- shapes found in others -----------------------------------------------------------------------------------------


def _turn(points: Coordinates, angle: float, center: Coordinates) -> Coordinates:
    """Points turned counter-clockwise by radians around a centre."""
    sine, cosine = math.sin(angle), math.cos(angle)
    shift_x = center[0] - center[0] * cosine + center[1] * sine
    shift_y = center[1] - center[0] * sine - center[1] * cosine
    x = points[:, 0] * cosine - points[:, 1] * sine + shift_x
    y = points[:, 0] * sine + points[:, 1] * cosine + shift_y
    return np.column_stack([x, y])


def _rectangle(geometry: Geometry) -> tuple[float, Coordinates, tuple[float, float]]:
    """The smallest rectangle: azimuth (degrees) of the hull's edge it lies on, ring, width across and length along.

    The hull is turned edge by edge, each to the north. Rectangles on several edges are often equally small: then
    rounding decides, so the turns add up here as they do in QGIS.
    """
    hull = shapely.get_coordinates(shapely.convex_hull(geometry))
    if len(hull) < 2:
        raise ExpressionError("The geometry has no direction")
    origin, turned, total = hull[0], hull, 0.0
    best_area, best = math.inf, (0.0, hull, (0.0, 0.0))
    for at in range(len(hull) - 1):
        dx, dy = turned[at + 1] - turned[at]
        step = math.atan2(dx, dy) % (2 * math.pi)
        total += step
        turned = _turn(turned, step, origin)
        (x1, y1), (x2, y2) = turned.min(axis=0), turned.max(axis=0)
        if (x2 - x1) * (y2 - y1) < best_area:
            best_area = (x2 - x1) * (y2 - y1)
            ring = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)])
            best = (math.degrees(total), _turn(ring, -total, origin), (float(x2 - x1), float(y2 - y1)))
    return best


@function("oriented_bbox")
def oriented_bbox(geometry: Geometry) -> AnyGeometry | None:
    """The smallest rectangle of any direction that holds the geometry; NULL of a point."""
    if geometry.geom_type == "Point":
        return None
    return polygon(_rectangle(geometry)[1])


@function("main_angle")
def main_angle(geometry: Geometry) -> float:
    """Direction in degrees (0 to 180) of the longer side of the smallest rectangle."""
    angle, _, (width, length) = _rectangle(geometry)
    angle += 90.0 if width > length else 0.0
    angle %= 360.0
    return angle - 180.0 if angle > 180.000001 else angle  # 180 stays, as in QGIS


@function("minimal_circle")
def minimal_circle(geometry: Geometry, segments: int = 36) -> AnyGeometry | None:
    """The smallest circle that holds the geometry, as a polygon."""
    if segments < 0:
        raise ExpressionError("Parameter can not be negative.")
    circle = smallest_circle(shapely.get_coordinates(geometry))
    if circle is None:
        return None
    if segments < 3:
        return shapely.Polygon()
    x, y, radius, start = circle
    return polygon(ellipse_ring((x, y), (radius, radius), start, min(segments, MAX_SEGMENTS)))


@function("pole_of_inaccessibility")
def pole_of_inaccessibility(geometry: Geometry, tolerance: float) -> Geometry | None:
    """The inner point farthest from the edges of a polygon, found to a tolerance."""
    if tolerance <= 0 or not polygons_of(geometry) or geometry.is_empty:
        return None
    return pole(geometry, tolerance)
