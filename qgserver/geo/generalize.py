"""Simplification of crowded views: fewer vertices than QGIS's own rule leaves, at the same look."""

from __future__ import annotations

import shapely

from qgserver.geo.geometry import POINT, GeometryArray
from qgserver.geo.simplify import drop_near
from qgserver.geo.wkb import decode, to_shapely

DENSE = 200
"""Vertices a feature from which neighbours in one cell are dropped first: cheaper, and most of a coastline goes."""


def generalize(geometry: GeometryArray, tolerance: float) -> GeometryArray:
    """Lines and polygons by Douglas and Peucker, moved by at most ``tolerance`` (in their units), feature by feature
    the same. What would vanish stays as it was: a small building is still a dot on the map."""
    if not tolerance > 0 or not len(geometry) or int(geometry.types.max()) <= POINT:
        return geometry
    if len(geometry.coords) > DENSE * len(geometry):
        geometry = drop_near(geometry, tolerance)
    shapes = to_shapely(geometry)
    simple = shapely.simplify(shapes, tolerance, preserve_topology=False)
    vanished = shapely.is_empty(simple)
    simple[vanished] = shapes[vanished]
    return decode(shapely.to_wkb(simple).tolist())
