"""Fills that are more than a colour: gradients and tiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cairo
import numpy as np
from numpy.typing import NDArray

from qgserver.draw.brush import fillable
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.paths import Paths, append_paths, appender, path_items
from qgserver.geo.geometry import Floats, Ints

Stops = Sequence[tuple[float, Color]]
"""Colours by position 0..1, sorted."""
Box = tuple[float, float, float, float]
"""x, y, width, height in pixels: what a gradient's 0..1 stands for."""
PAD, REFLECT, REPEAT = 0, 1, 2
_EXTENDS = {PAD: cairo.Extend.PAD, REFLECT: cairo.Extend.REFLECT, REPEAT: cairo.Extend.REPEAT}
FARTHEST = 10_000
"""Pixels: pictures repeated from further away make cairo run out of numbers."""
_TABLE = 1024
"""Colours of a conical gradient."""


def fill_with(canvas: Canvas, paths: Paths, pattern: cairo.Pattern) -> None:
    """Fill the rings as one area (odd-even)."""
    if not len(paths.coords):
        return
    context = canvas.context
    context.set_operator(canvas.operator)
    context.set_source(pattern)
    context.set_fill_rule(cairo.FillRule.EVEN_ODD)
    context.new_path()
    append_paths(context, fillable(canvas, paths))
    context.fill()
    context.set_operator(cairo.Operator.OVER)


def fill_each(canvas: Canvas, rings: Paths, areas: Ints, pattern: cairo.Pattern, places: Floats) -> None:
    """Fill areas one after the other (odd-even). ``areas`` int64[n+1] are offsets into ``rings``,
    ``places`` float64[n, 4] where the pattern lies for each: x, y, and how much larger it is in x and y."""
    if not len(areas) - 1 or not len(rings.coords):
        return
    items, firsts = path_items(fillable(canvas, rings))
    context = canvas.context
    append, keys = appender(context, items, firsts[areas])
    context.set_operator(canvas.operator)
    context.set_fill_rule(cairo.FillRule.EVEN_ODD)
    context.new_path()
    original, matrix = pattern.get_matrix(), cairo.Matrix
    for number, (x, y, wide, high) in enumerate(places.tolist()):
        pattern.set_matrix(matrix(1 / wide, 0.0, 0.0, 1 / high, -x / wide, -y / high))
        context.set_source(pattern)
        append(keys[number])
        context.fill()
    pattern.set_matrix(original)
    context.set_operator(cairo.Operator.OVER)


@dataclass(frozen=True, slots=True)
class Gradient:
    """Colours between two points of a unit square. ``kind`` 0 linear, 1 radial (``first`` is the centre), 2 conical
    (counter-clockwise around ``first``, from the direction of ``second``)."""

    kind: int
    stops: tuple[tuple[float, Color], ...]
    first: tuple[float, float]
    second: tuple[float, float]
    spread: int = PAD

    def pattern(self, canvas: Canvas, box: Box) -> cairo.Pattern:
        """What cairo paints with where the unit square lies over ``box``."""
        if self.kind == 2:
            return self._conical(canvas, box)
        (x1, y1), (x2, y2) = self.first, self.second
        made: cairo.Gradient = cairo.LinearGradient(x1, y1, x2, y2)
        if self.kind == 1:
            made = cairo.RadialGradient(x1, y1, 0.0, x1, y1, max(math.hypot(x2 - x1, y2 - y1), 1e-9))
        for position, color in self.stops:
            made.add_color_stop_rgba(position, *color)
        made.set_extend(_EXTENDS.get(self.spread, cairo.Extend.PAD))
        x, y, width, height = box
        made.set_matrix(cairo.Matrix(1 / width, 0, 0, 1 / height, -x / width, -y / height))
        return made

    def _conical(self, canvas: Canvas, box: Box) -> cairo.Pattern:
        x, y, width, height = box
        left, top = max(math.floor(x), 0), max(math.floor(y), 0)
        right, bottom = min(math.ceil(x + width), canvas.width), min(math.ceil(y + height), canvas.height)
        tile = Canvas(max(right - left, 1), max(bottom - top, 1))
        across = (np.arange(tile.width) + left + 0.5 - x) / width - self.first[0]
        down = (np.arange(tile.height) + top + 0.5 - y) / height - self.first[1]
        start = math.atan2(self.first[1] - self.second[1], self.second[0] - self.first[0])
        turn = (np.arctan2(-down[:, None], across[None, :]) - start) / (2 * math.pi) % 1
        table = color_table(self.stops)
        tile.pixels()[:] = table[(turn * (_TABLE - 1)).astype(np.int64)]
        tile.surface.mark_dirty()
        made = cairo.SurfacePattern(tile.surface)
        made.set_extend(cairo.Extend.PAD)
        made.set_filter(cairo.Filter.NEAREST)
        made.set_matrix(cairo.Matrix(x0=-left, y0=-top))
        return made


def color_table(stops: Stops) -> NDArray[np.uint8]:
    """uint8[1024, 4]: the colours from 0 to 1, premultiplied, as ``Canvas.pixels`` has them."""
    positions = [position for position, _ in stops]
    alpha = np.array([color[3] for _, color in stops])
    parts = [np.array([color[part] for _, color in stops]) * alpha for part in (2, 1, 0)]
    where = np.linspace(0.0, 1.0, _TABLE)
    columns = [np.interp(where, positions, part) for part in (*parts, alpha)]
    table: NDArray[np.uint8] = np.rint(np.column_stack(columns) * 255).astype(np.uint8)
    return table


def tiled(tile: Canvas, x: float, y: float, degrees: float = 0.0) -> cairo.Pattern:
    """The picture repeated, one of its left upper corners at (x, y), turned clockwise around it."""
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    if max(abs(x), abs(y)) > FARTHEST:  # any other corner will do
        across, down = (x * cos + y * sin) % tile.width, (y * cos - x * sin) % tile.height
        x, y = across * cos - down * sin, across * sin + down * cos
    made = cairo.SurfacePattern(tile.surface)
    made.set_extend(cairo.Extend.REPEAT)
    made.set_filter(cairo.Filter.BILINEAR if degrees else cairo.Filter.NEAREST)
    matrix = cairo.Matrix()
    matrix.translate(x, y)
    matrix.rotate(math.radians(degrees))
    matrix.invert()
    made.set_matrix(matrix)
    return made


def placed(picture: Canvas, x: int, y: int) -> cairo.Pattern:
    """The picture once, its left upper corner at a pixel; nothing around it."""
    made = cairo.SurfacePattern(picture.surface)
    made.set_filter(cairo.Filter.NEAREST)
    made.set_matrix(cairo.Matrix(x0=-x, y0=-y))
    return made


def middle(canvas: Canvas, x: int, y: int, width: int, height: int) -> Canvas:
    """A copy of a part of a picture."""
    part = Canvas(width, height)
    part.context.set_source_surface(canvas.surface, -x, -y)
    part.context.set_operator(cairo.Operator.SOURCE)
    part.context.paint()
    part.context.set_operator(cairo.Operator.OVER)
    return part


def box_of(paths: Paths) -> Floats:
    """float64[4]: x, y, width and height of what the paths cover."""
    low, high = paths.coords.min(axis=0), paths.coords.max(axis=0)
    found: Floats = np.concatenate([low, high - low])
    return found
