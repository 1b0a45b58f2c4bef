"""GetCapabilities; 1.0.0 and 1.1.0 are written here. Of the data sources only the boxes of features are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qgserver.ows.documents import URL
from qgserver.ows.operations import SERVICES, OperationContext, operation, operations
from qgserver.ows.wfs.capabilities200 import capabilities_200
from qgserver.ows.wfs.capabilitiesparts import (
    METADATA_FORMATS_100,
    METADATA_FORMATS_110,
    METADATA_TYPES_100,
    METADATA_TYPES_110,
    POST_ONLY,
    Offer,
    authid,
    geographic_box,
    keywords,
    lines,
    metadata_url,
    outwards,
    provider,
    title,
)
from qgserver.ows.wfs.featuretype import FeatureType, feature_types
from qgserver.ows.wfs.formats import mime_types
from qgserver.ows.xmlio import DECLARATION, element, escape, optional, quote
from qgserver.project.currentextents import CurrentExtents
from qgserver.web.response import Response, document


@operation("WFS", "GetCapabilities")
def get_capabilities(context: OperationContext) -> Response:
    """The capabilities in the negotiated version."""
    version, project = context.version, context.project
    extents = CurrentExtents(project, context.sources)

    def build() -> str:
        left_out = () if context.settings.stored_queries else ("CreateStoredQuery", "DropStoredQuery")
        names = tuple(found.name for found in operations("WFS", version) if found.name not in left_out)
        types = tuple(feature_types(project).values())
        boxes = {kind.name: box for kind in types if (box := geographic_box(kind.layer, extents)) is not None}
        return WRITERS[version](Offer(project, types, names, boxes))

    key = ("WFS", version, "capabilities")
    text = context.documents.get(project, key, context.service_url, build, lambda: extents.complete)
    return document(text)


_ROOT = (
    DECLARATION + '<WFS_Capabilities version="{version}" updateSequence="0" xmlns="http://www.opengis.net/wfs"'
    ' xmlns:ows="http://www.opengis.net/ows" xmlns:ogc="http://www.opengis.net/ogc"'
    ' xmlns:gml="http://www.opengis.net/gml" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://www.opengis.net/wfs http://schemas.opengis.net/wfs/{schema}">\n'
)


# -- 1.0.0 ----------------------------------------------------------------------------------------------------------

_FILTER_100 = """<ogc:Filter_Capabilities>
 <ogc:Spatial_Capabilities>
  <ogc:Spatial_Operators><ogc:BBOX/><ogc:Equals/><ogc:Disjoint/><ogc:Intersect/><ogc:Touches/><ogc:Crosses/>\
<ogc:Within/><ogc:Contains/><ogc:Overlaps/><ogc:Beyond/><ogc:DWithin/></ogc:Spatial_Operators>
 </ogc:Spatial_Capabilities>
 <ogc:Scalar_Capabilities>
  <ogc:Logical_Operators/>
  <ogc:Comparison_Operators><ogc:Simple_Comparisons/><ogc:Like/><ogc:Between/><ogc:NullCheck/></ogc:Comparison_Operators>
  <ogc:Arithmetic_Operators><ogc:Simple_Arithmetic/></ogc:Arithmetic_Operators>
 </ogc:Scalar_Capabilities>
</ogc:Filter_Capabilities>"""

# The schema knows GML2 alone as a ResultFormat; the other formats are told by WFS 1.1.0 and by QGIS's documentation.
_CONTENT_100 = {
    "DescribeFeatureType": "<SchemaDescriptionLanguage><XMLSCHEMA/></SchemaDescriptionLanguage>",
    "GetFeature": "<ResultFormat><GML2/></ResultFormat>",
}


def _capabilities_100(offer: Offer) -> str:
    service = offer.project.service
    return _ROOT.format(version="1.0.0", schema="1.0.0/WFS-capabilities.xsd") + lines(
        (
            "<Service>",
            " <Name>WFS</Name>",
            f" <Title>{escape(title(offer.project))}</Title>",
            optional("Abstract", service.abstract),
            optional("Keywords", ", ".join(service.keywords)),
            f" <OnlineResource>{escape(service.online_resource) or URL}</OnlineResource>",
            optional("Fees", service.fees),
            optional("AccessConstraints", service.access_constraints),
            "</Service>",
            "<Capability>",
            " <Request>",
            *(_request_100(name) for name in offer.requests),
            " </Request>",
            "</Capability>",
            "<FeatureTypeList>",
            " <Operations><Query/></Operations>",
            *(_type_100(kind, offer) for kind in offer.types),
            "</FeatureTypeList>",
            _FILTER_100,
            "</WFS_Capabilities>",
        )
    )


def _request_100(name: str) -> str:
    methods = ("Post",) if name in POST_ONLY else ("Get", "Post")
    doors = "".join(f'<DCPType><HTTP><{method} onlineResource="{URL}"/></HTTP></DCPType>' for method in methods)
    return f"  <{name}>{_CONTENT_100.get(name, '')}{doors}</{name}>"


def _type_100(kind: FeatureType, offer: Offer) -> str:
    layer, box = kind.layer, offer.boxes.get(kind.name)
    corners = dict(zip(("minx", "miny", "maxx", "maxy"), outwards(box), strict=True)) if box else None
    return lines(
        (
            " <FeatureType>",
            f"  <Name>{kind.name}</Name>",
            f"  <Title>{escape(layer.title or layer.name)}</Title>",
            optional("Abstract", layer.abstract),
            optional("Keywords", ", ".join(layer.keywords)),
            # The schema wants the element of tables, too; OWSLib fails where it is empty.
            f"  <SRS>{escape(authid(kind) or 'EPSG:4326')}</SRS>",
            f"  <Operations><Query/>{''.join(f'<{edit}/>' for edit in offer.edits(kind))}</Operations>",
            element("LatLongBoundingBox", "", **corners) if corners else "",
            *(metadata_url(link, METADATA_TYPES_100, METADATA_FORMATS_100) for link in layer.metadata_urls),
            " </FeatureType>",
        )
    ).rstrip("\n")


# -- 1.1.0 ----------------------------------------------------------------------------------------------------------

_OPERANDS = ("Point", "LineString", "Polygon", "Envelope")
_RELATIONS = (
    *("Equals", "Disjoint", "Touches", "Within", "Overlaps", "Crosses", "Intersects", "Contains"),
    *("DWithin", "Beyond", "BBOX"),
)
_COMPARISONS = (
    *("LessThan", "GreaterThan", "LessThanEqualTo", "GreaterThanEqualTo", "EqualTo", "NotEqualTo"),
    *("Like", "Between", "NullCheck"),
)
_FILTER_110 = """<ogc:Filter_Capabilities>
 <ogc:Spatial_Capabilities>
  <ogc:GeometryOperands>{operands}</ogc:GeometryOperands>
  <ogc:SpatialOperators>{spatial}</ogc:SpatialOperators>
 </ogc:Spatial_Capabilities>
 <ogc:Scalar_Capabilities>
  <ogc:LogicalOperators/>
  <ogc:ComparisonOperators>{comparisons}</ogc:ComparisonOperators>
  <ogc:ArithmeticOperators><ogc:SimpleArithmetic/></ogc:ArithmeticOperators>
 </ogc:Scalar_Capabilities>
 <ogc:Id_Capabilities><ogc:EID/><ogc:FID/></ogc:Id_Capabilities>
</ogc:Filter_Capabilities>""".format(
    operands="".join(f"<ogc:GeometryOperand>gml:{name}</ogc:GeometryOperand>" for name in _OPERANDS),
    spatial="".join(f'<ogc:SpatialOperator name="{name}"/>' for name in _RELATIONS),
    comparisons="".join(f"<ogc:ComparisonOperator>{name}</ogc:ComparisonOperator>" for name in _COMPARISONS),
)

_GML_FORMATS = ("text/xml; subtype=gml/2.1.2", "text/xml; subtype=gml/3.1.1")


def _parameters_110(name: str) -> dict[str, tuple[str, ...]]:
    table: dict[str, dict[str, tuple[str, ...]]] = {
        "GetCapabilities": {
            "service": ("WFS",),
            "AcceptVersions": SERVICES["WFS"].versions[::-1],
            "AcceptFormats": ("text/xml",),
        },
        "DescribeFeatureType": {"outputFormat": ("XMLSCHEMA", *_GML_FORMATS)},
        "GetFeature": {
            "outputFormat": mime_types("1.1.0"),
            "resultType": ("results", "hits"),
        },
        "Transaction": {"inputFormat": _GML_FORMATS},
    }
    return table.get(name, {})


def _capabilities_110(offer: Offer) -> str:
    service = offer.project.service
    return _ROOT.format(version="1.1.0", schema="1.1.0/wfs.xsd") + lines(
        (
            "<ows:ServiceIdentification>",
            f" <ows:Title>{escape(title(offer.project))}</ows:Title>",
            optional("ows:Abstract", service.abstract),
            keywords(service.keywords),
            " <ows:ServiceType>WFS</ows:ServiceType>",
            " <ows:ServiceTypeVersion>1.1.0</ows:ServiceTypeVersion>",
            f" <ows:Fees>{escape(service.fees or 'None')}</ows:Fees>",
            f" <ows:AccessConstraints>{escape(service.access_constraints or 'None')}</ows:AccessConstraints>",
            "</ows:ServiceIdentification>",
            provider(offer.project),
            "<ows:OperationsMetadata>",
            *(_operation_110(name) for name in offer.requests),
            "</ows:OperationsMetadata>",
            "<FeatureTypeList>",
            " <Operations><Operation>Query</Operation></Operations>",
            *(_type_110(kind, offer) for kind in offer.types),
            "</FeatureTypeList>",
            _FILTER_110,
            "</WFS_Capabilities>",
        )
    )


def _operation_110(name: str) -> str:
    methods = ("Post",) if name in POST_ONLY else ("Get", "Post")
    doors = "".join(f'<ows:{method} xlink:href="{URL}"/>' for method in methods)
    values = (
        f"  <ows:Parameter name={quote(parameter)}>"
        + "".join(f"<ows:Value>{escape(value)}</ows:Value>" for value in allowed)
        + "</ows:Parameter>"
        for parameter, allowed in _parameters_110(name).items()
    )
    start = f' <ows:Operation name="{name}">'
    return "\n".join((start, f"  <ows:DCP><ows:HTTP>{doors}</ows:HTTP></ows:DCP>", *values, " </ows:Operation>"))


def _type_110(kind: FeatureType, offer: Offer) -> str:
    layer, crs_name, box = kind.layer, authid(kind), offer.boxes.get(kind.name)
    corners = outwards(box) if box else ()
    others = [crs for crs in offer.project.listed_crs() if crs != crs_name] if crs_name else []
    return lines(
        (
            " <FeatureType>",
            f"  <Name>{kind.name}</Name>",
            f"  <Title>{escape(layer.title or layer.name)}</Title>",
            optional("Abstract", layer.abstract),
            keywords(layer.keywords),
            f"  <DefaultSRS>{escape(crs_name)}</DefaultSRS>" if crs_name else "  <NoSRS/>",
            *(f"  <OtherSRS>{escape(crs)}</OtherSRS>" for crs in others),
            "  <Operations>"
            + "".join(f"<Operation>{name}</Operation>" for name in ("Query", *offer.edits(kind)))
            + "</Operations>",
            '  <ows:WGS84BoundingBox dimensions="2">'
            f"<ows:LowerCorner>{corners[0]} {corners[1]}</ows:LowerCorner>"
            f"<ows:UpperCorner>{corners[2]} {corners[3]}</ows:UpperCorner></ows:WGS84BoundingBox>"
            if corners
            else "",
            *(metadata_url(link, METADATA_TYPES_110, METADATA_FORMATS_110) for link in layer.metadata_urls),
            " </FeatureType>",
        )
    ).rstrip("\n")


WRITERS: Mapping[str, Callable[[Offer], str]] = {
    "1.0.0": _capabilities_100,
    "1.1.0": _capabilities_110,
    "2.0.0": capabilities_200,
}
