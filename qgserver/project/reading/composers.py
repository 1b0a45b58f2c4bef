"""Print composers of QGIS 2 as the layouts that QGIS 3 makes of them: the same items, under other names (measured)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

from lxml import etree

from qgserver.project.reading.elements import Element, integer, number
from qgserver.project.reading.layoutitems import (
    FRAME,
    HTML,
    LABEL,
    LEGEND,
    MAP,
    PICTURE,
    POLYGON,
    POLYLINE,
    SCALE_BAR,
    SHAPE,
    TABLE,
)

MOST_PAGES = 100
PAGE_GAP = 10.0
"""Millimetres between the pages of a composer, which lie below each other."""
MIDDLE = "4"
"""The reference point around which items are turned in QGIS 2."""
_KINDS: Mapping[str, str] = {
    "ComposerMap": MAP,
    "ComposerPicture": PICTURE,
    "ComposerLabel": LABEL,
    "ComposerLegend": LEGEND,
    "ComposerShape": SHAPE,
    "ComposerPolygon": POLYGON,
    "ComposerPolyline": POLYLINE,
    "ComposerArrow": POLYLINE,
    "ComposerScaleBar": SCALE_BAR,
}
_FRAMED: Mapping[str, str] = {"ComposerHtml": HTML, "ComposerAttributeTableV2": TABLE}
_SYMBOLIC = frozenset({SHAPE, POLYGON, POLYLINE})
"""Kinds that their symbol paints alone: QGIS 3 takes the background of these away."""
_MAP_LINKS = {"mapId": "mapUuid", "map": "map_uuid"}
_BAR_UNITS = ("unknown", "meters", "feet", "nautical miles")
_ARROW_ENDS = {"1": "0", "2": "2"}
"""``markerMode`` of an arrow without a head and of one with SVG pictures, and that of layouts' lines; all others have a
head, which is 1 there."""


def layouts_of_composers(root: Element) -> Iterator[Element]:
    """A ``Layout`` for each ``Composer``: of QGIS 2, and of the first builds of QGIS 3, which kept them in
    ``Layouts``."""
    for path in ("Composer", "Layouts/Composer"):
        for composer in root.iterfind(path):
            yield _layout(composer)


def _layout(composer: Element) -> Element:
    composition = composer.find("Composition")
    if composition is None:
        composition = etree.Element("Composition")
    name = composer.get("title") or composition.get("name") or ""
    layout = etree.Element("Layout", name=name, printResolution=composition.get("printResolution", "300"))
    layout.append(_pages(composition))
    maps = {found.get("id", ""): _of_item(found).get("uuid", "") for found in composition.iterfind("ComposerMap")}
    items = [_item(found, maps) for found in composition if found.tag in _KINDS]
    items += [_frame(frame) for found in composition if found.tag in _FRAMED for frame in found.iter("ComposerFrame")]
    layout.extend(sorted(items, key=lambda item: -number(item.get("zValue"))))
    layout.extend(_multi_frame(found) for found in composition if found.tag in _FRAMED)
    atlas = composer.find("Atlas")
    if atlas is not None:
        layout.append(copy.deepcopy(atlas))
    return layout


def _pages(composition: Element) -> Element:
    width, height = number(composition.get("paperWidth"), 297.0), number(composition.get("paperHeight"), 210.0)
    pages = etree.Element("PageCollection")
    symbol = composition.find("symbol")
    if symbol is not None:
        pages.append(copy.deepcopy(symbol))
    for page in range(min(max(integer(composition.get("numPages"), 1), 1), MOST_PAGES)):
        values = {"position": f"0,{page * (height + PAGE_GAP)},mm", "size": f"{width},{height},mm"}
        etree.SubElement(pages, "LayoutItem", values)
    return pages


def _of_item(element: Element) -> Element:
    """What all items have stands in an element of its own."""
    found = element.find("ComposerItem")
    return etree.Element("ComposerItem") if found is None else found


def _common(item: Element) -> dict[str, str]:
    """Values of all items: lengths with their unit, opacity for transparency in percent, and a place by the middle."""
    x, y, width, height = (number(item.get(name)) for name in ("x", "y", "width", "height"))
    opaque = 1 - number(item.get("transparency")) / 100
    return _texts(item) | {
        "referencePoint": MIDDLE,
        "position": f"{x + width / 2},{y + height / 2},mm",
        "size": f"{width},{height},mm",
        "opacity": item.get("opacity") or f"{opaque:g}",
        "outlineWidthM": f"{number(item.get('outlineWidth'), 0.3)},mm",
    }


def _texts(element: Element) -> dict[str, str]:
    return {str(name): str(value) for name, value in element.attrib.items()}


def _item(element: Element, maps: Mapping[str, str]) -> Element:
    item, kind = _of_item(element), _KINDS[str(element.tag)]
    own = _texts(element)
    own.pop("id", None)  # a map's number; what names an item is with the common values
    common = _common(item) | ({"background": "false"} if kind in _SYMBOLIC else {})
    links = {new: maps.get(own[old], "") for old, new in _MAP_LINKS.items() if old in own}
    made = etree.Element("LayoutItem", common | own | links | {"type": kind})
    made.extend(copy.deepcopy(child) for child in (*item, *element) if child is not item)
    if element.tag == "ComposerArrow":
        _as_line(made)
    elif kind == SHAPE:
        made.set("cornerRadiusMeasure", f"{number(element.get('cornerRadius'))},mm")
    elif kind == SCALE_BAR:
        unit = integer(element.get("units"))
        made.set("unitType", _BAR_UNITS[unit] if 0 <= unit < len(_BAR_UNITS) else _BAR_UNITS[0])
    return made


def _as_line(arrow: Element) -> None:
    """An arrow's two ends, which are places on the page, as the corners of a line with a head."""
    ends = [(number(end.get("x")), number(end.get("y"))) for end in arrow if end.tag in ("StartPoint", "StopPoint")]
    if len(ends) != 2:
        return
    left, top = (min(values) for values in zip(*ends, strict=True))
    right, bottom = (max(values) for values in zip(*ends, strict=True))
    arrow.set("referencePoint", "0")
    arrow.set("position", f"{left},{top},mm")
    arrow.set("size", f"{right - left},{bottom - top},mm")
    arrow.set("markerMode", _ARROW_ENDS.get(arrow.get("markerMode", ""), "1"))
    arrow.set("startMarkerMode", "2" if arrow.get("markerMode") == "2" and arrow.get("startMarkerFile") else "0")
    nodes = etree.SubElement(arrow, "nodes")
    for x, y in ends:
        etree.SubElement(nodes, "node", x=str(x - left), y=str(y - top))
    arrow.extend(arrow.findall("lineStyle/symbol"))


def _frame(frame: Element) -> Element:
    item = _of_item(frame)
    made = etree.Element("LayoutItem", _common(item) | {"type": FRAME})
    made.extend(copy.deepcopy(child) for child in item)
    return made


def _multi_frame(element: Element) -> Element:
    made = etree.Element("LayoutMultiFrame", _texts(element) | {"type": _FRAMED[str(element.tag)]})
    for frame in element.iterfind("ComposerFrame"):
        etree.SubElement(made, "childFrame", uuid=_of_item(frame).get("uuid", ""))
    made.extend(copy.deepcopy(child) for child in element if child.tag != "ComposerFrame")
    return made
