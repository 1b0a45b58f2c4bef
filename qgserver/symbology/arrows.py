"""Outlines of arrows along straight lines and arcs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from qgserver.geo.geometry import Floats

PLAIN, LEFT_HALF, RIGHT_HALF = 0, 1, 2
SINGLE, REVERSED, DOUBLE = 0, 1, 2
STEP = 2.0
"""Pixels between the points of an arc."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """Sizes in pixels: ``width`` of the shaft at the head, ``start_width`` at its other end, the head's length and its
    width on each side of the line; ``offset`` to the right of the line."""

    start_width: float
    width: float
    head_length: float
    head_thickness: float
    head: int = SINGLE
    kind: int = PLAIN
    offset: float = 0.0

    def straight(self, start: Floats, end: Floats) -> Floats | None:
        """The outline float64[n, 2] from point to point; None when they are the same."""
        length = math.hypot(*(end - start))
        if not 0 < length < 1e6:
            return None
        along = (end - start) / length
        left = np.array((along[1], -along[0]))

        def place(ways: Floats, sides: Floats) -> Floats:
            found: Floats = start + ways[:, None] * along + sides[:, None] * left
            return found

        return self._outline(length, place, 1)

    def curved(self, start: Floats, over: Floats, end: Floats) -> Floats | None:
        """The outline along the arc through three points; a straight one when they lie on a line."""
        (ax, ay), (bx, by) = over - start, end - start
        twice = 2 * (ax * by - ay * bx)
        if abs(twice) <= 1e-6 * max(ax * ax + ay * ay, bx * bx + by * by):
            return self.straight(start, end)
        a2, b2 = ax * ax + ay * ay, bx * bx + by * by
        center = start + np.array((by * a2 - ay * b2, ax * b2 - bx * a2)) / twice
        radius = math.hypot(*(start - center))
        if not radius < 1e6:
            return self.straight(start, end)
        first = math.atan2(start[1] - center[1], start[0] - center[0])
        last = math.atan2(end[1] - center[1], end[0] - center[0])
        turn = 1.0 if twice > 0 else -1.0  # clockwise on the screen where positive
        sweep = (last - first) * turn % (2 * math.pi)

        def place(ways: Floats, sides: Floats) -> Floats:
            angles = first + turn * ways / radius
            reach = radius + turn * sides
            found: Floats = center + reach[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
            return found

        length = radius * sweep
        halves = {LEFT_HALF: RIGHT_HALF, RIGHT_HALF: LEFT_HALF}  # the left half of an arc is its outer one (measured)
        arrow = self if turn > 0 else replace(self, kind=halves.get(self.kind, self.kind))
        return arrow._outline(length, place, min(max(math.ceil(length / STEP), 2), 500))

    def _outline(self, length: float, place: Callable[[Floats, Floats], Floats], pieces: int) -> Floats:
        """Both sides of the shaft, with the heads at its ends."""
        behind = self.head_length if self.head in (REVERSED, DOUBLE) else 0.0
        ahead = self.head_length if self.head in (SINGLE, DOUBLE) else 0.0
        widths = {
            SINGLE: (self.start_width, self.width),
            REVERSED: (self.width, self.start_width),
            DOUBLE: (self.width, self.width),
        }
        narrow, wide = widths.get(self.head, (self.start_width, self.width))
        first, last = behind, length - ahead
        ways = np.linspace(first, last, pieces + 1) if first < last else np.empty(0)
        sides = np.linspace(narrow / 2, wide / 2, len(ways))
        brim = self.head_thickness
        if behind:
            ways, sides = np.concatenate([[0.0, behind], ways]), np.concatenate([[0.0, brim], sides])
        if ahead:
            ways, sides = np.concatenate([ways, [last, length]]), np.concatenate([sides, [brim, 0.0]])
        left = sides if self.kind != RIGHT_HALF else np.zeros(len(sides))
        right = sides if self.kind != LEFT_HALF else np.zeros(len(sides))
        return place(np.concatenate([ways, ways[::-1]]), np.concatenate([left, -right[::-1]]) - self.offset)
