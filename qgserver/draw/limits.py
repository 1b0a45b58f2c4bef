"""Keeping device paths within what cairo's 24.8 fixed-point numbers hold; also cuts endless dashed lines short."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.paths import Paths
from qgserver.geo.geometry import Floats, rows_at

SAFE = 1.0e6
"""Coordinates up to this many pixels go to cairo as they are (it wraps around beyond 8.3 million)."""

Box = tuple[float, float, float, float]
"""xmin, ymin, xmax, ymax in pixels."""


def is_safe(paths: Paths) -> bool:
    """Whether all coordinates are finite and within ``SAFE``."""
    return not len(paths.coords) or bool(paths.coords.min() >= -SAFE and paths.coords.max() <= SAFE)


_FARTHEST = 1.0e15
"""Coordinates are drawn in to here, so that sums and products of them stay finite."""


def only_finite(paths: Paths) -> Paths:
    """The paths without vertices that are not finite, and with none absurdly far away."""
    if is_safe(paths):
        return paths
    keep = np.isfinite(paths.coords).all(axis=1)
    before = np.concatenate([[0], np.cumsum(keep)])
    coords = np.clip(paths.coords[keep], -_FARTHEST, _FARTHEST)
    return Paths(coords, before[paths.starts].astype(np.int64), paths.closed)


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """What is left of clipped lines: open paths, and how far along its line (pixels) each begins."""

    paths: Paths
    begins: Floats


def segments(paths: Paths) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Both ends float64[s, 2] of every segment and the number int64[s] of its path; rings end where they began."""
    counts = np.diff(paths.starts)
    owner = np.repeat(np.arange(len(paths)), counts)
    last = paths.starts[1:][counts > 0] - 1
    if not paths.closed:
        keep = np.ones(len(paths.coords), bool)
        keep[last] = False
        index = np.flatnonzero(keep)
        return rows_at(paths.coords, index), rows_at(paths.coords, index + 1), owner[index]
    following = np.arange(1, len(paths.coords) + 1)
    following[last] = paths.starts[:-1][counts > 0]
    return paths.coords, rows_at(paths.coords, following), owner


def _visible_span(first: Floats, second: Floats, box: Box) -> tuple[Floats, Floats]:
    """Liang-Barsky: the share (from, to) of each segment that lies in the box; from >= to: nothing."""
    delta = second - first
    low, high = np.zeros(len(first)), np.ones(len(first))
    with np.errstate(divide="ignore", invalid="ignore"):
        for axis in (0, 1):
            enter = (box[axis] - first[:, axis]) / delta[:, axis]
            leave = (box[axis + 2] - first[:, axis]) / delta[:, axis]
            # a segment along the side of the box divides by zero: fmin and fmax pass NaN over
            low = np.fmax(low, np.fmin(enter, leave))
            high = np.fmin(high, np.fmax(enter, leave))
    return low, high


def clip_lines(paths: Paths, box: Box) -> Pieces:
    """The parts of the lines (or of the rings' outlines) that lie in the box, as open paths."""
    first, second, owner = segments(paths)
    low, high = _visible_span(first, second, box)
    lengths = np.hypot(*(second - first).T) if len(first) else np.zeros(0)
    travelled = np.concatenate([[0.0], np.cumsum(lengths)])[:-1]
    if len(owner):
        begin_of_path = np.searchsorted(owner, owner)
        travelled = travelled - travelled[begin_of_path]
    seen = np.flatnonzero(low < high)
    low, high, owner = low[seen], high[seen], owner[seen]
    delta = (second - first)[seen]
    starts, ends = first[seen] + low[:, None] * delta, first[seen] + high[:, None] * delta
    fresh = np.ones(len(seen), bool)
    fresh[1:] = (np.diff(seen) != 1) | (owner[1:] != owner[:-1]) | (high[:-1] < 1) | (low[1:] > 0)
    begins = np.flatnonzero(fresh)
    rows = np.arange(len(seen)) + np.cumsum(fresh)
    coords = np.empty((len(seen) + len(begins), 2))
    coords[rows] = ends
    coords[rows[begins] - 1] = starts[begins]
    offsets = np.append(rows[begins] - 1, len(coords)).astype(np.int64)
    return Pieces(Paths(coords, offsets, False), (travelled[seen] + low * lengths[seen])[begins])


def _cut_side(paths: Paths, axis: int, limit: float, keep_below: bool) -> Paths:
    """Sutherland-Hodgman against one side of the box, all rings at once."""
    first, second, owner = segments(paths)
    sign = 1.0 if keep_below else -1.0
    away, next_away = sign * (first[:, axis] - limit), sign * (second[:, axis] - limit)
    inside = away <= 0
    crosses = inside != (next_away <= 0)
    share = away[crosses] / (away[crosses] - next_away[crosses])
    crossing = first[crosses] + share[:, None] * (second[crosses] - first[crosses])
    crossing[:, axis] = limit
    emitted = inside.astype(np.int64) + crosses
    ends = np.cumsum(emitted)
    coords = np.empty((int(ends[-1]) if len(ends) else 0, 2))
    coords[ends[crosses] - 1] = crossing
    coords[(ends - emitted)[inside]] = first[inside]
    counts = np.bincount(owner, emitted, minlength=len(paths)).astype(np.int64)
    return Paths(coords, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), True)


def clip_rings(paths: Paths, box: Box) -> Paths:
    """The rings cut to the box; what lies outside collapses onto its sides (right for fills, not for outlines)."""
    rings = Paths(paths.coords, paths.starts, True)
    for axis, limit, keep_below in ((0, box[0], False), (0, box[2], True), (1, box[1], False), (1, box[3], True)):
        rings = _cut_side(rings, axis, limit, keep_below)
    return rings
