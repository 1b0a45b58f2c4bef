"""Places along a line: where markers, hatches and patterns stand, and how the line runs there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.paths import Paths
from qgserver.geo.geometry import Floats, Ints

FINEST = 1e-3
"""Pixels of the shortest interval that is taken for one."""
MOST = 100_000
"""Places on one line; where there would be more, none is of use."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """``points`` float64[n, 2] in pixels; ``angles`` float64[n] of the line there, degrees clockwise from +x."""

    points: Floats
    angles: Floats

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A line without repeated vertices: ``coords`` float64[n, 2], ``travelled`` float64[n] the way to each vertex;
    ``closed``: the last vertex is the first."""

    coords: Floats
    travelled: Floats
    closed: bool

    @property
    def length(self) -> float:
        return float(self.travelled[-1])

    def at(self, ways: Floats) -> Floats:
        """Points float64[n, 2] so far along the line; its ends for what lies beyond."""
        return np.column_stack([np.interp(ways, self.travelled, self.coords[:, axis]) for axis in (0, 1)])

    def segments_at(self, ways: Floats) -> NDArray[np.intp]:
        """The number of the segment that each way leads to; one that ends at a vertex lies in the segment before."""
        found = np.searchsorted(self.travelled, ways, side="left") - 1
        return np.clip(found, 0, len(self.coords) - 2)

    def directions(self) -> Floats:
        """Degrees float64[n-1] of the segments."""
        return degrees(np.diff(self.coords, axis=0))


def track(coords: Floats, closed: bool) -> Track | None:
    """The line through the vertices (``closed``: and back to the first); None when it has no length."""
    if closed and len(coords) > 1 and (coords[0] != coords[-1]).any():
        coords = np.concatenate([coords, coords[:1]])
    steps = np.hypot(*np.diff(coords, axis=0).T) if len(coords) > 1 else np.zeros(0)
    keep = np.concatenate([[True], steps > 0])
    coords, steps = coords[keep], steps[steps > 0]
    if not len(steps) or not np.isfinite(steps).all():
        return None
    is_closed = bool((coords[0] == coords[-1]).all())
    return Track(coords, np.concatenate([[0.0], np.cumsum(steps)]), is_closed)


def degrees(vectors: Floats) -> Floats:
    """The directions of vectors float64[n, 2], clockwise from +x as y runs down."""
    found: Floats = np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0]))
    return found


def _averaged(line: Track, ways: Floats, reach: float) -> Floats:
    """Directions of the chords from ``reach`` before to ``reach`` behind each place."""
    if reach <= 0:
        return line.directions()[line.segments_at(ways)]
    return degrees(line.at(ways + reach) - line.at(ways - reach))


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Many lines end to end: ``coords`` float64[n, 2]; ``travelled`` float64[n] the way to each vertex, with a gap
    before each line; ``starts`` and ``ends`` float64[k] what it is where the lines begin and end."""

    coords: Floats
    travelled: Floats
    starts: Floats
    ends: Floats

    def at(self, ways: Floats) -> Floats:
        """Points float64[m, 2] so far along."""
        return np.column_stack([np.interp(ways, self.travelled, self.coords[:, axis]) for axis in (0, 1)])


def tracks(paths: Paths) -> Tracks:
    """All the paths as one; a closed one comes back to its first vertex. Coordinates must be finite."""
    if paths.closed and len(paths.coords):
        firsts, lasts = paths.starts[:-1], paths.starts[1:] - 1
        is_open = (paths.coords[firsts] != paths.coords[lasts]).any(axis=1)
        coords = np.insert(paths.coords, lasts[is_open] + 1, paths.coords[firsts[is_open]], axis=0)
        bounds = paths.starts + np.concatenate([[0], np.cumsum(is_open)])
    else:
        coords, bounds = paths.coords, paths.starts
    steps = np.hypot(*np.diff(coords, axis=0, prepend=coords[:1]).T)
    steps[bounds[:-1]] = 1.0
    travelled = np.cumsum(steps)
    return Tracks(coords, travelled, travelled[bounds[:-1]], travelled[bounds[1:] - 1])


def every(lines: Tracks, interval: float, offset: float, average: float) -> tuple[Places, Ints]:
    """On each line a place at ``offset`` and then after each ``interval``, none at the very end; all in pixels.
    ``average``: the length over which the direction is taken. Also the number int64[n] of each place's line."""
    step = interval if interval > FINEST else 0.1
    lengths = lines.ends - lines.starts
    counts = np.maximum(np.ceil((lengths - offset) / step - 1e-9), 0.0)
    counts[(lengths <= 0) | (counts > MOST)] = 0
    if counts.sum() > 50 * MOST:
        counts[:] = 0
    ordinals = counts.astype(np.int64)
    owners = np.repeat(np.arange(len(ordinals)), ordinals)
    number = np.arange(len(owners)) - np.repeat(np.cumsum(ordinals) - ordinals, ordinals)
    along = offset + step * number
    owners, along = owners[along >= 0], along[along >= 0]
    ways, reach = lines.starts[owners] + along, min(average, step) / 2
    if reach > 0:
        before = np.maximum(ways - reach, lines.starts[owners])
        behind = np.minimum(ways + reach, lines.ends[owners])
        angles = degrees(lines.at(behind) - lines.at(before))
    else:
        found = np.searchsorted(lines.travelled, ways, side="left")
        ends = np.where(ways <= lines.starts[owners], found + 1, found)
        angles = degrees(lines.coords[ends] - lines.coords[ends - 1])
    return Places(lines.at(ways), angles), owners


def central(line: Track, average: float) -> Places:
    """The middle of the line."""
    ways: Floats = np.array([line.length / 2], dtype=np.float64)
    return Places(line.at(ways), _averaged(line, ways, average / 2))


def segment_centers(line: Track) -> Places:
    """The middle of each segment."""
    return Places((line.coords[:-1] + line.coords[1:]) / 2, line.directions())


def vertices(line: Track, offset: float, first: bool = True, last: bool = True, inner: bool = True) -> Places:
    """The vertices chosen, or places ``offset`` pixels further on; the direction at a vertex lies between those of
    its two segments. The last vertex of a ring is its first."""
    count = len(line.coords)
    chosen = np.zeros(count, bool)
    chosen[1:-1] = inner
    chosen[0], chosen[-1] = first, last and not (line.closed and inner)
    rows = np.flatnonzero(chosen)
    if offset:
        ways = line.travelled[rows] + offset
        ways = ways[(ways >= 0) & (ways <= line.length)]
        return Places(line.at(ways), line.directions()[line.segments_at(ways)])
    unit = np.diff(line.coords, axis=0)
    unit /= np.hypot(unit[:, 0], unit[:, 1])[:, None]
    before = np.concatenate([unit[-1:] if line.closed else unit[:1], unit])
    behind = np.concatenate([unit, unit[:1] if line.closed else unit[-1:]])
    return Places(line.coords[rows], degrees((before + behind)[rows]))
