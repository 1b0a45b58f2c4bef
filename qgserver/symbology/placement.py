"""Where the members of a group of points go: on a ring, on rings around each other, on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color, with_alpha
from qgserver.draw.paths import Paths, circle
from qgserver.draw.pen import Pen, stroke
from qgserver.geo.geometry import Floats, Ints, offsets
from qgserver.symbology.env import Env
from qgserver.symbology.options import Length

STROKE = 4.0
"""Pixels that symbols and frames may reach further than their size."""
TILE = 8
"""Pixels of a tile of the picture, by which groups that may overlap are found."""
MOST_WAVES = 2000
TOGETHER = 32
"""Circles stroked at once."""
MOST_RINGS = 1000
"""Rings around each other; whoever is left stands on the last one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The pen of the circle or grid that members stand on."""

    color: Color
    width: Length

    def pen(self, env: Env) -> Pen:
        return Pen(with_alpha(self.color, env.opacity), self.width.pixels(env.scale))


@dataclass(frozen=True, slots=True)
class Room:
    """g groups of m members in all, in pixels: ``centers`` float64[g, 2], members ``starts[i]:starts[i+1]``, the
    diagonal of each member's symbol (``own`` float64[m]) and of the symbol in the ``middle``, what the user adds to
    distances (``addition``), and how much further out labels stand, as a share of the diagonal (``factor``)."""

    centers: Floats
    starts: Ints
    own: Floats
    middle: float
    addition: float = 0.0
    factor: float = 0.0

    @property
    def diagonals(self) -> Floats:
        """float64[g], the diagonals of the largest symbols."""
        return np.maximum.reduceat(self.own, self.starts[:-1])

    @property
    def label_distances(self) -> Floats:
        """float64[m]"""
        return self.own * self.factor

    @property
    def sizes(self) -> Ints:
        return np.diff(self.starts)

    def take(self, first: int, last: int) -> Room:
        """Some consecutive groups."""
        start, stop = self.starts[first], self.starts[last]
        starts = self.starts[first : last + 1] - start
        return replace(self, centers=self.centers[first:last], starts=starts, own=self.own[start:stop])

    def spread(self, values: Floats | Ints) -> Floats:
        """float64[m]: the value of its group for each member."""
        return np.repeat(values.astype(np.float64), self.sizes)

    @property
    def ranks(self) -> Ints:
        """int64[m], the number of each member within its group."""
        return np.arange(self.starts[-1]) - np.repeat(self.starts[:-1], self.sizes)

    def ends(self, shifts: Floats, label_shifts: Floats) -> tuple[Floats, Floats]:
        """Places from shifts against the centres. A lone point stays where it is, its label at its upper right."""
        middle = np.repeat(self.centers, self.sizes, axis=0)
        lone = self.spread(self.sizes) == 1
        corner = self.own[:, None] / 2 * np.array((1.0, -1.0))
        shifts = np.where(lone[:, None], 0.0, shifts)
        label_shifts = np.where(lone[:, None], corner, label_shifts)
        return middle + shifts, middle + label_shifts


def drawing_waves(room: Room, places: Floats, canvas: Canvas) -> Ints:
    """int64[g]: numbers such that of two groups that overlap the later one has the greater number, or the same if it is
    a lone point, which has no frame. Who draws number after number, of each first the frames, then the points in order,
    draws as if group after group. Beyond ``MOST_WAVES`` numbers some frames come too early."""
    margin = room.spread(room.diagonals)[:, None] + STROKE
    low = np.minimum.reduceat(places - margin, room.starts[:-1])
    high = np.maximum.reduceat(places + margin, room.starts[:-1])
    limit = np.array((canvas.width, canvas.height)) // TILE + 1
    first = np.clip(np.floor(low / TILE), 0, limit).astype(np.int64)
    last = np.clip(np.ceil(high / TILE), 0, limit).astype(np.int64)
    highest = np.zeros(limit[::-1], dtype=np.int64)
    waves = []
    framed = (room.sizes > 1).tolist()
    for (left, top), (right, bottom), step in zip(first.tolist(), last.tolist(), framed, strict=True):
        tiles = highest[top:bottom, left:right]
        waves.append(int(tiles.max(initial=0)) + step)
        tiles[:] = waves[-1]
    return fewer(np.array(waves, dtype=np.int64))


def fewer(waves: Ints) -> Ints:
    """The numbers, neighbours being one where there are too many of them."""
    most = int(waves.max(initial=0)) + 1
    return waves * MOST_WAVES // most if most > MOST_WAVES else waves


class Layout(Protocol):
    """One way to set members apart (all measured on QGIS)."""

    def places(self, room: Room) -> tuple[Floats, Floats]:
        """float64[m, 2] where each member goes, and its label."""

    def draw_frame(self, canvas: Canvas, room: Room, places: Floats, pen: Pen) -> None:
        """What joins the members."""


def _around(radii: Floats, angles: Floats) -> Floats:
    """Points around the origin: the first one below it (y down), counter-clockwise from there."""
    return np.column_stack([radii * np.sin(angles), radii * np.cos(angles)])


def _draw_circles(canvas: Canvas, room: Room, radii: Floats, pen: Pen) -> None:
    drawn = [
        _circle(radius).translate(x, y)
        for (x, y), radius in zip(room.centers.tolist(), radii.tolist(), strict=True)
        if radius > 0 and abs(x) < radius + 2 * canvas.width and abs(y) < radius + 2 * canvas.height
    ]
    for some in (drawn[first : first + TOGETHER] for first in range(0, len(drawn), TOGETHER)):
        starts = offsets(np.array([len(path.coords) for path in some], dtype=np.int64))
        stroke(canvas, Paths(np.concatenate([path.coords for path in some]), starts, True), pen)


@lru_cache(maxsize=256)
def _circle(radius: float) -> Paths:
    return circle(0.0, 0.0, radius, radius)


class Ring:
    """All members on one ring, as wide as they need."""

    def _radii(self, room: Room) -> Floats:
        """float64[g]"""
        needed = room.sizes * room.diagonals / (2 * np.pi)
        return np.maximum(np.maximum(room.diagonals / 2, needed) + room.addition, 0.0)

    def places(self, room: Room) -> tuple[Floats, Floats]:
        radii = room.spread(self._radii(room))
        angles = 2 * np.pi * room.ranks / room.spread(room.sizes)
        return room.ends(_around(radii, angles), _around(radii + room.label_distances, angles))

    def draw_frame(self, canvas: Canvas, room: Room, places: Floats, pen: Pen) -> None:
        _draw_circles(canvas, room, np.where(room.sizes > 1, self._radii(room), 0.0), pen)


class ConcentricRings:
    """Rings around each other, each filled before the next; the circle is that of the last one."""

    def places(self, room: Room) -> tuple[Floats, Floats]:
        radii, angles, _ = self._rings(room)
        return room.ends(_around(radii, angles), _around(radii + room.label_distances, angles))

    def _rings(self, room: Room) -> tuple[Floats, Floats, Floats]:
        """Radius and angle of each member, and the radius of each group's last ring."""
        radii, angles = np.zeros(room.starts[-1]), np.zeros(room.starts[-1])
        last = np.zeros(len(room.centers))
        done = np.zeros(len(room.centers), dtype=np.int64)
        diagonals = np.maximum(room.diagonals, 1e-9)
        ranks, sizes = room.ranks, room.sizes
        for ring in range(1, MOST_RINGS + 1):
            left = sizes - done
            if not (left > 0).any():
                break
            radius = (room.middle + diagonals) / 2 + (ring - 1) * diagonals + ring * room.addition
            radius = np.maximum(radius, 0.0)
            fits = np.maximum(np.floor(2 * np.pi * radius / diagonals), 1.0).astype(np.int64)
            count = left if ring == MOST_RINGS else np.minimum(fits, left)
            begin = np.repeat(done, sizes)
            mine = (ranks >= begin) & (ranks < begin + np.repeat(count, sizes))
            radii[mine] = room.spread(radius)[mine]
            angles[mine] = 2 * np.pi * (ranks - begin)[mine] / room.spread(np.maximum(count, 1))[mine]
            last[left > 0] = radius[left > 0]
            done += count
        return radii, angles, last

    def draw_frame(self, canvas: Canvas, room: Room, places: Floats, pen: Pen) -> None:
        _draw_circles(canvas, room, np.where(room.sizes > 1, self._rings(room)[2], 0.0), pen)


class Grid:
    """Rows of equal length, the last one perhaps shorter, in a square around the centre."""

    def _columns(self, room: Room) -> Ints:
        """int64[g]: the largest square within the number of members, one more where the rest fills a row."""
        side = np.ceil(np.sqrt(room.sizes)).astype(np.int64)
        return np.where(room.sizes - (side - 1) ** 2 < side, side - 1, side)

    def _steps(self, room: Room) -> Floats:
        """float64[g], the distance of neighbours."""
        return ((room.middle + room.diagonals) / 2 + room.diagonals) / 2 + room.addition

    def places(self, room: Room) -> tuple[Floats, Floats]:
        columns = np.maximum(np.repeat(self._columns(room), room.sizes), 1)
        cells = np.column_stack([room.ranks % columns, room.ranks // columns]).astype(np.float64)
        shifts = (cells - (columns[:, None] - 1) / 2) * room.spread(self._steps(room))[:, None]
        outwards = np.where(shifts < 0, -1.0, 1.0) * room.label_distances[:, None] * np.sqrt(0.5)
        return room.ends(shifts, shifts + outwards)

    def draw_frame(self, canvas: Canvas, room: Room, places: Floats, pen: Pen) -> None:
        """A line between neighbours in rows and columns."""
        columns = np.maximum(np.repeat(self._columns(room), room.sizes), 1)
        ranks, sizes = room.ranks, np.repeat(room.sizes, room.sizes)
        numbers = np.arange(len(ranks))
        right = numbers[((ranks + 1) % columns != 0) & (ranks + 1 < sizes)]
        below = numbers[ranks + columns < sizes]
        ends = np.concatenate([np.column_stack([right, right + 1]), np.column_stack([below, below + columns[below]])])
        lines = places[ends].reshape(-1, 2)
        stroke(canvas, Paths(lines, np.arange(0, len(lines) + 1, 2), False), pen)


LAYOUTS: Mapping[str, Layout] = MappingProxyType({"0": Ring(), "1": ConcentricRings(), "2": Grid()})
"""``placement`` -> layout."""
