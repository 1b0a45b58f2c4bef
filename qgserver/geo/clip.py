"""Cutting lines and rings at a rectangle, all sequences of a batch at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.extent import Extent
from qgserver.geo.geometry import LINESTRING, POLYGON, Floats, GeometryArray, Ints, offsets, rows_at, spans

Mask = NDArray[np.bool_]


def clip_to_rect(geometry: GeometryArray, extent: Extent) -> GeometryArray:
    """``geometry`` with its lines and rings cut at ``extent``; points and what lies inside stay as they are.

    As QGIS does it: a ring stays one ring, its parts outside replaced by the way along the rectangle's edge; a line
    stays one line, too, connected along the edge where it was outside. Features stay, without parts when all of them
    is outside. z and m are lost when anything is cut.
    """
    if _is_within(geometry.coords, extent):
        return geometry
    kinds = geometry.ring_kinds()
    boxes = geometry.ring_boxes()
    inside = (
        (boxes[:, 0] >= extent.xmin)
        & (boxes[:, 1] >= extent.ymin)
        & (boxes[:, 2] <= extent.xmax)
        & (boxes[:, 3] <= extent.ymax)
    )
    lines = np.flatnonzero(~inside & (kinds == LINESTRING))
    rings = np.flatnonzero(~inside & (kinds == POLYGON))
    if not len(lines) and not len(rings):
        return geometry
    pieces = [_clip_lines(*_sequences(geometry, lines), extent), _clip_rings(*_sequences(geometry, rings), extent)]
    return _replaced(geometry, [lines, rings], pieces)


def _is_within(coords: Floats, extent: Extent) -> bool:
    """Whether all vertices lie inside: much cheaper to tell than the box of each sequence. NaN is nowhere."""
    if not len(coords):
        return True
    x, y = coords.T
    return bool(x.min() >= extent.xmin and x.max() <= extent.xmax and y.min() >= extent.ymin and y.max() <= extent.ymax)


def _sequences(geometry: GeometryArray, index: Ints) -> tuple[Floats, Ints]:
    """Coordinates and number of vertices of the sequences at ``index``."""
    starts, ends = geometry.rings[index], geometry.rings[index + 1]
    return rows_at(geometry.coords, spans(starts, ends)), ends - starts


def _replaced(geometry: GeometryArray, indices: list[Ints], pieces: list[tuple[Floats, Ints]]) -> GeometryArray:
    """The geometry with the sequences of each index array replaced by (coordinates, counts)."""
    counts = np.diff(geometry.rings)
    starts = geometry.rings[:-1].copy()
    pool = [geometry.coords]
    used = len(geometry.coords)
    for index, (coords, lengths) in zip(indices, pieces, strict=True):
        counts[index] = lengths
        starts[index] = used + offsets(lengths)[:-1]
        pool.append(coords)
        used += len(coords)
    return geometry.with_rings(rows_at(np.concatenate(pool), spans(starts, starts + counts)), counts)


def _clip_rings(xy: Floats, counts: Ints, extent: Extent) -> tuple[Floats, Ints]:
    """Sutherland and Hodgman: one edge of the rectangle after the other."""
    for axis, bound, sign in (
        (0, extent.xmax, 1.0),
        (1, extent.ymax, 1.0),
        (0, extent.xmin, -1.0),
        (1, extent.ymin, -1.0),
    ):
        if len(xy):
            xy, counts = _clip_rings_at(xy, counts, axis, bound, sign)
    return _closed(xy, counts)


def _clip_rings_at(xy: Floats, counts: Ints, axis: int, bound: float, sign: float) -> tuple[Floats, Ints]:
    """Keep the side where ``sign * coordinate <= sign * bound``. Each vertex gives the crossing on the way to it, if
    any, and itself, if inside."""
    before = _previous(counts)
    inside = sign * xy[:, axis] <= sign * bound
    crosses = inside != inside[before]
    out = np.empty((int(crosses.sum() + inside.sum()), 2))
    emitted = crosses.astype(np.int64) + inside
    position = offsets(emitted)
    hits = np.flatnonzero(crosses)
    out[position[hits]] = _crossing(xy[before[hits]], xy[hits], axis, bound)
    stay = np.flatnonzero(inside)
    out[position[stay] + crosses[stay]] = xy[stay]
    return out, np.diff(position[offsets(counts)])


def _crossing(start: Floats, end: Floats, axis: int, bound: float) -> Floats:
    """Where the segments meet the line ``axis`` = ``bound``, exactly on it."""
    share = (bound - start[:, axis]) / (end[:, axis] - start[:, axis])
    out = start + (end - start) * share[:, None]
    out[:, axis] = bound
    return out


def _previous(counts: Ints) -> Ints:
    """Index of the vertex before each one in its ring; the last one before the first."""
    before = np.arange(-1, int(counts.sum()) - 1, dtype=np.int64)
    bounds = offsets(counts)
    filled = counts > 0
    before[bounds[:-1][filled]] = bounds[1:][filled] - 1
    return before


def _closed(xy: Floats, counts: Ints) -> tuple[Floats, Ints]:
    """Rings with their first vertex at the end again; fewer than three vertices are no ring."""
    bounds = offsets(counts)
    valid = np.flatnonzero(counts > 2)
    first, last = bounds[:-1][valid], bounds[1:][valid] - 1
    missing = np.zeros(len(counts), dtype=np.int64)
    missing[valid] = (xy[first] != xy[last]).any(axis=1)
    kept = np.zeros(len(counts), dtype=np.int64)
    kept[valid] = counts[valid]
    index = np.empty(int((kept + missing).sum()), dtype=np.int64)
    position = offsets(kept + missing)[:-1]
    index[spans(position, position + kept)] = spans(bounds[:-1], bounds[:-1] + kept)
    open_rings = missing > 0
    index[position[open_rings] + kept[open_rings]] = bounds[:-1][open_rings]
    return xy[index], kept + missing


def _clip_lines(xy: Floats, counts: Ints, extent: Extent) -> tuple[Floats, Ints]:
    """Lines with what is outside replaced by the way along the rectangle."""
    if not len(xy):
        return xy, counts
    line = np.repeat(np.arange(len(counts)), counts)
    first = np.flatnonzero(line[:-1] == line[1:])
    start, end, seen = _clip_segments(xy[first], xy[first + 1], extent)
    start, end, line = start[seen], end[seen], line[first][seen]
    if not len(start):
        return xy[:0], np.zeros_like(counts)
    begins = np.ones(len(line), dtype=bool)
    begins[1:] = line[1:] != line[:-1]
    jumps = ~begins
    jumps[1:] &= (start[1:] != end[:-1]).any(axis=1)
    corners, corner_counts = _connections(end[np.flatnonzero(jumps) - 1], start[jumps], extent)
    emitted = 1 + (begins | jumps).astype(np.int64)
    emitted[jumps] += corner_counts
    position = offsets(emitted)
    out = np.empty((int(position[-1]), 2))
    out[position[1:] - 1] = end
    fresh = begins | jumps
    out[position[1:][fresh] - 2] = start[fresh]
    at = position[:-1][jumps]
    out[spans(at, at + corner_counts)] = corners
    return out, np.bincount(line, weights=emitted, minlength=len(counts)).astype(np.int64)


def _clip_segments(start: Floats, end: Floats, extent: Extent) -> tuple[Floats, Floats, Mask]:
    """Clipped ends of all segments, and which segments have anything inside."""
    low, high = np.array([extent.xmin, extent.ymin]), np.array([extent.xmax, extent.ymax])
    whole: Mask = np.all((start >= low) & (start <= high) & (end >= low) & (end <= high), axis=1)
    beside = (((start < low) & (end < low)) | ((start > high) & (end > high))).any(axis=1)
    cut = np.flatnonzero(~whole & ~beside)
    start, end = start.copy(), end.copy()
    start[cut], end[cut], whole[cut] = _liang_barsky(start[cut], end[cut], low, high)
    return start, end, whole


def _liang_barsky(start: Floats, end: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats, Mask]:
    """As ``_clip_segments``; cut ends lie exactly on an edge."""
    delta = end - start
    with np.errstate(divide="ignore", invalid="ignore"):
        to_low, to_high = (low - start) / delta, (high - start) / delta
    still = delta == 0
    enter = np.where(still, -np.inf, np.minimum(to_low, to_high))
    leave = np.where(still, np.inf, np.maximum(to_low, to_high))
    enter_at, leave_at = enter.max(axis=1), leave.min(axis=1)
    seen = (np.maximum(enter_at, 0.0) <= np.minimum(leave_at, 1.0)) & (enter_at <= 1) & (leave_at >= 0)
    entry, leaving = start.copy(), end.copy()
    for out, share, axis, cut in (
        (entry, enter_at, enter.argmax(axis=1), np.flatnonzero(seen & (enter_at > 0))),
        (leaving, leave_at, leave.argmin(axis=1), np.flatnonzero(seen & (leave_at < 1))),
    ):
        side = axis[cut]
        out[cut] = np.clip(start[cut] + delta[cut] * share[cut, None], low, high)
        ahead = (delta[cut, side] > 0) == (out is entry)  # entering upwards or leaving downwards: the lower edge
        out[cut, side] = np.where(ahead, low[side], high[side])
    return entry, leaving, seen


def _connections(left: Floats, back: Floats, extent: Extent) -> tuple[Floats, Ints]:
    """Corners to pass from where a line left the rectangle to where it comes back, as QGIS has them (dashes depend on
    it): none on one side, one between neighbouring sides, two between opposite ones, clockwise. Coordinates, and their
    number for each pair."""
    low = np.array([extent.xmin, extent.ymin])
    high = np.array([extent.xmax, extent.ymax])
    on_low_left, on_high_left = left == low, left == high
    on_low_back, on_high_back = back == low, back == high
    same = ((on_low_left & on_low_back) | (on_high_left & on_high_back)).any(axis=1)
    opposite = ((on_low_left & on_high_back) | (on_high_left & on_low_back)) & ~same[:, None]
    opposite[opposite.all(axis=1)] = False  # from corner to corner: one of the other two lies between
    x_first = (on_low_left | on_high_left)[:, 0] & (on_low_back | on_high_back)[:, 1]
    one = np.where(
        x_first[:, None], np.column_stack((left[:, 0], back[:, 1])), np.column_stack((back[:, 0], left[:, 1]))
    )
    two = one.copy()
    for axis, (from_low, from_high) in enumerate(((high, low), (low, high))):
        across, other = opposite[:, axis], 1 - axis
        one[across, axis], two[across, axis] = left[across, axis], back[across, axis]
        over = np.where(on_low_left[across, axis], from_low[other], from_high[other])
        one[across, other] = two[across, other] = over
    numbers = np.where(same, 0, np.where(opposite.any(axis=1), 2, 1)).astype(np.int64)
    pairs = np.stack((one, two), axis=1)
    return pairs[np.arange(2) < numbers[:, None]], numbers
