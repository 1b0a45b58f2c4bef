"""Simplification of crowded views: fewer vertices than QGIS's own rule leaves, at the same look."""

from __future__ import annotations

import numpy as np

from qgserver.geo.geometry import POINT, GeometryArray
from qgserver.geo.wkb import decode, to_shapely

DENSE = 200
"""Vertices a feature from which neighbours in one cell are dropped first: cheaper, and most of a coastline goes."""


def generalize(geometry: GeometryArray, tolerance: float) -> GeometryArray:
    """Lines and polygons by Douglas and Peucker, moved by at most ``tolerance`` (in their units), feature by feature
    the same. What would vanish stays as it was: a small building is still a dot on the map."""
    if not tolerance > 0 or not len(geometry) or int(geometry.types.max()) <= POINT:
        return geometry
    import shapely

    if len(geometry.coords) > DENSE * len(geometry):
        geometry = _thinned(geometry, tolerance)
    shapes = to_shapely(geometry)
    simple = shapely.simplify(shapes, tolerance, preserve_topology=False)
    vanished = shapely.is_empty(simple)
    simple[vanished] = shapes[vanished]
    return decode(shapely.to_wkb(simple).tolist())


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
