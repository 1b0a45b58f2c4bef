"""Work on the vertices of geometries of any type, special ones included."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import shapely

from qgserver.expression.geometries import AnyGeometry, Coordinates, Geometry, Shape, Special, from_shape, to_shape


def map_points(geometry: AnyGeometry, change: Callable[[Coordinates], Coordinates]) -> AnyGeometry:
    """The geometry with every run of vertices (float64[n, 2..4]) changed; z and m columns come along."""
    return from_shape(map_shape(to_shape(geometry), change))


def map_shape(shape: Shape, change: Callable[[Coordinates], Coordinates]) -> Shape:
    """As ``map_points``, on a shape."""
    if shape.points is not None:
        return Shape(shape.kind, shape.has_z, shape.has_m, change(shape.points))
    return Shape(shape.kind, shape.has_z, shape.has_m, None, tuple(map_shape(part, change) for part in shape.parts))


def moved(geometry: AnyGeometry, change: Callable[[Coordinates], Coordinates]) -> AnyGeometry:
    """The geometry with x and y (float64[n, 2]) changed."""

    def xy(points: Coordinates) -> Coordinates:
        result = points.copy()
        result[:, :2] = change(points[:, :2])
        return result

    return map_points(geometry, xy)


def leaves(shape: Shape) -> Iterator[Shape]:
    """The points and lines a shape is made of, rings included."""
    if shape.points is not None:
        yield shape
    for part in shape.parts:
        yield from leaves(part)


def vertices(geometry: AnyGeometry) -> Coordinates:
    """float64[n, 4]: all vertices in order; nan where there is no z or m."""
    linear = geometry.shape if isinstance(geometry, Special) else None
    if linear is None:
        return np.asarray(shapely.get_coordinates(geometry, include_z=True, include_m=True), float)
    rows = [_padded(leaf) for leaf in leaves(linear)]
    return np.concatenate(rows) if rows else np.empty((0, 4))


def _padded(leaf: Shape) -> Coordinates:
    assert leaf.points is not None
    rows = np.full((len(leaf.points), 4), np.nan)
    rows[:, :2] = leaf.points[:, :2]
    if leaf.has_z:
        rows[:, 2] = leaf.points[:, 2]
    if leaf.has_m:
        rows[:, 3] = leaf.points[:, -1]
    return rows


def line(points: Coordinates, has_z: bool = False, has_m: bool = False) -> AnyGeometry:
    """A LineString of vertices."""
    return from_shape(Shape("LineString", has_z, has_m, points))


def polygon(*rings: Coordinates) -> AnyGeometry:
    """A two-dimensional polygon of rings."""
    return from_shape(Shape("Polygon", False, False, None, tuple(Shape("LineString", False, False, r) for r in rings)))


def point(x: float, y: float) -> Geometry:
    """A two-dimensional point."""
    return shapely.points(x, y)


def multi(geometry: Geometry) -> Geometry:
    """The geometry as a multi-geometry."""
    makers: dict[str, Callable[[list[Geometry]], Geometry]] = {
        "Point": shapely.multipoints,
        "LineString": shapely.multilinestrings,
        "Polygon": shapely.multipolygons,
    }
    maker = makers.get(geometry.geom_type)
    return geometry if maker is None else maker([geometry])


def azimuth(dx: float, dy: float) -> float:
    """Direction of a vector in degrees, 0 north, clockwise, in [0, 360)."""
    return math.degrees(math.atan2(dx, dy)) % 360.0


def lines_of(geometry: Geometry) -> list[Geometry]:
    """The LineStrings of a line or multi-line; none of anything else."""
    if geometry.geom_type in ("LineString", "LinearRing"):
        return [geometry]
    return list(geometry.geoms) if geometry.geom_type == "MultiLineString" else []


def polygons_of(geometry: Geometry) -> list[Geometry]:
    """The polygons of a polygon or multi-polygon; none of anything else."""
    if geometry.geom_type == "Polygon":
        return [geometry]
    return list(geometry.geoms) if geometry.geom_type == "MultiPolygon" else []


def single_point(geometry: Geometry) -> Geometry | None:
    """The point of a point, or of a multi-point of one; None of anything else."""
    if geometry.geom_type == "MultiPoint" and len(geometry.geoms) == 1:
        return geometry.geoms[0]
    return geometry if geometry.geom_type == "Point" else None


MAX_SEGMENTS = 1_000_000
"""Of a circle."""


def ellipse_ring(center: tuple[float, float], radii: tuple[float, float], angle: float, segments: int) -> Coordinates:
    """Vertices of an ellipse, clockwise from the end of its first axis, which points to azimuth ``angle`` (degrees)."""
    turns = 2 * math.pi * np.arange(segments) / segments
    along, across = radii[0] * np.cos(turns), radii[1] * np.sin(turns)
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    ring = np.column_stack([center[0] + along * sine + across * cosine, center[1] + along * cosine - across * sine])
    return np.concatenate([ring, ring[:1]])


_MULTI = {"Point": "MultiPoint", "LineString": "MultiLineString", "Polygon": "MultiPolygon"}


def collected(shapes: list[Shape]) -> AnyGeometry | None:
    """Shapes as one multi-geometry of the first one's type; None of none."""
    if not shapes:
        return None
    kind = shapes[0].kind.removeprefix("Multi")
    parts: list[Shape] = []
    for shape in shapes:
        if shape.kind == kind:
            parts.append(shape)
        elif shape.kind == f"Multi{kind}":
            parts.extend(shape.parts)
    has_z, has_m = shapes[0].has_z, shapes[0].has_m
    same = tuple(part for part in parts if part.has_z == has_z and part.has_m == has_m)
    return from_shape(Shape(_MULTI.get(kind, "GeometryCollection"), has_z, has_m, None, same or tuple(parts)))


def reprojected(geometry: AnyGeometry, source: str, destination: str) -> AnyGeometry | None:
    """The geometry from one CRS (authid) to another; as it is when one of them is unknown, None where it fails."""
    from qgserver.expression.crs import transformer

    change = transformer(source, destination)
    if change is None:
        return geometry

    def reproject(points: Coordinates) -> Coordinates:
        result = np.column_stack(change.transform(points[:, 0], points[:, 1]))
        if not np.isfinite(result).all():
            raise ValueError("beyond the reach of the projection")
        return result

    try:
        return moved(geometry, reproject)
    except ValueError:
        return None
