"""Which candidates get into each other's way: a tree of their boxes, asked for many candidates at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Candidates, Flags, Shapes, expand, parts, running

_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """All conflicts: those of candidate i are ``other[start[i]:start[i + 1]]``, int32[pairs] and int64[n + 1]."""

    start: Ints
    other: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.start) - 1

    def of(self, chosen: Ints) -> NDArray[np.int32]:
        """The candidates in conflict with these, as often as they are."""
        return self.other[expand(self.start[chosen], self.start[chosen + 1] - self.start[chosen])[1]]

    def one(self, candidate: int) -> NDArray[np.int32]:
        """The candidates in conflict with one."""
        return self.other[self.start[candidate] : self.start[candidate + 1]]


@dataclass(frozen=True, slots=True, eq=False)
class Conflicts:
    """The boxes of all candidates; the glyphs of curved text are boxes of their own. ``owner`` int64[b] and ``item``
    int64[b] tell whose a box is, ``first`` int64[n + 1] where those of a candidate begin, ``tilted`` bool[b] which of
    the ``corners`` float64[b, 4, 2] are not level; the ``frames`` are level boxes around them."""

    owner: Ints
    item: Ints
    first: Ints
    corners: Floats
    tilted: Flags
    frames: Shapes
    tree: shapely.STRtree

    def of(self, chosen: Ints) -> tuple[Ints, Ints]:
        """All conflicts of the chosen candidates: (place in ``chosen``, candidate), sorted, each pair once. Candidates
        of the same item never are in conflict; boxes that touch are."""
        row, box = expand(self.first[chosen], self.first[chosen + 1] - self.first[chosen])
        asked, other = self.tree.query(self.frames[box])
        apart = self.item[box[asked]] != self.item[other]
        asked, other = asked[apart], other[apart]
        slant = self.tilted[box[asked]] | self.tilted[other]
        if slant.any():
            at = np.flatnonzero(slant)
            meet = _overlap(self.corners[box[asked[at]]], self.corners[other[at]])
            kept = ~slant
            kept[at[meet]] = True
            asked, other = asked[kept], other[kept]
        count = len(self.first) - 1
        pairs = row[asked] * count + self.owner[other]
        pairs = np.sort(pairs) if len(self.owner) == count else np.unique(pairs)
        return pairs // count, pairs % count

    def all(self, most: int) -> Neighbours | None:
        """The conflicts of all candidates; None if there are more than ``most``."""
        count = len(self.first) - 1
        found: list[NDArray[np.int32]] = []
        number = np.zeros(count, dtype=np.int64)
        total = 0
        for begin in range(0, count, _BATCH):
            chosen = np.arange(begin, min(begin + _BATCH, count))
            row, other = self.of(chosen)
            number[chosen] = np.bincount(row, minlength=len(chosen))
            found.append(other.astype(np.int32))
            total += len(other)
            if total > most:
                return None
        return Neighbours(running(number), np.concatenate(found) if found else np.empty(0, dtype=np.int32))


def _overlap(one: Floats, two: Floats) -> Flags:
    """bool[n]: rectangles float64[n, 4, 2] that meet, by their separating axes."""
    meet = np.ones(len(one), dtype=bool)
    for shape in (one, two):
        for axis in (shape[:, 1] - shape[:, 0], shape[:, 3] - shape[:, 0]):
            a = (one * axis[:, None]).sum(axis=2)
            b = (two * axis[:, None]).sum(axis=2)
            slack = 1e-9 * np.abs(a).max(axis=1)
            meet &= (a.max(axis=1) >= b.min(axis=1) - slack) & (b.max(axis=1) >= a.min(axis=1) - slack)
    return meet


def index(found: Candidates) -> Conflicts:
    """The tree of these candidates."""
    owner, first, corners = parts(found)
    low, high = corners.min(axis=1), corners.max(axis=1)
    tilted = (np.abs(corners[:, 1, 1] - corners[:, 0, 1]) > 1e-9) & (np.abs(corners[:, 1, 0] - corners[:, 0, 0]) > 1e-9)
    frames: Shapes = np.asarray(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]), dtype=object)
    return Conflicts(owner, found.item[owner], first, corners, tilted, frames, shapely.STRtree(frames))
