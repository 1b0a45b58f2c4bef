"""Attribute tables of print layouts: ``<LayoutMultiFrame>`` and the frames it is shown in."""

from __future__ import annotations

from collections.abc import Iterator

from qgserver.draw.color import parse_color
from qgserver.errors import Problems
from qgserver.project.model.layouts import BLACK, WHITE, Border, HtmlItem, LayoutItem, TableColumn, TableItem
from qgserver.project.reading.elements import Element, flag, integer, number
from qgserver.project.reading.layoutitems import HTML, OF_LAYER, TABLE, common_values
from qgserver.project.reading.layouttexts import read_font

_NO_HEADER = "2"
_HEADINGS = {"1": 0.0, "2": 0.5, "3": 1.0}
_ACROSS = {1: 0.0, 2: 1.0, 4: 0.5}


def read_tables(layout: Element, items: list[Element], problems: Problems) -> Iterator[LayoutItem]:
    """The tables of a layout, each in its first frame."""
    for table, frame in _framed(layout, items, TABLE):
        if table.get("source", OF_LAYER) == OF_LAYER:
            yield _table(table, frame, problems)


def read_htmls(layout: Element, items: list[Element]) -> Iterator[LayoutItem]:
    """The HTML pages of a layout, each in its first frame; those at an address are empty, as nothing is fetched."""
    for html, frame in _framed(layout, items, HTML):
        own = html.get("contentMode") == "1"
        expressions = flag(html.get("evaluateExpressions"), True)
        yield HtmlItem(**common_values(frame), text=html.get("html", "") if own else "", expressions=expressions)


def _framed(layout: Element, items: list[Element], kind: str) -> Iterator[tuple[Element, Element]]:
    """What has frames, of one kind, and the first frame of each."""
    frames = {item.get("uuid", ""): item for item in items}
    for found in layout.iterfind("LayoutMultiFrame"):
        child = found.find("childFrame")
        frame = None if child is None else frames.get(child.get("uuid", ""))
        if found.get("type") == kind and frame is not None:
            yield found, frame


def _table(table: Element, frame: Element, problems: Problems) -> TableItem:
    grid = Border(parse_color(table.get("gridColor"), BLACK), number(table.get("gridStrokeWidth"), 0.5), "miter")
    header, content = table.find("headerTextFormat"), table.find("contentTextFormat")
    order = (
        (column.get("attribute", ""), column.get("sortOrder") == "1") for column in table.iterfind("sortColumns/column")
    )
    return TableItem(
        **common_values(frame),
        layer_id=table.get("vectorLayer", ""),
        columns=tuple(_column(column) for column in table.iterfind("displayColumns/column")),
        rows=max(integer(table.get("maxFeatures"), 30), 0),
        where=table.get("featureFilter", "") if flag(table.get("filterFeatures")) else "",
        order=tuple(order),
        margin=number(table.get("cellMargin"), 1.0),
        grid=grid if flag(table.get("showGrid"), True) else None,
        across=flag(table.get("horizontalGrid"), True),
        down=flag(table.get("verticalGrid"), True),
        paint=parse_color(table.get("backgroundColor"), WHITE),
        header_across=_HEADINGS.get(table.get("headerHAlignment", "0")),
        header=None
        if table.get("headerMode") == _NO_HEADER
        else read_font(table if header is None else header, "headerFontProperties", problems),
        content=read_font(table if content is None else content, "contentFontProperties", problems),
    )


def _column(element: Element) -> TableColumn:
    attribute = element.get("attribute", "")
    return TableColumn(
        attribute,
        element.get("heading") or attribute,
        number(element.get("width")),
        _ACROSS.get(integer(element.get("hAlignment"), 1), 0.0),
    )
