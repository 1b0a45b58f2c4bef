"""Which features have a point in common with a box: the exact test behind a search at a point.

In arrays, and without shapely, which takes a process longer to load than a request takes altogether.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.extent import Extent
from qgserver.geo.geometry import MULTIPOLYGON, POLYGON, Floats, GeometryArray, Ints, offsets

Mask = NDArray[np.bool_]


def meets_box(geometry: GeometryArray, box: Extent) -> Mask:
    """bool[n]: the feature meets the box, borders included; polygons with all that is inside of them."""
    x, y = geometry.coords[:, 0] - box.center[0], geometry.coords[:, 1] - box.center[1]
    half_width, half_height = box.width / 2, box.height / 2
    with np.errstate(all="ignore"):  # coordinates may be as far away as numbers reach, or none
        hit = (np.abs(x) <= half_width) & (np.abs(y) <= half_height)
        hit[:-1] |= _segments_meet(x, y, half_width, half_height) & _joined(geometry)
        met = _any(hit, geometry.vertex_offsets())
        areas = _polygonal(geometry)
        if areas.any() and not met.all():
            met |= _any(areas & _around_origin(x, y, geometry), geometry.features)
    return met


def _joined(geometry: GeometryArray) -> Mask:
    """bool[v - 1]: a vertex and the next one are of the same sequence."""
    joined = np.ones(max(len(geometry.coords) - 1, 0), dtype=bool)
    breaks = geometry.rings[1:-1] - 1
    joined[breaks[(breaks >= 0) & (breaks < len(joined))]] = False
    return joined


def _segments_meet(x: Floats, y: Floats, half_width: float, half_height: float) -> Mask:
    """bool[v - 1]: the segment from a vertex to the next one meets the box around the origin: no axis, neither of the
    box nor across the segment, parts the two."""
    dx, dy = np.diff(x), np.diff(y)
    across = np.abs(x[:-1] * dy - y[:-1] * dx) <= np.abs(dx) * half_height + np.abs(dy) * half_width
    beside = (np.minimum(x[:-1], x[1:]) <= half_width) & (np.maximum(x[:-1], x[1:]) >= -half_width)
    above = (np.minimum(y[:-1], y[1:]) <= half_height) & (np.maximum(y[:-1], y[1:]) >= -half_height)
    met: Mask = across & beside & above
    return met


def _polygonal(geometry: GeometryArray) -> Mask:
    """bool[p]: the part is a polygon."""
    if geometry.part_types is not None:
        return geometry.part_types == POLYGON
    kinds = (geometry.types == POLYGON) | (geometry.types == MULTIPOLYGON)
    return np.repeat(kinds, np.diff(geometry.features))


def _around_origin(x: Floats, y: Floats, geometry: GeometryArray) -> Mask:
    """bool[p]: a ray from the origin to the right crosses the rings of the part an odd number of times."""
    upper = y > 0
    right = (x[:-1] * y[1:] - x[1:] * y[:-1] > 0) == (y[1:] > y[:-1])
    crossed = np.zeros(len(x), dtype=bool)
    crossed[:-1] = (upper[1:] != upper[:-1]) & right & _joined(geometry)
    return _sums(crossed, geometry.rings[geometry.parts]) % 2 == 1


def _any(mask: Mask, bounds: Ints) -> Mask:
    """bool[n]: whether something is true from each bound to the next."""
    return _sums(mask, bounds) > 0


def _sums(mask: Mask, bounds: Ints) -> Ints:
    return np.diff(offsets(mask.astype(np.int64))[bounds])
