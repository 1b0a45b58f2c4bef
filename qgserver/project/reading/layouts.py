"""``<Layouts>``: what GetProjectSettings tells of print layouts."""

from __future__ import annotations

from qgserver.errors import Problems
from qgserver.project.model import Layout, LayoutMap
from qgserver.project.reading.elements import Element, flag, number

_PAGE_ITEM = "PageCollection/LayoutItem"
_MAP = "65639"
_LABEL = "65641"
_HTML = "65648"
"""Values of the attribute ``type``."""

_MM_PER_UNIT = {
    "mm": 1.0,
    "cm": 10.0,
    "m": 1000.0,
    "in": 25.4,
    "ft": 304.8,
    "pt": 25.4 / 72,
    "pi": 25.4 / 6,
    "px": 25.4 / 300,
}
"""Pixels are those of the layout's usual 300 dpi."""


def read_layouts(root: Element, problems: Problems) -> tuple[Layout, ...]:
    """Layouts in file order. 2.x composers are noted as a problem."""
    for composer in root.iterfind("Composer"):
        problems.add("", "Composer", f"print composer {composer.get('title', '')!r} of QGIS 2 is not supported")
    return tuple(_read_layout(element) for element in root.iterfind("Layouts/Layout"))


def _read_layout(element: Element) -> Layout:
    """Items stand in the file topmost first, and QGIS Server counts and lists them in that order (measured)."""
    items = element.findall("LayoutItem")
    width, height = _size(element.find(_PAGE_ITEM))
    maps = [item for item in items if item.get("type") == _MAP]
    atlas = element.find("Atlas")
    return Layout(
        name=element.get("name", ""),
        width=width,
        height=height,
        maps=tuple(_read_map(item, index) for index, item in enumerate(maps)),
        labels=tuple(item.get("id", "") for item in items if item.get("type") == _LABEL and item.get("id")),
        htmls=_html_ids(element, items),
        atlas_layer=atlas.get("coverageLayer", "") if atlas is not None and flag(atlas.get("enabled")) else None,
    )


def _size(item: Element | None) -> tuple[float, float]:
    """``size="297,210,mm"`` in mm; 0 x 0 when absent."""
    parts = (item.get("size", "") if item is not None else "").split(",")
    if len(parts) != 3:
        return 0.0, 0.0
    factor = _MM_PER_UNIT.get(parts[2].strip(), 1.0)
    return number(parts[0]) * factor, number(parts[1]) * factor


def _read_map(item: Element, index: int) -> LayoutMap:
    """A map's height is what its extent asks for: the written one is rounded to six digits (measured)."""
    width, height = _size(item)
    extent = item.find("Extent")
    if extent is not None:
        xmin, ymin, xmax, ymax = (number(extent.get(side)) for side in ("xmin", "ymin", "xmax", "ymax"))
        if xmax > xmin and ymax > ymin:
            height = width * (ymax - ymin) / (xmax - xmin)
    return LayoutMap(f"map{index}", width, height)


def _html_ids(element: Element, items: list[Element]) -> tuple[str, ...]:
    """Ids of HTML frames: that of the first frame of each."""
    ids = {item.get("uuid", ""): item.get("id", "") for item in items}
    frames = (html.find("childFrame") for html in element.iterfind("LayoutMultiFrame") if html.get("type") == _HTML)
    named = (ids.get(frame.get("uuid", ""), "") for frame in frames if frame is not None)
    return tuple(name for name in named if name)
