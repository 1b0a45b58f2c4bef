"""Simplification of crowded views: fewer vertices than QGIS's own rule leaves, at the same look."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import POINT, POLYGON, Floats, GeometryArray, Ints, offsets, spans
from qgserver.geo.thinning import Mask

Places = NDArray[np.complex128]
"""Vertices as complex numbers: one array in place of two, and products that turn."""

BLOCK = 1 << 16
"""Vertices worked on at once: their arrays stay in the processor's cache."""
DENSE = 200
"""Vertices a feature from which neighbours in one cell are dropped first: cheaper, and most of a coastline goes."""
PIECE = 256
"""Segments of a line after which a vertex stays in any case: few do, and a coastline is done in a dozen rounds."""
ROUNDS = 32
"""Times that pieces are cut at most; what is still open stays as it is. Only shapes made to take long need more."""
_CORNERS = 2
"""Rounds in which rings are cut wherever their vertices are: four corners stay, and a small building on the map."""


def generalize(geometry: GeometryArray, tolerance: float) -> GeometryArray:
    """Lines and polygons by Douglas and Peucker, moved by at most ``tolerance`` (in their units), sequence by sequence
    the same; dense ones have lost vertices in one cell with the one before. No sequence vanishes: lines keep their
    ends, rings at least four corners."""
    if not tolerance > 0 or not len(geometry) or int(geometry.types.max()) <= POINT:
        return geometry
    if len(geometry.coords) > DENSE * len(geometry):
        geometry = _thinned(geometry, tolerance)
    counts = np.diff(geometry.rings)
    keep = np.ones(len(geometry.coords), dtype=np.bool_)
    kinds = geometry.ring_kinds()
    rings = kinds == POLYGON
    long = (kinds != POINT) & (counts > np.where(rings, 2 * _CORNERS + 1, 2))
    starts, ends = geometry.rings[:-1][long], geometry.rings[1:][long]
    keep[spans(starts + 1, ends - 1)] = False
    first, last, corners = _pieces(starts, ends - 1, rings[long])
    keep[last] = True
    inside = last - first > 1  # the rest of a line in pieces may be one segment
    first, last, corners = first[inside], last[inside], corners[inside]
    places = np.ascontiguousarray(geometry.coords).view(np.complex128).reshape(-1)
    for some in _blocks(last - first):
        _keep_corners(places, keep, (first[some], last[some], corners[some]), tolerance * tolerance)
    return geometry.keep_vertices(keep)


def _pieces(first: Ints, last: Ints, rings: Mask) -> tuple[Ints, Ints, Mask]:
    """Sequences (vertices ``first`` to ``last``) in pieces of at most ``PIECE`` segments, and which are whole rings."""
    counts = (last - first + PIECE - 1) // PIECE
    if (counts <= 1).all():
        return first, last, rings
    places = np.arange(counts.sum()) - np.repeat(offsets(counts)[:-1], counts)
    starts = np.repeat(first, counts) + places * PIECE
    return starts, np.minimum(starts + PIECE, np.repeat(last, counts)), np.repeat(rings & (counts == 1), counts)


def _blocks(counts: Ints) -> Iterator[slice]:
    """Sequences that are worked on at a time, given their vertices."""
    before = offsets(counts)
    cuts = np.searchsorted(before, np.arange(BLOCK, before[-1], BLOCK)).tolist()
    return (slice(start, stop) for start, stop in pairwise([0, *dict.fromkeys(cuts), len(counts)]))


def _keep_corners(places: Places, keep: Mask, pieces: tuple[Ints, Ints, Mask], limit: float) -> None:
    """Mark in ``keep`` where the pieces, all of them at once, are cut: at the vertex farthest from the line between the
    ends, then again, until none is farther away than the root of ``limit``. Pieces are vertices ``first`` to ``last``,
    and whether they are rings."""
    first, last, rings = pieces
    for step in range(ROUNDS):
        if not len(first):
            return
        middle, distance = _farthest(places, first, last)
        cut = distance > limit
        if step < _CORNERS:
            cut |= rings
        first, last, rings, middle = first[cut], last[cut], rings[cut], middle[cut]
        keep[middle] = True
        first, last = np.concatenate((first, middle)), np.concatenate((middle, last))
        rings = np.concatenate((rings, rings))
        inside = last - first > 1
        first, last, rings = first[inside], last[inside], rings[inside]
    keep[spans(first, last)] = True


def _farthest(places: Places, first: Ints, last: Ints) -> tuple[Ints, Floats]:
    """The vertex between ``first`` and ``last`` (there is one) farthest from the segment between them, and the square
    of how far that is."""
    counts = last - first - 1
    bounds = offsets(counts)
    index = spans(first + 1, last)
    side = places[last] - places[first]
    length = side.real**2 + side.imag**2
    point = length == 0
    side[point] = 1.0  # a segment without length: one in any direction that ends where it begins
    # along and across the segment, in units of its length
    turned = (places[index] - np.repeat(places[first], counts)) * np.repeat(side.conj(), counts)
    beyond = turned.real - np.clip(turned.real, 0.0, np.repeat(length, counts))
    distance = turned.imag * turned.imag
    distance += beyond * beyond
    most = np.maximum.reduceat(distance, bounds[:-1])
    hits = np.flatnonzero(distance == np.repeat(most, counts))
    piece = np.searchsorted(bounds, hits, side="right") - 1
    fresh = np.ones(len(hits), dtype=np.bool_)
    fresh[1:] = piece[1:] != piece[:-1]
    return index[hits[fresh]], most / np.where(point, 1.0, length)


def _thinned(geometry: GeometryArray, cell: float) -> GeometryArray:
    """Without vertices in the same cell of a grid as the one before; sequences keep their first three and last two, so
    that a ring stays one."""
    fresh = np.zeros(len(geometry.coords), dtype=np.bool_)
    for axis in (0, 1):
        cells = np.floor(geometry.coords[:, axis] * (1.0 / cell))
        fresh[1:] |= cells[1:] != cells[:-1]
    starts, ends = geometry.rings[:-1], geometry.rings[1:]
    for step in range(3):
        fresh[np.minimum(starts + step, ends - 1)[ends > starts]] = True
    for step in range(1, 3):
        fresh[np.maximum(ends - step, starts)[ends > starts]] = True
    return geometry.keep_vertices(fresh)
