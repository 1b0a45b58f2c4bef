"""INSPIRE's ``ExtendedCapabilities`` (Technical Guidance for View Services 3.11): by link, or in the document."""

from __future__ import annotations

from collections.abc import Iterator

from qgserver.ows.xmlio import element, optional
from qgserver.project.model import Contact, Inspire

INSPIRE_NAMESPACES = {
    "xmlns:inspire_common": "http://inspire.ec.europa.eu/schemas/common/1.0",
    "xmlns:inspire_vs": "http://inspire.ec.europa.eu/schemas/inspire_vs/1.0",
}
INSPIRE_SCHEMA = (
    "http://inspire.ec.europa.eu/schemas/inspire_vs/1.0 "
    "http://inspire.ec.europa.eu/schemas/inspire_vs/1.0/inspire_vs.xsd"
)


def extended_capabilities(inspire: Inspire, contact: Contact) -> Iterator[str]:
    """The element. A project with a metadata link gives the link, any other the facts themselves."""
    yield "<inspire_vs:ExtendedCapabilities>"
    if inspire.metadata_url:
        yield "<inspire_common:MetadataUrl>"
        yield element("inspire_common:URL", inspire.metadata_url)
        yield optional("inspire_common:MediaType", inspire.metadata_url_type)
        yield "</inspire_common:MetadataUrl>"
    else:
        yield from _facts(inspire, contact)
    language = element("inspire_common:Language", inspire.language)
    yield '<inspire_common:SupportedLanguages xsi:type="inspire_common:supportedLanguagesType">'
    yield f"<inspire_common:DefaultLanguage>{language}</inspire_common:DefaultLanguage>"
    yield "</inspire_common:SupportedLanguages>"
    yield f"<inspire_common:ResponseLanguage>{language}</inspire_common:ResponseLanguage>"
    yield "</inspire_vs:ExtendedCapabilities>"


def _facts(inspire: Inspire, contact: Contact) -> Iterator[str]:
    yield element("inspire_common:ResourceType", "service")
    yield element("inspire_common:SpatialDataServiceType", "view")
    revision = element("inspire_common:DateOfLastRevision", inspire.temporal_reference)
    yield f"<inspire_common:TemporalReference>{revision}</inspire_common:TemporalReference>"
    yield "<inspire_common:MetadataPointOfContact>"
    yield element("inspire_common:OrganisationName", contact.organization)
    yield element("inspire_common:EmailAddress", contact.mail)
    yield "</inspire_common:MetadataPointOfContact>"
    yield element("inspire_common:MetadataDate", inspire.metadata_date)
