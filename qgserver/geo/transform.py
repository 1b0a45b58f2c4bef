"""From one CRS to another, many points at a time. Always x (easting, longitude) before y."""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from qgserver.geo.crs import Crs, load_proj
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import Floats, GeometryArray

if TYPE_CHECKING:
    import pyproj

BOX_POINTS = 1000
"""Points of the grid by which a box is reprojected (QGIS's number, and its grid: boxes agree to the last digit)."""
EARTH_RADIUS = 6378137.0
MERCATOR_MAX_LATITUDE = 89.9
"""Boxes in degrees are cut here before they go to Web Mercator (measured), points are not."""
_DEGREE = math.pi / 180
_LONLAT = frozenset({"EPSG:4326", "OGC:CRS84"})
WEB_MERCATOR = "EPSG:3857"
_BY_FORMULA = _LONLAT | {WEB_MERCATOR}
_HALF_WORLD = EARTH_RADIUS * math.pi
_NOTHING = "proj=noop"

_group_lock = threading.Lock()


class Operation(Protocol):
    """An author's choice between two CRSs (``qgserver.project.model.CoordinateOperation``)."""

    @property
    def source(self) -> str: ...
    @property
    def destination(self) -> str: ...
    @property
    def pipeline(self) -> str: ...
    @property
    def allow_fallback(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Transform:
    """Reprojection from ``source`` to ``target``; safe to share between threads.

    ``pipeline`` is the author's PROJ pipeline ("" = PROJ's best operation), written from ``target`` to ``source`` when
    ``reverse``. Where it fails, PROJ's own choice is tried unless ``allow_fallback`` is off.
    """

    source: Crs
    target: Crs
    pipeline: str = ""
    reverse: bool = False
    allow_fallback: bool = True

    @property
    def inverse(self) -> Transform:
        """The way back."""
        return replace(self, source=self.target, target=self.source, reverse=not self.reverse)

    def points(self, xy: Floats) -> Floats:
        """float64[n, 2] to float64[n, 2]; points that can't be reprojected are not finite."""
        if not len(xy):
            return xy
        formula = self._formula(xy)
        return self._by_proj(xy) if formula is None else formula(xy)

    def geometry(self, geometry: GeometryArray) -> GeometryArray:
        """The same geometry with other x and y; vertices that can't be reprojected are not finite."""
        return replace(geometry, coords=self.points(geometry.coords))

    def extent(self, box: Extent) -> Extent | None:
        """The box of a grid of points over ``box``, those that fail left out; None when nothing is left."""
        if self.target.authid == WEB_MERCATOR and self.source.is_geographic:
            south, north = (min(max(y, -MERCATOR_MAX_LATITUDE), MERCATOR_MAX_LATITUDE) for y in (box.ymin, box.ymax))
            box = Extent(box.xmin, south, box.xmax, north)
        corners = np.array([[box.xmin, box.ymin], [box.xmax, box.ymax]])
        formula = self._formula(corners)
        # a formula keeps boxes as boxes: corners say as much as the grid
        x, y = (self._by_proj(box_grid(box)) if formula is None else formula(corners)).T
        seen = np.isfinite(x) & np.isfinite(y)
        if not seen.any():
            return None
        x, y = x[seen], y[seen]
        return Extent(float(x.min()), float(y.min()), float(x.max()), float(y.max()))

    def _formula(self, xy: Floats) -> Callable[[Floats], Floats] | None:
        """What stands in for PROJ between degrees and Web Mercator, unless a point lies beyond the world: PROJ wraps
        longitudes and refuses poles."""
        if self.pipeline:
            return None
        if self.target.authid == WEB_MERCATOR and self.source.authid in _LONLAT:
            return _to_mercator if _within(xy, 180.0, MERCATOR_MAX_LATITUDE) else None
        if self.source.authid == WEB_MERCATOR and self.target.authid in _LONLAT:
            return _from_mercator if _within(xy, _HALF_WORLD, math.inf) else None
        return None

    def _by_proj(self, xy: Floats) -> Floats:
        written = (self.target, self.source) if self.reverse else (self.source, self.target)
        out = _run(_pipeline(self.pipeline or _best_operation(*written)), xy, self.reverse)
        failed = ~np.isfinite(out).all(axis=1)
        if failed.any() and self.allow_fallback and (self.pipeline or len(_operations(*written)) > 1):
            out[failed] = _run(_automatic(*written), xy[failed], self.reverse)
        return out


def get_transform(source: Crs | None, target: Crs | None, operations: Sequence[Operation] = ()) -> Transform | None:
    """How to get from ``source`` to ``target``; None when nothing is to be done: both give a place the same x and y,
    one is absent or unknown to PROJ, or PROJ knows no way (another planet). Then QGIS draws layers as they are.

    ``operations`` are the project's; one whose pipeline PROJ can't run here (a missing grid) is left aside.
    """
    if source is None or target is None or source == target:
        return None
    for operation in operations:
        ends = operation.source, operation.destination
        for reverse, (one, other) in enumerate(((source, target), (target, source))):
            if ends in ((one.authid, other.authid), (one.definition, other.definition)) and _runs(operation.pipeline):
                return Transform(source, target, operation.pipeline, bool(reverse), operation.allow_fallback)
    if {source.authid, target.authid} <= _LONLAT:
        return None
    if {source.authid, target.authid} <= _BY_FORMULA:
        return Transform(source, target)
    best = _best_operation(source, target)
    return None if not best or best.startswith(_NOTHING) else Transform(source, target)


def box_grid(box: Extent) -> Floats:
    """About ``BOX_POINTS`` points over ``box``, edges included, as near to squares as its shape allows."""
    width, height = box.width, box.height
    if not (width > 0 and height > 0):
        across, down = (BOX_POINTS if width > 0 else 1), (BOX_POINTS if height > 0 else 1)
    else:
        step = math.sqrt(width) * math.sqrt(height) / (math.sqrt(BOX_POINTS) - 1)
        across = min(math.ceil(min(width / step, BOX_POINTS)) + 1, BOX_POINTS)
        down = min(math.ceil(min(height / step, BOX_POINTS)) + 1, BOX_POINTS)
    x, y = np.meshgrid(np.linspace(box.xmin, box.xmax, across), np.linspace(box.ymin, box.ymax, down))
    return np.column_stack((x.ravel(), y.ravel()))


def _within(xy: Floats, max_x: float, max_y: float) -> bool:
    x, y = xy.T  # numpy takes ten times as long for the extremes of both at once
    return bool(-max_x <= x.min() and x.max() <= max_x and -max_y <= y.min() and y.max() <= max_y)


def _to_mercator(lonlat: Floats) -> Floats:
    out = lonlat * _DEGREE
    out[:, 1] = np.arcsinh(np.tan(out[:, 1]))
    out *= EARTH_RADIUS
    return out


def _from_mercator(xy: Floats) -> Floats:
    out = xy / EARTH_RADIUS
    with np.errstate(over="ignore"):
        out[:, 1] = np.arctan(np.sinh(out[:, 1]))
    out /= _DEGREE
    return out


def _run(transformer: pyproj.Transformer, xy: Floats, reverse: bool) -> Floats:
    x, y = np.array(xy[:, 0]), np.array(xy[:, 1])
    transformer.transform(x, y, inplace=True, direction="INVERSE" if reverse else "FORWARD")
    return np.column_stack((x, y))


@lru_cache(maxsize=256)
def _pipeline(definition: str) -> pyproj.Transformer:
    load_proj()
    import pyproj

    return pyproj.Transformer.from_pipeline(definition)


@lru_cache(maxsize=256)
def _runs(definition: str) -> bool:
    """Whether PROJ understands a project's pipeline (it may name a grid that is not installed)."""
    import pyproj

    try:
        _pipeline(definition)
    except pyproj.exceptions.ProjError:
        return False
    return True


@lru_cache(maxsize=256)
def _automatic(source: Crs, target: Crs) -> pyproj.Transformer:
    """PROJ's own choice, made anew for every point by its place."""
    import pyproj

    return pyproj.Transformer.from_crs(source.proj, target.proj, always_xy=True)


@lru_cache(maxsize=256)
def _operations(source: Crs, target: Crs) -> tuple[str, ...]:
    """PROJ's operations, best first, that can run with the grids at hand.

    QGIS uses the first for all points (measured), where PROJ's automatic choice may change within one geometry.
    """
    from pyproj.exceptions import ProjError
    from pyproj.transformer import TransformerGroup

    if source.proj is None or target.proj is None:
        return ()
    with _group_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a better operation needs a grid: nothing to tell the client
        try:
            group = TransformerGroup(source.proj, target.proj, always_xy=True)
        except (ProjError, IndexError):  # IndexError: pyproj's answer to a projection PROJ can't export
            return ()
    return tuple(transformer.definition for transformer in group.transformers)


def _best_operation(source: Crs, target: Crs) -> str:
    return next(iter(_operations(source, target)), "")
