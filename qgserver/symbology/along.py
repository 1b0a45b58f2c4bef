"""Places along a line: where markers, hatches and patterns stand, and how the line runs there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats

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


def every(line: Track, interval: float, offset: float, average: float) -> Places:
    """A place at ``offset`` and then after each ``interval``, none at the very end of the line; all in pixels.
    ``average``: the length over which the direction is taken."""
    step = interval if interval > 0 else 0.1
    count = max(int(np.ceil((line.length - offset) / step - 1e-9)), 0)
    if count > MOST:
        return Places(np.empty((0, 2)), np.empty(0))
    ways: Floats = offset + step * np.arange(count, dtype=np.float64)
    ways = ways[ways >= 0]
    return Places(line.at(ways), _averaged(line, ways, min(average, step) / 2))


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
