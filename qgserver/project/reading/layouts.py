"""``<Layouts>``: print layouts, their pages and items."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from qgserver.errors import Problems
from qgserver.project.model.layouts import Layout, LayoutItem, LayoutMap, MapItem, Page
from qgserver.project.reading.composers import layouts_of_composers
from qgserver.project.reading.elements import Element, flag, number
from qgserver.project.reading.layoutitems import HTML, LABEL, MAP, map_size, not_drawn, pair, read_item
from qgserver.project.reading.layouttables import read_htmls, read_tables
from qgserver.symbology.symbol import read_symbol


def read_layouts(root: Element, problems: Problems) -> tuple[Layout, ...]:
    """Layouts in file order, and those that QGIS 2 called composers."""
    elements = chain(root.iterfind("Layouts/Layout"), layouts_of_composers(root))
    return tuple(_read_layout(element, problems) for element in elements)


def _read_layout(element: Element, problems: Problems) -> Layout:
    """Items stand in the file topmost first, and QGIS Server counts and lists them in that order (measured)."""
    elements = element.findall("LayoutItem")
    pages = _read_pages(element, problems)
    maps = [item for item in elements if item.get("type") == MAP]
    atlas = element.find("Atlas")
    return Layout(
        name=element.get("name", ""),
        width=pages[0].width if pages else 0.0,
        height=pages[0].height if pages else 0.0,
        maps=tuple(LayoutMap(f"map{index}", *map_size(item)) for index, item in enumerate(maps)),
        labels=tuple(item.get("id", "") for item in elements if item.get("type") == LABEL and item.get("id")),
        htmls=_html_ids(element, elements),
        atlas_layer=atlas.get("coverageLayer", "") if atlas is not None and flag(atlas.get("enabled")) else None,
        dpi=number(element.get("printResolution"), 300.0),
        pages=pages,
        items=_read_items(element, elements, problems),
        not_drawn=not_drawn(element),
    )


def _read_pages(element: Element, problems: Problems) -> tuple[Page, ...]:
    """Pages from the first on; each may have a symbol of its own (since 3.10), else the collection's paints it."""
    found = []
    for item in element.iterfind("PageCollection/LayoutItem"):
        symbol = item.find("symbol")
        if symbol is None:
            symbol = element.find("PageCollection/symbol")
        _, y = pair(item.get("position"))
        found.append(Page(y, *pair(item.get("size")), None if symbol is None else read_symbol(symbol, "", problems)))
    return tuple(found)


def _read_items(layout: Element, elements: list[Element], problems: Problems) -> tuple[LayoutItem, ...]:
    """The items that are drawn, the lowest first; those of one height in the order they were made."""
    items: list[LayoutItem] = [*read_tables(layout, elements, problems), *read_htmls(layout, elements)]
    count = 0
    for element in elements:
        item = read_item(element, problems)
        if isinstance(item, MapItem):
            item = replace(item, name=f"map{count}")
        count += element.get("type") == MAP
        if item is not None:
            items.append(item)
    items.reverse()
    return tuple(sorted(items, key=lambda item: item.z))


def _html_ids(element: Element, items: list[Element]) -> tuple[str, ...]:
    """Ids of HTML frames: that of the first frame of each."""
    ids = {item.get("uuid", ""): item.get("id", "") for item in items}
    frames = (html.find("childFrame") for html in element.iterfind("LayoutMultiFrame") if html.get("type") == HTML)
    named = (ids.get(frame.get("uuid", ""), "") for frame in frames if frame is not None)
    return tuple(name for name in named if name)
