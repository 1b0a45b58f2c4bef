"""What paint effects are made from: drawings that can be had as pixels and put on a map."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from qgserver.draw.blend import OVER, Operator
from qgserver.draw.canvas import Antialias, Canvas
from qgserver.draw.filters import Pixels
from qgserver.draw.stack import TALLEST, Matrix, new_sheet, put, put_warped
from qgserver.geo.geometry import Floats, Ints
from qgserver.symbology.env import Painter, Shapes

MANY = 4
"""Drawings from which they are painted together."""


@dataclass(frozen=True, slots=True)
class Box:
    """Whole pixels, from the left upper corner to before the right lower one."""

    left: int
    top: int
    right: int
    bottom: int

    def frame(self, spread: float, needed: float) -> Frame:
        """The pixels that an effect works on, as QGIS has them: ``spread`` more on each side, which need not be whole.
        Of that no more than ``needed`` is kept; the fraction stays, because everything is shifted by it."""
        margin = spread - max(math.floor(spread - needed), 0)
        width, height = self.right - self.left + 2 * margin, self.bottom - self.top + 2 * margin
        return Frame(self.left - margin, self.top - margin, max(int(width), 1), max(int(height), 1))


@dataclass(frozen=True, slots=True)
class Frame:
    """A grid of pixels whose first one begins at (``left``, ``top``)."""

    left: float
    top: float
    width: int
    height: int


def inked(pixels: Pixels) -> Box | None:
    """The part of a picture uint8[h, w, 4] that is not transparent; None when all of it is."""
    seen = pixels[..., 3] > 0
    columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    if not len(rows):
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


class Drawn(Protocol):
    """n drawings, each with an origin of its own; ``box`` holds all of them, in pixels from their origins."""

    @property
    def box(self) -> Box: ...

    @property
    def boxes(self) -> Ints:
        """int64[n, 4]: left, top, right, bottom of each drawing as a whole."""

    @property
    def places(self) -> Floats:
        """float64[n, 2]: where the origins are on the map, in pixels."""

    @property
    def crisp(self) -> bool:
        """True for ready-made pictures, whose pixels are not mixed when they are turned."""

    def pixels(self, frame: Frame) -> Pixels:
        """uint8[n, height, width, 4], n = 1 where all are the same: each drawing on the grid of the frame."""

    def put(self, canvas: Canvas, number: int) -> None:
        """Draw one of them at its place."""


@dataclass(frozen=True)
class Figures:
    """Shapes, each with what one ``painter`` makes of it. ``shapes`` is on the map, ``boxes`` what they fill as a
    whole, ``box`` what can be seen of all. ``gap``: pixels that paint may go beyond its box. ``same``: they all look
    the same."""

    painter: Painter
    shapes: Shapes
    places: Floats
    boxes: Ints
    box: Box
    gap: int
    antialias: Antialias
    same: bool = False
    crisp: bool = False

    def pixels(self, frame: Frame) -> Pixels:
        count = 1 if self.same else len(self.shapes)
        return self._painted(range(count), frame, self.gap, self.places)

    def put(self, canvas: Canvas, number: int) -> None:
        if self.same or len(self.shapes) < MANY or canvas.operator != OVER:
            self.painter(canvas, self.shapes.slice(number, number + 1))
            return
        left, top = self._corners[number].tolist()
        put(canvas, self._exact[number], left, top, OVER)

    @cached_property
    def _corners(self) -> Floats:
        """float64[n, 2]: the whole pixels where the pictures in ``_exact`` belong."""
        corner = np.array((self.box.left - self.gap, self.box.top - self.gap))
        found: Floats = np.floor(self.places) + corner
        return found

    @cached_property
    def _exact(self) -> Pixels:
        """uint8[n, h, w, 4]: each drawing as it is on the map. Painting over and putting a painted picture over give
        the same pixels, and many are painted quicker in one go."""
        box, gap = self.box, 2 * self.gap + 1
        frame = Frame(0.0, 0.0, box.right - box.left + gap, box.bottom - box.top + gap)
        return self._painted(range(len(self.shapes)), frame, 0, self._corners)

    def _painted(self, numbers: range, frame: Frame, gap: int, origins: Floats) -> Pixels:
        """Some of the drawings on the grid of the frame, whose places on the map are ``origins``."""
        count = len(numbers)
        if count > 1 and count * (frame.height + 2 * gap) > TALLEST:
            halves = numbers[: count // 2], numbers[count // 2 :]
            return np.concatenate([self._painted(half, frame, gap, origins) for half in halves])
        shapes = self.shapes.slice(numbers.start, numbers.stop)
        sheet = new_sheet(count, frame.width, frame.height, gap, self.antialias)
        corners = np.array([sheet.corner(number) for number in range(count)])
        moves = corners - origins[numbers.start : numbers.stop] - (frame.left, frame.top)
        geometry = shapes.geometry
        coords = geometry.coords + np.repeat(moves, np.diff(geometry.vertex_offsets()), axis=0)
        self.painter(sheet.canvas, Shapes(replace(geometry, coords=coords), shapes.rows))
        return sheet.pixels()

    def trimmed(self) -> Figures:
        """The same with boxes no larger than what is painted, which is the same for all."""
        pixels = self.pixels(self.box.frame(0.0, 0.0))
        found = inked(pixels[0])
        left, top = self.box.left, self.box.top
        if found is None:
            box = Box(left, top, left, top)
        else:
            box = Box(left + found.left, top + found.top, left + found.right, top + found.bottom)
        boxes = np.broadcast_to(np.array((box.left, box.top, box.right, box.bottom)), self.boxes.shape)
        return replace(self, box=box, boxes=boxes)

    def stamps(self, left: float, top: float, operator: Operator) -> Images:
        """The same as pictures, for drawings that are one that begins at (``left``, ``top``) from all places."""
        frame = Frame(left, top, self.box.right - self.box.left, self.box.bottom - self.box.top)
        return Images(self.pixels(frame), left, top, self.places, operator)


@dataclass(frozen=True)
class Images:
    """Pictures uint8[n or 1, h, w, 4] that begin at (``left``, ``top``) from their origins."""

    stack: Pixels
    left: float
    top: float
    places: Floats
    operator: Operator = OVER
    crisp: bool = True

    @cached_property
    def box(self) -> Box:
        height, width = self.stack.shape[1:3]
        right, bottom = math.ceil(self.left + width), math.ceil(self.top + height)
        return Box(math.floor(self.left), math.floor(self.top), right, bottom)

    @property
    def boxes(self) -> Ints:
        box = np.array([[self.box.left, self.box.top, self.box.right, self.box.bottom]], dtype=np.int64)
        return np.repeat(box, len(self.places), axis=0)

    def pixels(self, frame: Frame) -> Pixels:
        out = np.zeros((len(self.stack), frame.height, frame.width, 4), dtype=np.uint8)
        height, width = self.stack.shape[1:3]
        x, y = math.floor(self.left - frame.left + 0.5), math.floor(self.top - frame.top + 0.5)
        right, bottom = min(x + width, frame.width), min(y + height, frame.height)
        x0, y0 = max(x, 0), max(y, 0)
        if x0 < right and y0 < bottom:
            out[:, y0:bottom, x0:right] = self.stack[:, y0 - y : bottom - y, x0 - x : right - x]
        return out

    def put(self, canvas: Canvas, number: int) -> None:
        x, y = self.places[number].tolist()
        picture = self.stack[number % len(self.stack)]
        put(canvas, picture, x + self.left, y + self.top, self.operator)


@dataclass(frozen=True)
class Warped:
    """Pictures as ``matrices`` (one for each) change their places; their first pixels begin at (``left``, ``top``)."""

    stack: Pixels
    left: float
    top: float
    places: Floats
    matrices: tuple[Matrix, ...]
    crisp: bool

    @cached_property
    def boxes(self) -> Ints:
        height, width = self.stack.shape[1:3]
        xs, ys = self.left + np.array([0, width, width, 0]), self.top + np.array([0, 0, height, height])
        m = np.array(self.matrices)[:, :, None]
        across, down = m[:, 0] * xs + m[:, 2] * ys + m[:, 4], m[:, 1] * xs + m[:, 3] * ys + m[:, 5]
        sides = (across.min(axis=1), down.min(axis=1), -across.max(axis=1), -down.max(axis=1))
        found: Ints = np.floor(np.clip(np.column_stack(sides), -1e6, 1e6)).astype(np.int64)
        found[:, 2:] *= -1
        return found

    @cached_property
    def box(self) -> Box:
        first, last = self.boxes[:, :2].min(axis=0).tolist(), self.boxes[:, 2:].max(axis=0).tolist()
        return Box(*first, *last)

    def pixels(self, frame: Frame) -> Pixels:
        pictures = []
        for number in range(len(self.stack)):
            canvas = Canvas(frame.width, frame.height)
            self._put(canvas, number, -frame.left, -frame.top)
            pictures.append(canvas.pixels())
        return np.stack(pictures)

    def put(self, canvas: Canvas, number: int) -> None:
        self._put(canvas, number, *self.places[number].tolist())

    def _put(self, canvas: Canvas, number: int, x: float, y: float) -> None:
        xx, yx, xy, yy, x0, y0 = self.matrices[number % len(self.matrices)]
        x0, y0 = x0 + x + xx * self.left + xy * self.top, y0 + y + yx * self.left + yy * self.top
        picture = self.stack[number % len(self.stack)]
        put_warped(canvas, picture, (xx, yx, xy, yy, x0, y0), smooth=not self.crisp)
