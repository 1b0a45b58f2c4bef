"""Drawing one layer: read, classify, bring to pixels, paint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qgserver.draw.canvas import Canvas
from qgserver.expression.context import Context
from qgserver.expression.nodes import resolve_field
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import GeometryArray
from qgserver.geo.transform import Transform
from qgserver.project.model import Style, VectorLayer
from qgserver.providers.batch import Batch
from qgserver.providers.protocol import Provider, Query
from qgserver.render.context import layer_context
from qgserver.render.geometry import CROWDED_TOLERANCE, Way, device_geometry, keeps_straight
from qgserver.render.order import sorted_batch
from qgserver.render.painter import Painting, has_levels, paint, paint_levels
from qgserver.render.request import MapLayer
from qgserver.render.view import View
from qgserver.render.whole import grown_extent, one_batch, paint_whole
from qgserver.symbology.assets import Assets
from qgserver.symbology.env import Env
from qgserver.symbology.masks import MaskSheets
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.scene import WholeLayer

if TYPE_CHECKING:
    from qgserver.render.labels import LayerLabels, MapLabels

EXACT_POINTS = 20_000
"""Path points of a map up to which all is drawn exactly as QGIS does; beyond, with Cairo's fast antialiasing."""
CROWDED_FEATURES = 1_500
"""Features in view of a layer from which a source may simplify; what it did so is drawn fast."""
BATCH = 20_000
"""Features read at a time."""


@dataclass(slots=True)
class Drawing:
    """The map being drawn; ``points`` counts the path points so far. ``labels`` gathers the labels of maps that have
    some, ``masks`` what leaves parts of other layers out."""

    view: View
    context: Context
    assets: Assets = Assets()
    labels: MapLabels | None = None
    points: int = 0
    masks: MaskSheets | None = None
    vector: bool = False
    """Shapes are kept as such."""


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


def paint_layer(canvas: Canvas, plan: LayerPlan, provider: Provider, drawing: Drawing) -> None:
    """Draw the layer's features in view. With symbol levels all of them are held until the lowest level is painted."""
    context = layer_context(drawing.context, plan.layer)
    renderer = plan.style.renderer
    if isinstance(renderer, WholeLayer):
        _paint_whole(canvas, plan, provider, drawing, renderer)
        return
    held: list[Painting] = []
    labels = None if drawing.labels is None else drawing.labels.of_layer(plan.layer, plan.style)
    for batch in read_batches(plan, provider, drawing, context, labels):
        painting = prepare(canvas, plan, batch, drawing, context, labels)
        if painting is None:
            continue
        if has_levels(renderer):
            held.append(painting)
        else:
            paint(painting, renderer)
    paint_levels(held, renderer)


def _paint_whole(canvas: Canvas, plan: LayerPlan, provider: Provider, drawing: Drawing, renderer: WholeLayer) -> None:
    """Draw a layer whose renderer looks at all its features at once: they come as the source has them."""
    context, view = layer_context(drawing.context, plan.layer), drawing.view
    extent = grown_extent(plan.extent, renderer, view, plan.transform)
    names = [field.name for field in provider.schema().fields]
    reading = replace(plan, extent=extent, tolerance=0.0)
    labels = None if drawing.labels is None else drawing.labels.of_layer(plan.layer, plan.style)
    batch = one_batch(read_batches(reading, provider, drawing, context, labels), names)
    settings = plan.style.simplify
    tolerance = settings.tolerance * view.resolution if plan.tolerance else 0.0
    way = Way(view, None, view.extent, tolerance, settings.algorithm)
    env = _environment(plan, batch, drawing, context)
    if labels is not None and batch.geometry is not None:
        own = Way(view, plan.transform, plan.extent, plan.tolerance, settings.algorithm)
        shapes, _ = device_geometry(batch.geometry, own, EXACT_POINTS, batch.simplified)
        labels.add(env, shapes, plan.style.renderer.classify(batch, context, view.denominator), own)
    drawing.points += paint_whole(canvas, renderer, env, plan.transform, way, EXACT_POINTS - drawing.points)


def read_batches(
    plan: LayerPlan, provider: Provider, drawing: Drawing, context: Context, labels: LayerLabels | None
) -> Iterator[Batch]:
    """The layer's features in view, sorted when its renderer says so."""
    renderer = plan.style.renderer
    names = [field.name for field in provider.schema().fields]
    used = plan.style.used_fields()
    if labels is not None:
        used = merge_fields([used, labels.used_fields()])
    reducible = keeps_straight(plan.transform, drawing.view) and "Point" not in plan.layer.geometry_type
    query = Query(
        tuple(names) if used is None else resolved_columns(used, names),
        True,
        plan.extent,
        plan.item.where,
        simplify=plan.tolerance * CROWDED_TOLERANCE if reducible else 0.0,
        simplify_above=CROWDED_FEATURES,
        key_order=renderer.filters(drawing.view.denominator),
        first_batch=BATCH,
        batch_size=BATCH,
        context=context.for_clients(),
    )
    with closing(provider.read(query)) as batches:
        if not renderer.common.order_by:
            yield from batches
            return
        batch = sorted_batch(batches, renderer.common.order_by, context)
        if batch is not None:
            yield batch


def resolved_columns(used: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    """The source's columns that expressions mean by ``used`` (exact name, else ignoring case)."""
    found = (resolve_field(name, names) for name in sorted(used))
    return tuple(dict.fromkeys(name for name in found if name is not None))


def prepare(
    canvas: Canvas, plan: LayerPlan, batch: Batch, drawing: Drawing, context: Context, labels: LayerLabels | None
) -> Painting | None:
    """Classify the features of a batch, bring them to pixels and register their labels; None when none is drawn."""
    renderer = plan.style.renderer
    view = drawing.view
    jobs = renderer.classify(batch, context, view.denominator)
    if batch.geometry is None or not (len(jobs) or (labels is not None and labels.of_all)):
        return None
    way = Way(view, plan.transform, plan.extent, plan.tolerance, plan.style.simplify.algorithm)
    room = 0 if batch.simplified else EXACT_POINTS - drawing.points
    geometry, exact = device_geometry(batch.geometry, way, room, batch.simplified)
    drawing.points += len(geometry.coords)
    env = _environment(plan, batch, drawing, context)
    if labels is not None:
        labels.add(env, geometry, jobs, way)
    if not len(jobs):
        return None
    return Painting(canvas, env, geometry, jobs, "exact" if exact else "fast", renderer.common.one_by_one)


def _environment(plan: LayerPlan, batch: Batch, drawing: Drawing, context: Context) -> Env:
    view = drawing.view
    scale = view.with_reference_scale(plan.style.renderer.common.reference_scale)
    way = Way(view, plan.transform, plan.extent, plan.tolerance, plan.style.simplify.algorithm)

    def to_device(made: GeometryArray) -> GeometryArray:
        return device_geometry(made, way, EXACT_POINTS, False)[0]

    found = Env(scale, context, batch, view.pixel_extent, assets=drawing.assets, to_device=to_device)
    return replace(found, masks=drawing.masks, vector=drawing.vector)
