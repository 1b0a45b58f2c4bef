"""Many lines as one flat array, and the points at distances along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
        rest = distance - self.along[vertex]
        before = distance < 0
        if before.any():
            start[before], end[before], rest[before] = (
                self.coords[first[before]],
                self.coords[last[before]],
                distance[before],
            )
        way = end - start
        step = _length(way)
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = start + way * np.minimum(rest, step)[:, None] / step[:, None]
        moved[step <= 0] = start[step <= 0]
        return moved


def march(start: Floats, step: Floats, limit: Floats, ahead: Floats | float = 0.0) -> tuple[Ints, Floats]:
    """(whose it is int64[n], where it is float64[n]): of each walker the places from ``start`` on, ``step`` by step, as
    long as what is ``ahead`` does not pass the ``limit``. Sums grow as they do in QGIS: their rounding decides whether
    the last place is reached."""
    reach = np.broadcast_to(np.asarray(ahead, dtype=np.float64), start.shape)
    walker, at = np.arange(len(start)), start
    walkers, places = [], []
    while True:
        going = at + reach[walker] <= limit[walker]
        walker, at = walker[going], at[going]
        walkers.append(walker)
        places.append(at)
        if not len(walker):
            break
        at = at + step[walker]
    which = np.concatenate(walkers)
    order = np.argsort(which, kind="stable")
    return which[order], np.concatenate(places)[order]


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
    step[1:] = _length(np.diff(coords, axis=0))
    filled = np.diff(offsets) > 0
    step[offsets[:-1][filled]] = 0.0
    along = summed(step, offsets)
    length = np.zeros(count)
    length[filled] = along[offsets[1:][filled] - 1]
    closed = np.zeros(count, dtype=bool)
    closed[filled] = (coords[offsets[:-1][filled]] == coords[offsets[1:][filled] - 1]).all(axis=1)
    base = np.cumsum(length + 1.0) - length - 1.0
    return Paths(coords, offsets, along, length, closed, along + base[owner], base)


def summed(values: Floats, offsets: Ints) -> Floats:
    """float64[n]: the sums of ``values`` up to each of them, run by run, added one after the other."""
    sums = np.empty(len(values))
    for begin, end in pairwise(offsets.tolist()):
        np.cumsum(values[begin:end], out=sums[begin:end])
    return sums


def _length(way: Floats) -> Floats:
    return np.asarray(np.sqrt(way[:, 0] * way[:, 0] + way[:, 1] * way[:, 1]))


def pieces(paths: Paths, sharpest: float) -> tuple[Ints, Floats, Floats, Floats]:
    """The paths cut at vertices where they turn by more than ``sharpest`` radians: (path, start, end, length) of each
    piece, distances along its path; the length is added up anew and may round otherwise. A closed path that turns
    sharply at its first vertex is not cut anywhere new by that."""
    coords, offsets = paths.coords, paths.offsets
    path, vertex = expand(offsets[:-1] + 1, np.maximum(np.diff(offsets) - 2, 0))
    before, after = coords[vertex] - coords[vertex - 1], coords[vertex + 1] - coords[vertex]
    turn = np.arctan2(
        before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0],
        before[:, 0] * after[:, 0] + before[:, 1] * after[:, 1],
    )
    sharp = np.abs(turn) > sharpest
    filled = np.flatnonzero(np.diff(offsets) > 0)
    owner = np.concatenate((path[sharp], filled))
    first = np.concatenate((vertex[sharp], offsets[filled]))
    order = np.argsort(first, kind="stable")
    owner, first = owner[order], first[order]
    last = np.append(first[1:], len(coords) - 1)
    final = np.append(owner[1:] != owner[:-1], True)[: len(owner)]
    last[final] = offsets[owner[final] + 1] - 1
    start, end = paths.along[first], paths.along[last]
    length = end - start
    steps = _length(np.diff(coords, axis=0))
    for row in np.flatnonzero((start > 0) & (last > first)).tolist():
        length[row] = np.cumsum(steps[first[row] : last[row]])[-1]
    return owner, start, end, length
