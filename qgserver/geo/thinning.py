"""Which vertices of many lines and rings remain at a tolerance: the four ways QGIS knows."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats, Ints

Mask = NDArray[np.bool_]

DISTANCE, SNAP_TO_GRID, VISVALINGAM, GLOBAL_GRID = range(4)
"""``simplifyAlgorithm`` in a project."""
GRID_FACTOR = 0.8
"""Cells of ``SNAP_TO_GRID`` in tolerances."""
_LOOK_AHEAD = 16
"""Vertices within which the next far one is looked for in all sequences at once."""
_AT_ONCE = 32
"""Fewer sequences than this are followed one by one."""


@dataclass(frozen=True, slots=True)
class Rings:
    """Sequences to thin: ``xy`` float64[v, 2], ``bounds`` int64[r+1] into it, which are ``closed`` rings (bool[r]) and
    their ``boxes`` float64[r, 4]."""

    xy: Floats
    bounds: Ints
    closed: Mask
    boxes: Floats


@dataclass(frozen=True, slots=True)
class Thinned:
    """``keep`` bool[v] (not counting that a ring is closed again), ``long`` bool[r]: has a segment longer than the
    tolerance; ``moved`` float64[v, 2] if the algorithm moves vertices."""

    keep: Mask
    long: Mask
    moved: Floats | None = None


def by_distance(rings: Rings, tolerance: float) -> Thinned:
    """Keep a vertex farther than the tolerance from the last one kept."""
    limit = tolerance * tolerance
    keep = _ends(rings)
    starts = np.where(rings.closed, rings.bounds[:-1], rings.bounds[:-1] + 1)
    ends = np.where(rings.closed, rings.bounds[1:], rings.bounds[1:] - 2)
    far = _follow(rings, starts, ends, limit)
    keep |= far
    return Thinned(keep, np.add.reduceat(far.astype(np.int64), rings.bounds[:-1]) > 1)


def by_cell(rings: Rings, tolerance: float) -> Thinned:
    """Keep a vertex in another cell than the one before. Cells start at the corner of each sequence's box."""
    counts = np.diff(rings.bounds)
    origin = np.repeat(rings.boxes[:, :2], counts, axis=0)
    cells = np.floor((rings.xy - origin) / (GRID_FACTOR * tolerance) + 0.5)
    keep = _ends(rings)
    keep[1:] |= (cells[1:] != cells[:-1]).any(axis=1)
    return Thinned(keep, np.zeros(len(counts), dtype=bool))


def by_global_grid(rings: Rings, tolerance: float) -> Thinned:
    """Move vertices to the corners of a grid from 0,0 and drop the repeated ones."""
    moved = np.round(rings.xy / tolerance) * tolerance
    keep = np.zeros(len(moved), dtype=bool)
    keep[rings.bounds[:-1]] = True
    keep[1:] |= (moved[1:] != moved[:-1]).any(axis=1)
    return Thinned(keep, np.zeros(len(rings.closed), dtype=bool), moved)


def by_area(rings: Rings, tolerance: float) -> Thinned:
    """Visvalingam and Whyatt: keep vertices whose effective area is above the tolerance squared."""
    keep = np.ones(len(rings.xy), dtype=bool)
    for start, end, closed in zip(rings.bounds[:-1].tolist(), rings.bounds[1:].tolist(), rings.closed, strict=True):
        keep[start:end] = _effective(rings.xy[start:end].tolist(), tolerance * tolerance, 4 if closed else 2)
    return Thinned(keep, np.zeros(len(rings.closed), dtype=bool))


def _ends(rings: Rings) -> Mask:
    """bool[v]: the first vertex; of open lines also the second and the last two (they have at least four)."""
    keep = np.zeros(len(rings.xy), dtype=bool)
    keep[rings.bounds[:-1]] = True
    last = rings.bounds[1:][~rings.closed] - 1
    keep[rings.bounds[:-1][~rings.closed] + 1] = True
    keep[last] = True
    keep[last - 1] = True
    return keep


def _follow(rings: Rings, current: Ints, ends: Ints, limit: float) -> Mask:
    """bool[v]: each of ``current``, from there the first vertex farther than ``limit`` (squared), and so on up to
    ``ends``."""
    stops = _next_far(rings, limit)
    kept = np.zeros(len(rings.xy), dtype=bool)
    while len(current) > _AT_ONCE:
        kept[current] = True
        following = stops[current]
        for i in np.flatnonzero(following < 0).tolist():
            following[i] = _search(rings.xy, int(current[i]), int(ends[i]), limit)
        alive = following < ends
        current, ends = following[alive], ends[alive]
    for start, end in zip(current.tolist(), ends.tolist(), strict=True):
        kept[_chain(rings.xy, stops[start:end].tolist(), start, end, limit)] = True
    return kept


def _next_far(rings: Rings, limit: float) -> Ints:
    """int64[v]: the next vertex farther than ``limit`` (squared), the end of the sequence if it comes first, -1 when
    neither is within ``_LOOK_AHEAD``."""
    x, y = np.ascontiguousarray(rings.xy.T)
    last = np.repeat(rings.bounds[1:], np.diff(rings.bounds))
    out = np.full(len(x), -1, dtype=np.int64)
    pending = np.arange(len(x))
    for step in range(1, _LOOK_AHEAD + 1):
        target = pending + step
        over = target >= last[pending]
        out[pending[over]] = last[pending[over]]
        pending, target = pending[~over], target[~over]
        far = (x[target] - x[pending]) ** 2 + (y[target] - y[pending]) ** 2 > limit
        out[pending[far]] = target[far]
        pending = pending[~far]
    return out


def _search(xy: Floats, start: int, end: int, limit: float) -> int:
    """As ``_next_far`` for one vertex, as far as it takes."""
    at, size = start + _LOOK_AHEAD + 1, 4 * _LOOK_AHEAD
    while at < end:
        delta = xy[at : min(at + size, end)] - xy[start]
        far = np.einsum("ij,ij->i", delta, delta) > limit
        if far.any():
            return at + int(far.argmax())
        at, size = at + size, size * 2
    return end


def _chain(xy: Floats, stops: list[int], start: int, end: int, limit: float) -> list[int]:
    """Indices of the vertices one comes by from ``start``; ``stops`` are the next far ones from ``start`` on."""
    chain: list[int] = []
    at = start
    while at < end:
        chain.append(at)
        following = stops[at - start]
        at = following if following >= 0 else _search(xy, at, end, limit)
    return chain


def _effective(points: list[tuple[float, float]], limit: float, least: int) -> list[bool]:
    """Whether to keep each vertex: the smallest triangle with its neighbours goes first, ``least`` vertices stay."""
    count = len(points)
    before, after = list(range(-1, count - 1)), list(range(1, count + 1))
    keep = [True] * count

    def area(i: int) -> float:
        (ax, ay), (bx, by), (cx, cy) = points[before[i]], points[i], points[after[i]]
        return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2

    areas = [0.0, *(area(i) for i in range(1, count - 1)), 0.0]
    heap = [(areas[i], i) for i in range(1, count - 1)]
    heapq.heapify(heap)
    left = count
    while heap and left > least:
        size, i = heapq.heappop(heap)
        if not keep[i] or size != areas[i]:
            continue
        if size > limit:
            break
        keep[i] = False
        left -= 1
        after[before[i]], before[after[i]] = after[i], before[i]
        for neighbour in (before[i], after[i]):
            if 0 < neighbour < count - 1:
                areas[neighbour] = max(area(neighbour), size)
                heapq.heappush(heap, (areas[neighbour], neighbour))
    return keep


KERNELS: Mapping[int, Callable[[Rings, float], Thinned]] = {
    DISTANCE: by_distance,
    SNAP_TO_GRID: by_cell,
    VISVALINGAM: by_area,
    GLOBAL_GRID: by_global_grid,
}
