"""Geometry: moved, turned, grown, smoothed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import shapely

from qgserver.errors import ExpressionError
from qgserver.expression import shapes
from qgserver.expression.context import Frame
from qgserver.expression.function import Group
from qgserver.expression.geometries import AnyGeometry, Coordinates, Geometry, Shape, from_shape, straightened, to_shape
from qgserver.expression.values import Value, is_geometry, loose_truth, to_text

function = Group("Geometry", faults=(shapely.errors.ShapelyError,))


@function("translate")
def translate(geometry: AnyGeometry, dx: float, dy: float) -> AnyGeometry:
    """Moved."""
    return shapes.moved(geometry, lambda points: points + np.array([dx, dy]))


@function("rotate")
def rotate(geometry: AnyGeometry, rotation: float, center: Value = None, per_part: Value = False) -> AnyGeometry:
    """Turned clockwise by degrees, around a point or the middle of the box."""
    if center is None:
        bounds = straightened(geometry).bounds
        x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    else:
        place = shapes.single_point(center) if isinstance(center, shapely.geometry.base.BaseGeometry) else None
        if place is None:
            raise ExpressionError("The center must be a point")
        x, y = place.x, place.y
    turn = math.radians(rotation)
    sine, cosine = math.sin(turn), math.cos(turn)

    def turned(points: Coordinates) -> Coordinates:
        dx, dy = points[:, 0] - x, points[:, 1] - y
        return np.column_stack([x + dx * cosine + dy * sine, y - dx * sine + dy * cosine])

    return shapes.moved(geometry, turned)


@function("scale", since="3.26")
def scale(geometry: AnyGeometry, x_scale: float, y_scale: float, center: Value = None) -> AnyGeometry:
    """Scaled, around a point or the middle of the box."""
    bounds = straightened(geometry).bounds
    middle = np.array([(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2])
    if isinstance(center, shapely.geometry.base.BaseGeometry):
        middle = np.array(shapely.get_coordinates(center)[0])
    return shapes.moved(geometry, lambda points: (points - middle) * (x_scale, y_scale) + middle)


@function("affine_transform")
def affine_transform(  # noqa: PLR0913  # the language's own signature
    geometry: AnyGeometry,
    delta_x: float,
    delta_y: float,
    rotation_z: float,
    scale_x: float,
    scale_y: float,
    delta_z: float = 0.0,
    delta_m: float = 0.0,
    scale_z: float = 1.0,
    scale_m: float = 1.0,
) -> AnyGeometry:
    """Scaled, then turned counter-clockwise by degrees around the origin, then moved."""
    turn = math.radians(rotation_z)
    sine, cosine = math.sin(turn), math.cos(turn)
    shape = to_shape(geometry)
    add_z = not shape.has_z and (delta_z != 0 or scale_z != 1)
    add_m = not shape.has_m and (delta_m != 0 or scale_m != 1)

    def change(leaf: Shape) -> Shape:
        rows = np.zeros((len(leaf.points) if leaf.points is not None else 0, 4))
        if leaf.points is not None:
            x, y = leaf.points[:, 0] * scale_x, leaf.points[:, 1] * scale_y
            rows[:, 0], rows[:, 1] = x * cosine - y * sine + delta_x, x * sine + y * cosine + delta_y
            rows[:, 2] = (leaf.points[:, 2] if leaf.has_z else 0.0) * scale_z + delta_z
            rows[:, 3] = (leaf.points[:, -1] if leaf.has_m else 0.0) * scale_m + delta_m
        has_z, has_m = leaf.has_z or add_z, leaf.has_m or add_m
        keep = [True, True, has_z, has_m]
        if leaf.points is not None:
            return Shape(leaf.kind, has_z, has_m, rows[:, keep])
        return Shape(leaf.kind, has_z, has_m, None, tuple(change(part) for part in leaf.parts))

    return from_shape(change(shape))


@function("flip_coordinates", "flip_coordinates")
def flip_coordinates(geometry: AnyGeometry) -> AnyGeometry:
    """With x and y swapped."""
    return shapes.moved(geometry, lambda points: points[:, ::-1])


@function("force_rhr")
def force_rhr(geometry: Geometry) -> Geometry:
    """Outer rings clockwise, holes counter-clockwise."""
    return _oriented(geometry, outer_clockwise=True)


@function("force_polygon_cw", since="3.24")
def force_polygon_cw(geometry: Geometry) -> Geometry:
    """Outer rings clockwise, holes counter-clockwise."""
    return _oriented(geometry, outer_clockwise=True)


@function("force_polygon_ccw", since="3.24")
def force_polygon_ccw(geometry: Geometry) -> Geometry:
    """Outer rings counter-clockwise, holes clockwise."""
    return _oriented(geometry, outer_clockwise=False)


def _oriented(geometry: Geometry, outer_clockwise: bool) -> Geometry:
    if not shapes.polygons_of(geometry):
        return geometry
    return shapely.orient_polygons(geometry, exterior_cw=outer_clockwise)


@function("reverse")
def reverse(geometry: AnyGeometry) -> AnyGeometry | None:
    """Lines in the other direction."""
    if geometry.geom_type in ("MultiPoint", "MultiPolygon"):
        return geometry
    if geometry.geom_type not in ("LineString", "MultiLineString", "CircularString"):
        return None
    return shapes.map_points(geometry, lambda points: points[::-1].copy())


@function("extrude")
def extrude(geometry: Geometry, x: float, y: float) -> AnyGeometry | None:
    """The polygon that lines sweep over when moved."""
    lines = shapes.lines_of(geometry)
    rings = [shapely.get_coordinates(line) for line in lines]
    swept = [np.concatenate([ring, ring[::-1] + np.array([x, y]), ring[:1]]) for ring in rings]
    if not swept:
        return None
    if geometry.geom_type == "LineString":
        return shapes.polygon(swept[0])
    return shapely.MultiPolygon([shapely.Polygon(ring) for ring in swept])


@function("project")
def project(point: Value, distance: float, azimuth: float, elevation: float = math.pi / 2) -> AnyGeometry:
    """A point moved by a distance along an azimuth and an angle from the zenith, both in radians."""
    place = shapes.single_point(point) if isinstance(point, shapely.geometry.base.BaseGeometry) else None
    if place is None:
        raise ExpressionError("'project' requires a point geometry")
    if place.is_empty:
        return place
    flat = elevation == math.pi / 2
    reach = distance if flat else distance * math.sin(elevation)
    x, y = place.x + reach * math.sin(azimuth), place.y + reach * math.cos(azimuth)
    if flat and not place.has_z:
        return shapes.point(x, y)
    height = place.z if place.has_z else math.nan
    return from_shape(Shape("Point", True, False, np.array([[x, y, height + distance * math.cos(elevation)]])))


@function("transform")
def transform(geometry: AnyGeometry, source_auth_id: str, dest_auth_id: str) -> AnyGeometry | None:
    """Reprojected from one CRS to another; as it is when one of them is unknown, NULL where the projection fails."""
    return shapes.reprojected(geometry, source_auth_id, dest_auth_id)


# -- buffers --------------------------------------------------------------------------------------------------------

_Cap = Literal["round", "square", "flat"]
_Join = Literal["round", "mitre", "bevel"]
_CAPS: dict[str, _Cap] = {"round": "round", "flat": "flat", "square": "square"}
_JOINS: dict[str, _Join] = {"round": "round", "miter": "mitre", "bevel": "bevel"}
_JOIN_NUMBERS: dict[int, _Join] = {1: "round", 2: "mitre", 3: "bevel"}
MAX_SEGMENTS = 1000


def _quarter(segments: int) -> int:
    """Segments of a quarter circle that GEOS accepts."""
    if segments > MAX_SEGMENTS:
        raise ExpressionError("Too many segments")
    return max(segments, 1)


@function("buffer")
def buffer(  # the language's own signature
    geometry: Geometry,
    distance: float,
    segments: int = 8,
    cap: str = "round",
    join: str = "round",
    miter_limit: float = 2.0,
) -> Geometry:
    """All points closer than a distance; ``segments`` for a quarter circle."""
    ends, corners = _CAPS.get(cap.lower(), "round"), _JOINS.get(join.lower(), "round")
    return shapely.buffer(
        geometry,
        distance,
        quad_segs=_quarter(segments),
        cap_style=ends,
        join_style=corners,
        mitre_limit=miter_limit,
    )


@function("single_sided_buffer")
def single_sided_buffer(
    geometry: Geometry, distance: float, segments: int = 8, join: int = 1, miter_limit: float = 2.0
) -> Geometry | None:
    """One side of a line's buffer: left, or right for a negative distance."""
    if "LineString" not in geometry.geom_type:
        return None
    style = _JOIN_NUMBERS.get(join, "round")
    parts = [
        shapely.buffer(
            line,
            distance,
            quad_segs=_quarter(segments),
            cap_style="round",
            join_style=style,
            mitre_limit=miter_limit,
            single_sided=True,
        )
        for line in shapes.lines_of(geometry)
    ]
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


@function("offset_curve")
def offset_curve(
    geometry: Geometry, distance: float, segments: int = 8, join: int = 1, miter_limit: float = 2.0
) -> Geometry | None:
    """A line moved sideways: left, or right for a negative distance."""
    if "LineString" not in geometry.geom_type:
        return None
    style = _JOIN_NUMBERS.get(join, "round")
    parts = [
        shapely.offset_curve(line, distance, quad_segs=_quarter(segments), join_style=style, mitre_limit=miter_limit)
        for line in shapes.lines_of(geometry)
    ]
    return parts[0] if geometry.geom_type == "LineString" else shapely.union_all(parts)


def _variable_buffer(line: Geometry, radii: Coordinates, segments: int) -> Geometry:
    """The union of the hulls of neighbouring vertices' circles."""
    places = zip(shapely.get_coordinates(line), radii.tolist(), strict=True)
    spots = [(shapes.point(x, y), radius) for (x, y), radius in places]
    circles = [shapely.buffer(spot, radius, quad_segs=segments) if radius > 0 else spot for spot, radius in spots]
    pairs = [shapely.GeometryCollection([a, b]) for a, b in itertools.pairwise(circles)]
    return shapely.union_all(shapely.convex_hull(pairs))


def _line_buffer(geometry: Value, name: str, radii: Callable[[Geometry], Coordinates], segments: int) -> Geometry:
    lines = shapes.lines_of(straightened(geometry)) if is_geometry(geometry) else []
    if not lines:
        raise ExpressionError(f"{name} requires a line")
    parts = [_variable_buffer(line, radii(line), _quarter(segments)) for line in lines]
    return shapes.multi(shapely.union_all(parts))


@function("tapered_buffer")
def tapered_buffer(geometry: Value, start_width: float, end_width: float, segments: int = 8) -> Geometry:
    """A line's buffer whose width changes evenly from its start to its end."""

    def radii(line: Geometry) -> Coordinates:
        rows = shapely.get_coordinates(line)
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(rows, axis=0).T))])
        share = along / (along[-1] or 1.0)
        return np.abs(start_width + (end_width - start_width) * share) / 2

    return _line_buffer(geometry, "tapered_buffer", radii, segments)


@function("buffer_by_m")
def buffer_by_m(geometry: Value, segments: int = 8) -> Geometry:
    """A line's buffer as wide as the m values of its vertices."""
    if is_geometry(geometry) and not getattr(geometry, "has_m", False) and shapes.lines_of(geometry):
        return shapely.GeometryCollection()

    def radii(line: Geometry) -> Coordinates:
        rows = shapely.get_coordinates(line, include_z=False, include_m=True)
        return np.asarray(np.abs(np.nan_to_num(rows[:, -1])) / 2, float)

    return _line_buffer(geometry, "buffer_by_m", radii, segments)


# -- form -----------------------------------------------------------------------------------------------------------


@function("order_parts")
def order_parts(frame: Frame, geometry: AnyGeometry, orderby: Value, ascending: Value = True) -> AnyGeometry:
    """The parts of a multi-geometry in the order of an expression (a text), evaluated with each as the geometry."""
    from qgserver.expression.context import Feature
    from qgserver.expression.parser import parse
    from qgserver.expression.rows import compile_row
    from qgserver.expression.variants import Sortable

    shape = to_shape(geometry)
    if not shape.kind.startswith(("Multi", "Geometry")):
        return geometry
    text = to_text(orderby)
    if not text:
        return geometry
    try:
        compiled = compile_row(parse(text))
    except ExpressionError:
        return geometry
    keys = []
    for part in shape.parts:
        frame.budget.spend(1)
        feature = Feature(0, geometry=from_shape(part))
        keys.append(Sortable(compiled(frame.on(feature))))
    order = sorted(range(len(keys)), key=keys.__getitem__, reverse=not loose_truth(ascending))
    return from_shape(Shape(shape.kind, shape.has_z, shape.has_m, None, tuple(shape.parts[at] for at in order)))


@function("simplify_vw")
def simplify_vw(geometry: AnyGeometry, tolerance: float) -> AnyGeometry | None:
    """With fewer vertices (Visvalingam): those whose triangle is smaller than the tolerance squared go."""
    from qgserver.expression.thinning import visvalingam

    if tolerance < 0:
        return geometry
    ring = "Polygon" in geometry.geom_type
    return shapes.map_points(geometry, lambda points: visvalingam(points, tolerance * tolerance, ring))


@function("smooth")
def smooth(
    frame: Frame,
    geometry: AnyGeometry,
    iterations: int = 1,
    offset: float = 0.25,
    min_length: float = -1.0,
    max_angle: float = 180.0,
) -> AnyGeometry | None:
    """Corners cut off, again and again; not those of short segments or sharp angles."""
    from qgserver.expression.thinning import cut_corners

    count = len(shapes.vertices(geometry))
    frame.budget.allow(count * 2 ** min(max(iterations, 0), 40))
    polygons = "Polygon" in geometry.geom_type
    limit = math.radians(max_angle)

    def change(points: Coordinates) -> Coordinates:
        for _ in range(max(iterations, 0)):
            points = cut_corners(points, offset, min_length, limit, polygons)
        return points

    return shapes.map_points(geometry, change) if "Point" not in geometry.geom_type else geometry
