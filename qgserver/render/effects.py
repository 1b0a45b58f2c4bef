"""Layers with paint effects on them as a whole: drawn on a picture of their own, from which the effects paint."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale
from qgserver.render.geometry import CLIP_MARGIN
from qgserver.render.view import View
from qgserver.symbology.drawn import Images, inked
from qgserver.symbology.effect import EffectStack

PaintIn = Callable[[Canvas, View], None]
"""Paints the layer on a canvas that shows a view."""


def paint_through(canvas: Canvas, effects: EffectStack, scale: RenderScale, view: View, paint: PaintIn) -> None:
    """Paint what ``paint`` does through the effects. What lies outside the picture counts as far as the effects reach,
    and no further than geometry is drawn at all."""
    reach = math.ceil(effects.reach(scale))
    right, down = (min(reach, round(CLIP_MARGIN * side)) for side in (view.width, view.height))
    wide = view.widened(right, down)
    source = Canvas(wide.width, wide.height, canvas.antialias)
    source.operator = canvas.operator
    paint(source, wide)
    pixels = source.pixels()
    box = inked(pixels)
    if box is None:
        return
    part = np.ascontiguousarray(pixels[None, box.top : box.bottom, box.left : box.right])
    images = Images(part, box.left - right, box.top - down, np.zeros((1, 2)), crisp=False)
    effects.paint(canvas, images, scale)
