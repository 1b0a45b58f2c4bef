"""Which candidates get into each other's way: a grid over their boxes, asked for many candidates at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Candidates, Flags, expand, parts, running

CHUNK = 400_000
"""So many pairs of boxes are compared at a time."""

CELLS = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Conflicts:
    """The boxes of all candidates (the glyphs of curved text are boxes of their own) in the cells of a grid."""

    owner: Ints
    first: Ints
    item: Ints
    bounds: Floats
    shape: Floats
    tilted: bool
    single: bool
    _cell: tuple[float, float, float, float, int, int]
    _start: Ints
    _member: Ints

    def of(self, chosen: Ints) -> tuple[Ints, Ints]:
        """All conflicts of the chosen candidates: (place in ``chosen``, candidate), sorted, each pair once. Candidates
        of the same item never are in conflict; boxes that touch are."""
        parts, box = expand(self.first[chosen], self.first[chosen + 1] - self.first[chosen])
        work = self._effort(box)
        found: list[tuple[Ints, Ints]] = []
        begin = 0
        while begin < len(box):
            end = int(np.searchsorted(work, (work[begin - 1] if begin else 0) + CHUNK, side="right"))
            end = max(end, begin + 1)
            row, hit = self._hits(box[begin:end])
            found.append((parts[begin:end][row], self.owner[hit]))
            begin = end
        if not found:
            none = np.empty(0, dtype=np.int64)
            return none, none
        asked = np.concatenate([row for row, _ in found])
        other = np.concatenate([hit for _, hit in found])
        count = len(self.first) - 1
        key = asked * count + other
        key = np.sort(key) if self.single else np.unique(key)
        return key // count, key % count

    def _span(self, box: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        left, low, wide, high, columns, rows = self._cell
        b = self.bounds[box]
        with np.errstate(invalid="ignore"):
            x0, x1 = ((np.clip((b[:, i] - left) / wide, 0, columns - 1)).astype(np.int64) for i in (0, 2))
            y0, y1 = ((np.clip((b[:, i] - low) / high, 0, rows - 1)).astype(np.int64) for i in (1, 3))
        return x0, y0, x1, y1

    def _cells(self, box: Ints) -> tuple[Ints, Ints]:
        """(place in ``box``, cell) of all cells under the boxes."""
        x0, y0, x1, y1 = self._span(box)
        across = x1 - x0 + 1
        row, number = expand(np.zeros_like(across), across * (y1 - y0 + 1))
        return row, (y0[row] + number // across[row]) * self._cell[4] + x0[row] + number % across[row]

    def _effort(self, box: Ints) -> Ints:
        row, cell = self._cells(box)
        size = self._start[cell + 1] - self._start[cell]
        return np.cumsum(np.bincount(row, weights=size, minlength=len(box))).astype(np.int64)

    def _hits(self, box: Ints) -> tuple[Ints, Ints]:
        """(place in ``box``, box that it meets)."""
        row, cell = self._cells(box)
        entry, at = expand(self._start[cell], self._start[cell + 1] - self._start[cell])
        row, cell, other = row[entry], cell[entry], self._member[at]
        mine, theirs = self.bounds[box[row]], self.bounds[other]
        low = np.maximum(mine[:, :2], theirs[:, :2])
        meet = (low <= np.minimum(mine[:, 2:], theirs[:, 2:])).all(axis=1)
        meet &= self.item[box[row]] != self.item[other]
        row, other, cell, low = row[meet], other[meet], cell[meet], low[meet]
        # a pair that shares several cells counts in the one that holds the corner of its overlap
        left, bottom, wide, high, columns, rows = self._cell
        x = np.clip((low[:, 0] - left) / wide, 0, columns - 1).astype(np.int64)
        y = np.clip((low[:, 1] - bottom) / high, 0, rows - 1).astype(np.int64)
        here = y * columns + x == cell
        row, other = row[here], other[here]
        if self.tilted:
            real = _overlap(self.shape[box[row]], self.shape[other])
            row, other = row[real], other[real]
        return row, other


def _overlap(one: Floats, two: Floats) -> Flags:
    """bool[n]: rectangles float64[n, 4, 2] that meet, by their separating axes."""
    meet = np.ones(len(one), dtype=bool)
    for shape in (one, two):
        for axis in (shape[:, 1] - shape[:, 0], shape[:, 3] - shape[:, 0]):
            a = (one * axis[:, None]).sum(axis=2)
            b = (two * axis[:, None]).sum(axis=2)
            slack = 1e-9 * (np.abs(a).max(axis=1, initial=1.0))
            meet &= (a.max(axis=1) >= b.min(axis=1) - slack) & (b.max(axis=1) >= a.min(axis=1) - slack)
    return meet


def index(found: Candidates) -> Conflicts:
    """The grid over these candidates."""
    owner, first, shape = parts(found)
    bounds = np.concatenate((shape.min(axis=1), shape.max(axis=1)), axis=1)
    tilted = bool((np.abs(shape[:, 1, 1] - shape[:, 0, 1]) + np.abs(shape[:, 1, 0] - shape[:, 2, 0]) > 1e-9).any())
    low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    size = np.maximum((bounds[:, 2:] - bounds[:, :2]).mean(axis=0), 1.0)
    counts = np.clip(np.ceil((high - low) / size), 1, 1 << 20)
    shrink = max(1.0, float(np.sqrt(counts.prod() / CELLS)))
    columns, rows = (max(1, int(c / shrink)) for c in counts)
    span = np.maximum(high - low, 1e-9)
    cell = (float(low[0]), float(low[1]), float(span[0] / columns), float(span[1] / rows), columns, rows)
    bare = Conflicts(
        owner, first, found.item[owner], bounds, shape, tilted, len(owner) == len(found), cell, first, first
    )
    box, at = bare._cells(np.arange(len(owner)))
    order = np.argsort(at, kind="stable")
    start = running(np.bincount(at, minlength=columns * rows))
    return Conflicts(owner, first, bare.item, bounds, shape, tilted, bare.single, cell, start, box[order])
