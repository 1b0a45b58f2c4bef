"""Many features of one symbol, one after another: each is filled, then outlined, over those before it.

That is QGIS's order and shows wherever polygons touch. The work that can be shared is done once for all of them: one
array of path items for cairo, one run over all thin outlines, whose coverages come out as one small mask a feature.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import cairo
import numpy as np

from qgserver.draw.brush import Brush, fill, source_of
from qgserver.draw.canvas import Canvas
from qgserver.draw.limits import is_safe, only_finite
from qgserver.draw.miter import cut_miters
from qgserver.draw.paths import Append, Paths, appender, path_items
from qgserver.draw.pen import Pen, as_area, drawable, is_thin, set_pen, stroke, with_points
from qgserver.draw.thin import DashSteps, boxes_of, coverage, thin_segments
from qgserver.geo.geometry import Floats, Ints, spans
from qgserver.geo.geometry import offsets as offsets_of

_CHUNK_PIXELS = 1 << 20
"""Pixels of outline masks held at a time: more would leave the processor's cache, fewer make more calls of numpy."""

Rgb = tuple[float, float, float]
Outline = Callable[[int], None]
"""Draws the outline of a feature, by its number."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a feature is painted: filled, then outlined."""

    brush: Brush | None = None
    pen: Pen | None = None

    def usable(self, closed: bool) -> Look:
        """Without what leaves no trace."""
        brush = self.brush if closed else None
        if brush is not None and (brush.style == "no" or brush.color[3] <= 0):
            brush = None
        return Look(brush, drawable(self.pen) if self.pen is not None else None)

    def __bool__(self) -> bool:
        return self.brush is not None or self.pen is not None


def draw_areas(canvas: Canvas, rings: Paths, features: Ints, brush: Brush | None, pen: Pen | None) -> None:
    """Fill and outline the features in their order.

    ``features`` int64[n+1] are offsets into ``rings``: those of feature i are ``features[i]`` to ``features[i+1]``.
    """
    draw_sequence(canvas, rings, features, {0: Look(brush, pen)}, np.zeros(len(features) - 1, np.int64))


def draw_sequence(canvas: Canvas, paths: Paths, features: Ints, looks: Mapping[int, Look], which: Ints) -> None:
    """Paint feature after feature, the i-th as ``looks[which[i]]`` (``features`` as in ``draw_areas``). Open paths are
    not filled."""
    if not len(paths.coords) or not len(which):
        return
    usable = {number: look.usable(paths.closed) for number, look in looks.items()}
    if not paths.closed and all(_hits_add_up(canvas, look.pen) for look in usable.values()):
        firsts = np.flatnonzero(np.diff(which, prepend=which[0] - 1))  # runs of one pen are one stroke
        features, which = np.append(features[firsts], features[-1]), which[firsts]
    drawn = np.array([bool(usable[number]) for number in which.tolist()], np.bool_)
    if not drawn.any():
        return
    if len(usable) == 1 and (pen := next(iter(usable.values())).pen) is not None:
        paths = with_points(paths, pen)
    if any(_share_nothing(canvas, paths, look.pen) for look in usable.values()):
        _one_by_one(canvas, paths, features, usable, which)
        return
    items, firsts = path_items(paths)
    shapes = _Shapes(canvas, paths, features, *appender(canvas.context, items, firsts[features]))
    outlines = _outlines(shapes, usable, which)
    painters = {number: _painter(shapes, look.brush, outlines.get(number)) for number, look in usable.items()}
    context = canvas.context
    context.set_operator(canvas.operator)
    context.set_fill_rule(cairo.FillRule.EVEN_ODD)
    context.new_path()
    numbers = which.tolist()
    for feature in np.flatnonzero(drawn).tolist():
        painters[numbers[feature]](feature)
    context.set_operator(cairo.Operator.OVER)


@dataclass(frozen=True, slots=True)
class _Shapes:
    """The features, and what adds their paths to cairo's by their keys."""

    canvas: Canvas
    paths: Paths
    features: Ints
    append: Append
    keys: list[int]
    held: list[Pen | None] = field(default_factory=lambda: [None])
    """The pen that cairo's context has been set to: its width and joins outlast a stroke."""


def _painter(shapes: _Shapes, brush: Brush | None, outline: Outline | None) -> Outline:
    """Fills and outlines a feature, by its number."""
    context, append, keys = shapes.canvas.context, shapes.append, shapes.keys
    if brush is None:
        return outline or (lambda feature: None)
    source = source_of(brush)
    set_source, fill_path = context.set_source, context.fill

    def fill_one(feature: int) -> None:
        set_source(source)
        append(keys[feature])
        fill_path()

    if outline is None:
        return fill_one

    def fill_and_outline(feature: int) -> None:
        set_source(source)
        append(keys[feature])
        fill_path()
        outline(feature)

    return fill_and_outline


def stroke_each(canvas: Canvas, lines: Paths, features: Ints, pen: Pen) -> None:
    """Stroke the features in their order (``features`` as in ``draw_areas``): where they cross, it shows twice.

    One stroke is as good where that cannot be seen: opaque pens, and thin ones, whose hits add up anyway.
    """
    draw_sequence(canvas, lines, features, {0: Look(pen=pen)}, np.zeros(len(features) - 1, np.int64))


def _hits_add_up(canvas: Canvas, pen: Pen | None) -> bool:
    """Whether lines painted in one stroke look as if painted one by one: opaque pens do, and thin ones, whose hits on
    a pixel are added up anyway."""
    return canvas.operator == cairo.Operator.OVER and (pen is None or pen.color[3] >= 1 or is_thin(canvas, pen))


def _share_nothing(canvas: Canvas, rings: Paths, pen: Pen | None) -> bool:
    """Whether coordinates need clipping, or joins are so sharp that each outline takes an own mask."""
    if not is_safe(rings):
        return True
    if pen is None or pen.join != "miter" or is_thin(canvas, pen):
        return False
    return cut_miters(rings, pen.width, pen.dashes, pen.dash_offset) is not None


def _one_by_one(canvas: Canvas, paths: Paths, features: Ints, looks: Mapping[int, Look], which: Ints) -> None:
    for number, begin, end in zip(which.tolist(), features[:-1].tolist(), features[1:].tolist(), strict=True):
        part, look = paths.take(np.arange(begin, end)), looks[number]
        if look.brush is not None:
            fill(canvas, part, look.brush)
        if look.pen is not None:
            stroke(canvas, part, look.pen)


def _outlines(shapes: _Shapes, looks: Mapping[int, Look], which: Ints) -> dict[int, Outline]:
    """What draws the outlines, by the number of the look. Thin pens that differ in nothing but colour and strength have
    their masks made together."""
    found: dict[int, Outline] = {}
    alike: dict[tuple[object, ...], dict[int, Pen]] = {}
    for number, look in looks.items():
        pen = look.pen
        if pen is None:
            continue
        if is_thin(shapes.canvas, pen):
            alike.setdefault((pen.dashes, pen.dash_offset, pen.cap != "flat"), {})[number] = pen
        else:
            found[number] = _wide_outline(shapes, as_area(shapes.canvas, pen))
    for pens in alike.values():
        found |= _thin_outlines(shapes.canvas, shapes.paths, shapes.features, pens, which)
    return found


def _wide_outline(shapes: _Shapes, pen: Pen) -> Outline:
    context, append, keys, held = shapes.canvas.context, shapes.append, shapes.keys, shapes.held
    set_source, stroke_path = context.set_source, context.stroke
    source = cairo.SolidPattern(*pen.color)

    def draw(feature: int) -> None:
        if held[0] is not pen:
            set_pen(context, pen)
            held[0] = pen
        set_source(source)
        append(keys[feature])
        stroke_path()

    return draw


def thin_outliner(canvas: Canvas, rings: Paths, groups: Ints, pens: Sequence[Pen | None]) -> Outline | None:
    """What outlines groups of rings, each as one, given the number of the group: the i-th is ``groups[i]`` to
    ``groups[i + 1]`` and has ``pens[i]``. The segments of all are made at once. None unless all pens are thin and
    differ in nothing but colour and strength."""
    usable = [pen for pen in (drawable(pen) for pen in pens if pen is not None) if pen is not None]
    looks = {pen: number for number, pen in enumerate(dict.fromkeys(usable))}
    kinds = {(pen.dashes, pen.dash_offset, pen.cap != "flat") for pen in looks}
    if len(usable) < len(pens) or len(kinds) != 1 or not all(is_thin(canvas, pen) for pen in looks):
        return None
    which = np.array([looks[pen] for pen in usable], np.int64)
    return _thin_outlines(canvas, only_finite(rings), groups, dict(enumerate(looks)), which)[0]


def _thin_outlines(
    canvas: Canvas, paths: Paths, features: Ints, pens: Mapping[int, Pen], which: Ints
) -> dict[int, Outline]:
    """Outlines as masks, by the number of the pen in ``which``."""
    strengths = np.zeros(max(which.max(), *pens) + 1)
    strengths[list(pens)] = [pen.thin_opacity for pen in pens.values()]
    mine = np.flatnonzero(np.isin(which, list(pens)))
    firsts, ends = features[mine], features[mine + 1]
    own = paths if len(mine) == len(which) else paths.take(spans(firsts, ends))
    opacity = np.repeat(strengths[which[mine]], ends - firsts)
    colors = [pens[number].color[:3] for number in which[mine].tolist()]
    draw = _masked(canvas, own, offsets_of(ends - firsts), opacity, next(iter(pens.values())), colors)
    if len(mine) == len(which):
        return dict.fromkeys(pens, draw)
    ranks = dict(zip(mine.tolist(), range(len(mine)), strict=True))
    return dict.fromkeys(pens, lambda feature: draw(ranks[feature]))


def _masked(canvas: Canvas, rings: Paths, features: Ints, opacity: Floats, pen: Pen, colors: Sequence[Rgb]) -> Outline:
    """Paints through the mask of a feature's outline; masks are made for as many features at a time as
    ``_CHUNK_PIXELS`` allows. ``opacity`` is per ring, ``colors`` are per feature, all else as ``pen`` has it."""
    feature_of_ring = np.repeat(np.arange(len(features) - 1), np.diff(features))
    lines = thin_segments(rings, opacity, feature_of_ring, capped=pen.cap != "flat", dashed=bool(pen.dashes))
    boxes = boxes_of(lines, len(features) - 1, canvas)
    dashes = DashSteps(pen.dashes, pen.dash_offset) if pen.dashes else None
    first_line = np.searchsorted(lines.group, np.arange(len(features))).tolist()
    base, stride = boxes.base.tolist(), boxes.stride.tolist()
    left, top = (boxes.x0 - 1).tolist(), (boxes.y0 - 1).tolist()
    make, alpha8 = cairo.ImageSurface.create_for_data, cairo.Format.A8
    set_color, mask_surface = canvas.context.set_source_rgb, canvas.context.mask_surface
    chunk_end, start_of_chunk = 0, 0
    masks = memoryview(b"")

    def draw(number: int) -> None:
        nonlocal masks, chunk_end, start_of_chunk
        start, end = base[number], base[number + 1]
        if start == end:
            return
        if number >= chunk_end:
            start_of_chunk = start
            chunk_end = max(number + 1, int(np.searchsorted(boxes.base, start + _CHUNK_PIXELS, side="right")) - 1)
            part = lines.take(slice(first_line[number], first_line[chunk_end])).regrouped(number)
            masks = memoryview(coverage(part, boxes.part(number, chunk_end), canvas, dashes))  # type: ignore[arg-type]
        wide = stride[number]
        mask = make(masks[start - start_of_chunk : end - start_of_chunk], alpha8, wide, (end - start) // wide, wide)
        set_color(*colors[number])
        mask_surface(mask, left[number], top[number])

    return draw
