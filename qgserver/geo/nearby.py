"""Points that lie near each other, gathered into groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats, Ints

_MOST_CELLS = 2.0**30
"""Cells along an axis of the grid in which groups are looked for; finer ones would not hold two different points."""


def group_nearby(points: Floats, reach: float) -> tuple[Ints, Floats]:
    """(int64[n], the number of each point's group; float64[g, 2], the centres of the groups), groups in the order of
    their first points. ``points`` float64[n, 2] are finite.

    Each point joins, of the groups whose first point is at most ``reach`` away in x and in y, the one whose centre is
    nearest, else it begins a group; a centre is the mean of the points so far (QGIS's rule). Who belongs together so
    depends on the order of the points: they are taken one by one, each with one look into a grid.
    """
    span = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    if not len(points) or not reach > span / _MOST_CELLS:
        return _group_equal(points)
    cells = np.floor((points - points.min(axis=0)) / reach).astype(np.int64)
    width = int(cells[:, 1].max()) + 3
    around = [dx * width + dy for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    keys = cells[:, 0] * width + cells[:, 1]
    together = np.flatnonzero(_has_neighbour(keys, around))
    groups = _Groups(reach)
    places, cell_keys = points[together].tolist(), keys[together].tolist()
    joined = [groups.join(x, y, key, around) for (x, y), key in zip(places, cell_keys, strict=True)]
    first_of = np.arange(len(points))
    middles = points.copy()
    if joined:
        numbers = np.array(joined, dtype=np.int64)
        firsts = together[np.unique(numbers, return_index=True)[1]]
        first_of[together] = firsts[numbers]
        middles[firsts] = np.column_stack([groups.xs, groups.ys])
    found, numbers = np.unique(first_of, return_inverse=True)
    return numbers, middles[found]


def _has_neighbour(keys: Ints, around: list[int]) -> NDArray[np.bool_]:
    """bool[n]: points that are not alone in their cell and those around it: the others are groups of their own."""
    cells, where, counts = np.unique(keys, return_inverse=True, return_counts=True)
    total = np.zeros(len(cells), dtype=np.int64)
    for step in around:
        at = np.minimum(np.searchsorted(cells, cells + step), len(cells) - 1)
        total += np.where(cells[at] == cells + step, counts[at], 0)
    found: NDArray[np.bool_] = (total > 1)[where]
    return found


class _Groups:
    """The groups so far: their first points, centres and sizes, and for each cell of a grid (as wide as the reach) the
    groups whose first point is in it or next to it: never more than nine."""

    __slots__ = ("first_xs", "first_ys", "near", "reach", "sizes", "xs", "ys")

    def __init__(self, reach: float) -> None:
        self.reach = reach
        self.first_xs: list[float] = []
        self.first_ys: list[float] = []
        self.xs: list[float] = []
        self.ys: list[float] = []
        self.sizes: list[int] = []
        self.near: dict[int, list[int]] = {}

    def join(self, x: float, y: float, key: int, around: list[int]) -> int:
        """The number of the group that a point joins."""
        found, nearest = -1, 0.0
        for number in self.near.get(key, ()):
            if abs(self.first_xs[number] - x) <= self.reach and abs(self.first_ys[number] - y) <= self.reach:
                distance = (self.xs[number] - x) ** 2 + (self.ys[number] - y) ** 2
                if found < 0 or distance < nearest:
                    found, nearest = number, distance
        if found < 0:
            return self._begin(x, y, key, around)
        size = self.sizes[found]
        self.xs[found] = (self.xs[found] * size + x) / (size + 1)
        self.ys[found] = (self.ys[found] * size + y) / (size + 1)
        self.sizes[found] = size + 1
        return found

    def _begin(self, x: float, y: float, key: int, around: list[int]) -> int:
        number = len(self.xs)
        for values, value in ((self.first_xs, x), (self.first_ys, y), (self.xs, x), (self.ys, y)):
            values.append(value)
        self.sizes.append(1)
        for step in around:
            self.near.setdefault(key + step, []).append(number)
        return number


def _group_equal(points: Floats) -> tuple[Ints, Floats]:
    """Groups of points at the very same place."""
    pairs = np.ascontiguousarray(points + 0.0).view(np.complex128)[:, 0]
    _, first, found = np.unique(pairs, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    return number[found], points[first[order]]
