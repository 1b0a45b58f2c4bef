"""SLD_BODY: layers in styles that the client sends. Their filters live in the closed world, as all of clients do."""

from __future__ import annotations

import logging
from dataclasses import replace

from lxml import etree

from qgserver.errors import ProviderError
from qgserver.expression.nodes import Node
from qgserver.ows.operations import OperationContext
from qgserver.ows.sldread import StyledLayer, user_renderer
from qgserver.ows.wms.layerfilters import ogc_condition
from qgserver.project.layersource import open_layer
from qgserver.project.model import VectorLayer

log = logging.getLogger("qgserver")

USER_STYLE = "\0user style"
"""Name of the client's style among those of a layer. NUL is in no name of a project, nor in a parameter."""


def restyled(context: OperationContext, layer: VectorLayer, styled: StyledLayer) -> VectorLayer | None:
    """The layer with its user style as one more; None when its source fails and QGIS_SERVER_IGNORE_BAD_LAYERS is on.
    What is no matter of symbols (opacity, map tips, ...) is as in the current style; labels are not drawn. Raises
    ``OwsError`` and ``ProviderError`` (with the layer's name)."""
    assert styled.user_style is not None

    def condition(document: etree._Element) -> Node:
        schema = open_layer(context.project, layer, context.sources).schema()
        return ogc_condition(document, layer, schema, "SLD_BODY")

    try:
        renderer = user_renderer(styled.user_style, _kind(context, layer), condition)
    except ProviderError as error:
        error.layer = error.layer or layer.published
        if not context.settings.ignore_bad_layers:
            raise
        log.warning("layer %s is left out: %s", error.layer, error.message)
        return None
    style = replace(layer.style, name=USER_STYLE, renderer=renderer, labels_enabled=False, labeling="", diagrams="")
    return replace(layer, styles={**layer.styles, USER_STYLE: style})


def _kind(context: OperationContext, layer: VectorLayer) -> str:
    """The kind of symbols that draw a layer."""
    name = layer.geometry_type
    if name in ("", "Unknown"):
        name = open_layer(context.project, layer, context.sources).schema().geometry_type
    families = (("Polygon", "fill"), ("Surface", "fill"), ("Line", "line"), ("Curve", "line"))
    return next((kind for word, kind in families if word in name), "marker")
