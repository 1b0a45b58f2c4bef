"""DescribeFeatureType: the XML Schema of published types."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from qgserver.errors import OwsError, ProviderError
from qgserver.ows.fes import bare_name
from qgserver.ows.gmlread import local_name
from qgserver.ows.names import GEOMETRY
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
from qgserver.ows.wfs.params import read_parameters, require_version
from qgserver.ows.xmlio import attributes
from qgserver.project.layersource import open_layer
from qgserver.web.response import Response, document
from qgserver.web.xmlbody import parse

log = logging.getLogger("qgserver")

QGS = "http://www.qgis.org/gml"
"""Namespace of all feature types."""

_GML_SCHEMAS = {
    2: "http://schemas.opengis.net/gml/2.1.2/feature.xsd",
    3: "http://schemas.opengis.net/gml/3.1.1/base/gml.xsd",
}

_FORMATS = {"xmlschema": 2, "gml2": 2, "text/xml;subtype=gml/2.1.2": 2, "gml3": 3, "text/xml;subtype=gml/3.1.1": 3}
_DEFAULTS = {"1.0.0": 2, "1.1.0": 3}
"""GML version of the schema when OUTPUTFORMAT is not given."""


@operation("WFS", "DescribeFeatureType")
def describe_feature_type(context: OperationContext) -> Response:
    """The schema of the types asked for, of all when none is named."""
    require_version(context.request)
    params = read_parameters(context.request.params)
    names = list(params.type_names)
    if context.request.is_xml:
        elements = parse(context.request.body)
        names += [element.text or "" for element in elements if local_name(element) == "TypeName"]
    gml = _gml_version(params.output_format, context.version)
    if names:
        kinds = [find_type(context.project, bare_name(name)) for name in dict.fromkeys(names)]
        described = [_describe(context, kind) for kind in kinds]
    else:
        described = [found for kind in feature_types(context.project).values() if (found := _try(context, kind))]
    return document(schema_document(described, gml))


def _gml_version(output_format: str, version: str) -> int:
    key = "".join(output_format.lower().split())
    found = _FORMATS.get(key) if key else _DEFAULTS[version]
    if found is None:
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


def schema_document(types: Sequence[Described], gml: int) -> str:
    """The schema. Like QGIS's it has no XML declaration, and ``alias`` on elements whose field has one."""
    head = (
        '<schema version="1.0" elementFormDefault="qualified"'
        f' targetNamespace="{QGS}" xmlns="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:gml="http://www.opengis.net/gml" xmlns:qgs="{QGS}"'
        ' xmlns:ogc="http://www.opengis.net/ogc">\n'
        f' <import namespace="http://www.opengis.net/gml" schemaLocation="{_GML_SCHEMAS[gml]}"/>\n'
    )
    return head + "".join(_type(described, gml) for described in types) + "</schema>\n"


def _type(described: Described, gml: int) -> str:
    name = described.type.name
    lines = [
        f' <element name="{name}" type="qgs:{name}Type" substitutionGroup="gml:_Feature"/>',
        f' <complexType name="{name}Type">',
        "  <complexContent>",
        '   <extension base="gml:AbstractFeatureType">',
        "    <sequence>",
    ]
    geometry = geometry_property_type(described.geometry_type, gml)
    if geometry:
        lines.append(f'     <element name="{GEOMETRY}" type="gml:{geometry}" minOccurs="0" maxOccurs="1"/>')
    lines += [f"     <element{attributes(_element(item))}/>" for item in described.properties]
    lines += ["    </sequence>", "   </extension>", "  </complexContent>", " </complexType>"]
    return "\n".join(lines) + "\n"


def _element(item: Property) -> dict[str, str]:
    out = {"name": item.name, "type": item.xml_type}
    if item.nillable:
        out["nillable"] = "true"
    if item.alias:
        out["alias"] = item.alias
    return out
