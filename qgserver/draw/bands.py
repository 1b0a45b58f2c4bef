"""Wide lines painted with a brush that runs along them: over each segment from the middle of a corner to the next."""

from __future__ import annotations

import math
from collections.abc import Callable

import cairo
import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import single_path
from qgserver.draw.patterns import Gradient, fill_with
from qgserver.geo.geometry import Floats

MITRE_LIMIT = 4.0
"""Half widths that the brush reaches out at a corner."""

_PADDING = 2
"""Pixels."""

MakeBrush = Callable[[float], cairo.Pattern]
"""From the way in pixels at which a segment begins to what it is painted with: +x runs along the segment from its
start, and the line lies between y = 0 (its left side) and y = its width."""


def across(gradient: Gradient, canvas: Canvas, width: float) -> MakeBrush:
    """A gradient whose 0..1 in y lies across lines of that width."""
    return lambda travelled: gradient.pattern(canvas, (0.0, 0.0, width, width))


def along(tile: Canvas, width: float) -> MakeBrush:
    """A picture as high as lines of that width, again and again."""
    padded = Canvas(tile.width, tile.height + 2 * _PADDING)  # at a line's edge the picture's other side would shine in
    padded.pixels()[:] = np.pad(tile.pixels(), ((_PADDING, _PADDING), (0, 0), (0, 0)), "edge")
    padded.surface.mark_dirty()

    def make(travelled: float) -> cairo.Pattern:
        made = cairo.SurfacePattern(padded.surface)
        made.set_extend(cairo.Extend.REPEAT)
        made.set_filter(cairo.Filter.BILINEAR)
        made.set_matrix(cairo.Matrix(1.0, 0.0, 0.0, tile.height / width, travelled % tile.width, _PADDING))
        return made

    return make


def paint_band(canvas: Canvas, coords: Floats, closed: bool, width: float, make: MakeBrush) -> None:
    """Paint a line float64[n, 2] without repeated vertices (``closed``: the last is the first), wider than ``width``
    and longer than it is: a pen cuts it to its shape."""
    unit = np.diff(coords, axis=0)
    lengths = np.hypot(unit[:, 0], unit[:, 1])
    unit /= lengths[:, None]
    travelled = np.cumsum(lengths) - lengths
    normal = np.column_stack([-unit[:, 1], unit[:, 0]])
    before = np.concatenate([normal[-1:] if closed else normal[:1], normal])
    behind = np.concatenate([normal, normal[:1] if closed else normal[-1:]])
    middle = before + behind
    size = np.maximum((middle**2).sum(axis=1) / 2, 2 / MITRE_LIMIT**2)
    reach = middle / size[:, None] * width
    starts, ends = coords[:-1].copy(), coords[1:].copy()
    if not closed:
        starts[0] -= unit[0] * width
        ends[-1] += unit[-1] * width
    for i, origin in enumerate(coords[:-1]):
        corners = [starts[i] - reach[i], ends[i] - reach[i + 1], ends[i] + reach[i + 1], starts[i] + reach[i]]
        pattern = make(float(travelled[i]))
        placed = cairo.Matrix(y0=width / 2)
        placed.rotate(-math.atan2(unit[i, 1], unit[i, 0]))
        placed.translate(-origin[0], -origin[1])
        pattern.set_matrix(placed.multiply(pattern.get_matrix()))
        fill_with(canvas, single_path(np.array(corners), True), pattern)
