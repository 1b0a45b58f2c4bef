"""Lines: pens and stroking."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import cairo
import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.limits import Box, clip_lines, is_safe, only_finite
from qgserver.draw.miter import CAIRO_LIMIT, cut_miters
from qgserver.draw.paths import Paths, append_paths
from qgserver.draw.thin import DashSteps, boxes_of, coverage, thin_segments

Cap = Literal["flat", "square", "round"]
Join = Literal["bevel", "miter", "round"]

_CAPS = {"flat": cairo.LineCap.BUTT, "square": cairo.LineCap.SQUARE, "round": cairo.LineCap.ROUND}
_JOINS = {"bevel": cairo.LineJoin.BEVEL, "miter": cairo.LineJoin.MITER, "round": cairo.LineJoin.ROUND}

_PATTERNS = {
    "dash": (4.0, 2.0),
    "dot": (1.0, 2.0),
    "dash dot": (4.0, 2.0, 1.0, 2.0),
    "dash dot dot": (4.0, 2.0, 1.0, 2.0, 1.0, 2.0),
}

_MAX_WIDTH = 1.0e6
"""Wider pens are drawn this wide: any of them covers every picture."""

_FINEST_DASH = 0.1
"""A dash pattern shorter than this many pixels is a veil, drawn as such."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How a line looks. ``width`` and ``dashes`` (on, off, ...; empty = solid) in pixels; width 0 draws 1 px wide."""

    color: Color
    width: float
    dashes: tuple[float, ...] = ()
    dash_offset: float = 0.0
    cap: Cap = "square"
    join: Join = "bevel"

    @property
    def thin_opacity(self) -> float:
        """Alpha of a pen up to 1 px wide: what it lacks in width it loses in strength (0 counts as 1 px)."""
        return self.color[3] * (min(1.0, self.width) if self.width > 0 else 1.0)


def pen_dashes(style: str, width: float) -> tuple[float, ...]:
    """Dashes in pixels of a named pen style at ``width`` pixels: ``dash``, ``dot``, ``dash dot``, ``dash dot dot``.

    Every other style is solid (``no`` means that there is nothing to stroke).
    """
    return tuple(part * max(1.0, width) for part in _PATTERNS.get(style, ()))


def drawable(pen: Pen) -> Pen | None:
    """The pen with dashes that cairo can be trusted with, or None when it leaves no trace."""
    if pen.color[3] <= 0 or not all(map(math.isfinite, (pen.width, pen.dash_offset, *pen.dashes))):
        return None
    dashes = tuple(part if part > 0 else 0.0 for part in pen.dashes)
    width = min(max(pen.width, 0.0), _MAX_WIDTH)
    if dashes and sum(dashes) <= 0:
        return None
    if dashes and sum(dashes) < _FINEST_DASH:
        share = sum(dashes[::2]) / sum(dashes)
        color = (*pen.color[:3], pen.color[3] * share)
        return replace(pen, width=width, dashes=(), color=color)
    return replace(pen, width=width, dashes=dashes * 2 if len(dashes) % 2 else dashes)


def stroke(canvas: Canvas, paths: Paths, pen: Pen) -> None:
    """Draw all paths in one go (overlaps of one call show once when the pen is wider than a pixel)."""
    usable = drawable(pen)
    if usable is None or not len(paths.coords):
        return
    canvas.context.set_operator(canvas.operator)
    if is_thin(canvas, usable):
        _stroke_thin(canvas, paths, usable)
    else:
        _stroke_wide(canvas, paths, usable)
    canvas.context.set_operator(cairo.Operator.OVER)


def is_thin(canvas: Canvas, pen: Pen) -> bool:
    """Whether the pen is drawn by ``thin``: exact, and for many lines twice as fast as cairo's FAST antialiasing."""
    return pen.width <= 1 and canvas.antialias != "none" and not canvas.vector


def _stroke_thin(canvas: Canvas, paths: Paths, pen: Pen) -> None:
    paths = only_finite(paths)
    opacity = np.full(len(paths), pen.thin_opacity)
    lines = thin_segments(paths, opacity, np.zeros(len(paths), np.int64), pen.cap != "flat", bool(pen.dashes))
    boxes = boxes_of(lines, 1, canvas)
    alpha = coverage(lines, boxes, canvas, DashSteps(pen.dashes, pen.dash_offset) if pen.dashes else None)
    if not len(alpha):
        return
    stride, tall = int(boxes.stride[0]), int(boxes.y1[0] - boxes.y0[0]) + 2
    mask = cairo.ImageSurface.create_for_data(alpha.data, cairo.Format.A8, stride, tall, stride)
    canvas.context.set_source_rgb(*pen.color[:3])
    canvas.context.mask_surface(mask, int(boxes.x0[0]) - 1, int(boxes.y0[0]) - 1)


def stroke_with(canvas: Canvas, paths: Paths, pen: Pen, source: Canvas) -> None:
    """Stroke the paths with what another picture of the same size shows where they run, instead of a colour."""
    usable = drawable(pen)
    if usable is None or not len(paths.coords) or not is_safe(paths):
        return
    context = canvas.context
    context.set_operator(canvas.operator)
    set_pen(context, usable)
    context.set_source_surface(source.surface, 0, 0)
    context.new_path()
    append_paths(context, paths)
    context.stroke()
    context.set_operator(cairo.Operator.OVER)


_POINT_LENGTH = 1 / 128
"""Pixels: long enough for cairo to see a direction, too short to be seen."""


def as_area(canvas: Canvas, pen: Pen) -> Pen:
    """A thin pen for cairo to stroke, where nothing is antialiased: one pixel wide, as strong as it would be. Shapes
    that are kept as such have their own width."""
    return (
        pen
        if pen.width > 1 or (canvas.vector and pen.width > 0)
        else replace(pen, color=(*pen.color[:3], pen.thin_opacity), width=1.0, join="bevel")
    )


def with_points(paths: Paths, pen: Pen) -> Paths:
    """Lines of two equal vertices as QGIS draws them: a square cap makes a square of them, others leave nothing."""
    if paths.closed or pen.cap == "flat" or pen.width <= 1:
        return paths
    ends = paths.starts[:-1][np.diff(paths.starts) == 2]
    points = ends[(paths.coords[ends] == paths.coords[ends + 1]).all(axis=1)]
    if not len(points):
        return paths
    coords = paths.coords.copy()
    if pen.cap == "square":
        coords[points + 1, 0] += _POINT_LENGTH
    else:
        coords[points] = coords[points + 1] = np.nan
    return only_finite(Paths(coords, paths.starts, False))


def set_pen(context: cairo.Context[cairo.ImageSurface], pen: Pen) -> None:
    context.set_line_width(pen.width)
    context.set_line_cap(_CAPS[pen.cap])
    context.set_line_join(_JOINS[pen.join])
    context.set_miter_limit(CAIRO_LIMIT)
    context.set_dash(pen.dashes, pen.dash_offset)


def _stroke_wide(canvas: Canvas, paths: Paths, pen: Pen) -> None:
    pen = as_area(canvas, pen)
    context = canvas.context
    if not is_safe(paths) or _dash_count(paths, pen) > _MANY_DASHES:
        _stroke_clipped(canvas, paths, pen)
        return
    tips = cut_miters(paths, pen.width, pen.dashes, pen.dash_offset) if pen.join == "miter" else None
    if tips is not None:
        _stroke_with_tips(canvas, paths, tips, pen)
        return
    set_pen(context, pen)
    context.set_source_rgba(*pen.color)
    context.new_path()
    append_paths(context, with_points(paths, pen))
    context.stroke()


def _stroke_with_tips(canvas: Canvas, paths: Paths, tips: Paths, pen: Pen) -> None:
    """Stroke and cut tips as one area: drawn to a mask, so that a translucent pen does not show where they overlap."""
    if canvas.vector:
        _stroke_group(canvas, paths, tips, pen)
        return
    mask = cairo.ImageSurface(cairo.Format.A8, canvas.width, canvas.height)
    context = cairo.Context(mask)
    context.set_antialias(canvas.context.get_antialias())
    set_pen(context, pen)
    append_paths(context, paths)
    context.stroke()
    append_paths(context, tips)
    context.set_fill_rule(cairo.FillRule.WINDING)
    context.fill()
    canvas.context.set_source_rgba(*pen.color)
    canvas.context.mask_surface(mask, 0, 0)


def _stroke_group(canvas: Canvas, paths: Paths, tips: Paths, pen: Pen) -> None:
    """Stroke and cut tips as shapes; what they have in common shows once."""
    alone = canvas.new_layer()
    context = alone.context
    set_pen(context, pen)
    context.set_source_rgb(*pen.color[:3])
    append_paths(context, paths)
    context.stroke()
    append_paths(context, tips)
    context.set_fill_rule(cairo.FillRule.WINDING)
    context.fill()
    canvas.compose(alone, pen.color[3], canvas.operator)


_MANY_DASHES = 20_000
"""Lines with more dashes are cut to the picture first, dash by dash work being what they cost."""


def _dash_count(paths: Paths, pen: Pen) -> float:
    if not pen.dashes:
        return 0.0
    steps = np.abs(np.diff(paths.coords, axis=0))
    return float(steps.sum()) / sum(pen.dashes)


def _view(canvas: Canvas, margin: float) -> Box:
    return (-margin, -margin, canvas.width + margin, canvas.height + margin)


def _stroke_clipped(canvas: Canvas, paths: Paths, pen: Pen) -> None:
    """Only what can be seen of far-reaching lines; each piece goes on with the dash its line has come to there."""
    pieces = clip_lines(only_finite(paths), _view(canvas, 4 * pen.width + 16))
    if _dash_count(pieces.paths, pen) > 50 * _MANY_DASHES:
        share = sum(pen.dashes[::2]) / sum(pen.dashes)
        pen = replace(pen, dashes=(), color=(*pen.color[:3], pen.color[3] * share))
    context = canvas.context
    context.set_source_rgba(*pen.color)
    context.new_path()
    set_pen(context, pen)
    if not pen.dashes:
        append_paths(context, pieces.paths)
        context.stroke()
        return
    for number in range(len(pieces.paths)):
        append_paths(context, pieces.paths.take(np.array([number])))
        context.set_dash(pen.dashes, pen.dash_offset + float(pieces.begins[number]))
        context.stroke()
