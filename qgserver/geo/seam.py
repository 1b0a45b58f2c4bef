"""The meridian along which a projection tears the globe open, and cutting shapes there."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from qgserver.geo.clip import clip_to_rect
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import LINESTRING, POLYGON, Floats, GeometryArray, Ints
from qgserver.geo.transform import WEB_MERCATOR, Transform
from qgserver.geo.wkb import concat, take

GAP = 0.001
"""Degrees left out on each side of the seam: more than datums differ, less than a world map shows."""
_FAR = 1e30
_LATITUDES = (-75.0, -45.0, -15.0, 15.0, 45.0, 75.0)
_TORN = 50.0
"""Neighbours across the seam are torn apart when they lie so many times farther from each other than beside it."""
_ORIGINS = frozenset({"Longitude of natural origin", "Longitude of false origin"})


@lru_cache(maxsize=256)
def seam(transform: Transform) -> float | None:
    """Longitude at which the target's map of the world ends left and right, in degrees of the source; None when it ends
    at 180 degrees (data end there, too) or nowhere (polar, azimuthal and transverse projections), and for sources that
    are not in degrees.

    Lines and areas that cross it would be drawn right across the map.
    """
    target = transform.target
    if not transform.source.is_geographic or target.is_geographic or target.authid == WEB_MERCATOR:
        return None
    proj = target.proj
    operation = proj.coordinate_operation if proj is not None else None
    if proj is None or operation is None:
        return None
    origin = next((item for item in operation.params if item.name in _ORIGINS), None)
    if origin is None:
        return None
    meridian = proj.prime_meridian
    greenwich = 0.0 if meridian is None else float(meridian.longitude) * float(meridian.unit_conversion_factor)
    degrees = math.degrees(float(origin.value) * float(origin.unit_conversion_factor) + greenwich)
    longitude = math.remainder(degrees + 180.0, 360.0)
    return longitude if abs(longitude) < 180.0 - GAP and _is_torn(transform, longitude) else None


def cut_at(geometry: GeometryArray, longitude: float) -> GeometryArray:
    """``geometry`` with the lines and areas that cross ``longitude`` in two, ``GAP`` apart; features stay features."""
    boxes = geometry.boxes()
    shape = np.isin(geometry.ring_kinds(), (LINESTRING, POLYGON)).any()
    crossing = np.flatnonzero((boxes[:, 0] < longitude) & (boxes[:, 2] > longitude)) if shape else np.empty(0, int)
    if not len(crossing):
        return geometry
    torn = take(geometry, crossing)
    west = clip_to_rect(torn, Extent(-_FAR, -_FAR, longitude - GAP, _FAR))
    east = clip_to_rect(torn, Extent(longitude + GAP, -_FAR, _FAR, _FAR))
    return _in_pairs(concat([geometry, west, east]), len(geometry), crossing)


def _in_pairs(pool: GeometryArray, count: int, crossing: Ints) -> GeometryArray:
    """The first ``count`` features of ``pool``, those at ``crossing`` made of their two halves, which follow them."""
    order = np.repeat(np.arange(count), np.bincount(crossing, minlength=count) + 1)
    first = np.searchsorted(order, crossing)
    order[first] = count + np.arange(len(crossing))
    order[first + 1] = order[first] + len(crossing)
    whole = take(pool, order)
    single = (whole.types == LINESTRING) | (whole.types == POLYGON)
    whole.types[first[single[first]]] += 3  # LINESTRING and POLYGON to their multi types
    features = np.delete(whole.features, first + 1)
    return replace(whole, types=np.delete(whole.types, first + 1), features=features)


def _is_torn(transform: Transform, longitude: float) -> bool:
    def at(offset: float) -> Floats:
        return transform.points(np.array([[longitude + offset, latitude] for latitude in _LATITUDES]))

    west, east, farther = at(-GAP), at(GAP), at(-3 * GAP)
    with np.errstate(invalid="ignore"):
        across, beside = np.hypot(*(west - east).T), np.hypot(*(west - farther).T)
        return bool((across > _TORN * beside).any())
