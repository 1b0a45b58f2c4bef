"""Drawing a map: (project, request, open sources) -> picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from qgserver.draw.blend import OVER, layer_operator
from qgserver.draw.canvas import Canvas
from qgserver.errors import ProviderError
from qgserver.geo.transform import get_transform
from qgserver.project.layersource import open_layer
from qgserver.project.model import Project, RasterLayer, VectorLayer
from qgserver.providers import Sources
from qgserver.providers.protocol import Provider
from qgserver.render.context import map_context
from qgserver.render.effects import paint_through
from qgserver.render.geometry import layer_tolerance, request_extent
from qgserver.render.layer import Drawing, LayerPlan, paint_layer
from qgserver.render.masks import AnyPlan, masked_layers, paint_masked
from qgserver.render.rasters import RasterPlan, paint_raster, plan_raster
from qgserver.render.request import MapLayer, MapRequest
from qgserver.render.view import View, make_view
from qgserver.symbology.effect import EffectStack
from qgserver.symbology.selected import with_selection

if TYPE_CHECKING:
    from qgserver.render.labels import MapLabels


def render_map(project: Project, request: MapRequest, sources: Sources, kind: type[Canvas] = Canvas) -> Canvas:
    """The picture of ``request``, of exactly the size asked, on a canvas of that kind. Raises ``ProviderError`` (with
    the layer's name) when a layer's source can't be read."""
    view = make_view(request)
    canvas = kind(view.width, view.height)
    if request.background is not None:
        canvas.fill_background(request.background)
    plans = list(_plans(project, request, view))
    vectors = [plan for plan in plans if isinstance(plan, LayerPlan)]
    context, labels = map_context(project, view, sources), _labels(project, vectors, view)
    drawing = Drawing(view, context, project.assets, labels, vector=canvas.vector)

    def paint(target: Canvas, plan: AnyPlan, drawing: Drawing) -> None:
        try:
            if isinstance(plan, RasterPlan):
                paint_raster(target, plan, sources, view)
            else:
                _paint_layer(target, plan, open_layer(project, plan.layer, sources), drawing)
        except ProviderError as error:
            error.layer = error.layer or plan.layer.published
            raise

    masked = masked_layers(vectors)
    if masked:
        for layer in paint_masked(canvas, plans, masked, drawing, paint):
            _put_layer(canvas, layer.picture, layer.plan)
    else:
        for plan in plans:
            target = canvas.new_layer() if _stands_alone(plan) else canvas
            paint(target, plan, drawing)
            if target is not canvas:
                _put_layer(canvas, target, plan)
    if request.highlights:
        from qgserver.render.highlights import draw_highlights  # few maps have some

        draw_highlights(canvas, request.highlights, drawing)
    if drawing.labels is not None:
        drawing.labels.draw(canvas, drawing.context, drawing.assets)
    if request.tile_buffer:
        canvas = canvas.cropped(request.tile_buffer)
    if (canvas.width, canvas.height) != (request.width, request.height):
        canvas = canvas.scaled(request.width, request.height)
    return canvas


def _labels(project: Project, plans: Sequence[LayerPlan], view: View) -> MapLabels | None:
    """Where the labels and diagrams of the map are gathered; None when no layer has any."""
    if not any((plan.style.labels_enabled and plan.style.labeling) or plan.style.diagrams for plan in plans):
        return None
    from qgserver.render.labels import MapLabels

    return MapLabels(view, project.labels)


def _plans(project: Project, request: MapRequest, view: View) -> Iterator[AnyPlan]:
    """The layers that show at this scale and place, bottom first."""
    for item in request.layers:
        layer = item.layer
        if isinstance(layer, RasterLayer):
            plan: AnyPlan | None = plan_raster(project, item, layer, view)
        else:
            plan = _plan_layer(project, item, layer, view) if isinstance(layer, VectorLayer) else None
        if plan is not None:
            yield plan


def plan_layers(project: Project, request: MapRequest, view: View) -> Iterator[LayerPlan]:
    """The vector layers among them."""
    return (plan for plan in _plans(project, request, view) if isinstance(plan, LayerPlan))


def _plan_layer(project: Project, item: MapLayer, layer: VectorLayer, view: View) -> LayerPlan | None:
    style = layer.styles.get(item.style) or layer.style
    if not layer.has_geometry or not style.scale_range.contains(view.denominator):
        return None
    transform = get_transform(layer.crs, view.crs, project.operations)
    extent = request_extent(view, transform)
    tolerance = layer_tolerance(view, transform, extent, style.simplify)
    if item.selection:
        renderer = with_selection(style.renderer, item.selection, project.selection_color)
        style = replace(style, renderer=renderer)
    return LayerPlan(item, layer, style, transform, extent, tolerance)


def _stands_alone(plan: AnyPlan) -> bool:
    """True for a layer that is drawn on a picture of its own: it is blended, translucent or changed as a whole. The
    opacity of a raster layer is in its pixels."""
    if isinstance(plan, RasterPlan):
        return layer_operator(plan.style.blend_mode) != OVER
    style = plan.style
    return (
        _opacity(plan) < 1
        or layer_operator(style.blend_mode) != OVER
        or bool(style.feature_blend_mode)
        or style.renderer.common.effects is not None
    )


def _opacity(plan: LayerPlan) -> float:
    return plan.style.opacity if plan.item.opacity is None else plan.item.opacity


def _paint_layer(target: Canvas, plan: LayerPlan, provider: Provider, drawing: Drawing) -> None:
    """Draw one layer, as if there were no other."""
    effects = plan.style.renderer.common.effects
    target.operator = layer_operator(plan.style.feature_blend_mode)
    if effects is None:
        paint_layer(target, plan, provider, drawing)
    else:
        _paint_through(effects, target, plan, provider, drawing)


def _put_layer(canvas: Canvas, picture: Canvas, plan: AnyPlan) -> None:
    """Put the picture of a layer over those below."""
    opacity = _opacity(plan) if isinstance(plan, LayerPlan) else 1.0
    canvas.compose(picture, opacity, layer_operator(plan.style.blend_mode))


def _paint_through(effects: EffectStack, canvas: Canvas, plan: LayerPlan, provider: Provider, drawing: Drawing) -> None:
    def paint(source: Canvas, view: View) -> None:
        wide = replace(drawing, view=view)
        if drawing.masks is not None:
            right, down = (view.width - drawing.view.width) // 2, (view.height - drawing.view.height) // 2
            wide.masks = drawing.masks.shifted(right, down)
        paint_layer(source, plan, provider, wide)
        drawing.points = wide.points

    scale = drawing.view.with_reference_scale(plan.style.renderer.common.reference_scale)
    paint_through(canvas, effects, scale, drawing.view, paint)
