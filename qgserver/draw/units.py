"""Sizes of symbols: from QGIS units to device pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from qgserver.geo.geometry import Floats

Size = TypeVar("Size", float, Floats)

POINTS_PER_MM = 2.83464567
"""QGIS's constant (72 / 25.4, rounded)."""


@dataclass(frozen=True, slots=True)
class RenderScale:
    """What a map's scale is, for the sizes drawn on it.

    ``px_per_mm`` = dpi / 25.4; ``map_units_per_pixel`` in the map's CRS; ``scale_denominator`` 1:n;
    ``meters_to_map_units`` 1 for metric CRS; ``reference_factor`` = reference scale / scale of a renderer that has
    one (multiplies every size), else 1.
    """

    px_per_mm: float
    map_units_per_pixel: float
    scale_denominator: float
    meters_to_map_units: float = 1.0
    reference_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class MapUnitScale:
    """Limits of a size in map units: scale denominators between which it grows (0 = none) and sizes in mm."""

    min_scale: float = 0.0
    max_scale: float = 0.0
    min_size_mm: float | None = None
    max_size_mm: float | None = None


def _map_unit_factor(scale: RenderScale, limits: MapUnitScale | None) -> float:
    """Pixels per map unit; beyond the limits' scales a size stays what it is at the limit."""
    unit = scale.map_units_per_pixel
    if limits is not None and scale.scale_denominator > 0:
        if limits.min_scale > 0:
            unit = min(unit * limits.min_scale / scale.scale_denominator, unit)
        if limits.max_scale > 0:
            unit = max(unit * limits.max_scale / scale.scale_denominator, unit)
    return 1.0 / unit if unit > 0 else 0.0


def _millimetres(scale: RenderScale, limits: MapUnitScale | None) -> float:
    return scale.px_per_mm


def _points(scale: RenderScale, limits: MapUnitScale | None) -> float:
    return scale.px_per_mm / POINTS_PER_MM


def _inches(scale: RenderScale, limits: MapUnitScale | None) -> float:
    return scale.px_per_mm * 25.4


def _as_is(scale: RenderScale, limits: MapUnitScale | None) -> float:
    return 1.0


def _metres(scale: RenderScale, limits: MapUnitScale | None) -> float:
    return scale.meters_to_map_units * _map_unit_factor(scale, limits)


_FACTORS: dict[str, Callable[[RenderScale, MapUnitScale | None], float]] = {
    "MM": _millimetres,
    "Point": _points,
    "Points": _points,
    "Inch": _inches,
    "Pixel": _as_is,
    "Pixels": _as_is,
    "Percentage": _as_is,  # what it is a share of depends on the property: the caller's business
    "MapUnit": _map_unit_factor,
    "RenderMetersInMapUnits": _metres,
}
_LIMITED = frozenset({"MapUnit", "RenderMetersInMapUnits"})


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


@lru_cache(maxsize=1024)
def parse_map_unit_scale(text: str | None) -> MapUnitScale | None:
    """Read ``3x:min,max,minEnabled,minMM,maxEnabled,maxMM`` and the older forms; None when it limits nothing.

    Before QGIS 3 scales were written as 1/denominator, and before 2.8 without the sizes.
    """
    if not text:
        return None
    modern = text.startswith("3x:")
    parts = [_number(part) for part in text.removeprefix("3x:").split(",")]
    if len(parts) < 2:
        return None
    smallest, largest = parts[:2] if modern else [1.0 / part if part else 0.0 for part in parts[:2]]
    sizes = parts[2:6] if len(parts) >= 6 else [0.0] * 4
    found = MapUnitScale(smallest, largest, sizes[1] if int(sizes[0]) else None, sizes[3] if int(sizes[2]) else None)
    return None if found == MapUnitScale() else found


def to_pixels(value: Size, unit: str, scale: RenderScale, map_unit_scale: MapUnitScale | None = None) -> Size:
    """``value`` (a number or an array) in ``unit`` as pixels; an unknown unit counts as millimetres."""
    size = value * _FACTORS.get(unit, _millimetres)(scale, map_unit_scale)
    if map_unit_scale is not None and unit in _LIMITED:
        low, high = map_unit_scale.min_size_mm, map_unit_scale.max_size_mm
        if low is not None:
            size = _at_least(size, low * scale.px_per_mm)
        if high is not None:
            size = -_at_least(-size, -high * scale.px_per_mm)
    return size * scale.reference_factor


def _at_least(size: Size, limit: float) -> Size:
    if isinstance(size, np.ndarray):
        return np.maximum(size, limit)
    return max(size, limit)
