"""Drawing a map: (project, request, open sources) -> picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from qgserver.draw.blend import OVER, layer_operator
from qgserver.draw.canvas import Canvas
from qgserver.errors import ProviderError
from qgserver.expression.context import Context
from qgserver.expression.nodes import resolve_field
from qgserver.geo.extent import Extent
from qgserver.geo.transform import Transform, get_transform
from qgserver.project.layersource import open_layer
from qgserver.project.model import Project, Style, VectorLayer
from qgserver.providers import Sources
from qgserver.providers.batch import Batch
from qgserver.providers.protocol import Provider, Query
from qgserver.render.context import layer_context, map_context
from qgserver.render.geometry import (
    CROWDED_TOLERANCE,
    device_geometry,
    layer_tolerance,
    reduced_geometry,
    request_extent,
)
from qgserver.render.order import sorted_batch
from qgserver.render.painter import Painting, paint_jobs
from qgserver.render.request import MapLayer, MapRequest
from qgserver.render.view import View, make_view
from qgserver.symbology.env import Env

EXACT_POINTS = 20_000
"""Path points of a map up to which all is drawn exactly as QGIS does; beyond, with Cairo's fast antialiasing."""
CROWDED_FEATURES = 1_500
"""Features in view of a layer from which a source may simplify; what it did so is drawn fast."""
BATCH = 20_000
"""Features read at a time."""


@dataclass(slots=True)
class Drawing:
    """The map being drawn; ``points`` counts the path points so far."""

    view: View
    context: Context
    points: int = 0


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """One layer as it will be drawn."""

    item: MapLayer
    layer: VectorLayer
    style: Style
    transform: Transform | None
    extent: Extent
    tolerance: float
    """Simplification in layer units, 0 = none."""


def render_map(project: Project, request: MapRequest, sources: Sources) -> Canvas:
    """The picture of ``request``, of exactly the size asked. Raises ``ProviderError`` (with the layer's name) when a
    layer's source can't be read."""
    view = make_view(request)
    canvas = Canvas(view.width, view.height)
    if request.background is not None:
        canvas.fill_background(request.background)
    drawing = Drawing(view, map_context(project, view))
    for plan in plan_layers(project, request, view):
        try:
            draw_layer(canvas, plan, open_layer(project, plan.layer, sources), drawing)
        except ProviderError as error:
            error.layer = error.layer or plan.layer.published
            raise
    if request.tile_buffer:
        canvas = canvas.cropped(request.tile_buffer)
    if (canvas.width, canvas.height) != (request.width, request.height):
        canvas = canvas.scaled(request.width, request.height)
    return canvas


def plan_layers(project: Project, request: MapRequest, view: View) -> Iterator[LayerPlan]:
    """The layers that show at this scale and place, bottom first."""
    for item in request.layers:
        layer = item.layer
        if not isinstance(layer, VectorLayer) or not layer.has_geometry:
            continue
        style = layer.styles.get(item.style) or layer.style
        if not style.scale_range.contains(view.denominator):
            continue
        transform = get_transform(layer.crs, view.crs, project.operations)
        extent = request_extent(view, transform)
        if extent is not None:
            tolerance = layer_tolerance(view, extent, style.simplify)
            yield LayerPlan(item, layer, style, transform, extent, tolerance)


def draw_layer(canvas: Canvas, plan: LayerPlan, provider: Provider, drawing: Drawing) -> None:
    """Draw one layer, on a picture of its own when it is blended or translucent as a whole."""
    style = plan.style
    opacity = style.opacity * plan.item.opacity
    operator = layer_operator(style.blend_mode)
    alone = opacity < 1 or operator != OVER or style.feature_blend_mode
    target = canvas.new_layer() if alone else canvas
    target.operator = layer_operator(style.feature_blend_mode)
    context = layer_context(drawing.context, plan.layer)
    for batch in read_batches(plan, provider, drawing, context):
        draw_batch(target, plan, batch, drawing, context)
    if alone:
        canvas.compose(target, opacity, operator)


def read_batches(plan: LayerPlan, provider: Provider, drawing: Drawing, context: Context) -> Iterator[Batch]:
    """The layer's features in view, sorted when its renderer says so."""
    renderer = plan.style.renderer
    schema = provider.schema()
    names = [field.name for field in schema.fields]
    used = renderer.used_fields()
    columns = tuple(names) if used is None else resolved_columns(used, names)
    query = Query(
        columns,
        True,
        plan.extent,
        plan.item.where,
        simplify=plan.tolerance * CROWDED_TOLERANCE,
        simplify_above=CROWDED_FEATURES,
        batch_size=BATCH,
    )
    with closing(provider.read(query)) as batches:
        if renderer.common.order_by:
            batch = sorted_batch(batches, renderer.common.order_by, context)
            if batch is not None:
                yield batch
        else:
            yield from batches


def resolved_columns(used: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    """The source's columns that expressions mean by ``used`` (exact name, else ignoring case)."""
    found = (resolve_field(name, names) for name in sorted(used))
    return tuple(dict.fromkeys(name for name in found if name is not None))


def draw_batch(canvas: Canvas, plan: LayerPlan, batch: Batch, drawing: Drawing, context: Context) -> None:
    """Classify and paint the features of one batch."""
    renderer = plan.style.renderer
    jobs = renderer.classify(batch, context, drawing.view.denominator)
    if not len(jobs) or batch.geometry is None:
        return
    geometry, crowded = batch.geometry, True
    if not batch.simplified:
        room = EXACT_POINTS - drawing.points
        geometry, crowded = reduced_geometry(geometry, plan.tolerance, plan.style.simplify.algorithm, room)
    geometry = device_geometry(geometry, drawing.view, plan.transform)
    drawing.points += len(geometry.coords)
    canvas.antialias = "fast" if crowded else "exact"
    scale = drawing.view.with_reference_scale(renderer.common.reference_scale)
    env = Env(scale, context, batch, drawing.view.pixel_extent)
    paint_jobs(Painting(canvas, env, geometry), renderer, jobs)
