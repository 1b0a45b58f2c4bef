"""Formats of GetFeatureInfo: one file each, known under the names it registers.

@info_format("text/plain")
def plain(answer: Answer) -> Iterator[str]: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from qgserver.errors import OwsError
from qgserver.ows.wms.infoformats.answer import Answer
from qgserver.registry import Registry

Encode = Callable[[Answer], Iterator[str]]


@dataclass(frozen=True, slots=True)
class InfoFormat:
    """``mime`` is what capabilities list."""

    mime: str
    encode: Encode

    @property
    def content_type(self) -> str:
        return f"{self.mime}; charset=utf-8"


formats: Registry[InfoFormat] = Registry("feature info format")
"""Every format by each of its names, in lower case, in the order of the capabilities."""

DEFAULT = "text/plain"


def info_format(*mimes: str) -> Callable[[Encode], Encode]:
    """Decorator: make an encoder known under MIME types, each of them listed."""

    def add(encode: Encode) -> Encode:
        for mime in mimes:
            formats.register(mime)(InfoFormat(mime, encode))
        return encode

    return add


def info_formats(version: str) -> tuple[str, ...]:
    """INFO_FORMAT values as capabilities list them."""
    return tuple(formats)


def find_format(name: str) -> InfoFormat:
    """The format of that name in any case; as in QGIS parameters and subversions may follow (``text/xml;...``,
    ``application/vnd.ogc.gml/3``). Raises ``OwsError`` InvalidFormat."""
    text = name.strip().lower().replace("geo json", "geo+json") or DEFAULT  # a bare "+" in a URL is a blank
    if text.startswith(GML + "/3"):
        text = f"{GML}/3.1.1"
    known = [mime for mime in formats if text == mime or text.startswith((f"{mime};", f"{mime} ", f"{mime}/"))]
    if not known:
        raise OwsError(
            "InvalidFormat", f"The format '{name[:80]}' from INFO_FORMAT is not supported.", locator="INFO_FORMAT"
        )
    return formats[max(known, key=len)]


GML = "application/vnd.ogc.gml"

from qgserver.ows.wms.infoformats import plain, html, xml, gml, geojson  # noqa: E402, F401, I001  (the listed order)
