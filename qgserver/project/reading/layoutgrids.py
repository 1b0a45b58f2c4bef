"""``<ComposerMapGrid>``: grids over the maps of layouts."""

from __future__ import annotations

from collections.abc import Iterator

from qgserver.draw.color import parse_color
from qgserver.errors import Problems
from qgserver.project.model.layouts import BLACK, WHITE, Border, Grid, GridFrame, GridNumbers
from qgserver.project.reading.crs import read_crs
from qgserver.project.reading.elements import Element, flag, integer, number
from qgserver.project.reading.layouttexts import read_font
from qgserver.symbology.symbol import Symbol, read_symbol

_SIDES = ("left", "right", "top", "bottom")
"""In the order of the bits of ``gridFrameSideFlags``."""
_STYLES = {"0": "lines", "1": "crosses", "2": "markers"}
_FRAMES = {"1": "zebra", "2": "inside", "3": "outside", "4": "both", "5": "line", "6": "line", "7": "zebra"}
_UNITS = {"0": 0.0, "1": 1.0, "2": 10.0}
"""Millimetres of a unit, 0 for the map's own."""
_AXES = {"1": frozenset((1,)), "2": frozenset((0,)), "3": frozenset[int]()}
_BOTH = frozenset((0, 1))
_TURNS = {"1": -90.0, "2": 90.0}
_ALONG = {"left": -90.0, "right": 90.0}
"""Degrees by which coordinates along the frame are turned."""


def read_grids(element: Element, problems: Problems) -> tuple[Grid, ...]:
    """The grids of a map that are shown."""
    shown = (grid for grid in element.iterfind("ComposerMapGrid") if flag(grid.get("show")) and _unit(grid) is not None)
    return tuple(_grid(grid, problems) for grid in shown)


def grids_not_drawn(layout: Element) -> Iterator[str]:
    """What the grids of a layout have that is left out."""
    for grid in layout.iterfind("LayoutItem/ComposerMapGrid"):
        if flag(grid.get("show")) and _unit(grid) is None:
            yield "map grids with intervals that fit the page"
        if flag(grid.get("show")) and grid.get("gridFrameStyle") in ("6", "7"):
            yield "nautical frames of map grids"


def _unit(element: Element) -> float | None:
    return _UNITS.get(element.get("unit", "0"))


def _grid(element: Element, problems: Problems) -> Grid:
    color = parse_color(element.get("annotationFontColor"), BLACK)
    look = read_font(element, "annotationFontProperties", problems, color)
    return Grid(
        interval=(number(element.get("intervalX")), number(element.get("intervalY"))),
        offset=(number(element.get("offsetX")), number(element.get("offsetY"))),
        unit=_unit(element) or 0.0,
        crs=read_crs(element),
        style=_STYLES.get(element.get("gridStyle", "0"), ""),
        cross=number(element.get("crossLength"), 3.0),
        symbol=_symbol(element, "lineStyle", problems),
        marker=_symbol(element, "markerStyle", problems),
        frame=_frame(element),
        format=look if flag(element.get("showAnnotation")) else None,
        numbers={side: numbers for side in _SIDES if (numbers := _numbers(element, side)).axes},
        distance=number(element.get("frameAnnotationDistance")),
        decimals=integer(element.get("annotationPrecision")),
        notation=integer(element.get("annotationFormat")),
        expression=element.get("annotationExpression", ""),
    )


def _symbol(element: Element, tag: str, problems: Problems) -> Symbol | None:
    found = element.find(f"{tag}/symbol")
    return None if found is None else read_symbol(found, "", problems)


def _frame(element: Element) -> GridFrame:
    flags = integer(element.get("gridFrameSideFlags"), 15)
    return GridFrame(
        kind=_FRAMES.get(element.get("gridFrameStyle", "0"), ""),
        width=number(element.get("gridFrameWidth"), 2.0),
        margin=number(element.get("gridFrameMargin")),
        pen=Border(
            parse_color(element.get("gridFramePenColor"), BLACK), number(element.get("gridFramePenThickness"), 0.3)
        ),
        fills=(parse_color(element.get("frameFillColor1"), WHITE), parse_color(element.get("frameFillColor2"), BLACK)),
        sides=frozenset(side for bit, side in enumerate(_SIDES) if flags & 1 << bit),
    )


def _numbers(element: Element, side: str) -> GridNumbers:
    direction = element.get(f"{side}AnnotationDirection", "0")
    return GridNumbers(
        axes=_AXES.get(element.get(f"{side}AnnotationDisplay", "0"), _BOTH),
        inside=element.get(f"{side}AnnotationPosition", "1") == "0",
        turn=_ALONG.get(side, 0.0) if direction == "3" else _TURNS.get(direction, 0.0),
    )
