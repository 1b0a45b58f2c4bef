"""Virtual layers: SQL over other layers of the same project, asked of SQLite in memory (``sqlworld``)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from qgserver.errors import ProviderError
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import MULTILINESTRING, MULTIPOINT, MULTIPOLYGON, NULL, GeometryArray
from qgserver.geo.wkb import decode, nulls
from qgserver.providers import columnstore
from qgserver.providers.batch import Column
from qgserver.providers.columns import column
from qgserver.providers.geometrytypes import FAMILIES
from qgserver.providers.protocol import Field, FieldType, Provider, Query, Schema
from qgserver.providers.resources import Resources
from qgserver.providers.selection import geometry_needed
from qgserver.providers.sqlfunctions import is_geometry
from qgserver.providers.sqlitefile import quoted
from qgserver.providers.sqlworld import Find, World
from qgserver.providers.stored import StoredProvider
from qgserver.providers.uri import DataSource, geometry_type_name, parse_datasource

MAX_ROWS = 1_000_000
SAMPLE = 1000
"""Rows looked at to find the type of a column that is computed, and the type of the geometry."""

_DECLARED: Mapping[str, FieldType] = {"INT": "int64", "REAL": "double", "TEXT": "string", "BLOB": "binary"}
_PYTHON: Mapping[type, FieldType] = {int: "int64", float: "double", str: "string", bytes: "binary"}
_NAMES = {"POINT": "Point", "LINESTRING": "LineString", "POLYGON": "Polygon"}
_WKB = ("", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection")
_DIMENSIONS = ("", "Z", "M", "ZM")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the query gives: the fields, and which columns are the geometry and the feature's id ("" = none)."""

    schema: Schema
    geometry: str
    key: str


@dataclass(slots=True)
class _Memory:
    """What is remembered between requests."""

    answer: _Answer | None = None


def _no_layer(name: str) -> Provider | None:
    return None


@dataclass(frozen=True, slots=True)
class VirtualProvider(StoredProvider):
    """A virtual layer. It holds no data: each question is asked of the other layers as they are then. ``find`` gives
    these by the names in the query."""

    source: DataSource
    crs: Crs | None
    seconds: float
    embedded: Mapping[str, DataSource]
    memory: _Memory
    find: Find = _no_layer

    def over(self, layer: Find, open_source: Callable[[DataSource], Provider]) -> VirtualProvider:
        """The same layer with a way to the layers that its query names: ``layer`` by id or name, ``open_source`` those
        whose data sources stand in its own text."""
        references = (text.partition(":") for text in self.source.values("layer_ref"))
        ids = {name: layer_id for layer_id, _, name in references}

        def find(name: str) -> Provider | None:
            if name in self.embedded:
                return open_source(self.embedded[name])
            return layer(ids.get(name, name))

        return replace(self, find=find)

    def schema(self) -> Schema:
        """See ``Provider``. To find the types of what is computed, the query is asked once."""
        return self._answer().schema

    def extent(self) -> Extent | None:
        """See ``Provider``."""
        answer = self._answer()
        return self.table(Query(columns=()), ())[0].extent() if answer.geometry else None

    # -- asking ---------------------------------------------------------------------------------------------------

    def _world(self) -> World:
        return World(self.find, self.seconds)

    def _query(self) -> str:
        query = self.source.query.strip().rstrip(";")
        if not query:
            names = [*(text.partition(":")[2] for text in self.source.values("layer_ref")), *self.embedded]
            query = f"SELECT * FROM {quoted(names[0])}" if names else ""  # noqa: S608
        if not query:
            raise ProviderError("The layer has no query")
        return f"SELECT * FROM ({query}\n) WHERE {self.source.subset}" if self.source.subset else query  # noqa: S608

    def _answer(self) -> _Answer:
        """What the query gives."""
        if self.memory.answer is None:
            with closing(self._world()) as world:
                described = world.ask(self._query())
                sample = list(world.rows([name for name, _ in described], SAMPLE))
            self.memory.answer = self._described(described, sample)
        return self.memory.answer

    def _described(self, described: Sequence[tuple[str, str]], sample: Sequence[Sequence[object]]) -> _Answer:
        values = {name: [row[at] for row in sample] for at, (name, _) in enumerate(described)}
        kinds = {name: _kind(declared, values[name]) for name, declared in described}
        shapes = [name for name, kind in kinds.items() if kind == "geometry"]
        wanted = self.source.geometry_column
        geometry = wanted if wanted in kinds else next(iter(shapes), "")
        geometry = "" if self.source.geometry_type == "NoGeometry" else geometry
        fields = tuple(Field(name, kind) for name, kind in kinds.items() if kind != "geometry" and name != geometry)
        key = next((name for name in self.source.key if kinds.get(name) == "int64"), "")
        written = _type_of_code(self.source.params.get("geometry_wkb_type", ""))
        kind = (written or _found_type(values[geometry])) if geometry else "NoGeometry"
        return _Answer(Schema(fields, kind, self.crs), geometry, key)

    def table(self, query: Query, names: Sequence[str]) -> tuple[columnstore.Shapes, dict[str, Column]]:
        """See ``StoredProvider``. It has geometry if the query has to do with it."""
        answer = self._answer()
        shaped = answer.geometry and (query.extent is not None or geometry_needed(query, query.where))
        asked = list(dict.fromkeys([*names, *filter(None, (answer.key, answer.geometry if shaped else ""))]))
        whole = query.where is None and query.extent is None and query.fids is None and not query.order_by
        limit = query.offset + query.limit if whole and query.limit is not None else None
        with closing(self._world()) as world:
            world.ask(self._query())
            rows = list(itertools.islice(world.rows(asked, limit), MAX_ROWS + 1))
        if len(rows) > MAX_ROWS:
            raise ProviderError("The layer's query gives too many features")
        # Without columns the rows hold a 1 each: they are counted.
        values = dict(zip(asked, zip(*rows, strict=True), strict=False)) if rows else dict.fromkeys(asked, ())
        geometry = _decoded(values[answer.geometry]) if shaped else nulls(len(rows))
        kinds = {field.name: field.type for field in answer.schema.fields}
        columns = {name: column(values[name], kinds[name]) for name in asked if name in kinds}
        fids = columns[answer.key].values if answer.key else np.arange(len(rows), dtype=np.int64)
        return columnstore.Shapes(fids, geometry, np.ascontiguousarray(geometry.boxes().T)), columns


def _kind(declared: str, values: Sequence[object]) -> FieldType:
    if declared == "GEOMETRY":
        return "geometry"
    first = next((value for value in values if value is not None), None)
    if is_geometry(first):
        return "geometry"
    return _DECLARED.get(declared) or _PYTHON.get(type(first), "string")


def _decoded(values: Sequence[object]) -> GeometryArray:
    return decode([value if isinstance(value, bytes) and is_geometry(value) else None for value in values])


def _found_type(values: Sequence[object]) -> str:
    """The type all geometries have, the multi one when some are single; ``Unknown`` for several families."""
    geometry = _decoded(values)
    types = set(np.unique(geometry.types[geometry.types != NULL]).tolist())
    name = next((name for name, members in FAMILIES.items() if types <= set(members)), "") if types else ""
    if not name:
        return "Unknown"
    multi = "Multi" if types & {MULTIPOINT, MULTILINESTRING, MULTIPOLYGON} else ""
    dimensions = ("Z" if geometry.z is not None else "") + ("M" if geometry.m is not None else "")
    return multi + _NAMES[name] + dimensions


def _type_of_code(text: str) -> str:
    """A geometry type in the layer's text: WKB's number, or a name."""
    if not text.isdecimal():
        return geometry_type_name(text)
    dimensions, kind = divmod(int(text[:6]), 1000)
    return _WKB[kind] + _DIMENSIONS[dimensions] if 0 < kind < len(_WKB) and dimensions < len(_DIMENSIONS) else ""


def _embedded(text: str) -> tuple[str, DataSource]:
    """``provider:source:name`` or ``provider:source:name:encoding`` of a layer whose source stands in the text
    of the virtual layer; the source may hold colons."""
    provider, *parts = text.split(":")
    *source, name, encoding = parts if len(parts) > 2 else [*parts, "", ""][:3]
    return name, parse_datasource(provider, ":".join(source), "", encoding)


def open_layer(source: DataSource, crs: Crs | None, resources: Resources) -> VirtualProvider:
    """The provider of a virtual layer, which knows no other layers yet (see ``over``). Nothing is read yet."""
    embedded = dict(_embedded(text) for text in source.values("layer"))
    return VirtualProvider(source, crs, resources.statement_timeout_ms / 1000, embedded, _Memory())
