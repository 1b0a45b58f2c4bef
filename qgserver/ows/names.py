"""Names as XML can hold them."""

from __future__ import annotations

import re

GEOMETRY = "geometry"
"""Name of the geometry property of every feature type, whatever the column is called."""

_NOT_IN_NAMES = re.compile(r"[^\w.-]")
_NAME_START = re.compile(r"[^\W\d]")


def xml_name(text: str) -> str:
    """A text as an element's name (NCName): blanks become ``_``, what no name can hold goes."""
    name = _NOT_IN_NAMES.sub("", text.replace(" ", "_"))
    return name if _NAME_START.match(name) else f"_{name}"
