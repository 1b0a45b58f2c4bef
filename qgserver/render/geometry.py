"""The way of a batch's geometry to device pixels: simplify, clip, reproject, scale."""

from __future__ import annotations

from qgserver.geo.extent import Extent
from qgserver.geo.transform import Transform
from qgserver.geo.view import reproject_for_view, source_extent
from qgserver.project.model import Simplify
from qgserver.render.view import View

CLIP_MARGIN = 0.1
"""Lines and rings are cut this share of the view's size outside the picture (QGIS's value: dashes start anew there)."""
GEOMETRY_HINT = 1


def request_extent(view: View, transform: Transform | None) -> Extent | None:
    """The view in layer CRS, for asking the source; None when nothing of the layer can be in view."""
    return view.extent if transform is None else source_extent(view.extent, transform)


def layer_tolerance(view: View, extent: Extent, simplify: Simplify) -> float:
    """Simplification tolerance in layer units: pixels at the centre of the view, 0 when the layer is not simplified."""
    if not simplify.hints & GEOMETRY_HINT:
        return 0.0
    if simplify.max_scale > 1 and view.denominator < simplify.max_scale:
        return 0.0
    return simplify.tolerance * view.resolution


def device_geometry(
    geometry: GeometryArray, view: View, transform: Transform | None, simplify: Simplify
) -> GeometryArray:
    """The geometry of a batch in device pixels, one feature for each of the batch's."""
    if transform is not None:
        geometry = reproject_for_view(geometry, transform, view.extent)
    return view.to_device(geometry)
