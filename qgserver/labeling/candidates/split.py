"""Polygons cut into parts that are convex enough for a label."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Shapes

MOST_PARTS = 50
"""A polygon is cut into no more parts than about this."""

MOST_VERTICES = 5000
"""Outlines of more vertices are not cut: they stay one part."""


def convex_parts(polygons: Shapes, label_area: Floats) -> tuple[list[Floats], Ints]:
    """The vertices (float64[k, 2], open rings) of the parts of the polygons, and int64[parts] whose they are."""
    coords, ring = shapely.get_coordinates(shapely.get_exterior_ring(polygons), return_index=True)
    bounds = np.searchsorted(ring, np.arange(len(polygons) + 1)).tolist()
    # a bay is at least as large as the triangle that makes it count, apart from what juts into it
    bays = shapely.area(shapely.convex_hull(polygons)) - shapely.area(
        shapely.polygons(shapely.get_exterior_ring(polygons))
    )
    parts: list[Floats] = []
    owner: list[int] = []
    for number, (begin, end) in enumerate(pairwise(bounds)):
        outline = coords[begin : end - 1]
        whole = bays[number] <= 1e-9 or len(outline) > MOST_VERTICES
        found = [outline] if whole else _split(outline, float(label_area[number]))
        parts.extend(found)
        owner.extend([number] * len(found))
    return parts, np.array(owner, dtype=np.int64)


def _split(outline: Floats, least: float) -> list[Floats]:
    """The parts of one ring: it is cut at its deepest bay as long as that is larger than ``least``."""
    waiting, done = [outline], list[Floats]()
    while waiting:
        ring = waiting.pop(0)
        cut = None if len(waiting) + len(done) >= MOST_PARTS else _deepest(ring, least)
        pieces = () if cut is None else _cut(ring, *cut)
        if len(pieces) == 2:
            waiting.extend(pieces)
        else:
            done.append(ring)
    return done


def _deepest(ring: Floats, least: float) -> tuple[int, int, int] | None:
    """The bay whose triangle (its mouth and its deepest vertex) is the largest: (deepest vertex, vertices at the two
    ends of the mouth); None if none is larger than ``least``."""
    count = len(ring)
    hull = _hull(ring)
    best, largest = None, least
    for start, end in zip(hull, [*hull[1:], hull[0] + count], strict=True):
        if end - start < 2:
            continue
        inner = np.arange(start + 1, end) % count
        mouth = ring[end % count] - ring[start]
        off = ring[inner] - ring[start]
        double = np.abs(mouth[0] * off[:, 1] - mouth[1] * off[:, 0])
        deep = int(np.argmax(double))
        if double[deep] / 2 > largest:
            best, largest = (int(inner[deep]), start, end % count), float(double[deep] / 2)
    return best


def _hull(ring: Floats) -> list[int]:
    """The vertices on the convex hull, ascending."""
    corners = shapely.get_coordinates(shapely.convex_hull(shapely.multipoints(ring)))
    wanted = {tuple(corner) for corner in corners.tolist()}
    return [i for i, vertex in enumerate(ring.tolist()) if tuple(vertex) in wanted]


def _cut(ring: Floats, deep: int, start: int, end: int) -> tuple[Floats, ...]:
    """The ring cut from a deep vertex to the nearest point of the outline beyond its bay that can be seen from there;
    empty if there is none."""
    count = len(ring)
    first = (end + 1) % count
    edges = (first + np.arange((start - 1 - first) % count)) % count
    if not len(edges):
        return ()
    a, b = ring[edges], ring[(edges + 1) % count]
    way = b - a
    square = np.maximum((way**2).sum(axis=1), 1e-30)
    share = np.clip(((ring[deep] - a) * way).sum(axis=1) / square, 0.0, 1.0)
    foot = a + way * share[:, None]
    bay = (start + np.arange((end - start) % count)) % count
    for at in np.argsort(((foot - ring[deep]) ** 2).sum(axis=1), kind="stable").tolist():
        if not _crosses(ring[deep], foot[at], ring[bay], ring[(bay + 1) % count]):
            return _pieces(ring, deep, int(edges[at]), (foot[at], float(share[at])))
    return ()


def _crosses(one: Floats, two: Floats, begin: Floats, end: Floats) -> bool:
    """Whether a segment truly crosses any of others."""

    def side(a: Floats, b: Floats, p: Floats) -> Floats:
        return np.asarray(
            (b[..., 0] - a[..., 0]) * (p[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (p[..., 0] - a[..., 0])
        )

    apart = side(one, two, begin) * side(one, two, end) < 0
    return bool((apart & (side(begin, end, one) * side(begin, end, two) < 0)).any())


def _pieces(ring: Floats, deep: int, edge: int, foot: tuple[Floats, float]) -> tuple[Floats, ...]:
    """The two rings on both sides of a cut from a vertex to a point of an edge."""
    count = len(ring)
    point, share = foot
    near, far = edge, (edge + 1) % count
    last = far if share >= 1.0 else near
    begin = near if share <= 0.0 else far
    new = point[None] if 0.0 < share < 1.0 else np.empty((0, 2))
    there = ring[(deep + np.arange((last - deep) % count + 1)) % count]
    back = ring[(begin + np.arange((deep - begin) % count + 1)) % count]
    pieces = (np.concatenate((there, new)), np.concatenate((new, back)))
    if any(len(piece) <= 2 or len(piece) == count for piece in pieces):
        return ()
    return pieces
