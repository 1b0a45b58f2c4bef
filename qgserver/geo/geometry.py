"""Geometry of many features as flat arrays: no object per vertex, per ring or per feature.

Three levels of offsets (as GeoArrow has them), the same for every geometry type::

    features[i]:features[i+1]   parts of feature i      (into parts)
    parts[p]:parts[p+1]         sequences of part p     (into rings): 1 for points and lines, 1 + holes for polygons
    rings[r]:rings[r+1]         vertices of sequence r  (into coords)
"""

from __future__ import annotations

from dataclasses import dataclass

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
        offsets = self.vertex_offsets()
        out = np.full((len(self), 4), np.nan)
        filled = np.flatnonzero(np.diff(offsets) > 0)
        if len(filled):
            starts = offsets[:-1][filled]
            out[filled, :2] = np.minimum.reduceat(self.coords, starts, axis=0)
            out[filled, 2:] = np.maximum.reduceat(self.coords, starts, axis=0)
        return out
