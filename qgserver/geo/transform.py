"""Reprojection of arrays, extents and geometries. x before y everywhere."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import Floats, GeometryArray

if TYPE_CHECKING:
    import pyproj

EARTH_RADIUS = 6378137.0
MAX_LATITUDE = 89.999999
_DEGREES = frozenset(("EPSG:4326", "OGC:CRS84"))
_MERCATOR = frozenset(("EPSG:3857", "EPSG:900913"))
_local = threading.local()


class Operation(Protocol):
    """The author's choice of a PROJ pipeline (``project.model.CoordinateOperation``)."""

    @property
    def source(self) -> str: ...
    @property
    def destination(self) -> str: ...
    @property
    def pipeline(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Transform:
    """From one CRS to another, optionally by a given PROJ pipeline."""

    source: Crs
    target: Crs
    pipeline: str = ""

    @property
    def inverse(self) -> Transform:
        """The way back (by PROJ's own choice when a pipeline was given, since pipelines name one direction)."""
        return Transform(self.target, self.source)

    def points(self, xy: Floats) -> Floats:
        """float64[n, 2] -> float64[n, 2]; what cannot be transformed comes out as inf."""
        if not len(xy):
            return xy
        if not self.pipeline:
            if self.source.authid in _DEGREES and self.target.authid in _MERCATOR:
                return _to_mercator(xy)
            if self.source.authid in _MERCATOR and self.target.authid in _DEGREES:
                return _from_mercator(xy)
        x, y = self._transformer().transform(xy[:, 0], xy[:, 1])
        return np.column_stack([x, y])

    def geometry(self, geometry: GeometryArray) -> GeometryArray:
        """The same features with reprojected coordinates; heights stay."""
        return replace(geometry, coords=self.points(geometry.coords))

    def extent(self, extent: Extent, densify: int = 21) -> Extent | None:
        """The box around a grid of ``densify``² points of the extent; points that fail are left out, None if all do."""
        xs, ys = np.linspace(extent.xmin, extent.xmax, densify), np.linspace(extent.ymin, extent.ymax, densify)
        grid = np.column_stack([np.repeat(xs, densify), np.tile(ys, densify)])
        out = self.points(grid)
        out = out[np.isfinite(out).all(axis=1)]
        if not len(out):
            return None
        (xmin, ymin), (xmax, ymax) = out.min(axis=0).tolist(), out.max(axis=0).tolist()
        return Extent(xmin, ymin, xmax, ymax)

    def _transformer(self) -> pyproj.Transformer:
        cache: dict[Transform, pyproj.Transformer] = _local.__dict__.setdefault("transformers", {})
        found = cache.get(self)
        if found is None:
            if len(cache) > 256:
                cache.clear()
            found = cache[self] = self._make()
        return found

    def _make(self) -> pyproj.Transformer:
        import pyproj
        from pyproj.exceptions import ProjError

        if self.pipeline:
            try:
                return pyproj.Transformer.from_pipeline(self.pipeline)
            except ProjError:
                pass
        return pyproj.Transformer.from_crs(self.source.pyproj, self.target.pyproj, always_xy=True)


def _to_mercator(xy: Floats) -> Floats:
    out = np.empty_like(xy)
    out[:, 0] = np.radians(xy[:, 0]) * EARTH_RADIUS
    with np.errstate(all="ignore"):
        out[:, 1] = np.arcsinh(np.tan(np.radians(xy[:, 1]))) * EARTH_RADIUS
    out[np.abs(xy[:, 1]) > MAX_LATITUDE] = np.inf
    return out


def _from_mercator(xy: Floats) -> Floats:
    out = np.empty_like(xy)
    out[:, 0] = np.degrees(xy[:, 0] / EARTH_RADIUS)
    out[:, 1] = np.degrees(2.0 * np.arctan(np.exp(xy[:, 1] / EARTH_RADIUS)) - math.pi / 2)
    return out


def get_transform(source: Crs | None, target: Crs | None, operations: Sequence[Operation] = ()) -> Transform | None:
    """The transform between two CRSs; None when there is nothing to do (one is unknown, or both are the same)."""
    if source is None or target is None or _same(source, target):
        return None
    ends = (source.authid, target.authid)
    pipeline = next((op.pipeline for op in operations if (op.source, op.destination) == ends), "")
    return Transform(source, target, pipeline)


@lru_cache(maxsize=1024)
def _same(source: Crs, target: Crs) -> bool:
    if source.definition == target.definition or {source.authid, target.authid} <= _DEGREES:
        return True
    from pyproj.exceptions import CRSError

    try:
        return bool(source.pyproj.equals(target.pyproj, ignore_axis_order=True))
    except CRSError:
        return True
