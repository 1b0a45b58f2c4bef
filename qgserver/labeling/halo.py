"""The buffer around text: each letter's outlines widened once, then put together for every label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qgserver.draw.blend import OVER, layer_operator
from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import with_alpha
from qgserver.draw.paths import Paths
from qgserver.draw.pen import Pen, stroke
from qgserver.labeling.textformat import TextFormat
from qgserver.symbology.env import Env
from qgserver.symbology.options import Length


def draw_halo(canvas: Canvas, env: Env, style: TextFormat, outlines: Sequence[Paths]) -> None:
    """Draw the buffer of a label whose text has these ``outlines``: a pen along them, inside only if it is filled."""
    buffer = style.buffer
    width = buffer_width(style, env)
    if width <= 0:
        return
    color = with_alpha(buffer.color, buffer.opacity)
    canvas.operator = layer_operator(buffer.blend_mode)
    for paths in outlines:
        if buffer.filled:
            fill(canvas, paths, Brush(color), winding=True)
        stroke(canvas, closed(paths), Pen(color, width, join=buffer.join))
    canvas.operator = OVER


def buffer_width(style: TextFormat, env: Env) -> float:
    """The width of the pen in pixels; percentages are of the font's size."""
    size = style.buffer.size
    if size.unit == "Percentage":
        return style.size.pixels(env.scale) * size.value / 100
    return Length(size.value, size.unit, size.map_unit_scale).pixels(env.scale)


def closed(paths: Paths) -> Paths:
    """The rings without those of less than two vertices, which no pen can follow."""
    keep = np.flatnonzero(np.diff(paths.starts) > 1)
    return paths if len(keep) == len(paths) else paths.take(keep)
