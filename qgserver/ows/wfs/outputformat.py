"""What an output format of GetFeature is, and how one is added: a file in ``formats`` with

@wfs_format("GML2", mime="text/xml; subtype=gml/2.1.2")
def gml2(answer: Answer) -> Iterator[bytes]: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from qgserver.errors import OwsError
from qgserver.ows.wfs.answer import Answer
from qgserver.registry import Registry

Encode = Callable[[Answer], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Format:
    """``mime`` stands in capabilities and is the Content-Type; ``crs`` is the CRS all answers are in ("" = the one
    asked for), ``precision`` their number of decimals (None = as the layer's setting says). ``extension`` is that of
    the file which the answer is to be saved as (``.gpkg``), "" when it is a document to be read at once. ``versions``
    are those of WFS that have it, empty = all; ``counted``: it wants to know beforehand how many features come."""

    mime: str
    encode: Encode
    crs: str = ""
    precision: int | None = None
    extension: str = ""
    versions: tuple[str, ...] = ()
    counted: bool = False

    @property
    def content_type(self) -> str:
        """The MIME type, of a text with its encoding."""
        binary = self.extension and not self.mime.startswith("text/")
        return self.mime if binary else f"{self.mime}; charset=utf-8"


formats: Registry[Format] = Registry("WFS output format")
"""Every format by each of its names, in lower case without blanks."""

DEFAULTS: Mapping[str, str] = {"1.0.0": "gml2", "1.1.0": "gml3", "2.0.0": "gml32"}
"""The format of an answer when OUTPUTFORMAT is not given, by version."""


def wfs_format(*names: str, mime: str, **facts: Any) -> Callable[[Encode], Encode]:
    """Decorator: make an encoder known under its MIME type and every name given, in any case. ``facts`` are further
    fields of ``Format``."""

    def add(encode: Encode) -> Encode:
        keys = dict.fromkeys(_key(name) for name in (mime, *names))
        formats.register(*keys)(Format(mime, encode, **facts))
        return encode

    return add


def find_format(name: str, version: str) -> Format:
    """The format of that name, the version's default for "". Raises ``OwsError``."""
    # A "+" in an unescaped MIME type arrives as a blank.
    found = formats.get(_key(name) or DEFAULTS[version]) or formats.get(_key(name.replace("geo json", "geo+json")))
    if found is None or (found.versions and version not in found.versions):
        raise OwsError(
            "InvalidParameterValue", f"The output format {name[:80]} is not supported.", locator="outputFormat"
        )
    return found


def mime_types(version: str) -> tuple[str, ...]:
    """What capabilities tell of the formats of a version, its default first."""
    known = [found for _, found in formats.items() if not found.versions or version in found.versions]
    first = formats[DEFAULTS[version]].mime if version == "2.0.0" else known[0].mime
    return tuple(dict.fromkeys((first, *(found.mime for found in known))))


def _key(name: str) -> str:
    return "".join(name.lower().split())
