"""The picture being drawn: a cairo surface, how it is antialiased, and the composition of layers."""

from __future__ import annotations

from typing import Literal

import cairo
import numpy as np
from numpy.typing import NDArray

from qgserver.draw.color import Color

Antialias = Literal["exact", "fast", "none"]


class Canvas:
    """A premultiplied ARGB32 picture. ``antialias``: ``exact`` draws as QGIS does, ``fast`` is for crowded maps.

    ``operator`` is used by every ``fill``, ``stroke`` and ``stamp`` on this canvas (a feature blend mode).
    """

    def __init__(self, width: int, height: int, antialias: Antialias = "exact") -> None:
        """A transparent picture of ``width`` x ``height`` pixels."""
        self.width = width
        self.height = height
        self.antialias: Antialias = antialias
        self.operator = cairo.Operator.OVER
        self.surface = cairo.ImageSurface(cairo.Format.ARGB32, width, height)
        self.context = cairo.Context(self.surface)

    def new_layer(self) -> Canvas:
        """A transparent canvas of the same size and antialiasing."""
        raise NotImplementedError

    def compose(self, layer: Canvas, opacity: float = 1.0, operator: cairo.Operator = cairo.Operator.OVER) -> None:
        """Put ``layer`` over this picture."""
        raise NotImplementedError

    def fill_background(self, color: Color) -> None:
        """Replace the whole picture by ``color``."""
        raise NotImplementedError

    def scaled(self, width: int, height: int) -> Canvas:
        """A smoothly scaled copy."""
        raise NotImplementedError

    def pixels(self) -> NDArray[np.uint8]:
        """uint8[height, width, 4] view, premultiplied, in memory order B, G, R, A."""
        raise NotImplementedError
