"""GML 2 and 3 geometry texts: enough for ``geom_from_gml``. Hardened: no DTD, no entities, no network."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from lxml import etree

from qgserver.expression.geometries import AnyGeometry, Shape, from_shape

_MULTI = {
    "MultiPoint": "MultiPoint",
    "MultiLineString": "MultiLineString",
    "MultiCurve": "MultiLineString",
    "MultiPolygon": "MultiPolygon",
    "MultiSurface": "MultiPolygon",
    "MultiGeometry": "GeometryCollection",
}
_LINES = ("LineString", "Curve", "LinearRing", "LineStringSegment")


def read_gml(text: str) -> AnyGeometry | None:
    """The geometry a GML text spells; None when it spells none. Prefixes need not be declared."""
    if len(text) > 5_000_000 or "<!" in text:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    wrapped = text if "xmlns:gml" in text else f'<r xmlns:gml="http://www.opengis.net/gml">{text}</r>'
    try:
        root = etree.fromstring(wrapped.encode("utf-8", "replace"), parser)
        element = root[0] if wrapped is not text and len(root) else root
        shape = _shape(element, 0)
        return None if shape is None else from_shape(shape)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _shape(element: etree._Element, depth: int) -> Shape | None:
    name = _name(element)
    if depth > 20:
        return None
    if name == "Point":
        return _run("Point", element)
    if name in _LINES:
        return _run("LineString", element)
    if name in ("Polygon", "PolygonPatch", "Surface"):
        rings = [_run("LineString", ring) for ring in _descendants(element, "LinearRing")]
        parts = tuple(ring for ring in rings if ring is not None)
        return Shape("Polygon", parts[0].has_z, False, None, parts) if parts else None
    if name in _MULTI:
        members = [_shape(child, depth + 1) for member in element for child in member]
        parts = tuple(member for member in members if member is not None)
        return Shape(_MULTI[name], bool(parts) and parts[0].has_z, False, None, parts)
    return None


def _descendants(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element.iter() if _name(child) == name)


def _run(kind: str, element: etree._Element) -> Shape | None:
    rows: list[list[float]] = []
    for child in element.iter():
        name, content = _name(child), child.text or ""
        if name in ("pos", "posList"):
            numbers = [float(word) for word in content.split()]
            size = int(child.get("srsDimension") or child.get("dimension") or (len(numbers) if name == "pos" else 2))
            rows += [numbers[at : at + size] for at in range(0, len(numbers), size)]
        elif name == "coordinates":
            rows += [[float(word) for word in group.split(",")] for group in content.split()]
        elif name == "coord":
            rows.append([float(part.text or "") for part in child])
    if not rows or any(len(row) != len(rows[0]) for row in rows) or len(rows[0]) not in (2, 3):
        return None
    return Shape(kind, len(rows[0]) == 3, False, np.array(rows))
