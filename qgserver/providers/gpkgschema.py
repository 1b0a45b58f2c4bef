"""What a layer of a GeoPackage holds: columns, feature id, geometry, spatial index."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from qgserver.errors import ProviderError
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.providers.geometrytypes import FAMILIES, family
from qgserver.providers.protocol import Field, FieldType, Schema
from qgserver.providers.sqlitefile import Reader, quoted
from qgserver.providers.uri import DataSource, geometry_type_name

_TYPES: dict[str, tuple[FieldType, str]] = {
    "BOOLEAN": ("bool", "Boolean"),
    "TINYINT": ("int", "Integer"),
    "SMALLINT": ("int", "Integer"),
    "MEDIUMINT": ("int", "Integer"),
    "INT": ("int64", "Integer64"),
    "INTEGER": ("int64", "Integer64"),
    "BIGINT": ("int64", "Integer64"),
    "FLOAT": ("double", "Real"),
    "DOUBLE": ("double", "Real"),
    "REAL": ("double", "Real"),
    "NUMERIC": ("double", "Real"),
    "DATE": ("date", "Date"),
    "DATETIME": ("datetime", "DateTime"),
    "TIMESTAMP": ("datetime", "DateTime"),
    "BLOB": ("binary", "Binary"),
    "JSON": ("map", "JSON"),
}
"""Declared type -> what it is to QGIS, and the word for it there. All others are text."""

_DECLARED = re.compile(r"\s*([A-Za-z ]*?)(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)|\s+\(.*\))?\s*")
"""A column's type with its length; one that stands apart from the type does not count (measured)."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Where a layer's rows come from. ``table`` goes behind FROM; ``fid`` and ``geometry`` are column names ("" = none:
    rows are numbered from 0, there is no geometry); ``condition`` is the subset, in brackets; ``index`` names the
    R-tree; ``types`` are the geometry types a layer of mixed types is cut down to (empty: all)."""

    table: str
    fid: str
    geometry: str = ""
    condition: str = ""
    index: str = ""
    types: tuple[int, ...] = ()


def inspect(reader: Reader, source: DataSource, crs: Crs | None) -> tuple[Schema, Relation]:
    """The schema of a layer and the relation to read it by. Raises ProviderError when there is no such table."""
    name = layer_name(reader, source)
    columns = reader.all('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)', (name,))
    if not columns:
        raise ProviderError("The layer's table does not exist", detail=f"no table {name!r}")
    table, condition = quoted(name), ""
    if source.subset[:7].upper().rstrip() == "SELECT":
        table = f"({source.subset.rstrip(';')}\n)"
        columns = _query_columns(reader, table, columns)
    elif source.subset:
        condition = f"({source.subset}\n)"
    names = [str(c[0]) for c in columns]
    # A view has no primary key; like GDAL, take the column that is named for it.
    fid = next((str(c[0]) for c in columns if c[4]), "") or next((n for n in names if n.upper() == "OGC_FID"), "")
    spatial, geometry, kind = _geometry(reader, name, names)
    json = {str(r[0]) for r in _optional(reader, "gpkg_data_columns", _JSON_COLUMNS, name)}
    fields = tuple(_field(c, c[0] == fid, c[0] in json) for c in columns if c[0] not in spatial)
    index = f"rtree_{name}_{geometry}" if geometry and fid else ""
    if not reader.all("SELECT 1 FROM sqlite_master WHERE name = ?", (index,)):
        index = ""
    types = FAMILIES.get(family(source.geometry_type), ()) if kind == "Unknown" else ()
    schema = Schema(fields, source.geometry_type if types else kind, crs, (fid,) if fid else ())
    return schema, Relation(table, fid, geometry, condition, index, types)


_JSON_COLUMNS = "SELECT column_name FROM gpkg_data_columns WHERE table_name = ? AND mime_type = 'application/json'"
_LAYERS = "SELECT table_name FROM gpkg_contents WHERE data_type IN ('features', 'attributes') ORDER BY rowid"
_BOX = "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE lower(table_name) = lower(?)"


def layer_name(reader: Reader, source: DataSource) -> str:
    """The table a data source means: by name, by number, or the first."""
    if source.table:
        return source.table
    names = [str(row[0]) for row in reader.all(_LAYERS)]
    number = source.params.get("layerid", "0")
    if not number.isdecimal() or int(number) >= len(names):
        raise ProviderError("The layer's table does not exist", detail=f"no layer number {number} in the file")
    return names[int(number)]


def contents_extent(reader: Reader, name: str) -> Extent | None:
    """The layer's box as the file's table of contents has it."""
    rows = reader.all(_BOX, (name,))
    return Extent(*rows[0]) if rows and None not in rows[0] else None


def _query_columns(reader: Reader, table: str, known: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Columns of a SELECT: as in the table when they are named so, else of the type their first value has."""
    by_name = {str(c[0]): c for c in known}
    names, row = reader.describe(f"SELECT * FROM {table} LIMIT 1")  # noqa: S608  # the project author's own SQL
    values = row or (None,) * len(names)
    declared = {int: "INTEGER", float: "REAL", bytes: "BLOB"}
    return [
        by_name.get(name, (name, declared.get(type(value), "TEXT"), 0, None, 0))
        for name, value in zip(names, values, strict=True)
    ]


def _geometry(reader: Reader, name: str, columns: list[str]) -> tuple[set[str], str, str]:
    """The spatial columns of a table, the one that a layer shows and its type."""
    rows = _optional(
        reader,
        "gpkg_geometry_columns",
        "SELECT column_name, geometry_type_name, z, m FROM gpkg_geometry_columns WHERE lower(table_name) = lower(?)",
        name,
    )
    for column, kind, z, m in rows:
        if column in columns:
            plain = geometry_type_name(str(kind)) or "Unknown"
            dimensions = "" if plain == "Unknown" else "Z" * (z == 1) + "M" * (m == 1)
            return {str(r[0]) for r in rows}, str(column), plain + dimensions
    return set(), "", "NoGeometry"


def _optional(reader: Reader, table: str, statement: str, name: str) -> list[tuple[Any, ...]]:
    """Rows of a table that a GeoPackage may lack."""
    if not reader.all("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)):
        return []
    return reader.all(statement, (name,))


def _field(column: tuple[Any, ...], is_fid: bool, is_json: bool) -> Field:
    name, declared, not_null, default, _ = column
    match = _DECLARED.fullmatch(str(declared)[:100])
    word, length, precision = match.groups() if match else ("", None, None)
    kind, type_name = _TYPES["JSON"] if is_json else _TYPES.get(word.upper(), ("string", "String"))
    return Field(
        name=str(name),
        type=kind,
        type_name=type_name,
        length=int(length or 0),
        precision=int(precision or 0),
        nullable=not (not_null or is_fid),
        default="" if default is None else str(default),
    )
