"""DescribeFeatureType: the XML Schema of published types."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from qgserver.errors import OwsError, ProviderError
from qgserver.ows.gmlread import local_name
from qgserver.ows.names import GEOMETRY, QGS
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wfs.featuretype import (
    FeatureType,
    Property,
    feature_types,
    find_type,
    geometry_property_type,
    geometry_type,
    properties,
)
from qgserver.ows.wfs.params import V2, read_parameters, require_version, words
from qgserver.ows.wfs.query import type_name
from qgserver.ows.xmlio import attributes
from qgserver.project.layersource import open_layer
from qgserver.web.response import Response, document
from qgserver.web.xmlbody import parse

log = logging.getLogger("qgserver")


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How one version of GML describes types. ``gml``: which column of geometry types. ``aliases``: elements have
    QGIS's attribute ``alias``, which no XML Schema allows. ``optional``: what may be nil may be left out as well."""

    gml: int
    namespace: str
    schema: str
    base: str
    aliases: bool = True
    optional: bool = False


_GML = "http://www.opengis.net/gml"
_SCHEMAS = "http://schemas.opengis.net/gml"
_GML2 = _Dialect(2, _GML, f"{_SCHEMAS}/2.1.2/feature.xsd", "gml:_Feature")
_GML3 = _Dialect(3, _GML, f"{_SCHEMAS}/3.1.1/base/gml.xsd", "gml:_Feature")
_GML32 = _Dialect(32, f"{_GML}/3.2", f"{_SCHEMAS}/3.2.1/gml.xsd", "gml:AbstractFeature", aliases=False, optional=True)

_FORMATS = {
    "gml2": _GML2,
    "text/xml;subtype=gml/2.1.2": _GML2,
    "gml3": _GML3,
    "text/xml;subtype=gml/3.1.1": _GML3,
    "gml32": _GML32,
    "text/xml;subtype=gml/3.2": _GML32,
    "text/xml;subtype=gml/3.2.1": _GML32,
    "application/gml+xml;version=3.2": _GML32,
    "application/gml+xml;version=3.2.1": _GML32,
}
_DEFAULTS = {
    "1.0.0": {"": _GML2, "xmlschema": _GML2},
    "1.1.0": {"": _GML3, "xmlschema": _GML2},  # measured
    "2.0.0": {"": _GML32, "xmlschema": _GML32},
}
"""What is described when OUTPUTFORMAT does not say it."""


@operation("WFS", "DescribeFeatureType")
def describe_feature_type(context: OperationContext) -> Response:
    """The schema of the types asked for, of all when none is named."""
    require_version(context.request)
    params = read_parameters(context.request.params, context.version)
    spaces = dict(params.namespaces) if context.version == V2 else None
    names = [type_name(name, spaces) for group in params.type_names for name in words(group)]
    if context.request.is_xml:
        elements = parse(context.request.body)
        names += [
            type_name(element.text or "", element.nsmap if context.version == V2 else None)
            for element in elements
            if local_name(element) == "TypeName"
        ]
    dialect = _dialect(params.output_format, context.version)
    if names:
        kinds = [find_type(context.project, name) for name in dict.fromkeys(names)]
        described = [_describe(context, kind) for kind in kinds]
    else:
        described = [found for kind in feature_types(context.project).values() if (found := _try(context, kind))]
    return document(schema_document(described, dialect))


def _dialect(output_format: str, version: str) -> _Dialect:
    key = "".join(output_format.lower().replace("gml xml", "gml+xml").split())  # an unescaped "+" arrives as a blank
    found = (_FORMATS | _DEFAULTS[version]).get(key)
    if found is None or (found is _GML32 and version != V2):
        raise OwsError(
            "InvalidParameterValue", f"The output format {output_format[:80]} is not supported.", locator="outputFormat"
        )
    return found


@dataclass(frozen=True, slots=True)
class Described:
    """A type with what only its source knows."""

    type: FeatureType
    geometry_type: str
    properties: tuple[Property, ...]


def _describe(context: OperationContext, kind: FeatureType) -> Described:
    schema = open_layer(context.project, kind.layer, context.sources).schema()
    return Described(kind, geometry_type(kind.layer, schema), properties(kind.layer, schema))


def _try(context: OperationContext, kind: FeatureType) -> Described | None:
    """A layer whose source is down fails only requests that name it."""
    try:
        return _describe(context, kind)
    except ProviderError as error:
        log.warning("DescribeFeatureType leaves out layer %s: %s %s", kind.layer.name, error.message, error.detail)
        return None


def schema_document(types: Sequence[Described], dialect: _Dialect) -> str:
    """The schema. Like QGIS's it has no XML declaration."""
    head = (
        '<schema version="1.0" elementFormDefault="qualified"'
        f' targetNamespace="{QGS}" xmlns="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:gml="{dialect.namespace}" xmlns:qgs="{QGS}"'
        ' xmlns:ogc="http://www.opengis.net/ogc">\n'
        f' <import namespace="{dialect.namespace}" schemaLocation="{dialect.schema}"/>\n'
    )
    return head + "".join(_type(described, dialect) for described in types) + "</schema>\n"


def _type(described: Described, dialect: _Dialect) -> str:
    name = described.type.name
    lines = [
        f' <element name="{name}" type="qgs:{name}Type" substitutionGroup="{dialect.base}"/>',
        f' <complexType name="{name}Type">',
        "  <complexContent>",
        '   <extension base="gml:AbstractFeatureType">',
        "    <sequence>",
    ]
    geometry = geometry_property_type(described.geometry_type, dialect.gml)
    if geometry:
        lines.append(f'     <element name="{GEOMETRY}" type="gml:{geometry}" minOccurs="0" maxOccurs="1"/>')
    own = [item for item in described.properties if not (dialect is _GML32 and item.standard)]
    lines += [f"     <element{attributes(_element(item, dialect))}/>" for item in own]
    lines += ["    </sequence>", "   </extension>", "  </complexContent>", " </complexType>"]
    return "\n".join(lines) + "\n"


def _element(item: Property, dialect: _Dialect) -> dict[str, str]:
    out = {"name": item.name, "type": item.xml_type}
    if item.nillable:
        out["nillable"] = "true"
        if dialect.optional:
            out["minOccurs"] = "0"
    if item.alias and dialect.aliases:
        out["alias"] = item.alias
    return out
