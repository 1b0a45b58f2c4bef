"""Scale denominators as QGIS computes them."""

from __future__ import annotations

import math

from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent

INCHES_PER_UNIT = {"meters": 39.3700787, "feet": 12.0, "nautical miles": 72913.4}
ECCENTRICITY = 0.0810820288
RADIUS = 6378000.0
MAX_DENOMINATOR = 1e12


def degrees_width(extent: Extent) -> float:
    """Metres from the left to the right edge at the middle latitude of an extent in degrees (QGIS's own formula)."""
    latitude = math.radians((extent.ymin + extent.ymax) / 2)
    a = math.cos(latitude) ** 2
    c = 2.0 * math.atan2(math.sqrt(a), math.sqrt(max(1.0 - a, 0.0)))
    e2 = ECCENTRICITY**2
    radius = RADIUS * (1.0 - e2) / (1.0 - e2 * math.sin(latitude) ** 2) ** 1.5
    return (extent.xmax - extent.xmin) / 180.0 * radius * c


def scale_denominator(extent: Extent, width: float, dpi: float, crs: Crs) -> float:
    """1:n of a map ``width`` pixels wide over ``extent`` at ``dpi``. Metres are taken as they are, feet with QGIS's
    constant; every other unit counts as degrees (measured)."""
    inches = INCHES_PER_UNIT.get(crs.units)
    if inches is None:
        span, inches = degrees_width(extent), INCHES_PER_UNIT["meters"]
    else:
        span = extent.width
    return min(max(span * inches * dpi / width, 1e-9), MAX_DENOMINATOR) if width > 0 else MAX_DENOMINATOR


def meters_to_map_units(extent: Extent, crs: Crs) -> float:
    """Map units per metre at the centre of an extent: for sizes in metres at scale."""
    if not crs.is_geographic:
        return 1.0 / crs.meters_per_unit
    metres = degrees_width(extent)
    return extent.width / metres if metres > 0 else 1.0 / crs.meters_per_unit
