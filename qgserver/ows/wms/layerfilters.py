"""What a request lets through of each layer: FILTER in either of its forms, and the layer's dimensions."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lxml import etree

from qgserver.errors import OwsError, ProviderError
from qgserver.expression.nodes import Call, In, Literal, Node, all_of, bind
from qgserver.ows.closedworld import PublishedField, checked
from qgserver.ows.kvp import groups
from qgserver.ows.names import GEOMETRY
from qgserver.ows.operations import OperationContext
from qgserver.ows.wms import params
from qgserver.ows.wms.dimensions import dimension_filter
from qgserver.ows.wms.filters import read_filters
from qgserver.ows.wms.published import Published, layers_by_name, published_fields
from qgserver.project.layersource import open_layer
from qgserver.project.model import VectorLayer
from qgserver.providers.protocol import Provider, Schema
from qgserver.web.xmlbody import parse

log = logging.getLogger("qgserver")


@dataclass(frozen=True, slots=True)
class _Asked:
    """FILTER as sent: expressions by layer name, or documents by layer id."""

    expressions: Mapping[str, Node]
    documents: Mapping[str, Sequence[etree._Element]]


def layer_filters(
    context: OperationContext, layers: Sequence[Published], names: Collection[str], listed: Sequence[str]
) -> Mapping[str, Node | None]:
    """By layer id, what features of each of ``layers`` must be; None = any. FILTER may speak of all ``names``; as OGC
    filters, one for each name in ``listed``. A layer whose source fails is not in the answer when
    QGIS_SERVER_IGNORE_BAD_LAYERS says so. Raises ``OwsError`` and ``ProviderError`` (with the layer's name)."""
    asked = _read(context, names, listed)
    found: dict[str, Node | None] = {}
    for layer in layers:
        try:
            found[layer.id] = _layer_filter(context, layer, asked)
        except ProviderError as error:
            error.layer = error.layer or layer.published
            if not context.settings.ignore_bad_layers:
                raise
            log.warning("layer %s is left out: %s", error.layer, error.message)
    return found


def _read(context: OperationContext, names: Collection[str], listed: Sequence[str]) -> _Asked:
    text = params.FILTER.of(context.request)
    if not text.startswith(("<", "(<", "()")):
        return _Asked(read_filters(text, names, context.settings.extra_sql_tokens), {})
    parts = groups(text)
    if len(parts) != len(listed):
        message = f"FILTER holds {len(parts)} filters for {len(listed)} layers."
        raise OwsError("InvalidParameterValue", message, locator="FILTER")
    known = layers_by_name(context.project)
    documents: dict[str, list[etree._Element]] = {}
    for name, part in zip(listed, parts, strict=True):
        for layer in known.get(name, ()) if part.strip() else ():
            documents.setdefault(layer.id, []).append(parse(part.encode()))
    return _Asked({}, documents)


def _layer_filter(context: OperationContext, layer: Published, asked: _Asked) -> Node | None:
    expression, documents = asked.expressions.get(layer.published), asked.documents.get(layer.id, ())
    if not isinstance(layer, VectorLayer) or not (expression or documents or layer.dimensions):
        return None
    provider = open_layer(context.project, layer, context.sources)
    fields = published_fields(layer, provider.schema())
    hides = len(fields) < len(provider.schema().fields)
    terms: list[Node] = []
    if expression is not None:
        expression = bind(expression, [field.field for field in fields])
        terms.append(checked(expression, fields, hides=hides, locator="FILTER"))
    terms += (ogc_condition(document, layer, provider.schema(), "FILTER") for document in documents)
    terms += _dimension_filters(context, layer, provider)
    return all_of(terms)


def ogc_condition(document: etree._Element, layer: VectorLayer, schema: Schema, locator: str) -> Node:
    """An OGC filter as one expression over what a client may see of the layer. Raises ``OwsError``."""
    fields = published_fields(layer, schema)
    node = _ogc_filter(document, layer, fields)
    return checked(node, fields, hides=len(fields) < len(schema.fields), locator=locator)


def _ogc_filter(document: etree._Element, layer: VectorLayer, fields: Sequence[PublishedField]) -> Node:
    """Geometries that name no CRS are in the layer's."""
    names = frozenset((GEOMETRY, layer.source.geometry_column or GEOMETRY))
    from qgserver.ows import fes  # with shapely: few requests need it

    found = fes.read_filter(document, fes.Scope(fields, names, layer.crs))
    if found.where is not None:
        return found.where
    keys = [fid.rpartition(".")[2] for fid in found.fids or ()]
    return In(Call("$id"), tuple(Literal(int(key) if key.isdecimal() else key) for key in keys))


def _dimension_filters(context: OperationContext, layer: VectorLayer, provider: Provider) -> list[Node]:
    found = (dimension_filter(dimension, context.request, provider) for dimension in layer.dimensions)
    return [node for node in found if node is not None]
