"""Reading GML 2 and GML 3 geometry out of requests (filters, later transactions)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import shapely
from lxml import etree
from shapely.geometry.base import BaseGeometry

from qgserver.errors import OwsError

MAX_DEPTH = 10
"""Levels of geometries within geometries."""

Position = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ReadGeometry:
    """A geometry with its numbers in the order written, and the ``srsName`` found on it or inside it ("" = none)."""

    geometry: BaseGeometry
    srs_name: str


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    return etree.QName(element).localname


def is_geometry(element: etree._Element) -> bool:
    """Whether the element is a geometry or an envelope we can read."""
    return local_name(element) in _READERS


def read_geometry(element: etree._Element) -> ReadGeometry:
    """The geometry of a GML element, ``Box`` and ``Envelope`` as polygons. Raises ``OwsError`` for what is none."""
    srs = element.get("srsName") or next((name for e in element.iter() if (name := e.get("srsName"))), "")
    try:
        geometry = _read(element, 0)
    except (ValueError, IndexError, shapely.errors.GEOSException) as error:
        raise _bad(f"a {local_name(element)} that cannot be read ({error})") from None
    return ReadGeometry(geometry, str(srs))


def _bad(what: str) -> OwsError:
    return OwsError("InvalidParameterValue", f"The request holds {what[:200]}.", locator="filter")


def _read(element: etree._Element, depth: int) -> BaseGeometry:
    reader = _READERS.get(local_name(element))
    if reader is None or depth > MAX_DEPTH:
        raise _bad(f"an element {local_name(element)} where a geometry belongs")
    return reader(element, depth)


# -- positions ------------------------------------------------------------------------------------------------------


def _numbers(text: str | None) -> list[float]:
    numbers = [float(word) for word in (text or "").split()]
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a coordinate is not a finite number")
    return numbers


def _coordinates(element: etree._Element) -> list[Position]:
    """``gml:coordinates``: tuples by ``ts``, numbers by ``cs``, ``decimal`` as the point (GML 2.1.2 clause 4.3.3)."""
    separator, between, point = element.get("cs") or ",", element.get("ts") or " ", element.get("decimal") or "."
    text = element.text or ""
    tuples = text.split() if between.isspace() else text.split(between)
    return [tuple(_numbers(item.replace(separator, " ").replace(point, "."))) for item in tuples]


def _position_list(element: etree._Element, dimension: int) -> list[Position]:
    numbers = _numbers(element.text)
    width = int(element.get("srsDimension") or element.get("dimension") or dimension or 2)
    if width not in (2, 3, 4) or len(numbers) % width:
        raise ValueError("the number of coordinates does not fit the dimension")
    return [tuple(numbers[i : i + width]) for i in range(0, len(numbers), width)]


def _positions(element: etree._Element) -> list[Position]:
    """All positions directly below an element, in whichever of GML's forms."""
    dimension = int(element.get("srsDimension") or 0)
    out: list[Position] = []
    for child in element:
        match local_name(child):
            case "coordinates":
                out += _coordinates(child)
            case "posList":
                out += _position_list(child, dimension)
            case "pos" | "lowerCorner" | "upperCorner":
                out.append(tuple(_numbers(child.text)))
            case "coord":
                out.append(tuple(_numbers(part.text)[0] for part in child))
            case "pointProperty" | "pointRep" | "pointMember":
                out += [position for point in child for position in _positions(point)]
    if not out or any(len(position) < 2 for position in out):
        raise ValueError("it has no coordinates")
    return [position[:3] for position in out]


# -- geometries -----------------------------------------------------------------------------------------------------


def _point(element: etree._Element, depth: int) -> BaseGeometry:
    return shapely.Point(_positions(element)[0])


def _line(element: etree._Element, depth: int) -> BaseGeometry:
    return shapely.LineString(_positions(element))


def _ring(element: etree._Element, depth: int) -> BaseGeometry:
    return shapely.LinearRing(_positions(element))


def _polygon(element: etree._Element, depth: int) -> BaseGeometry:
    outer, inner = [], []
    for child in element:
        name = local_name(child)
        if name in ("outerBoundaryIs", "exterior"):
            outer += [_positions(ring) for ring in child]
        elif name in ("innerBoundaryIs", "interior"):
            inner += [_positions(ring) for ring in child]
    return shapely.Polygon(outer[0], inner)


def _box(element: etree._Element, depth: int) -> BaseGeometry:
    corners = _positions(element)
    (x1, y1), (x2, y2) = corners[0][:2], corners[1][:2]
    return shapely.box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def _members(element: etree._Element) -> Iterator[etree._Element]:
    for child in element:
        if local_name(child).endswith(("Member", "Members")):
            yield from child


def _multi(build: Callable[[Any], BaseGeometry]) -> Callable[[etree._Element, int], BaseGeometry]:
    def read(element: etree._Element, depth: int) -> BaseGeometry:
        return build([_read(member, depth + 1) for member in _members(element)])

    return read


def _curve(element: etree._Element, depth: int) -> BaseGeometry:
    """Segments that are lines, joined; arcs are refused rather than straightened wrongly."""
    positions: list[Position] = []
    for segments in element:
        for segment in segments:
            if local_name(segment) != "LineStringSegment":
                raise _bad(f"a curve of {local_name(segment)}")
            found = _positions(segment)
            positions += found[1:] if positions and positions[-1] == found[0] else found
    return shapely.LineString(positions)


def _surface(element: etree._Element, depth: int) -> BaseGeometry:
    patches: list[Any] = [_polygon(patch, depth) for group in element for patch in group]
    return patches[0] if len(patches) == 1 else shapely.MultiPolygon(patches)


_READERS: dict[str, Callable[[etree._Element, int], BaseGeometry]] = {
    "Point": _point,
    "LineString": _line,
    "LinearRing": _ring,
    "Polygon": _polygon,
    "Box": _box,
    "Envelope": _box,
    "MultiPoint": _multi(shapely.MultiPoint),
    "MultiLineString": _multi(shapely.MultiLineString),
    "MultiCurve": _multi(shapely.MultiLineString),
    "MultiPolygon": _multi(shapely.MultiPolygon),
    "MultiSurface": _multi(shapely.MultiPolygon),
    "MultiGeometry": _multi(shapely.GeometryCollection),
    "Curve": _curve,
    "Surface": _surface,
}
