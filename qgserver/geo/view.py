"""What of a layer in another CRS comes into a view, and how it gets there: QGIS's rules for maps beyond a CRS's area,
at the antimeridian and at the poles."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from qgserver.geo.clip import clip_to_rect
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import GeometryArray
from qgserver.geo.seam import cut_at, seam
from qgserver.geo.transform import WEB_MERCATOR, Transform

WORLD = Extent(-180.0, -90.0, 180.0, 90.0)
EVERYTHING = Extent(-1e30, -1e30, 1e30, 1e30)
"""The whole layer, still a box that every source can compare with."""
ROUND_TRIP_TOLERANCE = 0.2
"""How far an edge of the view may move (share of the view's size) on its way to degrees and back before the whole world
is asked for."""
FAR = 8.0
"""Views around the view beyond which reprojected shapes are cut: coordinates may be astronomic opposite to a pole."""
CLIP_MARGIN = 0.1
"""Share of the view's width and height by which lines and rings go on beyond it (QGIS's: dashes start there)."""
_TEST_METERS = 100.0
_TEST_DEGREES = 0.0008983


@lru_cache(maxsize=256)
def source_extent(view: Extent, transform: Transform) -> Extent:
    """``view`` (in the target CRS) in the CRS of the layer, for asking its source; lines and rings are clipped to it.

    Measured on QGIS: from a projected view to a layer in degrees it is the box that comes back as nearly the same view,
    else the world; where longitudes run backwards all of them are taken; a view in degrees that reaches over the edge
    of the world, or a box that can't be reprojected, asks for the whole layer.
    """
    back = transform.inverse
    box = back.extent(view)
    if box is None:
        return EVERYTHING
    if transform.source.is_geographic:
        if not transform.target.is_geographic:
            return _with_poles(box, view, transform) if _comes_back(box, view, transform) else WORLD
        return _all_longitudes_if_crossed(box, view, back)
    if transform.target.is_geographic and not WORLD.grown(-1e-9).contains(view):
        return EVERYTHING
    return box


def reproject_for_view(
    geometry: GeometryArray, transform: Transform, view: Extent, *, clip: bool = True
) -> GeometryArray:
    """``geometry`` in the CRS of ``view``.

    Vertices that PROJ can't place are left out and their neighbours joined, as in QGIS; but where the projection tears
    the globe, shapes end, while QGIS draws them right across the map. ``clip`` (a symbol's ``clip_to_extent``) cuts
    lines and rings just outside of the view, in the layer's CRS; in any case they end far outside, so that no number in
    the result is too large to draw.
    """
    if clip:
        extent = source_extent(view, transform)
        geometry = clip_to_rect(geometry, extent.grown(extent.width * CLIP_MARGIN, extent.height * CLIP_MARGIN))
    torn = seam(transform)
    if torn is not None:
        geometry = cut_at(geometry, torn)
    moved = transform.geometry(geometry).drop_nonfinite()
    return clip_to_rect(moved, view.grown(view.width * FAR, view.height * FAR))


def source_length(length: float, transform: Transform | None, extent: Extent) -> float | None:
    """``length`` in target units as a length in source units at the centre of ``extent`` (source CRS). So QGIS converts
    the simplification tolerance: by the diagonal of a small square. None where PROJ can't tell."""
    if transform is None:
        return length
    side = _TEST_DEGREES if transform.source.units == "degrees" else _TEST_METERS
    x, y = extent.center
    square = Extent(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    moved = transform.extent(square)
    if moved is None or not (moved.width > 0 and moved.height > 0):
        return None
    return length * math.hypot(square.width, square.height) / math.hypot(moved.width, moved.height)


def _comes_back(box: Extent, view: Extent, transform: Transform) -> bool:
    again = transform.extent(box)
    if again is None:
        return False
    across, up = view.width * ROUND_TRIP_TOLERANCE, view.height * ROUND_TRIP_TOLERANCE
    moved = (a - b for a, b in zip(again.as_tuple(), view.as_tuple(), strict=True))
    return all(abs(by) < limit for by, limit in zip(moved, (across, up, across, up), strict=True))


def _with_poles(box: Extent, view: Extent, transform: Transform) -> Extent:
    """``box`` (degrees), reaching to a pole that lies inside the view: no grid of points hits it."""
    if transform.target.authid == WEB_MERCATOR:  # there they are nowhere
        return box
    for latitude in (-90.0, 90.0):
        (x, y), *_ = transform.points(np.array([[0.0, latitude]])).tolist()
        if view.xmin < x < view.xmax and view.ymin < y < view.ymax:
            box = box.union(Extent(-180.0, latitude, 180.0, latitude))
    return box


def _all_longitudes_if_crossed(box: Extent, view: Extent, back: Transform) -> Extent:
    corners = back.points(np.array([[view.xmin, view.ymin], [view.xmax, view.ymax]]))
    return Extent(-180.0, box.ymin, 180.0, box.ymax) if corners[0, 0] > corners[1, 0] else box
