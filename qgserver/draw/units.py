"""Sizes of symbols: from QGIS units to device pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from qgserver.geo.geometry import Floats

Size = TypeVar("Size", float, Floats)


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


def parse_map_unit_scale(text: str | None) -> MapUnitScale | None:
    """Read ``3x:min,max,minEnabled,minMM,maxEnabled,maxMM`` and the older forms; None when it limits nothing."""
    raise NotImplementedError


def to_pixels(value: Size, unit: str, scale: RenderScale, map_unit_scale: MapUnitScale | None = None) -> Size:
    """``value`` (a number or an array) in ``unit`` as pixels; an unknown unit counts as millimetres."""
    raise NotImplementedError
