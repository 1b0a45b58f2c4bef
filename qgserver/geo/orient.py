"""Orientation of polygon rings, so that many polygons can be filled as one area."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats, GeometryArray, rows_at


def signed_areas(geometry: GeometryArray) -> Floats:
    """float64[r]: the area of each ring, positive when it turns from +x to +y."""
    starts, sizes = geometry.rings[:-1], np.diff(geometry.rings)
    out = np.zeros(len(starts))
    filled = np.flatnonzero(sizes > 0)
    if not len(filled):
        return out
    first = np.repeat(geometry.coords[starts[filled]], sizes[filled], axis=0)
    x, y = (geometry.coords - first).T
    cross = np.empty(len(x))
    cross[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
    cross[geometry.rings[1:][filled] - 1] = 0.0
    out[filled] = np.add.reduceat(cross, starts[filled]) / 2
    return out


def exterior_rings(geometry: GeometryArray) -> NDArray[np.bool_]:
    """bool[r]: the rings that are the first of their polygon."""
    out = np.zeros(len(geometry.rings) - 1, dtype=np.bool_)
    out[geometry.parts[:-1][np.diff(geometry.parts) > 0]] = True
    return out


def oriented(geometry: GeometryArray, *, positive: bool = True) -> GeometryArray:
    """The same polygons with all exterior rings turning one way (``positive``: from +x to +y) and all holes the other.
    Returned as it is when it already was so."""
    wrong = (signed_areas(geometry) > 0) != (exterior_rings(geometry) == positive)
    if not wrong.any():
        return geometry
    sizes = np.diff(geometry.rings)
    index = np.arange(len(geometry.coords))
    mirrored = np.repeat(geometry.rings[:-1] + geometry.rings[1:] - 1, sizes) - index
    index = np.where(np.repeat(wrong, sizes), mirrored, index)
    z = None if geometry.z is None else geometry.z[index]
    m = None if geometry.m is None else geometry.m[index]
    return replace(geometry, coords=rows_at(geometry.coords, index), z=z, m=m)
