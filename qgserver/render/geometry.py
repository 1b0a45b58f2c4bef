"""The way of a batch's geometry to device pixels: simplify, clip, reproject, scale."""

from __future__ import annotations

from dataclasses import dataclass

from qgserver.geo.clip import clip_to_rect
from qgserver.geo.extent import Extent
from qgserver.geo.generalize import generalize
from qgserver.geo.geometry import GeometryArray
from qgserver.geo.simplify import drop_near, simplify
from qgserver.geo.transform import Transform
from qgserver.geo.view import reproject_for_view, source_extent, source_length
from qgserver.project.model import Simplify
from qgserver.render.view import View

CLIP_MARGIN = 0.1
"""Lines and rings are cut this share of the view's size outside the picture (QGIS's value: dashes start anew there)."""
GEOMETRY_HINT = 1
CROWDED_TOLERANCE = 0.5
"""How far vertices of a crowded map may move, in the layer's own tolerance (usually a pixel)."""
STRAIGHT = frozenset(("EPSG:4326", "OGC:CRS84", "EPSG:3857"))
AFFINE_METERS = 50_000.0
"""Views narrower than this are so small that a straight line of the source is straight in the map, too."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a layer comes to the picture. ``extent`` is the view in layer CRS, ``tolerance`` (layer units, 0 = none) and
    ``algorithm`` are those of the layer's own simplification."""

    view: View
    transform: Transform | None
    extent: Extent
    tolerance: float
    algorithm: int = 0


def request_extent(view: View, transform: Transform | None) -> Extent:
    """The view in layer CRS, for asking the source."""
    return view.extent if transform is None else source_extent(view.extent, transform)


def layer_tolerance(view: View, transform: Transform | None, extent: Extent, settings: Simplify) -> float:
    """Simplification tolerance in layer units, from pixels of the picture; 0 when the layer is not simplified."""
    if not settings.hints & GEOMETRY_HINT:
        return 0.0
    if settings.max_scale > 1 and view.denominator < settings.max_scale:
        return 0.0
    return source_length(settings.tolerance * view.resolution, transform, extent) or 0.0


def keeps_straight(transform: Transform | None, view: View) -> bool:
    """True when a source may drop vertices of straight lines before reprojection: without one, between degrees and Web
    Mercator (both draw meridians and parallels straight, and slanting lines bend by less than a pixel in ten degrees),
    and in views so narrow that any projection is affine."""
    if transform is None or {transform.source.authid, transform.target.authid} <= STRAIGHT:
        return True
    return view.extent.width * view.crs.meters_per_unit < AFFINE_METERS


def device_geometry(geometry: GeometryArray, way: Way, room: int, reduced: bool) -> tuple[GeometryArray, bool]:
    """The geometry of a batch in device pixels, one feature for each of the batch's. Up to ``room`` vertices by QGIS's
    rule of simplification, and True; beyond, or when the source has ``reduced`` it, with as few vertices as look the
    same, and False. All of its coordinates are finite."""
    view = way.view
    geometry = geometry.drop_nonfinite()
    exact = len(geometry.coords) <= room and not reduced
    if exact:
        geometry = simplify(geometry, way.tolerance, way.algorithm)
    elif not reduced and keeps_straight(way.transform, view):
        geometry = generalize(_clipped(geometry, way.extent), way.tolerance * CROWDED_TOLERANCE)
        reduced = True
    if way.transform is None:
        return view.to_device(_clipped(geometry, view.extent)), exact
    if exact or reduced:
        return view.to_device(reproject_for_view(geometry, way.transform, view.extent)), exact
    # vertices of a straight line carry its curve in the map: only neighbours go before, the rest after
    geometry = drop_near(geometry, way.tolerance * CROWDED_TOLERANCE)
    geometry = view.to_device(reproject_for_view(geometry, way.transform, view.extent))
    return generalize(geometry, CROWDED_TOLERANCE if way.tolerance else 0.0), exact


def _clipped(geometry: GeometryArray, extent: Extent) -> GeometryArray:
    return clip_to_rect(geometry, extent.grown(CLIP_MARGIN * extent.width, CLIP_MARGIN * extent.height))
