"""XML from clients, read so that it can do no harm: no DTD, hence no entities; no network; depth and size bounded."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from qgserver.errors import OwsError

MAX_TAGS = 500_000
"""Tags of a document that is read as a whole: each element takes some 300 bytes as a tree, whatever its text."""
NAMESPACES_SKIPPED = ("http://www.w3.org/2001/XMLSchema-instance", "http://www.w3.org/XML/1998/namespace")

_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "dtd_validation": False,
    "huge_tree": False,
}


@dataclass(frozen=True, slots=True)
class Root:
    """The root element of a document: local name, namespace ("" = none), attributes by local name."""

    name: str
    namespace: str
    attributes: Mapping[str, str]


def read_root(body: bytes) -> Root:
    """The root element, without reading further. Raises ``OwsError`` when there is none or a DTD precedes it."""
    for element in iterate(body, ("start",)):
        name = etree.QName(element)
        attributes = {
            etree.QName(str(key)).localname: str(value)
            for key, value in element.attrib.items()
            if etree.QName(str(key)).namespace not in NAMESPACES_SKIPPED
        }
        return Root(name.localname, name.namespace or "", attributes)
    raise _not_xml("it is empty")


def parse(body: bytes) -> etree._Element:
    """The root element of a whole document. Raises ``OwsError`` when it is not well formed, has a DTD or has more than
    ``MAX_TAGS`` (go through such a one by ``iterate``)."""
    if body.count(b"<") > MAX_TAGS:
        raise OwsError("InvalidParameterValue", "The XML of the request is too large.", status=413)
    try:
        root = etree.fromstring(body, etree.XMLParser(**_SAFE, remove_comments=True, remove_pis=True))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _not_xml(str(error)) from None
    _refuse_dtd(root)
    return root


def iterate(body: bytes, events: tuple[str, ...] = ("end",), tag: str | None = None) -> Iterator[etree._Element]:
    """Elements as ``lxml.etree.iterparse`` gives them (clear each when done with it: the tree stays small).
    Raises ``OwsError`` when the document is not well formed or has a DTD."""
    checked = False
    try:
        for _, element in etree.iterparse(
            io.BytesIO(body), events=events, tag=tag, remove_comments=True, remove_pis=True, **_SAFE
        ):
            if not checked:
                _refuse_dtd(element)
                checked = True
            yield element
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _not_xml(str(error)) from None


def _refuse_dtd(element: etree._Element) -> None:
    # A document type is the door to entity bombs and to local files; no OWS request needs one.
    if element.getroottree().docinfo.internalDTD is not None:
        raise OwsError("OperationParsingFailed", "A document type declaration is not allowed in a request.")


def _not_xml(reason: str) -> OwsError:
    return OwsError("OperationParsingFailed", f"The XML of the request cannot be read: {reason}.")
