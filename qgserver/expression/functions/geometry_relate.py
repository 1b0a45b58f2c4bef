"""Geometry: two of them, or what GEOS makes of one."""

from __future__ import annotations

import math
import re

import shapely

from qgserver.errors import ExpressionError
from qgserver.expression.function import Group
from qgserver.expression.geometries import Geometry, straightened
from qgserver.expression.shapes import azimuth as direction
from qgserver.expression.shapes import single_point
from qgserver.expression.values import Value, is_geometry, to_text

function = Group("Geometry", faults=(shapely.errors.ShapelyError,))


# -- predicates: 1 or 0 ---------------------------------------------------------------------------------------------


@function("intersects")
def intersects(geometry1: Geometry, geometry2: Geometry) -> int:
    """Whether two geometries share a point."""
    return int(shapely.intersects(geometry1, geometry2))


@function("disjoint")
def disjoint(geometry1: Geometry, geometry2: Geometry) -> int:
    """Whether two geometries share no point."""
    return int(shapely.disjoint(geometry1, geometry2))


@function("contains")
def contains(geometry1: Geometry, geometry2: Geometry) -> int:
    """Whether the first contains the second."""
    return int(shapely.contains(geometry1, geometry2))


@function("within")
def within(geometry1: Geometry, geometry2: Geometry) -> int:
    """Whether the first lies within the second."""
    return int(shapely.within(geometry1, geometry2))


@function("touches")
def touches(geometry1: Geometry, geometry2: Geometry) -> int:
    """Whether only the edges share points."""
    return int(shapely.touches(geometry1, geometry2))


@function("crosses")
def crosses(geometry1: Geometry, geometry2: Geometry) -> int:
    """Whether one crosses the other."""
    return int(shapely.crosses(geometry1, geometry2))


@function("overlaps")
def overlaps(geometry1: Geometry, geometry2: Geometry) -> int:
    """Whether two geometries of one dimension share a part of it."""
    return int(shapely.overlaps(geometry1, geometry2))


@function("equals", since="3.34")
def equals(geometry1: Geometry, geometry2: Geometry) -> int:
    """Whether two geometries are the same set of points."""
    return int(shapely.equals(geometry1, geometry2))


@function("intersects_bbox", "bbox")
def intersects_bbox(geometry1: Geometry, geometry2: Geometry) -> int:
    """Whether the boxes of two geometries share a point."""
    a, b = geometry1.bounds, geometry2.bounds
    return int(a[0] <= b[2] and a[2] >= b[0] and a[1] <= b[3] and a[3] >= b[1])


_PATTERN = re.compile("[TF*012]{9}")


@function("relate")
def relate(*arguments: Value) -> Value:
    """The DE-9IM matrix of two geometries, or whether it matches a pattern."""
    if len(arguments) not in (2, 3):
        return None
    if not all(is_geometry(value) for value in arguments[:2]):
        raise ExpressionError("Cannot convert to geometry")
    first, second = (straightened(value) for value in arguments[:2])
    if len(arguments) == 2:
        return str(shapely.relate(first, second))
    pattern = to_text(arguments[2])
    return bool(_PATTERN.fullmatch(pattern) and shapely.relate_pattern(first, second, pattern))


# -- distances ------------------------------------------------------------------------------------------------------


@function("distance")
def distance(geometry1: Geometry, geometry2: Geometry) -> float:
    """The shortest distance; 0 to an empty geometry."""
    value = float(shapely.distance(geometry1, geometry2))
    return 0.0 if math.isnan(value) else value


@function("hausdorff_distance")
def hausdorff_distance(geometry1: Geometry, geometry2: Geometry, densify_fraction: float | None = None) -> float:
    """How far apart two shapes are at most (at their vertices, unless densified)."""
    if densify_fraction is None:
        return float(shapely.hausdorff_distance(geometry1, geometry2))
    if not 1e-4 <= densify_fraction <= 1:
        raise ExpressionError("The fraction must be between 0.0001 and 1")
    return float(shapely.hausdorff_distance(geometry1, geometry2, densify=densify_fraction))


@function("shortest_line")
def shortest_line(geometry1: Geometry, geometry2: Geometry) -> Geometry | None:
    """The shortest line from the first to the second."""
    return shapely.shortest_line(geometry1, geometry2)


@function("closest_point")
def closest_point(geometry1: Geometry, geometry2: Geometry) -> Geometry | None:
    """The point of the first that is closest to the second."""
    line = shapely.shortest_line(geometry1, geometry2)
    return None if line is None else shapely.get_point(line, 0)


def _pair(a: Value, b: Value, what: str) -> tuple[Geometry, Geometry]:
    points = [single_point(straightened(value)) if is_geometry(value) else None for value in (a, b)]
    first, second = points
    if first is None or second is None:
        raise ExpressionError(f"{what} requires two points")
    return first, second


@function("azimuth")
def azimuth(point_a: Value, point_b: Value) -> float | None:
    """Direction from one point to another in radians, clockwise from north; NULL of equal points."""
    a, b = _pair(point_a, point_b, "azimuth")
    if a.is_empty or b.is_empty:
        return math.nan
    if (a.x, a.y) == (b.x, b.y):
        return None
    return math.atan2(b.x - a.x, b.y - a.y) % (2 * math.pi)


@function("inclination")
def inclination(point_a: Value, point_b: Value) -> float:
    """Angle in degrees from the zenith (0) to the nadir (180) from one point to another."""
    a, b = _pair(point_a, point_b, "inclination")
    if a.is_empty or b.is_empty:
        return math.nan
    rise = (b.z if b.has_z else math.nan) - (a.z if a.has_z else math.nan)
    length = math.sqrt((b.x - a.x) ** 2 + (b.y - a.y) ** 2 + rise**2)
    return 90.0 if length == 0 else math.degrees(math.acos(rise / length)) if length == length else math.nan


@function("bearing", since="3.38")
def bearing(point_a: Value, point_b: Value) -> float | None:
    """As ``azimuth``, on the plane."""
    a, b = _pair(point_a, point_b, "bearing")
    return math.radians(direction(b.x - a.x, b.y - a.y)) if (a.x, a.y) != (b.x, b.y) else None


# -- overlay --------------------------------------------------------------------------------------------------------


def _some(result: Geometry) -> Geometry | None:
    """NULL instead of an empty point."""
    return None if result.is_empty and result.geom_type == "Point" else result


@function("intersection")
def intersection(geometry1: Geometry, geometry2: Geometry) -> Geometry | None:
    """What two geometries share; NULL when that is no point."""
    return _some(shapely.intersection(geometry1, geometry2))


@function("difference")
def difference(geometry1: Geometry, geometry2: Geometry) -> Geometry | None:
    """The first without the second."""
    return _some(shapely.difference(geometry1, geometry2))


@function("sym_difference", "symDifference")
def sym_difference(geometry1: Geometry, geometry2: Geometry) -> Geometry:
    """What only one of two geometries has."""
    return shapely.symmetric_difference(geometry1, geometry2)


@function("union")
def union(geometry1: Geometry, geometry2: Geometry) -> Geometry:
    """What at least one of two geometries has; touching lines become one."""
    result = shapely.union(geometry1, geometry2)
    return _merged(result) if result.geom_type == "MultiLineString" else result


@function("combine")
def combine(geometry1: Geometry, geometry2: Geometry) -> Geometry:
    """As ``union``."""
    result = shapely.union(geometry1, geometry2)
    return _merged(result) if result.geom_type == "MultiLineString" else result


def _merged(lines: Geometry) -> Geometry:
    return shapely.line_merge(lines)


# -- one geometry ---------------------------------------------------------------------------------------------------


@function("centroid")
def centroid(geometry: Geometry) -> Geometry | None:
    """The centre of gravity."""
    if geometry.is_empty and geometry.geom_type != "Point":
        return None
    return shapely.centroid(geometry)


@function("point_on_surface")
def point_on_surface(geometry: Geometry) -> Geometry | None:
    """A point that surely lies on the geometry."""
    return _some(shapely.force_2d(shapely.point_on_surface(geometry)))


@function("convex_hull", "convexHull")
def convex_hull(geometry: Geometry) -> Geometry:
    """The convex hull."""
    return shapely.convex_hull(geometry)


@function("concave_hull", since="3.36")
def concave_hull(geometry: Geometry, target_percent: float, allow_holes: Value = False) -> Geometry:
    """A hull that follows hollows: 0 the tightest, 1 the convex hull."""
    return shapely.concave_hull(geometry, ratio=max(0.0, min(1.0, target_percent)), allow_holes=bool(allow_holes))


@function("boundary")
def boundary(geometry: Geometry) -> Geometry | None:
    """The ends of lines, the rings of polygons; NULL of points."""
    if geometry.geom_type == "MultiLineString":  # every end, also where lines meet
        ends = [shapely.get_point(line, at) for line in geometry.geoms if not line.is_closed for at in (0, -1)]
        return shapely.MultiPoint(ends)
    result = shapely.boundary(geometry)
    return None if result is None or (result.is_empty and "Point" in geometry.geom_type) else result


@function("make_valid", since="3.28")
def make_valid(geometry: Geometry, method: str = "structure", keep_collapsed: Value = False) -> Geometry | None:
    """A valid geometry of the same points, by method ``linework`` or ``structure``."""
    if method.lower() not in ("structure", "linework"):
        raise ExpressionError("Unknown make_valid method")
    if method.lower() == "linework":
        return shapely.make_valid(geometry)
    return shapely.make_valid(geometry, method="structure", keep_collapsed=bool(keep_collapsed))


@function("simplify")
def simplify(geometry: Geometry, tolerance: float) -> Geometry | None:
    """With fewer vertices (Douglas-Peucker, keeping the topology); NULL for a negative tolerance."""
    if tolerance < 0:
        return None
    result = _simplified_rings(geometry, tolerance) if "Polygon" in geometry.geom_type else None
    if result is None:
        result = shapely.simplify(geometry, tolerance, preserve_topology=True)
    return result.geoms[0] if result.geom_type == "MultiLineString" and len(result.geoms) == 1 else result


def _simplified_rings(geometry: Geometry, tolerance: float) -> Geometry | None:
    """Polygons simplified as lines that begin where their rings do: GEOS before 3.12, which QGIS has, never drops that
    vertex. None when that does not work out."""
    polygons = shapely.get_parts(geometry)
    if not len(polygons) or shapely.is_empty(polygons).any():
        return None
    rings, owners = shapely.get_rings(polygons, return_index=True)
    points, numbers = shapely.get_coordinates(rings, return_index=True)
    lines = shapely.MultiLineString([shapely.LineString(points[numbers == number]) for number in range(len(rings))])
    simple = shapely.get_parts(shapely.simplify(lines, tolerance, preserve_topology=True))
    if len(simple) != len(rings) or (shapely.get_num_coordinates(simple) < 4).any():
        return None
    coords = [shapely.get_coordinates(ring) for ring in simple]
    parts = []
    for number in range(len(polygons)):
        outer, *holes = (ring for ring, owner in zip(coords, owners.tolist(), strict=True) if owner == number)
        parts.append(shapely.Polygon(outer, holes))
    return shapely.MultiPolygon(parts) if geometry.geom_type == "MultiPolygon" else parts[0]


@function("line_merge")
def line_merge(geometry: Geometry) -> Geometry | None:
    """Lines joined where they meet."""
    if "LineString" not in geometry.geom_type:
        return None
    return shapely.line_merge(geometry)
