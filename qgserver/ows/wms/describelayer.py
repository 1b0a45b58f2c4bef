"""DescribeLayer: where the features behind layers can be had (SLD 1.1.0 clause 12)."""

from __future__ import annotations

from qgserver.errors import OwsError
from qgserver.ows.names import xml_name
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wms.getstyles import named_layers, xml_formats
from qgserver.ows.wms.params import parameter, text
from qgserver.ows.wms.published import Published
from qgserver.ows.xmlio import DECLARATION, attributes, element
from qgserver.project.model import VectorLayer
from qgserver.web.response import Response, document

ROOT = {
    "xmlns": "http://www.opengis.net/sld",
    "xmlns:ows": "http://www.opengis.net/ows",
    "xmlns:se": "http://www.opengis.net/se",
    "xmlns:xlink": "http://www.w3.org/1999/xlink",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:schemaLocation": "http://www.opengis.net/sld http://schemas.opengis.net/sld/1.1.0/DescribeLayer.xsd",
}
VERSION = "1.1.0"
SLD_VERSION = parameter("SLD_VERSION", text, "", "1.1.0; required by DescribeLayer.")


@operation("WMS", "DescribeLayer", formats=xml_formats)
def describe_layer(context: OperationContext) -> Response:
    """The feature types or coverages of the layers of LAYERS."""
    if SLD_VERSION.required(context.request) != VERSION:
        raise OwsError("InvalidParameterValue", f"SLD_VERSION must be {VERSION}.", locator="SLD_VERSION")
    wfs = context.project.wfs
    url = wfs.url or context.service_url
    layers = named_layers(context)
    inner = "".join(_description(layer, url if layer.id in wfs.layers else "") for layer in layers)
    head = f"<DescribeLayerResponse{attributes(ROOT)}>{element('Version', VERSION)}"
    return document(f"{DECLARATION}{head}{inner}</DescribeLayerResponse>")


def _description(layer: Published, url: str) -> str:
    """One layer; ``url`` is "" when no service has its features."""
    kind, tag = ("wfs", "se:FeatureTypeName") if isinstance(layer, VectorLayer) else ("wcs", "se:CoverageName")
    link = attributes({"xlink:type": "simple"} | ({"xlink:href": url} if url else {}))
    name = element(tag, xml_name(layer.short_name or layer.name))
    inner = f"{element('owsType', kind)}<se:OnlineResource{link}/><TypeName>{name}</TypeName>"
    return f"<LayerDescription>{inner}</LayerDescription>"
