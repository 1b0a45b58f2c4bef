"""Patches of one colour and bars of many, as legends of rasters have them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.fonts import Font
from qgserver.draw.paths import Paths, box_path, joined
from qgserver.draw.text import layout
from qgserver.rasters.model import LegendRamp
from qgserver.render.legend.request import MM_PER_POINT, LegendStyle, TextStyle

BLACK = (0.0, 0.0, 0.0, 1.0)
LINES = 2
"""Lines of text that an upright bar is as high as (measured)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands beside a text, and where, in millimetres."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Patch(Mark):
    """A rectangle of ``color`` with a black border, at whole pixels."""

    color: Color

    def draw(self, canvas: Canvas, factor: float) -> None:
        """Draw it where a millimetre is ``factor`` pixels."""
        left, top, right, bottom = _box(self, factor)
        fill(canvas, box_path(left + 1, top + 1, right, bottom), Brush(self.color))
        fill(canvas, _frame(left, top, right + 1, bottom + 1, 1.0), Brush(BLACK))


@dataclass(frozen=True, slots=True)
class Bar(Mark):
    """A bar of colours with a black border that lies half on its outermost pixels."""

    ramp: LegendRamp

    def draw(self, canvas: Canvas, factor: float) -> None:
        """Draw it where a millimetre is ``factor`` pixels."""
        left, top, right, bottom = _box(self, factor)
        upright = self.ramp.upright
        start, length = (self.y * factor - top, self.height) if upright else (self.x * factor - left, self.width)
        count = bottom - top if upright else right - left
        # Colours begin where the bar would, were it not moved to whole pixels (measured).
        shares = (np.arange(count) + 0.5 - start) / (length * factor)
        if self.ramp.descending == upright:
            shares = 1.0 - shares
        colors = np.array([self.ramp.ramp.color(float(share)) for share in shares]).reshape(-1, 4)
        colors[:, :3] *= colors[:, 3:]
        pixels = (colors[:, [2, 1, 0, 3]] * 255.0 + 0.5).astype(np.uint8)
        picture = Canvas(right - left, bottom - top)
        picture.pixels()[:] = pixels[:, None] if upright else pixels[None, :]
        picture.surface.mark_dirty()
        canvas.compose(picture, at=(left, top))
        fill(canvas, _frame(left - 0.5, top - 0.5, right + 0.5, bottom + 0.5, 1.0), Brush(BLACK))


def draw_patch(canvas: Canvas, size: tuple[int, int], color: Color) -> None:
    """A patch over a whole icon, half of its border beyond the edge (measured)."""
    width, height = size
    fill(canvas, box_path(0.0, 0.0, width, height), Brush(color))
    fill(canvas, _frame(-0.5, -0.5, width + 0.5, height + 0.5, 1.0), Brush(BLACK))


def _box(mark: Mark, factor: float) -> tuple[int, int, int, int]:
    left, top = int(mark.x * factor), int(mark.y * factor)
    return left, top, left + max(int(mark.width * factor), 1), top + max(int(mark.height * factor), 1)


def _frame(left: float, top: float, right: float, bottom: float, width: float) -> Paths:
    """The outline of a rectangle as an area."""
    inner = box_path(left + width, top + width, right - width, bottom - width)
    return joined([box_path(left, top, right, bottom), inner])


@dataclass(frozen=True, slots=True)
class BarLayout:
    """A bar and its texts, in millimetres from the left upper corner of its row: ``low`` and ``high`` are places of the
    texts' baselines. ``reach`` and ``height`` are those of the row, texts included."""

    width: float
    bar_height: float
    reach: float
    height: float
    low: tuple[float, float]
    high: tuple[float, float]


def lay_out_bar(ramp: LegendRamp, style: LegendStyle, indent: float, px_per_mm: float) -> BarLayout:
    """Where a bar and its texts are; ``indent`` is where texts beside symbols begin. The bar follows the size that its
    font has in whole pixels of the picture (measured)."""
    font = _pixel_font(style.item_text, px_per_mm)
    ascent, descent = font.ascent / px_per_mm, font.descent / px_per_mm
    low_width, high_width = (layout(text, font).width / px_per_mm for text in (ramp.low, ramp.high))
    width, height = bar_size(ramp, style, px_per_mm)
    if ramp.upright:
        top, bottom = (indent, ascent), (indent, height - descent)
        low, high = (bottom, top) if ramp.descending else (top, bottom)
        return BarLayout(width, height, indent + max(low_width, high_width), height, low, high)
    baseline = height + style.label_space + ascent
    if ramp.descending:
        low, high = (0.0, baseline), (width - high_width, baseline)
    else:
        low, high = (width - low_width, baseline), (0.0, baseline)
    return BarLayout(width, height, width, baseline + descent, low, high)


def bar_size(ramp: LegendRamp, style: LegendStyle, px_per_mm: float) -> tuple[float, float]:
    """Width and height (mm) of a bar: an upright one is as high as two lines of text, one that lies as wide as its
    texts."""
    font = _pixel_font(style.item_text, px_per_mm)
    if ramp.upright:
        return style.symbol_width, max(style.symbol_height, LINES * (font.ascent + font.descent) / px_per_mm)
    texts = sum(layout(text, font).width for text in (ramp.low, ramp.high))
    return max(style.symbol_width, texts / px_per_mm), style.symbol_height


def _pixel_font(text: TextStyle, px_per_mm: float) -> Font:
    size = int(text.points * MM_PER_POINT * px_per_mm + 0.5)
    return replace(text.font, size=max(size, 1))
