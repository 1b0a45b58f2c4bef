"""Markers drawn once and stamped many times at whole pixels."""

from __future__ import annotations

from collections.abc import Mapping

import cairo
import numpy as np
from numpy.typing import NDArray

from qgserver.draw.canvas import Canvas
from qgserver.geo.geometry import Ints

Positions = NDArray[np.int32]

Sprite = cairo.ImageSurface
"""A ready-made picture of a marker."""


def sprite_of(pixels: bytes, width: int, height: int) -> Sprite:
    """The sprite of premultiplied pixels as ``Canvas.pixels`` has them."""
    return cairo.ImageSurface.create_for_data(bytearray(pixels), cairo.Format.ARGB32, width, height)


def stamp(canvas: Canvas, sprite: cairo.ImageSurface, xs: Positions, ys: Positions) -> None:
    """Draw ``sprite`` with its top-left pixel at each (xs[i], ys[i]), in this order."""
    stamp_sequence(canvas, {0: sprite}, np.zeros(len(xs), np.int64), xs, ys)


def stamp_sequence(
    canvas: Canvas, sprites: Mapping[int, cairo.ImageSurface], which: Ints, xs: Positions, ys: Positions
) -> None:
    """Draw the sprites ``which[i]`` with their top-left pixels at (xs[i], ys[i]), in this order.

    Stamps beside the picture are skipped. One paint each (0.9 us) is what remains: looking for stamps that lie hidden
    under others, or composing them in numpy, costs more than it saves, because edges are never opaque.
    """
    seen = np.zeros(len(which), bool)
    for number, sprite in sprites.items():
        beyond_left, beyond_top = xs <= -sprite.get_width(), ys <= -sprite.get_height()
        seen |= (which == number) & ~(beyond_left | beyond_top | (xs >= canvas.width) | (ys >= canvas.height))
    context = canvas.context
    context.set_operator(canvas.operator)
    set_source, paint = context.set_source_surface, context.paint
    for number, x, y in zip(which[seen].tolist(), xs[seen].tolist(), ys[seen].tolist(), strict=True):
        set_source(sprites[number], x, y)
        paint()
    context.set_operator(cairo.Operator.OVER)
