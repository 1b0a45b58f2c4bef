"""QGIS's simplification while drawing: vertices that no pixel shows go, shapes smaller than a pixel become boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qgserver.geo.geometry import (
    COLLECTION,
    LINESTRING,
    MULTILINESTRING,
    MULTIPOINT,
    NULL,
    POINT,
    POLYGON,
    Floats,
    GeometryArray,
    Ints,
    offsets,
    rows_at,
    spans,
)
from qgserver.geo.thinning import DISTANCE, GLOBAL_GRID, GRID_FACTOR, KERNELS, SNAP_TO_GRID, Mask, Rings

_FEW_LINE, _FEW_RING = 3, 6
_FEW_IN_LINE, _FEW_IN_RING = 3, 4
_MIN_LINE, _MIN_RING = 2, 4


def simplify(geometry: GeometryArray, tolerance: float, algorithm: int = DISTANCE) -> GeometryArray:
    """``geometry`` as QGIS draws it with a tolerance (in its units; a pixel) and ``simplifyAlgorithm``.

    Untouched are points, features of few vertices, and those whose vertices are far apart on average. A feature, part
    or ring below the tolerance in both directions becomes its box, and so does a ring with too few vertices left,
    unless it has a segment longer than the tolerance: that one is not touched. z and m are lost where anything changes.
    """
    if not tolerance > 0 or not len(geometry.coords):
        return geometry
    features = _worthwhile(geometry, tolerance)
    if not features.any():
        return geometry
    plan = _Plan.of(geometry)
    done = _box_small(geometry, plan, (geometry.features, geometry.parts), features, tolerance)
    parts = np.repeat(features & ~done, np.diff(geometry.features))
    done = _box_small(geometry, plan, (np.arange(len(geometry.parts)), geometry.parts), parts, tolerance)
    rings = np.repeat(parts & ~done, np.diff(geometry.parts)) & (plan.kinds != POINT)
    small = rings & _below(plan.boxes, tolerance) & (plan.counts > _MIN_LINE)
    plan.box(small)
    few = plan.counts <= np.where(plan.kinds == POLYGON, _FEW_IN_RING, _FEW_IN_LINE)
    few &= algorithm != GLOBAL_GRID
    return _thin(geometry, plan, rings & ~small & ~few, tolerance, algorithm)


def drop_near(geometry: GeometryArray, tolerance: float) -> GeometryArray:
    """Without vertices in the same cell of a grid of ``tolerance`` as the one before: for large data, where exactness
    does not show. Lines keep their ends, a ring that collapses becomes its box."""
    if not tolerance > 0 or not len(geometry.coords):
        return geometry
    plan = _Plan.of(geometry)
    rings = (plan.kinds != POINT) & (plan.counts > _FEW_LINE)
    return _thin(geometry, plan, rings, tolerance / GRID_FACTOR, SNAP_TO_GRID)


@dataclass(slots=True)
class _Plan:
    """What becomes of each sequence: ``counts`` vertices, taken from ``boxes`` where ``boxed``, else from its own."""

    kinds: np.ndarray[tuple[int], np.dtype[np.uint8]]
    boxes: Floats
    counts: Ints
    boxed: Mask

    @classmethod
    def of(cls, geometry: GeometryArray) -> _Plan:
        """All stays as it is."""
        counts = np.diff(geometry.rings)
        return cls(geometry.ring_kinds(), geometry.ring_boxes(), counts, np.zeros(len(counts), dtype=bool))

    def box(self, rings: Mask) -> None:
        """Draw the boxes of ``rings`` in their place: the diagonal of a line, the rectangle of a ring."""
        self.boxed |= rings
        self.counts[rings] = np.where(self.kinds[rings] == POLYGON, 5, 2)


def _worthwhile(geometry: GeometryArray, tolerance: float) -> Mask:
    """bool[n]: features that simplification looks at."""
    counts = np.diff(geometry.vertex_offsets())
    boxes = geometry.boxes()
    side = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    few = np.where(geometry.types == POLYGON, _FEW_RING, _FEW_LINE)
    shape = ~np.isin(geometry.types, (NULL, POINT, MULTIPOINT, COLLECTION))
    with np.errstate(over="ignore", invalid="ignore"):  # hostile extents and coordinates
        return shape & (counts > few) & (side <= counts * tolerance * 2.0)


def _below(boxes: Floats, tolerance: float) -> Mask:
    """Boxes smaller than the tolerance in both directions."""
    out: Mask = (boxes[:, 2] - boxes[:, 0] < tolerance) & (boxes[:, 3] - boxes[:, 1] < tolerance)
    return out


def _box_small(
    geometry: GeometryArray, plan: _Plan, levels: tuple[Ints, Ints], candidates: Mask, tolerance: float
) -> Mask:
    """Plan one box for each candidate group of sequences (a feature, a part) below the tolerance; say which are below.

    A group that a box would not make simpler stays as it is.
    """
    rings = levels[1][levels[0]]
    vertices = geometry.rings[rings]
    filled = np.flatnonzero(np.diff(vertices) > 0)
    small = np.zeros(len(candidates), dtype=bool)
    if not len(filled):
        return small
    boxes = np.empty((len(filled), 4))
    boxes[:, :2] = np.minimum.reduceat(plan.boxes[:, :2], rings[:-1][filled], axis=0)
    boxes[:, 2:] = np.maximum.reduceat(plan.boxes[:, 2:], rings[:-1][filled], axis=0)
    small[filled] = candidates[filled] & _below(boxes, tolerance)
    simpler = small[filled]
    simpler &= np.diff(vertices)[filled] > np.where(plan.kinds[rings[:-1][filled]] == POLYGON, 5, 2)
    groups = filled[simpler]
    plan.counts[spans(rings[:-1][groups], rings[1:][groups])] = 0
    first = np.zeros(len(plan.counts), dtype=bool)
    first[rings[:-1][groups]] = True
    plan.boxes[rings[:-1][groups]] = boxes[simpler]
    plan.box(first)
    return small


def _thin(geometry: GeometryArray, plan: _Plan, rings: Mask, tolerance: float, algorithm: int) -> GeometryArray:
    """Carry out the plan, with ``rings`` thinned."""
    index = np.flatnonzero(rings)
    coords, keep = geometry.coords, np.ones(len(geometry.coords), dtype=bool)
    if len(index):
        positions = spans(geometry.rings[index], geometry.rings[index + 1])
        bounds = offsets(plan.counts[index])
        xy = rows_at(coords, positions)
        closed = (plan.kinds[index] == POLYGON) & (xy[bounds[:-1]] == xy[bounds[1:] - 1]).all(axis=1)
        thinned = KERNELS.get(algorithm, KERNELS[DISTANCE])(Rings(xy, bounds, closed, plan.boxes[index]), tolerance)
        left = np.add.reduceat(thinned.keep.astype(np.int64), bounds[:-1])
        collapsed = left < np.where(closed, _MIN_RING, _MIN_LINE)
        thinned.keep[bounds[1:][closed] - 1] = True
        keep[positions] = thinned.keep | np.repeat(collapsed & thinned.long, np.diff(bounds))
        if thinned.moved is not None:
            coords = coords.copy()
            coords[positions] = thinned.moved
        plan.counts[index] = np.diff(offsets(keep.astype(np.int64))[geometry.rings])[index]
        boxed = np.zeros(len(plan.boxed), dtype=bool)
        boxed[index[collapsed & ~thinned.long]] = True
        plan.box(boxed)
    return _assembled(geometry, plan, coords, keep)


def _assembled(geometry: GeometryArray, plan: _Plan, coords: Floats, keep: Mask) -> GeometryArray:
    """The geometry of the plan; ``keep`` are the vertices of the sequences that are not boxes."""
    if keep.all() and not plan.boxed.any():
        return geometry
    before = offsets(keep.astype(np.int64))
    starts = before[geometry.rings[:-1]]
    x1, y1, x2, y2 = plan.boxes[plan.boxed].T
    corners = np.stack((x1, y1, x2, y1, x2, y2, x1, y2, x1, y1), axis=1).reshape(-1, 5, 2)
    diagonal = np.isin(plan.kinds[plan.boxed], (LINESTRING, MULTILINESTRING))
    corners[diagonal, 1] = corners[diagonal, 2]
    starts[plan.boxed] = before[-1] + 5 * np.arange(len(corners))
    pool = np.concatenate((rows_at(coords, np.flatnonzero(keep)), corners.reshape(-1, 2)))
    return geometry.with_rings(rows_at(pool, spans(starts, starts + plan.counts)), plan.counts)
