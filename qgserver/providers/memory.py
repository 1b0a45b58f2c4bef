"""Memory layers: a project keeps their columns, never their features, so they are always empty."""

from __future__ import annotations

import re

from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.providers.protocol import Field, FieldType, Query, Schema
from qgserver.providers.resources import Resources
from qgserver.providers.selection import Batches
from qgserver.providers.uri import DataSource

_FIELD = re.compile(r"([^:(]*)(?::([^(]*))?(?:\((-?\d+)(?:,(-?\d+))?\))?(?:\[\])?")

_TYPES: dict[str, tuple[FieldType, str]] = {
    "int": ("int", "integer"),
    "integer": ("int", "integer"),
    "int4": ("int", "integer"),
    "int2": ("int", "integer"),
    "smallint": ("int", "integer"),
    "int8": ("int64", "int8"),
    "long": ("int64", "int8"),
    "bigint": ("int64", "int8"),
    "double": ("double", "double"),
    "real": ("double", "double"),
    "float": ("double", "double"),
    "numeric": ("double", "double"),
    "decimal": ("double", "double"),
    "bool": ("bool", "boolean"),
    "boolean": ("bool", "boolean"),
    "date": ("date", "date"),
    "time": ("time", "time"),
    "datetime": ("datetime", "datetime"),
    "timestamp": ("datetime", "datetime"),
    "binary": ("binary", "binary"),
    "map": ("map", "map"),
}


class MemoryProvider:
    """A layer without features."""

    def __init__(self, source: DataSource, crs: Crs | None) -> None:
        fields = tuple(_field(text) for text in source.values("field"))
        self._schema = Schema(fields, source.geometry_type or "NoGeometry", crs)

    def schema(self) -> Schema:
        """See ``Provider``."""
        return self._schema

    def extent(self) -> Extent | None:
        """See ``Provider``."""
        return None

    def count(self, query: Query) -> int:
        """See ``Provider``."""
        return 0

    def read(self, query: Query) -> Batches:
        """See ``Provider``."""
        yield from ()

    def close(self) -> None:
        """See ``Provider``."""


def _field(text: str) -> Field:
    """``name:type(length,precision)``."""
    match = _FIELD.fullmatch(text)
    name, word, length, precision = match.groups() if match else (text, "", None, None)
    kind, type_name = _TYPES.get((word or "string").lower(), ("string", "string"))
    return Field(name, kind, type_name, max(0, int(length or 0)), max(0, int(precision or 0)))


def open_layer(source: DataSource, crs: Crs | None, resources: Resources) -> MemoryProvider:
    """The provider of a memory layer."""
    return MemoryProvider(source, crs)
