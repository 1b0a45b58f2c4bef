"""Drawing placed labels: callouts first, then each label's background, buffer and text with what is behind them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qgserver.draw.blend import OVER, layer_operator
from qgserver.draw.brush import Spot, Stencil, fill_stencils
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color, with_alpha
from qgserver.geo.geometry import Floats
from qgserver.labeling.background import background_reach, draw_background
from qgserver.labeling.block import Alignment, Block
from qgserver.labeling.callouts import Box, Callout, draw_callout
from qgserver.labeling.model import Placed
from qgserver.labeling.shadow import draw_shadow, shadow_region
from qgserver.labeling.shaped import Shaped, halo_of, outlines_of, shaped_block, shaped_letters
from qgserver.labeling.textformat import UNDER_ALL, UNDER_BUFFER, UNDER_SHAPE, UNDER_TEXT, TextFormat
from qgserver.symbology.env import Env
from qgserver.symbology.masks import SEPARATOR, MaskSheets, read_references

WIDEST = 1000.0
"""Pixels of a buffer's pen that is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelContent:
    """What is drawn of a label: ``Item.content`` of texts."""

    block: Block
    style: TextFormat
    alignment: Alignment = Alignment.FOLLOW
    callout: Callout | None = None
    reference_factor: float = 1.0
    """By which all sizes of the layer are multiplied."""


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

    @property
    def spot(self) -> Spot:
        return self.x, self.y, -self.angle

    def box(self, height: float) -> Box:
        """The box in engine space, for a picture of ``height`` pixels."""
        corners = np.array(((0, 0), (self.width, 0), (self.width, -self.height), (0, -self.height)), dtype=np.float64)
        ring = self.to_device(corners)
        return Box(np.column_stack((ring[:, 0], height - ring[:, 1])), self.angle)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A label in the picture: where it lies, and its text in pieces (letters along a line, or all of it) each with a
    frame of its own."""

    frame: Frame
    style: TextFormat
    pieces: tuple[tuple[Frame, Shaped], ...]


Paint = Callable[[Canvas, Env, Prepared], None]


Other = Callable[[Canvas, Placed], None]


def draw_labels(
    canvas: Canvas, placed: Sequence[Placed], env: Env, unplaced: Color | None = None, other: Other | None = None
) -> None:
    """Draw the labels in this order. ``unplaced`` is the colour of those that found no room, None leaves them out;
    ``other`` draws what is placed like a label but has no text."""
    envs = _Envs(env, {})
    for label in placed:
        callout = _content(label).callout if _has_text(label) else None
        if callout is not None and callout.enabled and not label.unplaced:
            box = _frame(canvas, label).box(canvas.height)
            canvas.operator = layer_operator(callout.blend_mode)
            draw_callout(canvas, envs.of(label), callout, box, label.item.geometry)
            canvas.operator = OVER
    for label in placed:
        if not _has_text(label):
            if other is not None:
                other(canvas, label)
        elif not label.unplaced:
            _draw_label(canvas, envs.of(label), label, _content(label).style)
        elif unplaced is not None:
            _draw_label(canvas, envs.of(label), label, replace(_content(label).style, color=unplaced))


@dataclass(frozen=True, slots=True, eq=False)
class _Envs:
    """The map's environment, and those of layers with a reference scale, in which painters are kept."""

    env: Env
    made: dict[float, Env]

    def of(self, label: Placed) -> Env:
        factor = _content(label).reference_factor
        if factor == self.env.scale.reference_factor:
            return self.env
        if factor not in self.made:
            scale = replace(self.env.scale, reference_factor=factor)
            self.made[factor] = replace(self.env, scale=scale, painters={})
        return self.made[factor]


def draw_masks(placed: Sequence[Placed], env: Env, masks: MaskSheets) -> None:
    """Paint the room that labels want of symbol layers: their letters, with a border around."""
    envs = _Envs(env, {})
    for label in placed:
        if not _has_text(label) or label.unplaced:
            continue
        style = _content(label).style
        width = style.mask.size.pixels(envs.of(label).scale)
        if not style.mask.enabled or not 0 <= width < WIDEST:
            continue
        for sheet in masks.of(read_references(SEPARATOR.join(style.mask.symbol_layers))):
            pieces = list(_pieces(sheet, label))
            laid = [(stencil, frame.spot) for frame, shaped in pieces for _, stencil in outlines_of(shaped)]
            if width:
                laid += [(halo_of(shaped, width, style.mask.join), frame.spot) for frame, shaped in pieces]
            fill_stencils(sheet, laid, (0.0, 0.0, 0.0, style.mask.opacity))


def _has_text(label: Placed) -> bool:
    return isinstance(label.item.content, LabelContent)


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
    return Prepared(_frame(canvas, label), style, tuple(_pieces(canvas, label)))


def _paint_background(canvas: Canvas, env: Env, label: Prepared) -> None:
    draw_background(canvas, env, label.style, label.frame)


def _paint_buffer(canvas: Canvas, env: Env, label: Prepared) -> None:
    width, buffer = buffer_width(label.style, env), label.style.buffer
    if not 0 < width < WIDEST:
        return
    laid = [(halo_of(shaped, width, buffer.join), frame.spot) for frame, shaped in label.pieces]
    if buffer.filled:
        laid += [(stencil, frame.spot) for frame, shaped in label.pieces for _, stencil in outlines_of(shaped)]
    canvas.operator = layer_operator(buffer.blend_mode)
    fill_stencils(canvas, laid, with_alpha(buffer.color, buffer.opacity))
    canvas.operator = OVER


def _paint_text(canvas: Canvas, env: Env, label: Prepared) -> None:
    style, by_color = label.style, dict[Color | None, list[tuple[Stencil, Spot]]]()
    for frame, shaped in label.pieces:
        for color, stencil in outlines_of(shaped):
            by_color.setdefault(color, []).append((stencil, frame.spot))
    canvas.operator = layer_operator(style.blend_mode)
    for color, laid in by_color.items():
        fill_stencils(canvas, laid, with_alpha(color or style.color, style.opacity))
    canvas.operator = OVER


def buffer_width(style: TextFormat, env: Env) -> float:
    """The width of the buffer's pen in pixels; percentages are of the font's size."""
    size = style.buffer.size
    if size.unit == "Percentage":
        return style.size.pixels(env.scale) * size.value / 100
    return size.pixels(env.scale)


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


def _pieces(canvas: Canvas, label: Placed) -> Iterator[tuple[Frame, Shaped]]:
    """The text of a label and where it lies: as a whole, or letter by letter along a line."""
    content = _content(label)
    if label.glyphs is None:
        side = 0 if label.quadrant is None else label.quadrant[0]
        yield _frame(canvas, label), shaped_block(content.block, content.alignment, side)
        return
    for (x, y, angle), letter in zip(label.glyphs.tolist(), shaped_letters(content.block), strict=False):
        yield Frame(x, canvas.height - y, angle, 0.0, 0.0), letter
