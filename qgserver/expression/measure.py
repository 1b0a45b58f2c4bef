"""Lengths and areas: planar, and on an ellipsoid as QGIS measures them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from qgserver.expression.geometries import Special, straightened, to_shape
from qgserver.expression.shapes import leaves, lines_of, polygons_of

if TYPE_CHECKING:
    import pyproj

    from qgserver.expression.geometries import AnyGeometry, Coordinates


def planar_length(geometry: AnyGeometry) -> float | None:
    """Length of lines (arcs as arcs), None of anything else."""
    if isinstance(geometry, Special):
        if geometry.geom_type not in ("CircularString", "CompoundCurve", "MultiCurve", "LineString"):
            return None
        runs = ((leaf.kind, leaf.points) for leaf in leaves(geometry.shape) if leaf.points is not None)
        return float(sum(_run_length(kind, points) for kind, points in runs))
    return float(geometry.length) if "LineString" in geometry.geom_type else None


def _run_length(kind: str, points: Coordinates) -> float:
    if kind != "CircularString":
        steps = np.diff(points[:, :2], axis=0)
        return float(np.sum(np.hypot(steps[:, 0], steps[:, 1])))
    return float(sum(_arc_length(*points[at : at + 3, :2]) for at in range(0, len(points) - 2, 2)))


def _arc_length(start: Coordinates, middle: Coordinates, end: Coordinates) -> float:
    a, b, c = (math.dist(*pair) for pair in ((start, middle), (middle, end), (start, end)))
    if c == 0:
        return math.pi * a  # a whole circle
    cross = (middle[0] - start[0]) * (end[1] - start[1]) - (end[0] - start[0]) * (middle[1] - start[1])
    doubled = float(abs(cross))
    if doubled == 0:
        return a + b
    radius = a * b * c / (2 * doubled)
    return 2 * radius * (math.asin(min(1.0, a / (2 * radius))) + math.asin(min(1.0, b / (2 * radius))))


def planar_area(geometry: AnyGeometry) -> float | None:
    """Area of polygons (-1 of an empty one, as in QGIS), None of anything else."""
    linear = straightened(geometry)
    if not polygons_of(linear):
        return None
    return float(linear.area) if not linear.is_empty else -1.0


def planar_perimeter(geometry: AnyGeometry) -> float | None:
    """Perimeter of polygons, holes included (-1 of an empty one), None of anything else."""
    linear = straightened(geometry)
    if not polygons_of(linear):
        return None
    return float(linear.length) if not linear.is_empty else -1.0


# -- on the ellipsoid -----------------------------------------------------------------------------------------------

METERS: dict[str, float] = {
    "meters": 1.0,
    "kilometers": 1000.0,
    "feet": 0.3048,
    "nautical miles": 1852.0,
    "yards": 0.9144,
    "miles": 1609.344,
    "centimeters": 0.01,
    "millimeters": 0.001,
    "degrees": 111319.49079327358,
    "US survey feet": 1200 / 3937,
}
"""Metres of the project's distance units."""

SQUARE_METERS: dict[str, float] = {
    "square meters": 1.0,
    "square kilometers": 1e6,
    "square feet": 0.3048**2,
    "square yards": 0.9144**2,
    "square miles": 1609.344**2,
    "hectares": 1e4,
    "acres": 4046.8564224,
    "square nautical miles": 1852.0**2,
    "square centimeters": 1e-4,
    "square millimeters": 1e-6,
    "square degrees": 111319.49079327358**2,
    "square US survey feet": (1200 / 3937) ** 2,
}
"""Square metres of the project's area units."""


@lru_cache(maxsize=32)
def _axes(ellipsoid: str) -> tuple[float, float] | None:
    """Semi-major and semi-minor axis in metres; None for no ellipsoid."""
    if not ellipsoid or ellipsoid.upper() == "NONE":
        return None
    from pyproj._crs import Ellipsoid
    from pyproj.exceptions import CRSError

    if ellipsoid.upper().startswith("PARAMETER:"):
        _, a, b = ellipsoid.split(":")
        return float(a), float(b)
    authority, _, code = ellipsoid.rpartition(":")
    try:
        found = Ellipsoid.from_authority(authority, code) if authority else Ellipsoid.from_name(ellipsoid)
    except CRSError:
        return None
    return float(found.semi_major_metre), float(found.semi_minor_metre)


@lru_cache(maxsize=32)
def _to_degrees(crs: str) -> pyproj.Transformer | None:
    """Layer CRS to longitude and latitude on its own datum; None without a CRS."""
    import pyproj

    try:
        known = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        return None
    geographic = known.geodetic_crs
    return None if geographic is None else pyproj.Transformer.from_crs(known, geographic, always_xy=True)


def _radians(points: Coordinates, crs: str) -> Coordinates | None:
    transformer = _to_degrees(crs)
    if transformer is None:
        return None
    lon, lat = transformer.transform(points[:, 0], points[:, 1])
    return np.asarray(np.radians(np.column_stack([lon, lat])), float)


def ellipsoidal_length(geometry: AnyGeometry, crs: str, ellipsoid: str, rings: bool) -> float | None:
    """Length in metres of lines (or of the ``rings`` of polygons), geodesic from vertex to vertex; None of anything
    else. Without an ellipsoid or a CRS: planar, in layer units."""
    linear = straightened(geometry)
    parts = polygons_of(linear) if rings else lines_of(linear)
    if not parts:
        return None
    axes = _axes(ellipsoid)
    if axes is None or _to_degrees(crs) is None:
        return float(linear.length)
    from pyproj import Geod

    geod = Geod(a=axes[0], b=axes[1])
    total = 0.0
    for leaf in leaves(to_shape(linear)):
        places = _radians(leaf.points, crs) if leaf.points is not None else None
        if places is not None and len(places) > 1:
            total += geod.line_length(places[:, 0], places[:, 1], radians=True)
    return total


def ellipsoidal_area(geometry: AnyGeometry, crs: str, ellipsoid: str) -> float | None:
    """Area of polygons in square metres, edges geodesic; None of anything else."""
    linear = straightened(geometry)
    polygons = polygons_of(linear)
    if not polygons:
        return None
    axes = _axes(ellipsoid)
    if axes is None or _to_degrees(crs) is None:
        return float(linear.area)
    from pyproj import Geod

    geod = Geod(a=axes[0], b=axes[1])
    total = 0.0
    for shape in (to_shape(part) for part in polygons):
        places = [_radians(ring.points, crs) for ring in shape.parts if ring.points is not None]
        areas = [geod.polygon_area_perimeter(r[:, 0], r[:, 1], radians=True)[0] for r in places if r is not None]
        total += abs(areas[0]) - sum(abs(area) for area in areas[1:]) if areas else 0.0
    return float(total)
