"""Many lines as one flat array, and the points at distances along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Flags, Shapes, expand, running


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """``coords`` float64[v, 2]; path p has the vertices ``offsets[p]:offsets[p + 1]``; ``along`` float64[v] is the
    distance of a vertex from the start of its path; ``length`` float64[p]; ``closed`` bool[p]."""

    coords: Floats
    offsets: Ints
    along: Floats
    length: Floats
    closed: Flags
    _key: Floats
    _base: Floats

    def __len__(self) -> int:
        return len(self.length)

    def segment(self, path: Ints, distance: Floats) -> Ints:
        """int64[n]: the vertices that begin the segments at distances along paths."""
        vertex = np.searchsorted(self._key, self._base[path] + distance, side="right") - 1
        first, last = self.offsets[path], self.offsets[path + 1] - 1
        return np.clip(vertex, first, np.maximum(last - 1, first))

    def at(self, path: Ints, distance: Floats) -> Floats:
        """float64[n, 2]: points on paths (int64[n]) at distances from their starts. Past the end it is the last vertex;
        before the start it lies on the straight through both ends."""
        first, last = self.offsets[path], self.offsets[path + 1] - 1
        vertex = self.segment(path, distance)
        start, end = self.coords[vertex], self.coords[np.minimum(vertex + 1, last)]
        step = self.along[np.minimum(vertex + 1, last)] - self.along[vertex]
        rest = np.minimum(distance - self.along[vertex], step)
        before = distance < 0
        if before.any():
            start[before], end[before] = self.coords[first[before]], self.coords[last[before]]
            step[before] = np.hypot(*(end - start)[before].T)
            rest[before] = distance[before]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(step > 0, rest / step, 0.0)
        return start + (end - start) * share[:, None]


def flatten(lines: Sequence[shapely.Geometry] | Shapes) -> Paths:
    """The paths of LineStrings and of the outlines of Polygons, repeated vertices left out."""
    shapes = np.array(lines, dtype=object)
    rings = shapely.get_type_id(shapes) == 3
    shapes[rings] = shapely.get_exterior_ring(shapes[rings])
    coords, owner = shapely.get_coordinates(shapes, return_index=True)
    return of_vertices(coords, owner, len(shapes))


def of_vertices(coords: Floats, owner: Ints, count: int) -> Paths:
    """The paths whose vertices follow each other: ``owner`` int64[v] ascends."""
    keep = np.ones(len(coords), dtype=bool)
    keep[1:] = (owner[1:] != owner[:-1]) | (coords[1:] != coords[:-1]).any(axis=1)
    coords, owner = coords[keep], owner[keep]
    offsets = running(np.bincount(owner, minlength=count))
    step = np.zeros(len(coords))
    step[1:] = np.hypot(*np.diff(coords, axis=0).T)
    starts = offsets[:-1][np.diff(offsets) > 0]
    step[starts] = 0.0
    total = np.cumsum(step)
    filled = np.diff(offsets) > 0
    origin = np.zeros(count)
    origin[filled] = total[offsets[:-1][filled]]
    along = total - origin[owner]
    length = np.zeros(count)
    length[filled] = along[offsets[1:][filled] - 1]
    closed = np.zeros(count, dtype=bool)
    closed[filled] = (coords[offsets[:-1][filled]] == coords[offsets[1:][filled] - 1]).all(axis=1)
    base = np.cumsum(length + 1.0) - length - 1.0
    return Paths(coords, offsets, along, length, closed, along + base[owner], base)


def pieces(paths: Paths, sharpest: float) -> tuple[Ints, Floats, Floats]:
    """The paths cut at vertices where they turn by more than ``sharpest`` radians: (path, start, end) of each piece,
    distances along its path. A closed path that turns sharply at its first vertex is not cut anywhere new by that."""
    coords, offsets = paths.coords, paths.offsets
    count = np.diff(offsets)
    inner_count = np.maximum(count - 2, 0)
    path, vertex = expand(offsets[:-1] + 1, inner_count)
    before, after = coords[vertex] - coords[vertex - 1], coords[vertex + 1] - coords[vertex]
    turn = np.arctan2(
        before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0],
        before[:, 0] * after[:, 0] + before[:, 1] * after[:, 1],
    )
    sharp = np.abs(turn) > sharpest
    path, at = path[sharp], paths.along[vertex[sharp]]
    every = np.arange(len(paths))
    owner = np.concatenate((path, every))
    start = np.concatenate((at, np.zeros(len(paths))))
    order = np.lexsort((start, owner))
    owner, start = owner[order], start[order]
    end = np.empty_like(start)
    end[:-1] = start[1:]
    final = np.ones(len(owner), dtype=bool)
    final[:-1] = owner[1:] != owner[:-1]
    end[final] = paths.length[owner[final]]
    return owner, start, end
