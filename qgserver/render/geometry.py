"""The way of a batch's geometry to device pixels: simplify, clip, reproject, scale."""

from __future__ import annotations

from qgserver.geo.clip import clip_to_rect
from qgserver.geo.extent import Extent
from qgserver.geo.generalize import generalize
from qgserver.geo.geometry import GeometryArray
from qgserver.geo.simplify import simplify as simplified
from qgserver.geo.transform import Transform
from qgserver.geo.view import reproject_for_view, source_extent
from qgserver.project.model import Simplify
from qgserver.render.view import View

CLIP_MARGIN = 0.1
"""Lines and rings are cut this share of the view's size outside the picture (QGIS's value: dashes start anew there)."""
GEOMETRY_HINT = 1
CROWDED_TOLERANCE = 0.5
"""How far vertices of a crowded map may move, in the layer's own tolerance (usually a pixel)."""


def request_extent(view: View, transform: Transform | None) -> Extent | None:
    """The view in layer CRS, for asking the source; None when nothing of the layer can be in view."""
    return view.extent if transform is None else source_extent(view.extent, transform)


def layer_tolerance(view: View, extent: Extent, simplify: Simplify) -> float:
    """Simplification tolerance in layer units: pixels, as wide as they are over ``extent`` (the view in layer CRS);
    0 when the layer is not simplified."""
    if not simplify.hints & GEOMETRY_HINT:
        return 0.0
    if simplify.max_scale > 1 and view.denominator < simplify.max_scale:
        return 0.0
    return simplify.tolerance * max(extent.width / view.width, extent.height / view.height)


def reduced_geometry(
    geometry: GeometryArray, tolerance: float, algorithm: int, room: int
) -> tuple[GeometryArray, bool]:
    """Geometry without the vertices that do not show: by QGIS's rule while there is ``room`` for so many vertices;
    beyond, as few as look the same, and True."""
    if len(geometry.coords) <= room:
        return simplified(geometry, tolerance, algorithm), False
    return generalize(geometry, tolerance * CROWDED_TOLERANCE), True


def device_geometry(geometry: GeometryArray, view: View, transform: Transform | None) -> GeometryArray:
    """The geometry of a batch in device pixels, one feature for each of the batch's."""
    if transform is None:
        margin = CLIP_MARGIN * view.extent.width, CLIP_MARGIN * view.extent.height
        geometry = clip_to_rect(geometry, view.extent.grown(*margin))
    else:
        geometry = reproject_for_view(geometry, transform, view.extent)
    return view.to_device(geometry)
