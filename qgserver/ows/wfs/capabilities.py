"""GetCapabilities of WFS 1.0.0 and 1.1.0. Everything comes from the project: no data source is opened."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from qgserver.geo.crs import parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.transform import get_transform
from qgserver.ows.documents import URL
from qgserver.ows.operations import OperationContext, operation, operations
from qgserver.ows.wfs.featuretype import FeatureType, feature_types
from qgserver.ows.wfs.formats import formats
from qgserver.ows.xmlio import DECLARATION, element, escape, optional, quote
from qgserver.project.model import Link, Project, VectorLayer
from qgserver.web.response import Response, document


@dataclass(frozen=True, slots=True)
class _Offer:
    """What the document is written from. ``requests`` are the names of the operations there are."""

    project: Project
    types: tuple[FeatureType, ...]
    requests: tuple[str, ...]

    def edits(self, kind: FeatureType) -> tuple[str, ...]:
        """What WFS-T allows on a type, nothing as long as there is no Transaction."""
        return kind.operations if "Transaction" in self.requests else ()


@operation("WFS", "GetCapabilities")
def get_capabilities(context: OperationContext) -> Response:
    """The capabilities in the negotiated version."""
    version = context.version

    def build() -> str:
        names = tuple(found.name for found in operations("WFS", version))
        return WRITERS[version](_Offer(context.project, tuple(feature_types(context.project).values()), names))

    text = context.documents.get(context.project, ("WFS", version, "capabilities"), context.service_url, build)
    return document(text)


_ROOT = (
    DECLARATION + '<WFS_Capabilities version="{version}" updateSequence="0" xmlns="http://www.opengis.net/wfs"'
    ' xmlns:ows="http://www.opengis.net/ows" xmlns:ogc="http://www.opengis.net/ogc"'
    ' xmlns:gml="http://www.opengis.net/gml" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://www.opengis.net/wfs http://schemas.opengis.net/wfs/{schema}">\n'
)


def _lines(parts: Iterable[str]) -> str:
    return "".join(part + "\n" for part in parts if part)


# -- 1.0.0 ----------------------------------------------------------------------------------------------------------

_FILTER_100 = """<ogc:Filter_Capabilities>
 <ogc:Spatial_Capabilities>
  <ogc:Spatial_Operators><ogc:BBOX/><ogc:Equals/><ogc:Disjoint/><ogc:Intersect/><ogc:Touches/><ogc:Crosses/>\
<ogc:Within/><ogc:Contains/><ogc:Overlaps/></ogc:Spatial_Operators>
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
_POST_ONLY = ("Transaction",)


def _capabilities_100(offer: _Offer) -> str:
    service = offer.project.service
    return _ROOT.format(version="1.0.0", schema="1.0.0/WFS-capabilities.xsd") + _lines(
        (
            "<Service>",
            " <Name>WFS</Name>",
            f" <Title>{escape(_title(offer.project))}</Title>",
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
            *(_type_100(kind, offer.edits(kind)) for kind in offer.types),
            "</FeatureTypeList>",
            _FILTER_100,
            "</WFS_Capabilities>",
        )
    )


def _request_100(name: str) -> str:
    methods = ("Post",) if name in _POST_ONLY else ("Get", "Post")
    doors = "".join(f'<DCPType><HTTP><{method} onlineResource="{URL}"/></HTTP></DCPType>' for method in methods)
    return f"  <{name}>{_CONTENT_100.get(name, '')}{doors}</{name}>"


def _type_100(kind: FeatureType, edits: tuple[str, ...]) -> str:
    layer = kind.layer
    box = _geographic_box(layer)
    corners = dict(zip(("minx", "miny", "maxx", "maxy"), _outwards(box), strict=True)) if box else None
    return _lines(
        (
            " <FeatureType>",
            f"  <Name>{kind.name}</Name>",
            f"  <Title>{escape(layer.title or layer.name)}</Title>",
            optional("Abstract", layer.abstract),
            optional("Keywords", ", ".join(layer.keywords)),
            f"  <SRS>{escape(_authid(kind))}</SRS>",
            f"  <Operations><Query/>{''.join(f'<{edit}/>' for edit in edits)}</Operations>",
            element("LatLongBoundingBox", "", **corners) if corners else "",
            *(_metadata_url(link, _METADATA_TYPES_100, _METADATA_FORMATS_100) for link in layer.metadata_urls),
            " </FeatureType>",
        )
    ).rstrip("\n")


# -- 1.1.0 ----------------------------------------------------------------------------------------------------------

_OPERANDS = ("Point", "LineString", "Polygon", "Envelope")
_RELATIONS = ("Equals", "Disjoint", "Touches", "Within", "Overlaps", "Crosses", "Intersects", "Contains", "BBOX")
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
        "GetCapabilities": {"service": ("WFS",), "AcceptVersions": ("1.1.0", "1.0.0"), "AcceptFormats": ("text/xml",)},
        "DescribeFeatureType": {"outputFormat": ("XMLSCHEMA", *_GML_FORMATS)},
        "GetFeature": {
            "outputFormat": tuple(dict.fromkeys(found.mime for _, found in formats.items())),
            "resultType": ("results", "hits"),
        },
        "Transaction": {"inputFormat": _GML_FORMATS},
    }
    return table.get(name, {})


def _capabilities_110(offer: _Offer) -> str:
    service = offer.project.service
    return _ROOT.format(version="1.1.0", schema="1.1.0/wfs.xsd") + _lines(
        (
            "<ows:ServiceIdentification>",
            f" <ows:Title>{escape(_title(offer.project))}</ows:Title>",
            optional("ows:Abstract", service.abstract),
            _keywords(service.keywords),
            " <ows:ServiceType>WFS</ows:ServiceType>",
            " <ows:ServiceTypeVersion>1.1.0</ows:ServiceTypeVersion>",
            f" <ows:Fees>{escape(service.fees or 'None')}</ows:Fees>",
            f" <ows:AccessConstraints>{escape(service.access_constraints or 'None')}</ows:AccessConstraints>",
            "</ows:ServiceIdentification>",
            _provider(offer.project),
            "<ows:OperationsMetadata>",
            *(_operation_110(name) for name in offer.requests),
            "</ows:OperationsMetadata>",
            "<FeatureTypeList>",
            " <Operations><Operation>Query</Operation></Operations>",
            *(_type_110(kind, offer.edits(kind), offer.project.listed_crs()) for kind in offer.types),
            "</FeatureTypeList>",
            _FILTER_110,
            "</WFS_Capabilities>",
        )
    )


def _provider(project: Project) -> str:
    """``ows:ServiceProvider``; left out when nobody is named, for the schema wants a name and a contact."""
    contact = project.service.contact
    if not any((contact.organization, contact.person, contact.position, contact.phone, contact.mail)):
        return ""
    phone = f"<ows:Phone>{element('ows:Voice', contact.phone)}</ows:Phone>" if contact.phone else ""
    mail = element("ows:ElectronicMailAddress", contact.mail)
    info = phone + (f"<ows:Address>{mail}</ows:Address>" if contact.mail else "")
    return _lines(
        (
            "<ows:ServiceProvider>",
            f" <ows:ProviderName>{escape(contact.organization)}</ows:ProviderName>",
            " <ows:ServiceContact>",
            optional("ows:IndividualName", contact.person),
            optional("ows:PositionName", contact.position),
            f"  <ows:ContactInfo>{info}</ows:ContactInfo>" if info else "",
            "  <ows:Role>PointOfContact</ows:Role>",
            " </ows:ServiceContact>",
            "</ows:ServiceProvider>",
        )
    ).rstrip("\n")


def _operation_110(name: str) -> str:
    methods = ("Post",) if name in _POST_ONLY else ("Get", "Post")
    doors = "".join(f'<ows:{method} xlink:href="{URL}"/>' for method in methods)
    values = (
        f"  <ows:Parameter name={quote(parameter)}>"
        + "".join(f"<ows:Value>{escape(value)}</ows:Value>" for value in allowed)
        + "</ows:Parameter>"
        for parameter, allowed in _parameters_110(name).items()
    )
    start = f' <ows:Operation name="{name}">'
    return "\n".join((start, f"  <ows:DCP><ows:HTTP>{doors}</ows:HTTP></ows:DCP>", *values, " </ows:Operation>"))


def _type_110(kind: FeatureType, edits: tuple[str, ...], crs_list: tuple[str, ...]) -> str:
    layer, authid, box = kind.layer, _authid(kind), _geographic_box(kind.layer)
    corners = _outwards(box) if box else ()
    others = [crs for crs in crs_list if crs != authid] if authid else []
    return _lines(
        (
            " <FeatureType>",
            f"  <Name>{kind.name}</Name>",
            f"  <Title>{escape(layer.title or layer.name)}</Title>",
            optional("Abstract", layer.abstract),
            _keywords(layer.keywords),
            f"  <DefaultSRS>{escape(authid)}</DefaultSRS>" if authid else "  <NoSRS/>",
            *(f"  <OtherSRS>{escape(crs)}</OtherSRS>" for crs in others),
            "  <Operations>"
            + "".join(f"<Operation>{name}</Operation>" for name in ("Query", *edits))
            + "</Operations>",
            '  <ows:WGS84BoundingBox dimensions="2">'
            f"<ows:LowerCorner>{corners[0]} {corners[1]}</ows:LowerCorner>"
            f"<ows:UpperCorner>{corners[2]} {corners[3]}</ows:UpperCorner></ows:WGS84BoundingBox>"
            if corners
            else "",
            *(_metadata_url(link, _METADATA_TYPES_110, _METADATA_FORMATS_110) for link in layer.metadata_urls),
            " </FeatureType>",
        )
    ).rstrip("\n")


# -- both -----------------------------------------------------------------------------------------------------------

WRITERS: dict[str, Callable[[_Offer], str]] = {"1.0.0": _capabilities_100, "1.1.0": _capabilities_110}

# The vocabularies of MetadataURL are closed; what the project says in other words is translated or left out.
_METADATA_TYPES_100 = {"TC211": "TC211", "FGDC": "FGDC", "19115": "TC211", "19139": "TC211"}
_METADATA_TYPES_110 = {"TC211": "TC211", "FGDC": "FGDC", "19115": "19115", "19139": "19139"}
_METADATA_FORMATS_100 = {"text/xml": "XML", "application/xml": "XML", "text/plain": "TXT", "text/sgml": "SGML"}
_METADATA_FORMATS_110 = {
    "text/xml": "text/xml",
    "application/xml": "text/xml",
    "text/html": "text/html",
    "text/plain": "text/plain",
    "text/sgml": "text/sgml",
}


def _metadata_url(link: Link, types: dict[str, str], kinds: dict[str, str]) -> str:
    kind = types.get(link.type.upper().removeprefix("ISO").removeprefix(":"))
    form = kinds.get(link.format)
    return element("MetadataURL", link.url, type=kind, format=form) if link.url and kind and form else ""


def _title(project: Project) -> str:
    return project.service.title or project.title or "Untitled"


def _authid(kind: FeatureType) -> str:
    return kind.layer.crs.authid if kind.layer.crs else ""


def _geographic_box(layer: VectorLayer) -> Extent | None:
    """The extent in longitude and latitude that the project file has, or that of its extent in the layer's CRS."""
    box = layer.wgs84_extent
    if (box is None or box.is_empty) and layer.extent is not None and not layer.extent.is_empty and layer.crs:
        transform = get_transform(layer.crs, parse_crs("EPSG:4326"))
        box = layer.extent if transform is None else transform.extent(layer.extent)
    return box if box is not None and not box.is_empty and layer.has_geometry else None


def _keywords(words: tuple[str, ...]) -> str:
    if not words:
        return ""
    return "  <ows:Keywords>" + "".join(element("ows:Keyword", word) for word in words) + "</ows:Keywords>"


def _outwards(box: Extent) -> tuple[str, str, str, str]:
    """The box with 6 decimals that still holds it all."""

    def text(value: float, rounding: Callable[[float], int]) -> str:
        # A box that is exact to 6 decimals stays as it is, whatever float arithmetic makes of it.
        scaled = value * 1e6
        exact = round(scaled)
        number = (exact if abs(scaled - exact) < 1e-3 else rounding(scaled)) / 1e6
        return f"{number:.6f}".rstrip("0").rstrip(".")

    west, south, east, north = box.as_tuple()
    return text(west, math.floor), text(south, math.floor), text(east, math.ceil), text(north, math.ceil)
