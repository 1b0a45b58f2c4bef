"""Bytes of a project file to an XML tree, hardened: no DTD is fetched, no entity is expanded, no network is used."""

from __future__ import annotations

import re

from lxml import etree

from qgserver.project.reading.elements import Element
from qgserver.project.unavailable import unavailable

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


def parse_document(data: bytes) -> Element:
    """The root ``<qgis>`` of a project. Raises ``ProjectError`` when the bytes are no QGIS project, or declare
    entities (QGIS never writes any; they only serve to blow up memory or to read other files)."""
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise unavailable(f"not well-formed: {error}") from error
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and next(dtd.iterentities(), None) is not None:  # type: ignore[union-attr] # stubs lack it
        raise unavailable("the document declares entities")
    if root.tag != "qgis":
        raise unavailable(f"the root element is {root.tag!r}, not 'qgis'")
    return root


def project_version(root: Element) -> tuple[int, int, int]:
    """``version="3.22.16-Białowieża"`` as numbers; 2.0.0 when missing."""
    match = _VERSION.match(root.get("version", ""))
    if match is None:
        return 2, 0, 0
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch or 0)
