"""Drawing placed labels: callouts first, then each label's background, buffer and text with what is behind them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qgserver.draw.blend import OVER, layer_operator
from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color, with_alpha
from qgserver.draw.paths import Paths
from qgserver.geo.geometry import Floats
from qgserver.labeling.background import background_reach, draw_background
from qgserver.labeling.block import Alignment, Block, BlockLine, Piece, sign_glyphs
from qgserver.labeling.callouts import Box, Callout, draw_callout
from qgserver.labeling.halo import buffer_width, draw_halo
from qgserver.labeling.model import Placed
from qgserver.labeling.shadow import draw_shadow, shadow_region
from qgserver.labeling.textformat import UNDER_ALL, UNDER_BUFFER, UNDER_SHAPE, UNDER_TEXT, TextFormat
from qgserver.symbology.env import Env


@dataclass(frozen=True, slots=True, eq=False)
class LabelContent:
    """What is drawn of a label: ``Item.content`` of texts."""

    block: Block
    style: TextFormat
    alignment: Alignment = Alignment.FOLLOW
    callout: Callout | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Where a label lies in the picture: its lower left corner in device pixels (y down), its angle (radians, counter-
    clockwise) and the size of its box. Label coordinates are pixels right of and **below** that corner."""

    x: float
    y: float
    angle: float
    width: float
    height: float

    def to_device(self, points: Floats) -> Floats:
        """Label coordinates float64[n, 2] in the picture."""
        if self.angle:
            cos, sin = math.cos(self.angle), math.sin(self.angle)
            points = points @ np.array([[cos, -sin], [sin, cos]])
        placed: Floats = points + np.array((self.x, self.y))
        return placed

    def box(self, height: float) -> Box:
        """The box in engine space, for a picture of ``height`` pixels."""
        corners = np.array(((0, 0), (self.width, 0), (self.width, -self.height), (0, -self.height)), dtype=np.float64)
        ring = self.to_device(corners)
        return Box(np.column_stack((ring[:, 0], height - ring[:, 1])), self.angle)


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """Outlines of text of one colour."""

    paths: Paths
    color: Color


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A label in the picture: where it lies and the outlines of its text."""

    frame: Frame
    style: TextFormat
    inks: tuple[Ink, ...]


Paint = Callable[[Canvas, Env, Prepared], None]


def draw_labels(canvas: Canvas, placed: Sequence[Placed], env: Env, unplaced: Color | None = None) -> None:
    """Draw the labels in this order. ``unplaced`` is the colour of those that found no room, None leaves them out."""
    shown = [label for label in placed if isinstance(label.item.content, LabelContent)]
    for label in shown:
        callout = _content(label).callout
        if callout is not None and callout.enabled and not label.unplaced:
            box = _frame(canvas, label).box(canvas.height)
            canvas.operator = layer_operator(callout.blend_mode)
            draw_callout(canvas, env, callout, box, label.item.geometry)
            canvas.operator = OVER
    for label in shown:
        style = _content(label).style
        if not label.unplaced:
            _draw_label(canvas, env, label, style)
        elif unplaced is not None:
            _draw_label(canvas, env, label, replace(style, color=unplaced))


def _content(label: Placed) -> LabelContent:
    content = label.item.content
    assert isinstance(content, LabelContent)
    return content


def _frame(canvas: Canvas, label: Placed) -> Frame:
    return Frame(label.x, canvas.height - label.y, label.angle, label.item.width, label.item.height)


def _draw_label(canvas: Canvas, env: Env, label: Placed, style: TextFormat) -> None:
    """The parts of a label, the lowest first, one of them with a shadow."""
    parts: list[tuple[int, Paint]] = []
    if style.background.draw and label.glyphs is None:
        parts.append((UNDER_SHAPE, _paint_background))
    if style.buffer.draw:
        parts.append((UNDER_BUFFER, _paint_buffer))
    parts.append((UNDER_TEXT, _paint_text))
    under = style.shadow.under if style.shadow.under != UNDER_ALL else parts[0][0]
    prepared = _prepared(canvas, label, style)
    for part, paint in parts:
        if style.shadow.draw and part == under:
            _cast_shadow(canvas, env, label, style, paint)
        paint(canvas, env, prepared)


def _prepared(canvas: Canvas, label: Placed, style: TextFormat) -> Prepared:
    return Prepared(_frame(canvas, label), style, tuple(_inks(canvas, label, style)))


def _paint_background(canvas: Canvas, env: Env, label: Prepared) -> None:
    draw_background(canvas, env, label.style, label.frame)


def _paint_buffer(canvas: Canvas, env: Env, label: Prepared) -> None:
    draw_halo(canvas, env, label.style, [ink.paths for ink in label.inks])


def _paint_text(canvas: Canvas, env: Env, label: Prepared) -> None:
    canvas.operator = layer_operator(label.style.blend_mode)
    for ink in label.inks:
        fill(canvas, ink.paths, Brush(ink.color), winding=True)
    canvas.operator = OVER


def _cast_shadow(canvas: Canvas, env: Env, label: Placed, style: TextFormat, paint: Paint) -> None:
    """The shadow of one part: the part is painted alone on a picture of the label's size, which is then blurred."""
    ring = _frame(canvas, label).box(canvas.height).ring
    around = max(label.item.width, label.item.height) + background_reach(env, style) + buffer_width(style, env)
    region = shadow_region(canvas, env, style.shadow, ring, around)
    if region is None:
        return
    alone = Canvas(region.width, region.height)
    shifted = replace(
        label,
        x=label.x - region.x,
        y=region.height - (canvas.height - label.y) + region.y,
        glyphs=None if label.glyphs is None else label.glyphs - (region.x, canvas.height - region.y - region.height, 0),
    )
    paint(alone, env, _prepared(alone, shifted, style))
    draw_shadow(canvas, env, style.shadow, (alone, region), label.angle)


def _inks(canvas: Canvas, label: Placed, style: TextFormat) -> Iterator[Ink]:
    """The outlines of a label's text in the picture, those of one colour together."""
    if label.glyphs is not None:
        yield Ink(_curved_paths(canvas, label, label.glyphs), with_alpha(style.color, style.opacity))
        return
    content, frame = _content(label), _frame(canvas, label)
    by_color: dict[Color | None, list[Paths]] = {}
    for row, baseline in zip(content.block.lines, content.block.baselines, strict=True):
        row, shift = _aligned(content, row, label)
        for piece in row.pieces:
            by_color.setdefault(piece.color, []).extend(_piece_paths(piece, piece.x + shift, -baseline))
    for color, paths in by_color.items():
        joined = join_paths(paths)
        placed = Paths(frame.to_device(joined.coords), joined.starts, True)
        yield Ink(placed, with_alpha(color or style.color, style.opacity))


def _aligned(content: LabelContent, row: BlockLine, label: Placed) -> tuple[BlockLine, float]:
    """A line and where it begins in the box. Single lines fill theirs."""
    block = content.block
    free = block.width - row.width
    if block.vertical or len(block.lines) < 2 or free <= 0:
        return row, 0.0
    alignment = content.alignment
    if alignment == Alignment.FOLLOW:
        side = 0 if label.quadrant is None else label.quadrant[0]
        alignment = {-1: Alignment.RIGHT, 1: Alignment.LEFT}.get(side, Alignment.CENTER)
    match alignment:
        case Alignment.CENTER:
            return row, free / 2
        case Alignment.RIGHT:
            return row, free
        case Alignment.JUSTIFY if row is not block.lines[-1]:
            return row.stretched(free), 0.0
    return row, 0.0


def _piece_paths(piece: Piece, x: float, y: float) -> Iterator[Paths]:
    """Outlines of a piece of text with its left end of the baseline at (x, y), and the lines under or through it."""
    yield piece.line.paths(x, y)
    for top, thickness in piece.lines:
        yield _rectangle(x, y + top, piece.line.width, thickness)


def _rectangle(x: float, y: float, width: float, height: float) -> Paths:
    ring = np.array(((x, y), (x, y + height), (x + width, y + height), (x + width, y)))
    return Paths(ring, np.array((0, 4), dtype=np.int64), True)


def _curved_paths(canvas: Canvas, label: Placed, glyphs: Floats) -> Paths:
    """The outlines of text along a line, each letter turned with its part of the line."""
    block = _content(label).block
    lift = block.baselines[0] if block.baselines else 0.0
    number = 0
    found: list[Paths] = []
    for piece in block.lines[0].pieces if block.lines else ():
        for _, members in sign_glyphs(piece.line):
            if number >= len(glyphs):
                break
            x, y, angle = glyphs[number].tolist()
            frame = Frame(x, canvas.height - y, angle, 0.0, 0.0)
            paths = piece.line.some_paths(members, lift)
            found.append(Paths(frame.to_device(paths.coords), paths.starts, True))
            number += 1
    return join_paths(found)


def join_paths(paths: Sequence[Paths]) -> Paths:
    """Rings of several paths as one."""
    if len(paths) == 1:
        return paths[0]
    counts = [np.diff(one.starts) for one in paths]
    starts = np.cumsum(np.concatenate([np.zeros(1, dtype=np.int64), *counts]))
    return Paths(np.concatenate([np.empty((0, 2)), *(one.coords for one in paths)]), starts, True)
