"""GetCapabilities of WFS 2.0: what of the standard there is, and what is not claimed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qgserver.geo.crs import parse_crs
from qgserver.ows.documents import URL
from qgserver.ows.festime import OPERATORS
from qgserver.ows.names import QGS
from qgserver.ows.operations import SERVICES
from qgserver.ows.wfs.capabilitiesparts import (
    POST_ONLY,
    Offer,
    keywords,
    lines,
    outwards,
    provider,
    title,
)
from qgserver.ows.wfs.featuretype import FeatureType
from qgserver.ows.wfs.formats import mime_types
from qgserver.ows.wfs.querystore import LANGUAGES
from qgserver.ows.xmlio import DECLARATION, attributes, escape, optional, quote

_ROOT = (
    DECLARATION + '<WFS_Capabilities version="2.0.0" updateSequence="0" xmlns="http://www.opengis.net/wfs/2.0"'
    ' xmlns:wfs="http://www.opengis.net/wfs/2.0"'
    ' xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:fes="http://www.opengis.net/fes/2.0"'
    ' xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:xs="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://www.opengis.net/wfs/2.0 http://schemas.opengis.net/wfs/2.0/wfs.xsd">\n'
)

_GML32 = "application/gml+xml; version=3.2"
_RESOLVE = ("none", "local")
_PARAMETERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "GetCapabilities": {"AcceptVersions": SERVICES["WFS"].versions[::-1], "AcceptFormats": ("text/xml",)},
    "DescribeFeatureType": {"outputFormat": (_GML32, "text/xml; subtype=gml/3.2")},
    "GetFeature": {"resultType": ("results", "hits"), "resolve": _RESOLVE},
    "GetPropertyValue": {"outputFormat": (_GML32,), "resolve": _RESOLVE},
    "Transaction": {"inputFormat": (_GML32,)},
    "CreateStoredQuery": {"language": LANGUAGES},
}
"""Parameters of operations and the values they may have (clause 8.3.5.4, table 12)."""

_CLASSES: Mapping[str, bool] = {
    "ImplementsBasicWFS": True,
    "ImplementsTransactionalWFS": False,
    "ImplementsLockingWFS": False,
    "KVPEncoding": True,
    "XMLEncoding": True,
    "SOAPEncoding": False,
    "ImplementsInheritance": False,
    "ImplementsRemoteResolve": False,
    "ImplementsResultPaging": True,
    "ImplementsStandardJoins": False,
    "ImplementsSpatialJoins": False,
    "ImplementsTemporalJoins": False,
    "ImplementsFeatureVersioning": False,
    "ManageStoredQueries": False,
    "PagingIsTransactionSafe": False,
}
"""Conformance classes (table 13) and constraints (14). There is no ``CountDefault``: who asks for all gets all."""

_FILTER_CLASSES: Mapping[str, bool] = {
    "ImplementsQuery": True,
    "ImplementsAdHocQuery": True,
    "ImplementsFunctions": True,
    "ImplementsResourceId": True,
    "ImplementsMinStandardFilter": True,
    "ImplementsStandardFilter": True,
    "ImplementsMinSpatialFilter": True,
    "ImplementsSpatialFilter": True,
    "ImplementsMinTemporalFilter": True,
    "ImplementsTemporalFilter": True,
    "ImplementsVersionNav": False,
    "ImplementsSorting": True,
    "ImplementsExtendedOperators": False,
    "ImplementsMinimumXPath": True,
    "ImplementsSchemaElementFunc": False,
}
_COMPARISONS = (
    *("PropertyIsEqualTo", "PropertyIsNotEqualTo", "PropertyIsLessThan", "PropertyIsGreaterThan"),
    *("PropertyIsLessThanOrEqualTo", "PropertyIsGreaterThanOrEqualTo"),
    *("PropertyIsLike", "PropertyIsNull", "PropertyIsNil", "PropertyIsBetween"),
)
_OPERANDS = (
    *("Point", "LineString", "Polygon", "Curve", "Surface"),
    *("MultiPoint", "MultiCurve", "MultiSurface", "MultiGeometry", "Envelope"),
)
_RELATIONS = (
    *("BBOX", "Equals", "Disjoint", "Intersects", "Touches", "Crosses"),
    *("Within", "Contains", "Overlaps", "DWithin", "Beyond"),
)
_TEMPORAL = tuple(name for name in OPERATORS if name != "AnyInteracts")
"""The schema knows AnyInteracts in filters but not here."""


def capabilities_200(offer: Offer) -> str:
    """The document."""
    service = offer.project.service
    versions = "".join(
        f" <ows:ServiceTypeVersion>{version}</ows:ServiceTypeVersion>\n" for version in SERVICES["WFS"].versions[::-1]
    )
    return _ROOT + lines(
        (
            "<ows:ServiceIdentification>",
            f" <ows:Title>{escape(title(offer.project))}</ows:Title>",
            optional("ows:Abstract", service.abstract),
            keywords(service.keywords),
            " <ows:ServiceType>WFS</ows:ServiceType>",
            versions.rstrip("\n"),
            f" <ows:Fees>{escape(service.fees or 'None')}</ows:Fees>",
            f" <ows:AccessConstraints>{escape(service.access_constraints or 'None')}</ows:AccessConstraints>",
            "</ows:ServiceIdentification>",
            provider(offer.project, required=True),
            "<ows:OperationsMetadata>",
            *(_operation(name) for name in offer.requests),
            ' <ows:Parameter name="version"><ows:AllowedValues>'
            + "".join(f"<ows:Value>{version}</ows:Value>" for version in SERVICES["WFS"].versions[::-1])
            + "</ows:AllowedValues></ows:Parameter>",
            *_constraints("ows", _claims(offer)),
            "</ows:OperationsMetadata>",
            "<FeatureTypeList>",
            *(_feature_type(kind, offer) for kind in offer.types),
            "</FeatureTypeList>",
            _filter_capabilities(),
            "</WFS_Capabilities>",
        )
    )


def _claims(offer: Offer) -> Mapping[str, bool]:
    """The classes, without transactions where no type can be changed, with what the administrator allows."""
    editable = any(offer.edits(kind) for kind in offer.types)
    managed = "CreateStoredQuery" in offer.requests
    return {**_CLASSES, "ImplementsTransactionalWFS": editable, "ManageStoredQueries": managed}


def _operation(name: str) -> str:
    methods = ("Post",) if name in POST_ONLY else ("Get", "Post")
    doors = "".join(f'<ows:{method} xlink:href="{URL}"/>' for method in methods)
    parameters = dict(_PARAMETERS.get(name, {}))
    if name == "GetFeature":
        parameters["outputFormat"] = mime_types("2.0.0")
    return lines(
        (
            f' <ows:Operation name="{name}">',
            f"  <ows:DCP><ows:HTTP>{doors}</ows:HTTP></ows:DCP>",
            *(_parameter(parameter, values) for parameter, values in parameters.items()),
            " </ows:Operation>",
        )
    ).rstrip("\n")


def _parameter(name: str, values: Iterable[str]) -> str:
    allowed = "".join(f"<ows:Value>{escape(value)}</ows:Value>" for value in values)
    return f"  <ows:Parameter name={quote(name)}><ows:AllowedValues>{allowed}</ows:AllowedValues></ows:Parameter>"


def _constraints(prefix: str, values: Mapping[str, bool]) -> list[str]:
    return [
        f' <{prefix}:Constraint name="{name}"><ows:NoValues/>'
        f"<ows:DefaultValue>{str(value).upper()}</ows:DefaultValue></{prefix}:Constraint>"
        for name, value in values.items()
    ]


def _feature_type(kind: FeatureType, offer: Offer) -> str:
    layer, box = kind.layer, offer.boxes.get(kind.name)
    own = layer.crs.urn if layer.crs and layer.has_geometry else ""
    listed = [
        crs for name in offer.project.listed_crs() if (crs := parse_crs(name)) is not None and crs.urn not in ("", own)
    ]
    corners = outwards(box) if box else ()
    return lines(
        (
            " <FeatureType>",
            # Clients take the name as a text, and use the one they know from other versions: it has no prefix, but its
            # own default namespace, so that it is the qualified name it must be.
            f'  <wfs:Name xmlns="{QGS}">{kind.name}</wfs:Name>',
            f"  <Title>{escape(layer.title or layer.name)}</Title>",
            optional("Abstract", layer.abstract),
            keywords(layer.keywords),
            f"  <DefaultCRS>{escape(own)}</DefaultCRS>" if own else "  <NoCRS/>",
            *(f"  <OtherCRS>{escape(crs.urn)}</OtherCRS>" for crs in listed if own),
            "  <ows:WGS84BoundingBox>"
            f"<ows:LowerCorner>{corners[0]} {corners[1]}</ows:LowerCorner>"
            f"<ows:UpperCorner>{corners[2]} {corners[3]}</ows:UpperCorner></ows:WGS84BoundingBox>"
            if corners
            else "",
            *(f"  <MetadataURL{attributes({'xlink:href': link.url})}/>" for link in layer.metadata_urls if link.url),
            " </FeatureType>",
        )
    ).rstrip("\n")


def _filter_capabilities() -> str:
    def operators(kind: str, names: Iterable[str]) -> str:
        return "".join(f'<fes:{kind}Operator name="{name}"/>' for name in names)

    def operands(kind: str, names: Iterable[str]) -> str:
        return "".join(f'<fes:{kind}Operand name="gml:{name}"/>' for name in names)

    return lines(
        (
            "<fes:Filter_Capabilities>",
            " <fes:Conformance>",
            *_constraints("fes", _FILTER_CLASSES),
            " </fes:Conformance>",
            ' <fes:Id_Capabilities><fes:ResourceIdentifier name="fes:ResourceId"/></fes:Id_Capabilities>',
            " <fes:Scalar_Capabilities>",
            "  <fes:LogicalOperators/>",
            f"  <fes:ComparisonOperators>{operators('Comparison', _COMPARISONS)}</fes:ComparisonOperators>",
            " </fes:Scalar_Capabilities>",
            " <fes:Spatial_Capabilities>",
            f"  <fes:GeometryOperands>{operands('Geometry', _OPERANDS)}</fes:GeometryOperands>",
            f"  <fes:SpatialOperators>{operators('Spatial', _RELATIONS)}</fes:SpatialOperators>",
            " </fes:Spatial_Capabilities>",
            " <fes:Temporal_Capabilities>",
            f"  <fes:TemporalOperands>{operands('Temporal', ('TimeInstant', 'TimePeriod'))}</fes:TemporalOperands>",
            f"  <fes:TemporalOperators>{operators('Temporal', _TEMPORAL)}</fes:TemporalOperators>",
            " </fes:Temporal_Capabilities>",
            _functions(),
            "</fes:Filter_Capabilities>",
        )
    ).rstrip("\n")


def _functions() -> str:
    """The functions that clients may call. QGIS's have no fixed types: anything may come and go."""
    from qgserver.expression.function import functions
    from qgserver.expression.functions import load_all

    load_all()
    known = {found.names[0]: found for _, found in functions.items() if found.client_safe}
    written = []
    for name in sorted(name for name in known if name.isidentifier()):
        parameters = "".join(
            f"<fes:Argument name={quote(parameter.name)}><fes:Type>xs:anyType</fes:Type></fes:Argument>"
            for parameter in known[name].parameters
        )
        arguments = f"<fes:Arguments>{parameters}</fes:Arguments>" if parameters else ""
        written.append(f'  <fes:Function name="{name}"><fes:Returns>xs:anyType</fes:Returns>{arguments}</fes:Function>')
    return lines((" <fes:Functions>", *written, " </fes:Functions>")).rstrip("\n")
