"""Legends as pictures: nodes -> places in millimetres -> canvas. All lengths and rules are those QGIS draws by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.hinted import digit_height
from qgserver.draw.paths import single_path
from qgserver.draw.text import draw_paths, layout
from qgserver.draw.units import RenderScale
from qgserver.project.model import Project
from qgserver.rasters.model import LegendRamp
from qgserver.render.legend.bars import Bar, Mark, Patch, bar_size, lay_out_bar
from qgserver.render.legend.nodes import LayerNode, Node, Row
from qgserver.render.legend.request import MM_PER_INCH, TEXT_SCALE, LegendStyle, TextStyle
from qgserver.render.legend.swatch import Box, layer_painter
from qgserver.symbology.markers import marker_size
from qgserver.symbology.symbol import Symbol

EMPTY_TITLE = 3.5
"""Space below the title of the whole legend, which is there though the title is empty."""

ICON = 16
"""Pixels of the icon that is made for a colour."""
RULE_DPI = 96.0
"""Resolution at which the size of a symbol that is drawn alone becomes a whole number (measured)."""
EPSILON = 1e-6
"""Of a pixel: what sums of millimetres may be short of."""


@dataclass(frozen=True, slots=True)
class _Text:
    """``y`` is the baseline."""

    x: float
    y: float
    text: str
    style: TextStyle


@dataclass(frozen=True, slots=True)
class _Swatch(Mark):
    symbol: Symbol
    node: LayerNode


@dataclass(frozen=True, slots=True)
class _Square(Mark):
    """An icon of one colour: it is as large as fits into the place of a symbol, and stands at whole pixels where one of
    ``ICON`` pixels would be centred (measured)."""

    color: Color

    def draw(self, canvas: Canvas, factor: float) -> None:
        side = int(min(self.width, self.height) * factor)
        x, y = (
            int(at * factor + (length * factor - ICON) / 2)
            for at, length in ((self.x, self.width), (self.y, self.height))
        )
        ring = np.array(((x, y), (x + side, y), (x + side, y + side), (x, y + side)), dtype=np.float64)
        fill(canvas, single_path(ring, True), Brush(self.color))


@dataclass(slots=True)
class Sheet:
    """A legend laid out in millimetres, of symbols as large as ``scale`` says; ``dpi`` is the picture's resolution."""

    style: LegendStyle
    scale: RenderScale
    dpi: float
    width: float = 0.0
    height: float = 0.0
    marks: list[_Text | _Swatch | _Square | Patch | Bar] = field(default_factory=list)
    """What is drawn, in this order."""

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of the picture."""
        factor = self.dpi / MM_PER_INCH
        return max(int(self.width * factor + EPSILON), 1), max(int(self.height * factor + EPSILON), 1)

    def heading(self, text: str) -> None:
        """Put a line of the headings' text below what is there, and the space under it."""
        style = self.style.title_text
        self.height += style.font.ascent / TEXT_SCALE
        self.text(self.style.box_space, self.height, text, style)
        self.height += self.style.title_space

    def text(self, x: float, baseline: float, text: str, style: TextStyle) -> None:
        """Put a text with its left end at ``x``."""
        self.marks.append(_Text(x, baseline, text, style))
        self.width = max(self.width, x + layout(text, style.font).width / TEXT_SCALE)

    def row(self, node: LayerNode, row: Row, indent: float) -> None:
        """Put a symbol with its label below what is there; labels begin ``indent`` to the right of the symbols."""
        style, left = self.style, self.style.box_space
        if row.ramp is not None:
            self.bar(row.ramp, indent)
            return
        line = digit_height(style.item_text.font) / TEXT_SCALE
        self.swatch(node, row, (left, self.height), max(line, style.symbol_height))
        tall = self.block_size(row)[1]
        baseline = self.height + (line if line >= tall else (tall + line) / 2)
        self.text(left + indent + style.label_space, baseline, row.label, style.item_text)
        self.height += max(tall, line)

    def bar(self, ramp: LegendRamp, indent: float) -> None:
        """Put a bar of colours with the texts of its ends below what is there."""
        left, top = self.style.box_space, self.height
        place = lay_out_bar(ramp, self.style, indent + self.style.label_space, self.scale.px_per_mm)
        self.marks.append(Bar(left, top, place.width, place.bar_height, ramp))
        self.width = max(self.width, left + place.reach)
        # Its texts keep their distance from the bar, which stands at whole pixels.
        corner = int(top * self.scale.px_per_mm) / self.scale.px_per_mm
        for text, (x, baseline) in ((ramp.low, place.low), (ramp.high, place.high)):
            self.marks.append(_Text(left + x, corner + baseline, text, self.style.item_text))
        self.height += place.height

    def swatch(self, node: LayerNode, row: Row, corner: tuple[float, float], height: float) -> None:
        """Put a symbol into a row of the given height."""
        style = self.style
        if row.color is not None:
            self.marks.append(_Square(*corner, style.symbol_width, style.symbol_height, row.color))
        if row.patch is not None:
            y = corner[1] + (height - style.symbol_height) / 2
            self.marks.append(Patch(corner[0], y, style.symbol_width, style.symbol_height, row.patch))
        if row.symbol is None:
            return
        wide, tall = self.symbol_size(row)
        x = corner[0] + max(style.symbol_width - wide, 0.0) / 2
        y = corner[1] + (height - style.symbol_height + max(style.symbol_height - tall, 0.0)) / 2
        self.marks.append(_Swatch(x, y, wide, tall, row.symbol, node))

    def symbol_size(self, row: Row) -> tuple[float, float]:
        """Width and height that a symbol is drawn in: markers have their own."""
        if row.symbol is None:
            return 0.0, 0.0
        marker = marker_size(row.symbol, self.scale) / self.scale.px_per_mm
        return (marker, marker) if marker > 0 else (self.style.symbol_width, self.style.symbol_height)

    def block_size(self, row: Row) -> tuple[float, float]:
        """Width and height that a symbol takes."""
        if row.ramp is not None:
            return bar_size(row.ramp, self.style, self.scale.px_per_mm)
        if row.color is not None or row.patch is not None:
            return self.style.symbol_width, self.style.symbol_height
        if row.symbol is None:
            return 0.0, 0.0
        width, height = self.symbol_size(row)
        return max(width, self.style.symbol_width), max(height, self.style.symbol_height)


def lay_out(sheet: Sheet, nodes: Sequence[Node]) -> Sheet:
    """Places of everything in a legend; ``sheet`` is an empty one."""
    sheet.width += sheet.style.box_space
    sheet.height += sheet.style.box_space + EMPTY_TITLE
    _put(sheet, nodes, first=True)
    sheet.width += sheet.style.box_space
    sheet.height += sheet.style.box_space
    return sheet


def _put(sheet: Sheet, nodes: Sequence[Node], *, first: bool) -> None:
    style = sheet.style
    for node in nodes:
        if not isinstance(node, LayerNode):
            if not first:
                sheet.height += style.layer_space
            sheet.heading(node.title)
            _put(sheet, node.members, first=True)
        elif style.titles or node.rows:
            if not first:
                sheet.height += style.layer_space if style.titles else style.symbol_space
            _put_layer(sheet, node)
        first = False


def _put_layer(sheet: Sheet, node: LayerNode) -> None:
    if sheet.style.titles:
        sheet.heading(node.title)
    indent = max((sheet.block_size(row)[0] for row in node.rows), default=0.0)
    for number, row in enumerate(node.rows):
        if number or sheet.style.titles:
            sheet.height += sheet.style.symbol_space
        sheet.row(node, row, indent)


def draw_legend(
    project: Project, sheet: Sheet, size: tuple[int, int], background: Color | None, kind: type[Canvas] = Canvas
) -> Canvas:
    """The picture of a legend, of so many pixels, on a canvas of that kind."""
    canvas = _canvas(size, background, kind)
    _draw(canvas, project, sheet, sheet.scale.px_per_mm)
    return canvas


def draw_rule(
    project: Project, found: tuple[LayerNode, Row], sheet: Sheet, size: tuple[int, int], background: Color | None
) -> Canvas:
    """The symbol of a class alone, at half the height of a picture of ``size``; ``sheet`` is an empty one."""
    canvas = _canvas(size, background)
    sheet.swatch(*found, (0.0, 0.0), size[1] / sheet.scale.px_per_mm)
    _draw(canvas, project, sheet, RULE_DPI / MM_PER_INCH)
    return canvas


def _canvas(size: tuple[int, int], background: Color | None, kind: type[Canvas] = Canvas) -> Canvas:
    canvas = kind(*size)
    if background is not None:
        canvas.fill_background(background)
    return canvas


def _draw(canvas: Canvas, project: Project, sheet: Sheet, units: float) -> None:
    """Symbols get a whole number of units (``units`` in a millimetre) wide and high."""
    factor = sheet.scale.px_per_mm
    for mark in sheet.marks:
        x, y = mark.x * factor, mark.y * factor
        if isinstance(mark, _Text):
            line = layout(mark.text, mark.style.font)
            draw_paths(canvas, line.snapped_paths(x, y, factor / TEXT_SCALE), mark.style.color)
        elif isinstance(mark, _Square | Patch | Bar):
            mark.draw(canvas, factor)
        else:
            box = Box(x, y, int(mark.width * units + 0.5), int(mark.height * units + 0.5), factor / units)
            painter = layer_painter(project, mark.node.layer, sheet.scale)
            painter.draw(canvas, mark.symbol, box, mark.node.opacity)
