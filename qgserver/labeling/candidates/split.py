"""Polygons cut into parts that are convex enough for a label."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats, Ints


def convex_parts(polygons: NDArray[np.object_], label_area: Floats) -> tuple[list[Floats], Ints]:
    """The vertices (float64[k, 2], open rings) of the parts of the polygons, and int64[parts] whose they are."""
    coords, ring = shapely.get_coordinates(shapely.get_exterior_ring(polygons), return_index=True)
    bounds = np.searchsorted(ring, np.arange(len(polygons) + 1))
    parts = [coords[a : b - 1] for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)]
    return parts, np.arange(len(parts))
