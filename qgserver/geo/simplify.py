"""Simplification while drawing, by QGIS's rule for distances (seen on 3.22: it shows in the pixels).

Per geometry: nothing is done when it has at most 3 (lines) or 6 (polygons) vertices, or when its longer side is more
than 2 tolerances a vertex. Per line or ring: one smaller than the tolerance becomes its box (a ring) or diagonal (a
line); otherwise a vertex stays when it is farther than the tolerance from the last one that stayed; of open lines the
first two and last two always stay. A ring left with fewer than 4 vertices becomes its box, unless a segment longer
than the tolerance was seen: then it stays as it was.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import LINESTRING, MULTILINESTRING, MULTIPOLYGON, POLYGON, Floats, GeometryArray, Ints
from qgserver.geo.orient import exterior_rings

Mask = NDArray[np.bool_]
STEPWISE = 64
"""Rings up to this length are walked all at once, one vertex of each per step; longer ones each by itself."""
LONG = 4096
"""In longer rings, vertices that share a cell of half the tolerance with the one before are dropped first."""
SMALLEST_LINE, SMALLEST_POLYGON = 3, 6


def simplify(geometry: GeometryArray, tolerance: float) -> GeometryArray:
    """Lines and polygons without the vertices that do not show at ``tolerance`` (layer units)."""
    if not tolerance > 0 or not len(geometry.coords):
        return geometry
    polygonal = np.isin(geometry.types, (POLYGON, MULTIPOLYGON))
    candidates = _worthwhile(geometry, polygonal, tolerance)
    if not candidates.any():
        return geometry
    per_part = np.diff(geometry.features)
    rings_per_part = np.diff(geometry.parts)
    active = np.repeat(np.repeat(candidates, per_part), rings_per_part)
    closed = np.repeat(np.repeat(polygonal, per_part), rings_per_part)
    return _simplified(geometry, active, closed, tolerance)


def _worthwhile(geometry: GeometryArray, polygonal: Mask, tolerance: float) -> Mask:
    """bool[n]: the features that are simplified at all."""
    counts = np.diff(geometry.vertex_offsets())
    linear = np.isin(geometry.types, (LINESTRING, MULTILINESTRING))
    enough = (polygonal & (counts > SMALLEST_POLYGON)) | (linear & (counts > SMALLEST_LINE))
    if not enough.any():
        return enough
    boxes = geometry.boxes()
    sides = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    with np.errstate(invalid="ignore"):
        return enough & (sides <= 2 * tolerance * counts)


def _simplified(geometry: GeometryArray, active: Mask, closed: Mask, tolerance: float) -> GeometryArray:
    starts, sizes = geometry.rings[:-1], np.diff(geometry.rings)
    active = active & (sizes > 1)
    boxes = _ring_boxes(geometry, active)
    small = active & (boxes[:, 2] - boxes[:, 0] < tolerance) & (boxes[:, 3] - boxes[:, 1] < tolerance)
    keep = np.ones(len(geometry.coords), dtype=np.bool_)
    walked = np.flatnonzero(active & ~small)
    kept_before = _walk(geometry, walked, closed, tolerance, keep)
    collapsed = np.zeros(len(sizes), dtype=np.bool_)
    few = kept_before < np.where(closed[walked], 4, 2)
    collapsed[walked[few & (kept_before <= 1)]] = True
    for ring in walked[few & (kept_before > 1)].tolist():  # a long segment was there: as it was
        keep[starts[ring] : starts[ring] + sizes[ring]] = True
    boxed = small | collapsed
    gone = _holes_of(geometry, boxed & exterior_rings(geometry) & closed)
    return _assemble(geometry, keep, boxed & ~gone, gone, boxes, closed)


def _ring_boxes(geometry: GeometryArray, active: Mask) -> Floats:
    """float64[r, 4]; infinite for rings that are not active."""
    out = np.tile(np.array([-np.inf, -np.inf, np.inf, np.inf]), (len(active), 1))
    filled = np.flatnonzero(np.diff(geometry.rings) > 0)
    if len(filled):
        starts = geometry.rings[:-1][filled]
        out[filled, :2] = np.minimum.reduceat(geometry.coords, starts, axis=0)
        out[filled, 2:] = np.maximum.reduceat(geometry.coords, starts, axis=0)
    return out


def _walk(geometry: GeometryArray, rings: Ints, closed: Mask, tolerance: float, keep: Mask) -> Ints:
    """Clear ``keep`` for the vertices that go. Returns how many of each ring stayed before the last vertex of closed
    rings was put back."""
    sizes = np.diff(geometry.rings)[rings]
    counts = np.zeros(len(rings), dtype=np.int64)
    short = sizes <= STEPWISE
    if short.any():
        counts[short] = _walk_together(geometry, rings[short], closed, tolerance, keep)
    for at in np.flatnonzero(~short).tolist():
        ring = int(rings[at])
        start, stop = int(geometry.rings[ring]), int(geometry.rings[ring + 1])
        chosen = _walk_one(geometry.coords[start:stop], bool(closed[ring]), tolerance)
        counts[at] = np.count_nonzero(chosen)
        chosen[-1] = True
        keep[start:stop] = chosen
    return counts


def _walk_together(geometry: GeometryArray, rings: Ints, closed: Mask, tolerance: float, keep: Mask) -> Ints:
    """All short rings in step: vertex i of every ring against the last vertex of it that stayed."""
    starts, sizes = geometry.rings[rings], np.diff(geometry.rings)[rings]
    order = np.argsort(-sizes, kind="stable")
    starts, sizes, open_line = starts[order], sizes[order], ~closed[rings][order]
    last = geometry.coords[starts].copy()
    counts = np.ones(len(rings), dtype=np.int64)
    limit = tolerance * tolerance
    for i in range(1, int(sizes[0])):
        alive = int(np.searchsorted(-sizes, -i, side="left"))  # rings longer than i come first
        at = starts[:alive] + i
        here = geometry.coords[at]
        step = here - last[:alive]
        stays = np.einsum("ij,ij->i", step, step) > limit
        stays |= open_line[:alive] & ((i == 1) | (i >= sizes[:alive] - 2))
        keep[at] = stays
        np.copyto(last[:alive], here, where=stays[:, None])
        counts[:alive] += stays
    keep[starts + sizes - 1] = True
    out = np.empty_like(counts)
    out[order] = counts
    return out


def _walk_one(coords: Floats, closed: bool, tolerance: float) -> Mask:
    """The vertices of one long line or ring that stay."""
    chosen = np.zeros(len(coords), dtype=np.bool_)
    index = _thinned(coords, tolerance) if len(coords) > LONG else np.arange(len(coords))
    xs, ys = coords[index, 0].tolist(), coords[index, 1].tolist()
    limit = tolerance * tolerance
    x, y = xs[0], ys[0]
    stays = [0]
    for i in range(1, len(xs)):
        dx, dy = xs[i] - x, ys[i] - y
        if dx * dx + dy * dy > limit:
            stays.append(i)
            x, y = xs[i], ys[i]
    chosen[index[stays]] = True
    if not closed:
        chosen[[1, -2, -1]] = True
    return chosen


def _thinned(coords: Floats, tolerance: float) -> Ints:
    """Numbers of the vertices that are the first in their cell (half a tolerance wide) along the line."""
    cells = np.floor(coords * (2.0 / tolerance))
    fresh = np.ones(len(coords), dtype=np.bool_)
    fresh[1:] = (cells[1:] != cells[:-1]).any(axis=1)
    return np.flatnonzero(fresh)


def _holes_of(geometry: GeometryArray, exteriors: Mask) -> Mask:
    """bool[r]: interior rings of the polygons whose exterior ring is marked: they go with it."""
    if not exteriors.any():
        return np.zeros_like(exteriors)
    rings_per_part = np.diff(geometry.parts)
    first = np.minimum(geometry.parts[:-1], len(exteriors) - 1)
    marked = np.repeat(exteriors[first], rings_per_part)
    return marked & ~exterior_rings(geometry)


def _assemble(
    geometry: GeometryArray, keep: Mask, boxed: Mask, gone: Mask, boxes: Floats, closed: Mask
) -> GeometryArray:
    """New coordinates: what is kept, boxes in place of the ``boxed`` rings, nothing of those that are ``gone``."""
    sizes = np.diff(geometry.rings)
    keep &= ~np.repeat(boxed | gone, sizes)
    kept = np.diff(np.concatenate([[0], np.cumsum(keep)])[geometry.rings])
    new_sizes = np.where(boxed, np.where(closed, 5, 2), kept)
    rings = np.concatenate([[0], np.cumsum(new_sizes)])
    coords = np.empty((int(rings[-1]), 2))
    target = np.repeat(rings[:-1] - (np.cumsum(kept) - kept), kept) + np.arange(int(kept.sum()))
    coords[target] = geometry.coords[keep]
    for is_closed, corners in ((True, ((0, 1), (2, 1), (2, 3), (0, 3), (0, 1))), (False, ((0, 1), (2, 3)))):
        chosen = np.flatnonzero(boxed & (closed == is_closed))
        for i, (x, y) in enumerate(corners):
            coords[rings[chosen] + i] = boxes[chosen][:, (x, y)]
    return replace(geometry, coords=coords, rings=rings, z=None, m=None)
