"""Names as XML can hold them."""

from __future__ import annotations

import re

QGS = "http://www.qgis.org/gml"
"""Namespace of all feature types."""

GEOMETRY = "geometry"
"""Name of the geometry property of every feature type, whatever the column is called."""

STANDARD_FIELDS = {"gml_description": "description", "gml_identifier": "identifier", "gml_name": "name"}
"""Text fields of these names are the properties that GML 3.2 lets every feature have, in the order it wants them. Where
there is none, a text field that is called as GML's property is that one too, beside itself."""

_NOT_IN_NAMES = re.compile(r"[^\w.-]")
_NAME_START = re.compile(r"[^\W\d]")


def xml_name(text: str) -> str:
    """A text as an element's name (NCName): blanks become ``_``, what no name can hold goes."""
    name = _NOT_IN_NAMES.sub("", text.replace(" ", "_"))
    return name if _NAME_START.match(name) else f"_{name}"


_NOT_IN_IDS = re.compile(r"[^\w.-]|_(?=x[0-9A-F]{4,6}_)")
_ESCAPED = re.compile("_x([0-9A-F]{4,6})_")


def xml_id(text: str) -> str:
    """A key as part of an ``xs:ID`` (NCName): what that can't hold becomes ``_x0020_``, as in SQL/XML (ISO 9075-14)."""
    return _NOT_IN_IDS.sub(lambda match: f"_x{ord(match.group()):04X}_", text)


def key_of(text: str) -> str:
    """The key that ``xml_id`` made this of."""
    return _ESCAPED.sub(lambda match: chr(min(int(match[1], 16), 0x10FFFF)), text)
