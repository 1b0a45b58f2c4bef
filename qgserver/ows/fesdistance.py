"""DWithin and Beyond: distances in any unit, on the plane or on the globe."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from qgserver.expression.nodes import Binary, Call, Literal, Node
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.transform import get_transform

FARTHEST = 5_000_000.0
"""Metres on the globe up to which a distance can be drawn around a geometry."""
SEGMENTS = 64
"""Of a quarter of a circle."""

_METRES = {
    "m": 1.0,
    "metre": 1.0,
    "meter": 1.0,
    "9001": 1.0,
    "km": 1000.0,
    "kilometre": 1000.0,
    "kilometer": 1000.0,
    "9036": 1000.0,
    "cm": 0.01,
    "mm": 0.001,
    "ft": 0.3048,
    "foot": 0.3048,
    "[ft_i]": 0.3048,
    "9002": 0.3048,
    "yd": 0.9144,
    "mi": 1609.344,
    "mile": 1609.344,
    "[mi_i]": 1609.344,
    "9093": 1609.344,
    "nmi": 1852.0,
    "[nmi_i]": 1852.0,
    "9030": 1852.0,
}
_DEGREES = {"deg": 1.0, "degree": 1.0, "9102": 1.0, "9122": 1.0, "rad": math.degrees(1), "9101": math.degrees(1)}


@dataclass(frozen=True, slots=True)
class Nearby:
    """A geometry and a distance in the layer's units; or, with no distance, the area within the distance."""

    geometry: BaseGeometry
    distance: float | None

    def condition(self, own: Node, beyond: bool) -> Node:
        """Whether the geometry ``own`` lies within the distance, or beyond it."""
        other = Literal(self.geometry)
        if self.distance is None:
            return Call("disjoint" if beyond else "intersects", (own, other))
        return Binary(">" if beyond else "<=", Call("distance", (own, other)), Literal(self.distance))

    @property
    def extent(self) -> Extent:
        """A box that holds all that is within the distance."""
        return Extent(*self.geometry.bounds).grown(self.distance or 0.0)


def read_distance(text: str, unit: str) -> tuple[float, str, float]:
    """The number, the kind of unit (``m``, ``deg``, "" = the layer's own) and its factor. Raises ``ValueError``."""
    number = float(text)
    if not math.isfinite(number) or number < 0:
        raise ValueError("the distance is no number from 0 on")
    # "urn:ogc:def:uom:EPSG::9001", "http://www.opengis.net/def/uom/UCUM/0/m", "#m", "metres"
    word = unit.strip().lower().rpartition("/")[2].rpartition(":")[2].rpartition("#")[2]
    for kind, table in (("m", _METRES), ("deg", _DEGREES)):
        for name in (word, word.removesuffix("s")):
            if name in table:
                return number, kind, table[name]
    if word:
        raise ValueError(f"the unit {unit[:80]} is not known")
    return number, "", 1.0


def nearby(geometry: BaseGeometry, crs: Crs | None, text: str, unit: str) -> Nearby:
    """What is meant by a distance around a geometry in the layer's CRS. Raises ``ValueError``."""
    number, kind, factor = read_distance(text, unit)
    if not kind or crs is None:
        return Nearby(geometry, number)
    if kind == "deg":
        if not crs.is_geographic:
            raise ValueError("the layer's coordinates are not in degrees")
        return Nearby(geometry, number * factor)
    if not crs.is_geographic:
        return Nearby(geometry, number * factor / crs.meters_per_unit)
    return Nearby(_on_globe(geometry, crs, number * factor), None)


def _on_globe(geometry: BaseGeometry, crs: Crs, metres: float) -> BaseGeometry:
    """The area within a distance: drawn on a plane around the geometry's middle, on which all distances from there are
    true. It is exact around points; around what is 1000 km wide the error reaches half a per cent."""
    if metres > FARTHEST:
        raise ValueError(f"the distance is more than {FARTHEST:.0f} m")
    middle = geometry.centroid
    plane = Crs("", f"+proj=aeqd +lat_0={middle.y!r} +lon_0={middle.x!r} +ellps=WGS84 +units=m +type=crs")
    there, back = get_transform(crs, plane), get_transform(plane, crs)
    if there is None or back is None:
        raise ValueError("the layer's CRS knows no metres")
    area = shapely.transform(geometry, there.points).buffer(metres, quad_segs=SEGMENTS)
    found = shapely.transform(area, back.points)
    if not np.isfinite(shapely.get_coordinates(found)).all():
        raise ValueError("the area within the distance cannot be drawn")
    return found
