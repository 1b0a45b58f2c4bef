"""The picture being drawn: a cairo surface, how it is antialiased, and the composition of layers."""

from __future__ import annotations

from typing import Literal

import cairo
import numpy as np
from numpy.typing import NDArray

from qgserver.draw.color import Color
from qgserver.draw.resize import resized

Antialias = Literal["exact", "fast", "none"]

_CAIRO_ANTIALIAS = {"exact": cairo.Antialias.GRAY, "fast": cairo.Antialias.FAST, "none": cairo.Antialias.NONE}

_UNBOUNDED = frozenset({cairo.Operator.IN, cairo.Operator.OUT, cairo.Operator.DEST_IN, cairo.Operator.DEST_ATOP})
"""Operators that also change what the source does not touch: cairo would take opacity for more of that."""


class Canvas:
    """A premultiplied ARGB32 picture. ``antialias``: ``exact`` draws as QGIS does, ``fast`` is for crowded maps (areas
    and wide pens get 16 levels of grey; thin pens stay exact).

    ``operator`` is used by every ``fill``, ``stroke`` and ``stamp`` on this canvas (a feature blend mode).
    """

    __slots__ = ("_antialias", "context", "height", "operator", "surface", "width")

    vector = False
    """Whether shapes are kept as such (``draw/vector``): then there are no pixels."""

    def __init__(self, width: int, height: int, antialias: Antialias = "exact") -> None:
        """A transparent picture of ``width`` x ``height`` pixels."""
        self.width = width
        self.height = height
        self.operator = cairo.Operator.OVER
        self.surface = self._new_surface()
        self.context = cairo.Context(self.surface)
        self.context.set_fill_rule(cairo.FillRule.EVEN_ODD)
        self.antialias = antialias

    def _new_surface(self) -> cairo.ImageSurface:
        return cairo.ImageSurface(cairo.Format.ARGB32, self.width, self.height)

    @property
    def antialias(self) -> Antialias:
        """How what comes next is drawn; may change between features."""
        return self._antialias

    @antialias.setter
    def antialias(self, mode: Antialias) -> None:
        self._antialias: Antialias = mode
        self.context.set_antialias(_CAIRO_ANTIALIAS[mode])

    def new_layer(self) -> Canvas:
        """A transparent canvas of the same kind, size and antialiasing."""
        return self.sized(self.width, self.height)

    def sized(self, width: int, height: int) -> Canvas:
        """A transparent canvas of the same kind and antialiasing."""
        return type(self)(width, height, self.antialias)

    def compose(
        self,
        layer: Canvas,
        opacity: float = 1.0,
        operator: cairo.Operator = cairo.Operator.OVER,
        at: tuple[int, int] = (0, 0),
    ) -> None:
        """Put ``layer`` over this picture, its left upper corner at ``at``. With an opacity the result lies between
        this picture and the full effect."""
        if operator in _UNBOUNDED and opacity < 1:
            blended = self.new_layer()
            blended.compose(self)
            blended.compose(layer, 1.0, operator, at)
            layer, operator, at = blended, cairo.Operator.SOURCE, (0, 0)
        self.context.set_operator(operator)
        self.context.set_source_surface(layer.surface, *at)
        self.context.paint_with_alpha(opacity)
        self.context.set_operator(cairo.Operator.OVER)

    def fill_background(self, color: Color) -> None:
        """Replace the whole picture by ``color``."""
        self.context.set_operator(cairo.Operator.SOURCE)
        self.context.set_source_rgba(*color)
        self.context.paint()
        self.context.set_operator(cairo.Operator.OVER)

    def scaled(self, width: int, height: int) -> Canvas:
        """A copy of another size: bilinear where it grows, averages where it shrinks, each axis for itself."""
        out = Canvas(width, height, self.antialias)
        out.pixels()[:] = resized(self.pixels(), width, height)
        out.surface.mark_dirty()
        return out

    def cropped(self, margin: int) -> Canvas:
        """The picture without ``margin`` pixels on each side."""
        part = Canvas(self.width - 2 * margin, self.height - 2 * margin, self.antialias)
        part.context.set_source_surface(self.surface, -margin, -margin)
        part.context.set_operator(cairo.Operator.SOURCE)
        part.context.paint()
        part.context.set_operator(cairo.Operator.OVER)
        return part

    def pixels(self) -> NDArray[np.uint8]:
        """uint8[height, width, 4] view, premultiplied, in memory order B, G, R, A (little endian).

        Who writes into it calls ``surface.mark_dirty()`` afterwards.
        """
        self.surface.flush()
        shape = (self.height, self.surface.get_stride() // 4, 4)
        return np.frombuffer(self.surface.get_data(), np.uint8).reshape(shape)[:, : self.width]
