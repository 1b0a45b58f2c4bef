"""GetCapabilities: 1.1.1 (DTD) and 1.3.0 (schema)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from qgserver.ows.documents import PREFIX, URL
from qgserver.ows.operations import OperationContext, operation, operations
from qgserver.ows.wms.capabilitieslayers import (
    LayerWriter,
    online_resource,
    service_abstract,
    service_keywords,
    service_title,
)
from qgserver.ows.wms.inspire import INSPIRE_NAMESPACES, INSPIRE_SCHEMA, extended_capabilities
from qgserver.ows.xmlio import DECLARATION, attributes, element, optional
from qgserver.project.model import Contact, Project, VectorLayer
from qgserver.settings import Settings
from qgserver.web.response import XML, Response, document

WMS_XML = "application/vnd.ogc.wms_xml"
DOCTYPE = '<!DOCTYPE WMT_MS_Capabilities SYSTEM "http://schemas.opengis.net/wms/1.1.1/WMS_MS_Capabilities.dtd">'
NAMESPACES = {
    "xmlns": "http://www.opengis.net/wms",
    "xmlns:sld": "http://www.opengis.net/sld",
    "xmlns:qgs": "http://www.qgis.org/wms",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
SCHEMAS = (
    "http://www.opengis.net/wms http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd "
    "http://www.opengis.net/sld http://schemas.opengis.net/sld/1.1.0/sld_capabilities.xsd"
)
REQUESTS = {
    "1.1.1": {
        name: name
        for name in ("GetCapabilities", "GetMap", "GetFeatureInfo", "DescribeLayer", "GetLegendGraphic", "GetStyles")
    },
    "1.3.0": {
        "GetCapabilities": "GetCapabilities",
        "GetMap": "GetMap",
        "GetFeatureInfo": "GetFeatureInfo",
        "GetLegendGraphic": "sld:GetLegendGraphic",
        "DescribeLayer": "sld:DescribeLayer",
        "GetStyles": "qgs:GetStyles",
    },
}
"""Operations that capabilities may list and their elements: in the order of the DTD, and in QGIS's."""
_NO_MORE: Mapping[str, str] = {}
EXCEPTIONS = {
    "1.1.1": ("application/vnd.ogc.se_xml", "application/vnd.ogc.se_inimage", "application/vnd.ogc.se_blank"),
    "1.3.0": ("XML", "INIMAGE", "BLANK"),
}


def capabilities_formats(version: str) -> tuple[str, ...]:
    """The one format of capabilities in a version."""
    return ("text/xml",) if version == "1.3.0" else (WMS_XML,)


@operation("WMS", "GetCapabilities", formats=capabilities_formats)
def get_capabilities(context: OperationContext) -> Response:
    """What this service offers."""
    version, project = context.version, context.project
    # values of dimensions change with the data
    lasts = not any(isinstance(layer, VectorLayer) and layer.dimensions for layer in project.layers.values())

    def build() -> str:
        nonlocal lasts
        layers = LayerWriter(project, version, context.sources)
        made = "\n".join(filter(None, write_capabilities(context, layers)))
        lasts = lasts and layers.boxes.complete
        return made

    key = ("WMS", "GetCapabilities", version)
    text = context.documents.get(project, key, context.service_url, build, lambda: lasts)
    return document(text, XML if version == "1.3.0" else WMS_XML)


def write_capabilities(context: OperationContext, layers: LayerWriter) -> Iterator[str]:
    """The document, with placeholders for the address."""
    project, version = context.project, context.version
    yield DECLARATION.rstrip()
    yield from root_element(project, version)
    yield from service(project, version, context.settings)
    yield "<Capability>"
    yield from requests(version)
    yield from exceptions_and_symbolization(project, version)
    yield from layers.root()
    yield "</Capability>"
    yield "</WMS_Capabilities>" if version == "1.3.0" else "</WMT_MS_Capabilities>"


def root_element(project: Project, version: str) -> Iterator[str]:
    """The start tag, with the DOCTYPE of 1.1.1."""
    if version != "1.3.0":
        yield DOCTYPE
        yield f'<WMT_MS_Capabilities version="{version}">'
        return
    inspire = project.wms.inspire is not None
    names = NAMESPACES | (INSPIRE_NAMESPACES if inspire else {})
    schemas = SCHEMAS + (f" {INSPIRE_SCHEMA}" if inspire else "")
    # Its schema declares the requests of QGIS's own; the address is a placeholder, hence outside attributes().
    own = f"http://www.qgis.org/wms {PREFIX}SERVICE=WMS&amp;REQUEST=GetSchemaExtension"
    yield f'<WMS_Capabilities version="1.3.0"{attributes(names)} xsi:schemaLocation="{schemas} {own}">'


def service(project: Project, version: str, settings: Settings) -> Iterator[str]:
    """The ``Service`` section."""
    latest, info = version == "1.3.0", project.service
    yield "<Service>"
    yield element("Name", "WMS" if latest else "OGC:WMS")
    yield element("Title", service_title(project))
    yield optional("Abstract", service_abstract(project))
    yield from service_keywords(project, latest)
    yield online_resource(info.online_resource or URL)
    yield from contact(info.contact)
    yield element("Fees", info.fees or "None")
    yield element("AccessConstraints", info.access_constraints or "None")
    if latest:
        sides = (
            ("MaxWidth", project.wms.max_width, settings.wms_max_width),
            ("MaxHeight", project.wms.max_height, settings.wms_max_height),
        )
        for name, *limits in sides:
            known = [limit for limit in limits if limit > 0]
            yield optional(name, str(min(known)) if known else "")
    yield "</Service>"


def contact(info: Contact) -> Iterator[str]:
    """``ContactInformation``, when anything of it is known; an organization has an ``unknown`` person (measured)."""
    if not any((info.person, info.organization, info.position, info.mail, info.phone)):
        return
    yield "<ContactInformation>"
    if info.person or info.organization:
        person = element("ContactPerson", info.person or "unknown") + element("ContactOrganization", info.organization)
        yield f"<ContactPersonPrimary>{person}</ContactPersonPrimary>"
    yield optional("ContactPosition", info.position)
    yield optional("ContactVoiceTelephone", info.phone)
    yield optional("ContactElectronicMailAddress", info.mail)
    yield "</ContactInformation>"


def requests(version: str, further: Mapping[str, str] = _NO_MORE) -> Iterator[str]:
    """The ``Request`` section: every registered operation that has formats; ``further`` ones and their elements."""
    known = {found.name: found.formats for found in operations("WMS", version)}
    yield "<Request>"
    for name, tag in {**REQUESTS[version], **further}.items():
        formats = known.get(name)
        if formats is None:
            continue
        listed = "".join(element("Format", value) for value in formats(version))
        get = f"<Get>{online_resource(PREFIX)}</Get>"
        yield f"<{tag}>{listed}<DCPType><HTTP>{get}</HTTP></DCPType></{tag}>"
    yield "</Request>"


def exceptions_and_symbolization(project: Project, version: str) -> Iterator[str]:
    """``Exception``, ``UserDefinedSymbolization`` and, in 1.3.0, INSPIRE's ``ExtendedCapabilities``."""
    formats = "".join(element("Format", value) for value in EXCEPTIONS[version])
    yield f"<Exception>{formats}</Exception>"
    flags = {"SupportSLD": "1", "UserLayer": "0", "UserStyle": "1", "RemoteWFS": "0"}
    if version != "1.3.0":
        yield f"<UserDefinedSymbolization{attributes(flags)}/>"
        return
    flags |= {"InlineFeature": "0", "RemoteWCS": "0"}
    yield f"<sld:UserDefinedSymbolization{attributes(flags)}/>"
    if project.wms.inspire is not None:
        yield from extended_capabilities(project.wms.inspire, project.service.contact)
