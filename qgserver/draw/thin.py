"""Lines up to one pixel wide, as QGIS's raster engine draws them: no outline is filled, each segment spreads its
coverage over two neighbouring pixels in every row (or column) that it steps through. Measured on QGIS 3.22.

Many lines are done at once, in arrays; hits of one colour on the same pixel are put over each other by multiplying
what they let through, which is what source-over does in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.canvas import Canvas
from qgserver.draw.limits import segments
from qgserver.draw.paths import Paths
from qgserver.geo.geometry import Floats, Ints

Light = NDArray[np.float32]
Bools = NDArray[np.bool_]

_HALF_GRAIN = 1 / 128
"""Half of the 1/64 pixel that positions are rounded to."""

_BATCH = 8192
_STEPS = 12000
"""Segments, and their steps (rows or columns of pixels), worked on at once. Arrays of these stay in the processor's
cache and below the 128 KiB from which on malloc asks the system for fresh pages each time: that is twice as fast."""


@dataclass(frozen=True, slots=True, eq=False)
class ThinSegments:
    """n segments with ``first`` and ``second`` ends float64[n, 2] in pixels. ``begin_cap`` and ``end_cap`` say where
    half a pixel is added, ``opacity`` float64[n] is pen alpha times min(1, width), ``group`` int64[n] the number of
    the box they are drawn in, ``travelled`` float64[n] the steps of the path before the segment (for dashes)."""

    first: Floats
    second: Floats
    begin_cap: Bools
    end_cap: Bools
    opacity: Floats
    group: Ints
    travelled: Floats

    def take(self, index: Ints | Bools | slice) -> ThinSegments:
        """Some of the segments."""
        return ThinSegments(
            self.first[index],
            self.second[index],
            self.begin_cap[index],
            self.end_cap[index],
            self.opacity[index],
            self.group[index],
            self.travelled[index],
        )

    def regrouped(self, first: int) -> ThinSegments:
        """The same segments with groups counted from ``first``."""
        return replace(self, group=self.group - first)


def thin_segments(paths: Paths, opacity: Floats, group: Ints, capped: bool, dashed: bool) -> ThinSegments:
    """Segments of the paths; ``opacity`` and ``group`` are per path. Only open paths have caps."""
    first, second, owner = segments(paths)
    begin = np.zeros(len(owner), bool)
    end = begin.copy()
    travelled = _travelled_before(first, second, owner) if dashed else np.zeros(len(owner))
    if capped and not paths.closed and len(owner):
        changes = np.flatnonzero(owner[1:] != owner[:-1])
        begin[0], end[-1] = True, True
        begin[changes + 1], end[changes] = True, True
        travelled += 0.5
    return ThinSegments(first, second, begin, end, opacity[owner], group[owner], travelled)


def _travelled_before(first: Floats, second: Floats, owner: Ints) -> Floats:
    """Steps from the start of its path to each segment."""
    steps = np.abs(np.trunc(second * 64) - np.trunc(first * 64)).max(axis=1, initial=0.0) / 64
    travelled: Floats = np.cumsum(steps) - steps
    if len(owner):
        opening = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
        travelled -= np.repeat(travelled[opening], np.diff(np.append(opening, len(owner))))
    return travelled


@dataclass(frozen=True, slots=True)
class DashSteps:
    """Dashes of a thin line: on, off, ... counted in steps, not along the slope; ``offset`` into the pattern."""

    lengths: tuple[float, ...]
    offset: float

    def shows(self, travelled: Floats) -> Bools:
        """Which of the steps, so far from the line's start, belong to a dash."""
        ends = np.cumsum(self.lengths)
        on: Bools = np.searchsorted(ends, (travelled + self.offset) % ends[-1], side="right") % 2 == 0
        return on


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Rectangles of pixels, one a group, laid out one behind the other in a flat array, each with a border of one
    pixel (and rows padded to a multiple of four, as cairo's A8 masks want them).

    All int64[k]: ``x0``, ``y0`` (first pixel), ``x1``, ``y1`` (behind the last), ``stride``, ``base`` (int64[k+1]:
    where the border's first pixel lies in the array).
    """

    x0: Ints
    y0: Ints
    x1: Ints
    y1: Ints
    stride: Ints
    base: Ints

    def part(self, begin: int, end: int) -> Boxes:
        """Some of the boxes, in an array of their own."""
        some = slice(begin, end)
        base = self.base[begin : end + 1] - self.base[begin]
        return Boxes(self.x0[some], self.y0[some], self.x1[some], self.y1[some], self.stride[some], base)


def boxes_of(lines: ThinSegments, groups: int, canvas: Canvas) -> Boxes:
    """The boxes that the segments of each group touch, within the canvas; groups without segments are empty."""
    corners = np.empty((4, groups))
    corners[:2], corners[2:] = np.inf, -np.inf
    size = (canvas.width, canvas.height)
    if groups == 1 and len(lines.group):
        for axis in (0, 1):
            one, other = lines.first[:, axis], lines.second[:, axis]
            corners[axis] = min(one.min(), other.min())
            corners[axis + 2] = max(one.max(), other.max())
    else:
        for axis in (0, 1):
            for ends in (lines.first, lines.second):
                np.minimum.at(corners[axis], lines.group, ends[:, axis])
                np.maximum.at(corners[axis + 2], lines.group, ends[:, axis])
    low = [np.clip(np.floor(corners[axis]) - 1, 0, size[axis]).astype(np.int64) for axis in (0, 1)]
    high = [np.clip(np.ceil(corners[axis + 2]) + 2, 0, size[axis]).astype(np.int64) for axis in (0, 1)]
    wide, tall = np.maximum(high[0] - low[0], 0), np.maximum(high[1] - low[1], 0)
    stride = (wide + 2 + 3) // 4 * 4
    cells = np.where((wide > 0) & (tall > 0), stride * (tall + 2), 0)
    return Boxes(low[0], low[1], low[0] + wide, low[1] + tall, stride, np.concatenate([[0], np.cumsum(cells)]))


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """Segments turned so that they step upwards along one axis: all arrays of n segments, positions in pixels.

    ``steep``: steps over rows. Steps ``begin`` to ``end`` (inclusive) are visible; at step r the line is at
    ``at0 + slope * r`` on the other axis, minus half a pixel. ``missing_first`` and ``missing_last`` are the shares
    that the first and last step lack, 0 when they are clipped away. ``reversed``: runs against the line's direction.
    """

    steep: Bools
    reversed: Bools
    slope: Floats
    at0: Floats
    low: Floats
    high: Floats
    begin: Floats
    end: Floats
    missing_first: Floats
    missing_last: Floats

    def take(self, part: slice) -> _Steps:
        """Some of them."""
        return _Steps(*(getattr(self, name)[part] for name in _Steps.__slots__))


def _steps(lines: ThinSegments, boxes: Boxes) -> _Steps:
    start, stop = np.trunc(lines.first * 64), np.trunc(lines.second * 64)
    delta = np.abs(stop - start)
    steep = delta[:, 0] < delta[:, 1]
    major_start, major_stop = np.where(steep, start[:, 1], start[:, 0]), np.where(steep, stop[:, 1], stop[:, 0])
    minor_start, minor_stop = np.where(steep, start[:, 0], start[:, 1]), np.where(steep, stop[:, 0], stop[:, 1])
    turned = major_stop < major_start
    low, high = np.minimum(major_start, major_stop), np.maximum(major_start, major_stop)
    length = major_stop - major_start
    has_length = length != 0  # what has none leaves no trace, not even of its caps
    slope = np.divide(minor_stop - minor_start, length, out=np.zeros(len(length)), where=has_length)
    at0 = (np.where(turned, minor_stop, minor_start) + slope * (32 - low)) / 64 - 0.5
    low, high = low / 64, high / 64
    capped_low, capped_high = low, high
    if lines.begin_cap.any() or lines.end_cap.any():
        low_cap = np.where(turned, lines.end_cap, lines.begin_cap) & has_length
        high_cap = np.where(turned, lines.begin_cap, lines.end_cap) & has_length
        # measured: a cap at the low end also moves the line by half a step, forth or back by where in its pixel it is
        at0 += slope * low_cap * np.where((low * 64).astype(np.int64) & 63 < 32, 0.5, -0.5)
        capped_low, capped_high = low - low_cap * 0.5, high + high_cap * 0.5
    begin, end = np.floor(capped_low), np.ceil(capped_high) - 1
    missing = capped_low - begin, end + 1 - capped_high
    group = lines.group
    first_step = np.where(steep, boxes.y0[group], boxes.x0[group])
    last_step = np.where(steep, boxes.y1[group], boxes.x1[group]) - 1
    seen_begin, seen_end = np.maximum(begin, first_step), np.minimum(end, last_step)
    return _Steps(
        steep,
        turned,
        slope,
        at0,
        low,
        high,
        seen_begin,
        seen_end,
        np.where(seen_begin == begin, missing[0], 0.0),
        np.where(seen_end == end, missing[1], 0.0),
    )


def _within(steps: _Steps, lines: ThinSegments, boxes: Boxes) -> _Steps:
    """Only the steps at which the other axis is inside the box, give or take one."""
    group = lines.group
    lowest = np.where(steps.steep, boxes.x0[group], boxes.y0[group]) - 2.0
    highest = np.where(steps.steep, boxes.x1[group], boxes.y1[group]) + 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (lowest - steps.at0) / steps.slope, (highest - steps.at0) / steps.slope
    outside = (steps.slope == 0) & ((steps.at0 < lowest) | (steps.at0 > highest))
    enter = np.where(steps.slope == 0, -np.inf, np.floor(np.fmin(one, other)))
    leave = np.where(steps.slope == 0, np.inf, np.ceil(np.fmax(one, other)))
    begin, end = np.maximum(steps.begin, enter), np.minimum(steps.end, leave)
    end = np.where(outside, begin - 1, end)
    return replace(
        steps,
        begin=begin,
        end=end,
        missing_first=np.where(begin == steps.begin, steps.missing_first, 0.0),
        missing_last=np.where(end == steps.end, steps.missing_last, 0.0),
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """Whether something may lie outside the picture, and the dashes of all lines."""

    clipped: bool
    dashes: DashSteps | None


def _travelled(steps: _Steps, lines: ThinSegments, number: Ints, step: Floats) -> Floats:
    """How far from its path's start each step lies."""
    centre = step + 0.5
    # a step exactly between two dashes belongs to the one behind it when the line runs upwards, else to the one before
    against = steps.high[number] - centre - _HALF_GRAIN
    along = np.where(steps.reversed[number], against, centre - steps.low[number])
    return lines.travelled[number] + along


def _draw(light: Light, steps: _Steps, lines: ThinSegments, boxes: Boxes, frame: _Frame) -> None:
    """Multiply into ``light`` what each pixel lets through after these segments."""
    counts = np.maximum(steps.end - steps.begin + 1, 0).astype(np.int64)
    ends = np.cumsum(counts)
    starts = ends - counts
    number = np.repeat(np.arange(len(counts)), counts)
    local = np.arange(len(number))
    offset = steps.begin - starts
    position = (steps.at0 + steps.slope * offset)[number] + steps.slope[number] * local
    pixel = np.floor(position)
    share = (position - pixel).astype(np.float32)
    opacity = lines.opacity.astype(np.float32)
    cover = opacity[number]
    drawn = counts > 0
    cover[starts[drawn]] -= (steps.missing_first * opacity)[drawn]
    cover[ends[drawn] - 1] -= (steps.missing_last * opacity)[drawn]
    group = lines.group
    stride = boxes.stride[group]
    along, across = np.where(steps.steep, stride, 1), np.where(steps.steep, 1, stride)
    origin = boxes.base[group] + stride * (1 - boxes.y0[group]) + 1 - boxes.x0[group]
    across_of = across[number]
    index = (
        (origin + along * offset.astype(np.int64))[number] + along[number] * local + across_of * pixel.astype(np.int64)
    )
    if frame.dashes is not None:
        cover *= frame.dashes.shows(_travelled(steps, lines, number, steps.begin[number] + local - starts[number]))
    if frame.clipped:
        lowest = np.where(steps.steep, boxes.x0[group], boxes.y0[group])[number] - 1
        highest = np.where(steps.steep, boxes.x1[group], boxes.y1[group])[number] - 1
        keep = (pixel >= lowest) & (pixel <= highest)
        index, share, cover, across_of = index[keep], share[keep], cover[keep], across_of[keep]
    second = share * cover
    cover -= second
    np.multiply.at(light, index, 1 - cover)
    np.multiply.at(light, index + across_of, 1 - second)


def _is_inside(lines: ThinSegments, canvas: Canvas) -> bool:
    """Whether no segment leaves the canvas."""
    for ends in (lines.first, lines.second):
        if len(ends) and (
            ends.min() < 1 or ends[:, 0].max() > canvas.width - 2 or ends[:, 1].max() > canvas.height - 2
        ):
            return False
    return True


def coverage(lines: ThinSegments, boxes: Boxes, canvas: Canvas, dashes: DashSteps | None) -> NDArray[np.uint8]:
    """uint8[boxes.base[-1]]: the alpha of every pixel of every box."""
    light = np.full(boxes.base[-1], 255, np.float32)
    visible = np.diff(boxes.base)[lines.group] > 0
    if not visible.all():
        lines = lines.take(visible)
    frame = _Frame(not _is_inside(lines, canvas), dashes)
    for begin in range(0, len(lines.group), _BATCH):
        _add(light, lines.take(slice(begin, begin + _BATCH)), boxes, frame)
    alpha = np.empty(len(light), np.uint8)
    np.subtract(np.float32(255.5), light, out=alpha, casting="unsafe")  # one pass over memory in place of three
    return alpha


def _add(light: Light, lines: ThinSegments, boxes: Boxes, frame: _Frame) -> None:
    """Draw a batch of segments, in parts of about ``_STEPS`` steps."""
    steps = _steps(lines, boxes)
    if frame.clipped:
        steps = _within(steps, lines, boxes)
    ends = np.cumsum(np.maximum(steps.end - steps.begin + 1, 0))
    cuts = np.searchsorted(ends, np.arange(_STEPS, ends[-1], _STEPS)).tolist()
    for begin, end in pairwise([0, *dict.fromkeys(cuts), len(ends)]):
        part = slice(begin, end)
        _draw(light, steps.take(part), lines.take(part), boxes, frame)
