"""Many features of one symbol, one after another: each is filled, then outlined, over those before it.

That is QGIS's order and shows wherever polygons touch. The work that can be shared is done once for all of them: one
array of path items for cairo, one run over all thin outlines, whose coverages come out as one small mask a feature.
"""

from __future__ import annotations

from collections.abc import Callable

import cairo
import numpy as np

from qgserver.draw.brush import Brush, fill, set_brush
from qgserver.draw.canvas import Canvas
from qgserver.draw.limits import is_safe
from qgserver.draw.miter import cut_miters
from qgserver.draw.paths import Append, Paths, appender, path_items
from qgserver.draw.pen import Pen, as_area, drawable, is_thin, set_pen, stroke, with_points
from qgserver.draw.thin import DashSteps, boxes_of, coverage, thin_segments
from qgserver.geo.geometry import Ints

_CHUNK_PIXELS = 1 << 22
"""Pixels of outline masks held at a time."""

Outline = Callable[[int], None]
"""Draws the outline of a feature, by its number."""


def draw_areas(canvas: Canvas, rings: Paths, features: Ints, brush: Brush | None, pen: Pen | None) -> None:
    """Fill and outline the features in their order.

    ``features`` int64[n+1] are offsets into ``rings``: those of feature i are ``features[i]`` to ``features[i+1]``.
    """
    if brush is not None and (brush.style == "no" or brush.color[3] <= 0):
        brush = None
    pen = drawable(pen) if pen is not None else None
    if not len(rings.coords) or (brush is None and pen is None):
        return
    if pen is not None:
        rings = with_points(rings, pen)
    if _share_nothing(canvas, rings, pen):
        _one_by_one(canvas, rings, features, brush, pen)
        return
    items, firsts = path_items(rings)
    begins = firsts[features].tolist()
    context = canvas.context
    append = appender(context, items)
    outline = _outline(canvas, rings, features, pen, (append, begins))
    context.set_operator(canvas.operator)
    context.set_fill_rule(cairo.FillRule.EVEN_ODD)
    context.new_path()
    for number in range(len(begins) - 1):
        if brush is not None:
            set_brush(context, brush)
            append(begins[number], begins[number + 1])
            context.fill()
        if outline is not None:
            outline(number)
    context.set_operator(cairo.Operator.OVER)


def stroke_each(canvas: Canvas, lines: Paths, features: Ints, pen: Pen) -> None:
    """Stroke the features in their order (``features`` as in ``draw_areas``): where they cross, it shows twice.

    One stroke is as good where that cannot be seen: opaque pens, and thin ones, whose hits add up anyway.
    """
    if canvas.operator == cairo.Operator.OVER and (pen.color[3] >= 1 or is_thin(canvas, pen)):
        stroke(canvas, lines, pen)
    else:
        draw_areas(canvas, lines, features, None, pen)


def _share_nothing(canvas: Canvas, rings: Paths, pen: Pen | None) -> bool:
    """Whether coordinates need clipping, or joins are so sharp that each outline takes an own mask."""
    if not is_safe(rings):
        return True
    if pen is None or pen.join != "miter" or is_thin(canvas, pen):
        return False
    return cut_miters(rings, pen.width, pen.dashes, pen.dash_offset) is not None


def _one_by_one(canvas: Canvas, rings: Paths, features: Ints, brush: Brush | None, pen: Pen | None) -> None:
    for begin, end in zip(features[:-1].tolist(), features[1:].tolist(), strict=True):
        area = rings.take(np.arange(begin, end))
        if brush is not None:
            fill(canvas, area, brush)
        if pen is not None:
            stroke(canvas, area, pen)


def _outline(
    canvas: Canvas, rings: Paths, features: Ints, pen: Pen | None, shapes: tuple[Append, list[int]]
) -> Outline | None:
    if pen is None:
        return None
    if is_thin(canvas, pen):
        return _thin_outline(canvas, rings, features, pen)
    return _wide_outline(canvas, as_area(pen), *shapes)


def _wide_outline(canvas: Canvas, pen: Pen, append: Append, begins: list[int]) -> Outline:
    context = canvas.context
    set_pen(context, pen)

    def draw(number: int) -> None:
        context.set_source_rgba(*pen.color)
        append(begins[number], begins[number + 1])
        context.stroke()

    return draw


def _thin_outline(canvas: Canvas, rings: Paths, features: Ints, pen: Pen) -> Outline:
    """Outlines as masks; they are made for as many features at a time as ``_CHUNK_PIXELS`` allows."""
    feature_of_ring = np.repeat(np.arange(len(features) - 1), np.diff(features))
    opacity = np.full(len(rings), pen.thin_opacity)
    lines = thin_segments(rings, opacity, feature_of_ring, capped=pen.cap != "flat", dashed=bool(pen.dashes))
    boxes = boxes_of(lines, len(features) - 1, canvas)
    dashes = DashSteps(pen.dashes, pen.dash_offset) if pen.dashes else None
    first_line = np.searchsorted(lines.group, np.arange(len(features))).tolist()
    base, stride = boxes.base.tolist(), boxes.stride.tolist()
    left, top = (boxes.x0 - 1).tolist(), (boxes.y0 - 1).tolist()
    context = canvas.context
    chunk = [0, 0]  # the features whose masks are there
    masks = memoryview(b"")

    def draw(number: int) -> None:
        nonlocal masks
        size = base[number + 1] - base[number]
        if not size:
            return
        if number >= chunk[1]:
            end = max(number + 1, int(np.searchsorted(boxes.base, base[number] + _CHUNK_PIXELS, side="right")) - 1)
            part = lines.take(slice(first_line[number], first_line[end])).regrouped(number)
            masks = memoryview(coverage(part, boxes.part(number, end), canvas, dashes))  # type: ignore[arg-type]
            chunk[:] = number, end
        start = base[number] - base[chunk[0]]
        wide = stride[number]
        mask = cairo.ImageSurface.create_for_data(
            masks[start : start + size], cairo.Format.A8, wide, size // wide, wide
        )
        context.set_source_rgb(*pen.color[:3])
        context.mask_surface(mask, left[number], top[number])

    return draw
