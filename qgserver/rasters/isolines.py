"""Lines of equal value through the cells of a band (marching squares, all squares and levels at once)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import shapely
from numpy.typing import NDArray

from qgserver.geo.geometry import LINESTRING, Floats, GeometryArray, Ints, offsets

MOST_SEGMENTS = 1_000_000
"""A map that would have more pieces of lines than this has none: nobody could read it."""
STEPS = 65536.0
"""Ends of pieces are rounded to this part of a cell, so that neighbours meet."""

TOP, RIGHT, BOTTOM, LEFT = range(4)
_ENDS = ((0, 1), (1, 3), (2, 3), (0, 2))
"""The corners (left upper, right upper, left lower, right lower) at the ends of each side."""
_SIDES = np.full((16, 2, 2), -1, dtype=np.int64)
"""Which sides the line goes from and to, up to twice, by the corners that are above it (bit 0: left upper, ...)."""
for _above, _sides in (
    (0b0001, ((LEFT, TOP),)),
    (0b0010, ((TOP, RIGHT),)),
    (0b0100, ((BOTTOM, LEFT),)),
    (0b1000, ((RIGHT, BOTTOM),)),
    (0b0011, ((LEFT, RIGHT),)),
    (0b0101, ((BOTTOM, TOP),)),
    (0b1001, ((TOP, RIGHT), (BOTTOM, LEFT))),
    (0b0110, ((TOP, RIGHT), (BOTTOM, LEFT))),
):
    _SIDES[_above, : len(_sides)] = _sides
    if len(_sides) == 1:
        _SIDES[15 - _above, 0] = _sides[0][::-1]


@dataclass(frozen=True, slots=True)
class _Squares:
    """Squares with their four corners (left upper, right upper, left lower, right lower): places float64[n, 4, 2] and
    values float64[n, 4]."""

    places: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class Isolines:
    """``lines`` in units of cells from the left upper corner, one feature for each; ``levels`` float64[n]."""

    lines: GeometryArray
    levels: Floats


def isolines(values: Floats, interval: float) -> Isolines:
    """Lines at all multiples of ``interval`` through float64[h, w], not-a-number being nothing. A value lies in the
    middle of its cell; at edges, and beside nothing, lines go on to the border of the cell. A value that is a level
    counts as above it (as in GDAL, whose lines QGIS draws)."""
    squares = _squares(np.pad(values, 1, constant_values=np.nan))
    low, high = squares.values.min(axis=1), squares.values.max(axis=1)
    if not interval > 0 or not len(low):
        return _merged(np.empty((0, 2, 2)), np.empty(0))
    with np.errstate(over="ignore", invalid="ignore"):
        first, last = np.floor(low / interval), np.floor(high / interval)
        counts = np.nan_to_num(last - first, posinf=MOST_SEGMENTS + 1)
    if counts.sum() > MOST_SEGMENTS:
        return _merged(np.empty((0, 2, 2)), np.empty(0))
    repeats = counts.astype(np.int64)
    which = np.repeat(np.arange(len(low)), repeats)
    turns = np.arange(len(which)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    levels = (first[which] + 1 + turns) * interval
    return _merged(*_segments(squares, which, levels))


def _squares(padded: Floats) -> _Squares:
    """Squares between the middles of four cells; where some are nothing, the quarters around the others."""
    corners = np.stack([padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]], axis=-1)
    known = ~np.isnan(corners)
    count = known.sum(axis=-1)
    square = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)])
    rows, columns = np.nonzero(count == 4)
    places, values = [_corner(rows, columns)[:, None] + square], [corners[rows, columns]]
    rows, columns = np.nonzero((count > 0) & (count < 4))
    some, origin = corners[rows, columns], _corner(rows, columns)
    middle = np.nanmean(some, axis=1) if len(some) else np.empty(0)
    for corner, (beside, below) in enumerate(((1, 2), (0, 3), (3, 0), (2, 1))):
        at = np.flatnonzero(known[rows, columns, corner])
        own = some[at, corner]
        # Halfway to a neighbour that is nothing the value is the cell's own.
        across = (own + np.where(np.isnan(some[at, beside]), own, some[at, beside])) / 2
        down = (own + np.where(np.isnan(some[at, below]), own, some[at, below])) / 2
        quarter = np.empty((len(at), 4))
        quarter[:, corner], quarter[:, beside], quarter[:, below] = own, across, down
        quarter[:, 3 - corner] = middle[at]
        values.append(quarter)
        places.append(origin[at][:, None] + square / 2 + square[corner] / 2)
    return _Squares(np.concatenate(places), np.concatenate(values))


def _corner(rows: Ints, columns: Ints) -> Floats:
    return np.stack([columns, rows], axis=1).astype(np.float64) - 0.5


def _segments(squares: _Squares, which: Ints, levels: Floats) -> tuple[Floats, Floats]:
    """Pieces of lines float64[n, 2, 2] and their levels."""
    values = squares.values[which]
    above = ((values >= levels[:, None]) << np.arange(4)).sum(axis=1)
    found, owners = [np.empty((0, 2, 2))], [np.empty(0)]
    for turn in range(2):
        sides = _SIDES[above, turn]
        rows = np.flatnonzero(sides[:, 0] >= 0)
        places = squares.places[which[rows]]
        ends = [_crossing(places, values[rows], sides[rows, end], levels[rows]) for end in range(2)]
        found.append(np.stack(ends, axis=1))
        owners.append(levels[rows])
    return np.concatenate(found), np.concatenate(owners)


def _crossing(places: Floats, values: Floats, sides: Ints, levels: Floats) -> Floats:
    """Where the lines cross one side of each square."""
    ends = np.array(_ENDS)[sides]
    rows = np.arange(len(sides))
    a, b = values[rows, ends[:, 0]], values[rows, ends[:, 1]]
    share = ((levels - a) / (b - a))[:, None]
    start, stop = places[rows, ends[:, 0]], places[rows, ends[:, 1]]
    return np.asarray(start + share * (stop - start))


def _merged(pieces: Floats, levels: Floats) -> Isolines:
    """Pieces that meet, as lines."""
    pieces = np.round(pieces * STEPS) / STEPS
    kept = np.flatnonzero((pieces[:, 0] != pieces[:, 1]).any(axis=1))
    order = kept[np.argsort(levels[kept], kind="stable")]
    values, groups = np.unique(levels[order], return_inverse=True)
    ends = np.repeat(np.arange(len(order)), 2)
    found = cast(NDArray[np.object_], shapely.linestrings(pieces[order].reshape(-1, 2), indices=ends))
    together = shapely.multilinestrings(found, indices=groups)
    lines, owners = shapely.get_parts(shapely.line_merge(together), return_index=True)
    coords, rows = shapely.get_coordinates(lines, return_index=True)
    one = np.arange(len(lines) + 1, dtype=np.int64)
    rings = offsets(np.bincount(rows, minlength=len(lines)))
    return Isolines(
        GeometryArray(np.full(len(lines), LINESTRING, dtype=np.uint8), coords, rings, one, one), values[owners]
    )
