"""Stacks of pictures of one size: painted side by side on one canvas, worked on as one array, put on a map singly."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cairo
import numpy as np

from qgserver.draw.canvas import Antialias, Canvas
from qgserver.draw.filters import Pixels

TALLEST = 32_000
"""Pixels that a canvas may be high (cairo's limit is 32767)."""

Matrix = tuple[float, float, float, float, float, float]
"""xx, yx, xy, yy, x0, y0: x' = xx x + xy y + x0, y' = yx x + yy y + y0."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A canvas of ``count`` cells of ``width`` x ``height`` pixels, one below the other, and ``gap`` pixels around
    each for what sticks out of it."""

    canvas: Canvas
    count: int
    width: int
    height: int
    gap: int

    def corner(self, number: int) -> tuple[int, int]:
        """The left upper pixel of a cell."""
        return self.gap, self.gap + number * (self.height + 2 * self.gap)

    def pixels(self) -> Pixels:
        """uint8[count, height, width, 4]: what is painted in the cells."""
        gap = self.gap
        cells = self.canvas.pixels().reshape(self.count, self.height + 2 * gap, self.width + 2 * gap, 4)
        inner = cells[:, gap : gap + self.height, gap : gap + self.width]
        return np.ascontiguousarray(inner)


def new_sheet(count: int, width: int, height: int, gap: int, antialias: Antialias) -> Sheet:
    """A sheet of transparent cells."""
    canvas = Canvas(width + 2 * gap, count * (height + 2 * gap), antialias)
    return Sheet(canvas, count, width, height, gap)


def put(canvas: Canvas, picture: Pixels, x: float, y: float, operator: cairo.Operator) -> None:
    """Put a picture uint8[h, w, 4] (contiguous) at the whole pixels nearest to (x, y): halves go right and down."""
    left, top = math.floor(x + 0.5), math.floor(y + 0.5)
    height, width = picture.shape[:2]
    if left >= canvas.width or top >= canvas.height or left <= -width or top <= -height:
        return
    context = canvas.context
    context.save()
    if operator != cairo.Operator.OVER:  # some operators change what lies beside the picture
        context.rectangle(left, top, width, height)
        context.clip()
    context.set_operator(operator)
    context.set_source_surface(_surface(picture), left, top)
    context.paint()
    context.restore()


def put_warped(canvas: Canvas, picture: Pixels, matrix: Matrix, *, smooth: bool) -> None:
    """Put a picture uint8[h, w, 4] (contiguous) as ``matrix`` turns and stretches it; ``smooth`` mixes pixels."""
    context = canvas.context
    context.save()
    try:
        context.transform(cairo.Matrix(*matrix))
        context.set_source_surface(_surface(picture), 0, 0)
        context.get_source().set_filter(cairo.Filter.BILINEAR if smooth else cairo.Filter.NEAREST)
        context.paint()
    finally:
        context.restore()


def _surface(picture: Pixels) -> cairo.ImageSurface:
    height, width = picture.shape[:2]
    return cairo.ImageSurface.create_for_data(picture.data, cairo.Format.ARGB32, width, height)
