"""Scale denominators and metres on the map, by QGIS's formulas: they decide which layers and rules show."""

from __future__ import annotations

import math

from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent

INCHES = {"meters": 39.3700787, "feet": 12.0}
"""Inches of a map unit; any other unit is taken for degrees, as QGIS does."""
METERS = {"meters": 1.0, "feet": 0.3048, "km": 1000.0}

_RADIUS = 6378000.0
_ECCENTRICITY = 0.0810820288
_WGS84_MAJOR = 6378137.0
_WGS84_ECCENTRICITY2 = 0.00669437999014


def scale_denominator(extent: Extent, width_px: float, dpi: float, crs: Crs) -> float:
    """The n of 1:n for ``extent`` (map units) drawn ``width_px`` wide; 0 for a picture without width.

    In degrees the width is measured along the middle latitude, on QGIS's own ellipsoid.
    """
    if width_px <= 0:
        return 0.0
    inches = INCHES.get(crs.units)
    width = extent.width if inches else _geographic_width(extent)
    return width * (inches or INCHES["meters"]) * dpi / width_px


def meters_to_map_units(extent: Extent, crs: Crs) -> float:
    """Map units of one metre, at the centre of ``extent`` and eastwards where units are degrees (size unit
    ``RenderMetersInMapUnits``)."""
    if not crs.is_geographic:
        return 1.0 / METERS.get(crs.units, crs.meters_per_unit)
    latitude = math.radians(min(max(extent.center[1], -89.9), 89.9))
    normal = _WGS84_MAJOR / math.sqrt(1 - _WGS84_ECCENTRICITY2 * math.sin(latitude) ** 2)
    return math.degrees(1 / (normal * math.cos(latitude)))


def _geographic_width(extent: Extent) -> float:
    """Metres along the middle latitude of an extent in degrees."""
    latitude = math.radians(extent.center[1])
    a = math.cos(latitude) ** 2
    c = 2 * math.atan2(math.sqrt(a), math.sqrt(1 - a))
    e2 = _ECCENTRICITY**2
    radius: float = _RADIUS * (1 - e2) / (1 - e2 * math.sin(latitude) ** 2) ** 1.5
    return extent.width / 180 * radius * c
