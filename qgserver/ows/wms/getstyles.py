"""GetStyles: the styles of layers as SLD 1.1.0."""

from __future__ import annotations

from collections.abc import Iterator

from qgserver.errors import OwsError
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.sld import feature_type_style
from qgserver.ows.wms import params
from qgserver.ows.wms.published import Published, layers_by_name
from qgserver.ows.xmlio import DECLARATION, attributes, element
from qgserver.project.model import VectorLayer
from qgserver.web.response import Response, document

ROOT = {
    "xmlns": "http://www.opengis.net/sld",
    "xmlns:se": "http://www.opengis.net/se",
    "xmlns:ogc": "http://www.opengis.net/ogc",
    "xmlns:xlink": "http://www.w3.org/1999/xlink",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "version": "1.1.0",
    "xsi:schemaLocation": "http://www.opengis.net/sld http://schemas.opengis.net/sld/1.1.0/StyledLayerDescriptor.xsd",
}


def xml_formats(version: str) -> tuple[str, ...]:
    """The one format of documents about layers."""
    return ("text/xml",)


@operation("WMS", "GetStyles", "GetStyle", formats=xml_formats)
def get_styles(context: OperationContext) -> Response:
    """All styles of the layers of LAYERS, the last layer first (measured)."""
    inner = "".join(_named_layer(layer) for layer in reversed(named_layers(context)))
    return document(f"{DECLARATION}<StyledLayerDescriptor{attributes(ROOT)}>{inner}</StyledLayerDescriptor>")


def named_layers(context: OperationContext) -> list[Published]:
    """The layers that LAYERS names, in its order, groups taken apart. Raises ``OwsError``."""
    known = layers_by_name(context.project)
    found: dict[str, Published] = {}
    for name in params.LAYERS.required(context.request):
        if name not in known:
            raise OwsError("LayerNotDefined", f"The layer '{name[:80]}' does not exist.", locator="LAYERS")
        found |= {layer.id: layer for layer in known[name]}
    return list(found.values())


def _named_layer(layer: Published) -> str:
    """Tables have no style (measured)."""
    styles = "".join(_user_styles(layer)) if isinstance(layer, VectorLayer) and layer.has_geometry else ""
    return f"<NamedLayer>{element('se:Name', layer.published)}{styles}</NamedLayer>"


def _user_styles(layer: VectorLayer) -> Iterator[str]:
    hidden = frozenset(config.name for config in layer.fields if config.hidden_wms)
    for name in sorted(layer.styles):
        style = feature_type_style(layer.styles[name], hidden)
        yield f"<UserStyle>{element('se:Name', name)}{style}</UserStyle>"
