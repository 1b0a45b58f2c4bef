"""Geometry of many features as flat arrays: no object per vertex, per ring or per feature.

Three levels of offsets (as GeoArrow has them), the same for every geometry type::

    features[i]:features[i+1]   parts of feature i      (into parts)
    parts[p]:parts[p+1]         sequences of part p     (into rings): 1 for points and lines, 1 + holes for polygons
    rings[r]:rings[r+1]         vertices of sequence r  (into coords)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NULL, POINT, LINESTRING, POLYGON, MULTIPOINT, MULTILINESTRING, MULTIPOLYGON, COLLECTION = range(8)
"""Values of ``GeometryArray.types``: WKB's numbers, 0 = no geometry. Curves are straightened on reading."""


@dataclass(frozen=True, slots=True)
class GeometryArray:
    """Geometries of n features.

    ``types`` uint8[n]; ``coords`` float64[v, 2] (x, y); ``rings`` int64[r+1]; ``parts`` int64[p+1];
    ``features`` int64[n+1]; ``z``, ``m`` float64[v] or None; ``part_types`` uint8[p] (POINT, LINESTRING or POLYGON)
    only when the types differ within ``COLLECTION`` members, else None. A null or empty geometry has no parts.
    """

    types: NDArray[np.uint8]
    coords: Floats
    rings: Ints
    parts: Ints
    features: Ints
    z: Floats | None = None
    m: Floats | None = None
    part_types: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.types)

    def vertex_offsets(self) -> Ints:
        """int64[n+1]: the vertices of feature i are ``coords[o[i]:o[i+1]]``."""
        return self.rings[self.parts[self.features]]

    def boxes(self) -> Floats:
        """float64[n, 4] xmin, ymin, xmax, ymax of each feature; NaN where there is no geometry."""
        return _boxes(self.coords, self.vertex_offsets())

    def ring_kinds(self) -> NDArray[np.uint8]:
        """uint8[r]: POINT, LINESTRING or POLYGON for each sequence of vertices."""
        if self.part_types is not None:
            kinds = self.part_types
        else:
            kinds = np.repeat(_SINGLE[self.types], np.diff(self.features))
        return np.repeat(kinds, np.diff(self.parts)).astype(np.uint8, copy=False)

    def ring_boxes(self) -> Floats:
        """float64[r, 4] xmin, ymin, xmax, ymax of each sequence; NaN where it has no vertices."""
        return _boxes(self.coords, self.rings)

    def keep_vertices(self, keep: NDArray[np.bool_]) -> GeometryArray:
        """Without the vertices where ``keep`` (bool[v]) is False, and without what loses all its vertices by that: a
        sequence, and the polygon part whose outer ring is gone. Features stay, perhaps without parts."""
        if keep.all():
            return self
        kept = np.flatnonzero(keep)
        thinned = replace(
            self,
            coords=rows_at(self.coords, kept),
            rings=np.searchsorted(kept, self.rings),
            z=None if self.z is None else self.z[kept],
            m=None if self.m is None else self.m[kept],
        )
        return thinned._without_empty()

    def with_rings(self, coords: Floats, counts: Ints) -> GeometryArray:
        """The same features, parts and sequences with other vertices: ``coords`` float64[k, 2], ``counts`` int64[r] of
        them in each sequence. Empty sequences go as in ``keep_vertices``; z and m are lost."""
        return replace(self, coords=coords, rings=offsets(counts), z=None, m=None)._without_empty()

    def drop_nonfinite(self) -> GeometryArray:
        """Without the vertices that have a coordinate which is infinite or NaN."""
        with np.errstate(invalid="ignore", over="ignore"):
            if np.isfinite(self.coords.sum()):
                return self
        return self.keep_vertices(np.isfinite(self.coords[:, 0]) & np.isfinite(self.coords[:, 1]))

    def _without_empty(self) -> GeometryArray:
        counts = np.diff(self.rings)
        if counts.all():
            return self
        has_rings = np.diff(self.parts) > 0
        keep_part = np.zeros(len(has_rings), dtype=bool)
        keep_part[has_rings] = counts[self.parts[:-1][has_rings]] > 0
        keep_ring = (counts > 0) & np.repeat(keep_part, np.diff(self.parts))
        keep_vertex = np.repeat(keep_ring, counts)
        return replace(
            self,
            coords=rows_at(self.coords, np.flatnonzero(keep_vertex)),
            rings=offsets(counts[keep_ring]),
            parts=offsets(np.diff(_running(keep_ring)[self.parts])[keep_part]),
            features=_running(keep_part)[self.features],
            z=None if self.z is None else self.z[keep_vertex],
            m=None if self.m is None else self.m[keep_vertex],
            part_types=None if self.part_types is None else self.part_types[keep_part],
        )


_SINGLE = np.array([NULL, POINT, LINESTRING, POLYGON, POINT, LINESTRING, POLYGON, NULL], dtype=np.uint8)


def offsets(counts: Ints) -> Ints:
    """int64[n+1]: running sum of ``counts`` (int64[n]), from 0."""
    out = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=out[1:])
    return out


def spans(starts: Ints, ends: Ints) -> Ints:
    """All of ``starts[0]:ends[0]``, then ``starts[1]:ends[1]``, ... as one array of indices."""
    counts = ends - starts
    where = offsets(counts)
    return np.arange(where[-1], dtype=np.int64) + np.repeat(starts - where[:-1], counts)


def rows_at(coords: Floats, index: Ints) -> Floats:
    """The rows of float64[n, 2] at ``index``, copied: one 16-byte item a vertex takes half the time of two."""
    pairs = np.ascontiguousarray(coords).view(np.complex128)
    return np.take(pairs, index).view(np.float64).reshape(-1, 2)


def distinct(numbers: Ints | NDArray[np.uint8]) -> list[int]:
    """The (small, not negative) numbers that occur, ascending. ``numpy.unique`` would load ``numpy.ma``: 15 ms."""
    return np.flatnonzero(np.bincount(numbers)).tolist()


def _running(mask: NDArray[np.bool_]) -> Ints:
    return offsets(mask.astype(np.int64))


def _boxes(coords: Floats, bounds: Ints) -> Floats:
    starts = bounds[:-1]
    has_vertices = bounds[1:] > starts
    filled: Ints | slice = slice(None) if has_vertices.all() else np.flatnonzero(has_vertices)
    starts = starts[filled]
    out = np.full((len(bounds) - 1, 4), np.nan)
    if len(starts):
        out[filled, :2] = np.minimum.reduceat(coords, starts, axis=0)
        out[filled, 2:] = np.maximum.reduceat(coords, starts, axis=0)
    return out
