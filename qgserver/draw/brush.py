"""Areas: brushes and filling."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cairo
import numpy as np
from numpy.typing import NDArray

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.limits import clip_rings, is_safe, only_finite
from qgserver.draw.paths import Paths, append_items, append_paths, appender, path_items
from qgserver.geo.geometry import Floats, Ints

FAR = 1.0e5
"""Pixels beyond which nothing is filled with a stencil."""
_MARGIN = 16.0
"""Pixels around the picture that a fill of huge coordinates is cut to."""

Bits = NDArray[np.bool_]


def _bitmaps() -> dict[str, Bits]:
    """The 8x8 patterns of Qt's brushes: where pixels are set."""
    r, c = np.indices((8, 8))
    dense1 = ~((r % 4 == 1) & (c % 4 == 2))
    dense2 = ~((r % 4 == 0) & (c % 4 == 3) | (r % 4 == 2) & (c % 4 == 1))
    dense3 = np.where(r % 2 == 0, c % 2 == 0, np.where(r % 4 == 1, c % 4 != 2, c % 4 != 0))
    across, down = r == 3, c == 4
    back, forward = c == 7 - r, c == r
    return {
        "horizontal": across,
        "vertical": down,
        "cross": across | down,
        "b_diagonal": back,
        "f_diagonal": forward,
        "diagonal_x": back | forward,
        "dense1": dense1,
        "dense2": dense2,
        "dense3": dense3,
        "dense4": (r + c) % 2 == 1,
        "dense5": ~dense3,
        "dense6": ~dense2,
        "dense7": ~dense1,
    }


_BITMAPS = _bitmaps()
BRUSH_STYLES = frozenset({"solid", "no", *_BITMAPS})
"""Every style a brush can have."""


@dataclass(frozen=True, slots=True)
class Brush:
    """A fill: ``style`` is ``solid``, ``no`` or the name of one of QGIS's 8x8 patterns (``dense4``, ``cross``, ...).

    An unknown style fills solid.
    """

    color: Color
    style: str = "solid"


@lru_cache(maxsize=256)
def _tile(brush: Brush) -> cairo.SurfacePattern:
    """The pattern in device pixels: 8x8, repeated from the picture's origin, never smoothed."""
    red, green, blue, alpha = brush.color
    tile = Canvas(8, 8)
    premultiplied = np.rint(np.array([blue, green, red, 1.0]) * alpha * 255)
    tile.pixels()[_BITMAPS[brush.style]] = premultiplied.astype(np.uint8)
    tile.surface.mark_dirty()
    pattern = cairo.SurfacePattern(tile.surface)
    pattern.set_extend(cairo.Extend.REPEAT)
    pattern.set_filter(cairo.Filter.NEAREST)
    return pattern


def source_of(brush: Brush) -> cairo.Pattern:
    """What cairo paints with for this brush."""
    return _tile(brush) if brush.style in _BITMAPS else cairo.SolidPattern(*brush.color)


def fillable(canvas: Canvas, paths: Paths) -> Paths:
    """The same area within cairo's range of numbers."""
    if is_safe(paths):
        return paths
    box = (-_MARGIN, -_MARGIN, canvas.width + _MARGIN, canvas.height + _MARGIN)
    return clip_rings(only_finite(paths), box)


@dataclass(frozen=True, slots=True, eq=False)
class Stencil:
    """Rings that are filled at many places: ``items`` as cairo takes them (see ``path_items``), ``reach`` the furthest
    coordinate from the origin."""

    items: Floats
    reach: float


def make_stencil(paths: Paths) -> Stencil:
    """A stencil of rings around the origin."""
    return Stencil(path_items(paths)[0], float(np.abs(paths.coords).max(initial=0.0)))


Spot = tuple[float, float, float]
"""Where a stencil is laid: x and y of its origin in pixels, radians clockwise."""


def fill_stencils(canvas: Canvas, laid: Sequence[tuple[Stencil, Spot]], color: Color) -> None:
    """Fill stencils as one area, by the winding rule. Those that are nowhere near cairo's range are left out."""
    if color[3] <= 0:
        return
    context = canvas.context
    context.new_path()
    for stencil, (x, y, angle) in laid:
        if len(stencil.items) and abs(x) < FAR and abs(y) < FAR and stencil.reach < FAR:
            cos, sin = math.cos(angle), math.sin(angle)
            context.set_matrix(cairo.Matrix(cos, sin, -sin, cos, x, y))
            append_items(context, stencil.items)
    context.identity_matrix()
    context.set_operator(canvas.operator)
    context.set_source_rgba(*color)
    context.set_fill_rule(cairo.FillRule.WINDING)
    context.fill()
    context.set_operator(cairo.Operator.OVER)


def fill(canvas: Canvas, paths: Paths, brush: Brush, *, winding: bool = False) -> None:
    """Fill the rings of ``paths`` as one area, by the odd-even rule; ``winding`` is for many polygons at once that may
    overlap (their rings must be oriented: exterior rings one way, holes the other)."""
    if brush.style == "no" or brush.color[3] <= 0 or not len(paths.coords):
        return
    context = canvas.context
    context.set_operator(canvas.operator)
    context.set_source(source_of(brush))
    context.new_path()
    append_paths(context, fillable(canvas, paths))
    context.set_fill_rule(cairo.FillRule.WINDING if winding else cairo.FillRule.EVEN_ODD)
    context.fill()
    context.set_operator(cairo.Operator.OVER)


def filler(canvas: Canvas, rings: Paths, bounds: Ints) -> Callable[[int, Brush], None]:
    """What fills the rings ``bounds[i]`` to ``bounds[i + 1]`` as one area, by the winding rule (see ``fill``), given i
    and a brush: the path items of all groups are made once."""
    rings = fillable(canvas, rings)
    items, firsts = path_items(rings)
    context = canvas.context
    append, keys = appender(context, items, firsts[bounds])

    def fill_group(number: int, brush: Brush) -> None:
        if brush.style == "no" or brush.color[3] <= 0:
            return
        context.set_operator(canvas.operator)
        context.set_fill_rule(cairo.FillRule.WINDING)
        context.set_source(source_of(brush))
        context.new_path()
        append(keys[number])
        context.fill()
        context.set_operator(cairo.Operator.OVER)

    return fill_group
