"""GetMap as DXF: the features of the layers that WFS publishes too (as in QGIS), in the CRS of the map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from qgserver.errors import OwsError, ProviderError
from qgserver.ows.attributetext import xml_texts
from qgserver.ows.operations import OperationContext
from qgserver.ows.wms import params
from qgserver.ows.wms.dxffile import BY_LAYER, MIME, entities, foot, head, layer_name, nearest
from qgserver.ows.wms.maprequest import read_map_request
from qgserver.ows.wms.published import published_fields
from qgserver.project.layersource import open_layer
from qgserver.providers.batch import Batch
from qgserver.providers.protocol import Provider, Query
from qgserver.render.context import layer_context, map_context
from qgserver.render.layer import LayerPlan, resolved_columns
from qgserver.render.map import plan_layers
from qgserver.render.view import View, make_view
from qgserver.symbology.symbol import Symbol
from qgserver.web.response import Response, stream


@dataclass(frozen=True, slots=True)
class _Source:
    """One layer as it is written: ``name`` of its DXF layer, ``field`` whose values name others ("" = none)."""

    plan: LayerPlan
    provider: Provider
    name: str
    field: str


def get_dxf(context: OperationContext) -> Response:
    """The answer to GetMap with FORMAT=application/dxf, streamed. Raises ``OwsError`` and ``ProviderError``."""
    asked = params.FORMAT_OPTIONS.of(context.request)
    request = read_map_request(context, transparent=False)
    view = make_view(request)
    sources = list(_sources(context, list(plan_layers(context.project, request, view)), asked))
    return stream(
        _file(context, view, sources, asked.get("MODE", params.DXF_MODES[0]).upper() != params.DXF_MODES[0]), MIME
    )


def _sources(context: OperationContext, plans: Sequence[LayerPlan], asked: Mapping[str, str]) -> Iterator[_Source]:
    attributes = [name.strip() for name in asked.get("LAYERATTRIBUTES", "").split(",")]
    by_layer = dict(zip(params.LAYERS.of(context.request), attributes, strict=False))
    titled = params.flag(asked.get("USE_TITLE_AS_LAYERNAME", ""))
    for plan in plans:
        layer = plan.layer
        if layer.id not in context.project.wfs.layers:
            continue
        field = by_layer.get(layer.published, "")
        provider = open_layer(context.project, layer, context.sources)
        try:
            known = {found.field for found in published_fields(layer, provider.schema())}
        except ProviderError as error:
            error.layer = error.layer or layer.published
            if not context.settings.ignore_bad_layers:
                raise
            continue
        if field and field not in known:
            raise OwsError("InvalidParameterValue", f"There is no property {field[:80]}.", locator="FORMAT_OPTIONS")
        yield _Source(plan, provider, layer_name((titled and layer.title) or layer.name), field)


def _file(context: OperationContext, view: View, sources: Sequence[_Source], colored: bool) -> Iterator[bytes]:
    yield head(view.extent, list(dict.fromkeys(source.name for source in sources if not source.field)))
    for source in sources:
        try:
            yield from _features(context, view, source, colored)
        except ProviderError as error:
            error.layer = error.layer or source.plan.layer.published
            raise
    yield foot()


def _features(context: OperationContext, view: View, source: _Source, colored: bool) -> Iterator[bytes]:
    plan, provider = source.plan, source.provider
    renderer, scope = (
        plan.style.renderer,
        layer_context(map_context(context.project, view, context.sources), plan.layer),
    )
    names = [field.name for field in provider.schema().fields]
    used = renderer.used_fields()
    columns = set(names if used is None else resolved_columns(used, names)) | {source.field} - {""}
    query = Query(tuple(sorted(columns)), True, plan.extent, plan.item.where, context=scope.for_clients())
    symbols = [_color(symbol) for symbol in renderer.symbols]
    with closing(provider.read(query)) as batches:
        for batch in batches:
            jobs = renderer.classify(batch, scope, view.denominator)
            shown = dict(zip(jobs.rows.tolist(), jobs.symbols.tolist(), strict=True))
            geometry = batch.geometry
            if geometry is None:
                continue
            if plan.transform is not None:
                geometry = plan.transform.geometry(geometry).drop_nonfinite()
            rows = sorted(shown)
            colors = [symbols[shown[row]] if colored else BY_LAYER for row in rows]
            yield from entities(geometry, rows, _names(source, batch, rows), colors)


def _names(source: _Source, batch: Batch, rows: Sequence[int]) -> list[str]:
    if not source.field:
        return [source.name] * len(rows)
    texts = xml_texts(batch.columns[source.field])
    return [layer_name((texts[row] or b"").decode()) for row in rows]


def _color(symbol: Symbol) -> int:
    """The colour that tells a symbol's features from others: that of lines and outlines, else of what they surround."""
    for layer in reversed(symbol.layers):
        hidden = getattr(layer, "stroke_style", "") == "no"
        for name in ("color",) if hidden or symbol.kind != "fill" else ("stroke_color", "color"):
            found = getattr(layer, name, None)
            if isinstance(found, tuple):
                return nearest(found)
    return BY_LAYER
