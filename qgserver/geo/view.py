"""What of a layer is in view, and how its geometry comes there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.extent import Extent
from qgserver.geo.geometry import GeometryArray
from qgserver.geo.transform import Transform
from qgserver.geo.wkb import take


def source_extent(view: Extent, transform: Transform) -> Extent | None:
    """The view in the layer's CRS (``transform`` leads from the layer to the map); None when no part of it exists
    there."""
    return transform.inverse.extent(view)


def reproject_for_view(geometry: GeometryArray, transform: Transform, view: Extent) -> GeometryArray:
    """Geometry in the map's CRS, feature by feature the same; a feature with a vertex that can't be transformed
    becomes empty, as QGIS leaves it out."""
    moved = transform.geometry(geometry)
    bad = ~np.isfinite(moved.coords).all(axis=1)
    if not bad.any():
        return moved
    owner = np.repeat(np.arange(len(moved)), np.diff(moved.vertex_offsets()))
    keep = np.ones(len(moved), dtype=np.bool_)
    keep[owner[bad]] = False
    return emptied(moved, keep)


def emptied(geometry: GeometryArray, keep: NDArray[np.bool_]) -> GeometryArray:
    """The same features, those outside ``keep`` without geometry."""
    parts = np.diff(geometry.features) * keep
    kept = take(geometry, np.flatnonzero(keep))
    features = np.concatenate([[0], np.cumsum(parts)])
    return replace(kept, types=np.where(keep, geometry.types, 0).astype(np.uint8), features=features)
