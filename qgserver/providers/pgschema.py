"""What a PostgreSQL table, view or query holds: columns, key, geometry; asked of the database once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from psycopg import sql
from psycopg.rows import TupleRow

from qgserver.errors import ProviderError
from qgserver.geo.crs import Crs
from qgserver.providers import pgsql
from qgserver.providers.geometrytypes import family
from qgserver.providers.pgconnect import Connection
from qgserver.providers.pgtypes import PgType, pg_type
from qgserver.providers.protocol import Field, Schema
from qgserver.providers.uri import DataSource, geometry_type_name

_TYPES = """
SELECT base.typname, base.typtype, element.typname, element.typtype, declared.typname, coalesce(a.attnotnull, false),
       coalesce(col_description(a.attrelid, a.attnum), ''), coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM unnest(%s::oid[], %s::oid[], %s::int[]) WITH ORDINALITY AS c(type, relation, number, at)
JOIN pg_catalog.pg_type base ON base.oid = c.type
LEFT JOIN pg_catalog.pg_type element ON element.oid = base.typelem AND base.typcategory = 'A'
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.relation AND a.attnum = c.number AND c.number > 0
LEFT JOIN pg_catalog.pg_type declared ON declared.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
ORDER BY c.at"""

_PRIMARY_KEY = """
SELECT a.attname FROM pg_catalog.pg_index i
CROSS JOIN unnest(i.indkey::int[]) WITH ORDINALITY AS k(number, at)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
WHERE i.indrelid = %s::regclass AND i.indisprimary ORDER BY k.at"""

_IS_TABLE = "SELECT relkind IN ('r', 'p', 'm') FROM pg_catalog.pg_class WHERE oid = %s::regclass"

_IS_SMALL = "SELECT relkind = 'r' AND pg_relation_size(oid) <= %s FROM pg_catalog.pg_class WHERE oid = %s::regclass"
SMALL = 1 << 20
"""Bytes of rows up to which reading a whole table takes a millisecond."""

_SHOWN_NAMES = {"bpchar": "character"}
_SPATIAL = ("geometry", "geography")


@dataclass(frozen=True, slots=True)
class _Described:
    """A column of the relation: the field QGIS would show, how to read it, and its geometry modifier."""

    field: Field
    base: str
    pg_type: PgType | None
    modifier: int


def inspect(connection: Connection, source: DataSource, crs: Crs | None) -> tuple[Schema, pgsql.Relation]:
    """The schema of a data source and the relation to read it by. Raises ProviderError when there is no such table, key
    or geometry column."""
    table = pgsql.table(source)
    described = _describe(connection, table)
    key = _key(connection, source, described)
    geometry = _geometry_column(source, described)
    shown = [d for d in described.values() if d.pg_type is not None and d.field.name != source.geometry_column]
    fields = tuple(replace(d.field, nullable=False) if d.field.name in key else d.field for d in shown)
    relation = pgsql.Relation(
        table=table,
        columns={d.field.name: d.pg_type for d in shown if d.pg_type is not None},
        key=key,
        conditions=(sql.SQL("({}\n)").format(pgsql.trusted(source.subset)),) if source.subset else (),
        small=not source.query and _is_small(connection, source),
    )
    if geometry is None:
        return Schema(fields, "NoGeometry", crs, tuple(key)), relation
    kind, relation = _with_geometry(connection, source, geometry, relation)
    return Schema(fields, kind, crs, tuple(key)), relation


def _describe(connection: Connection, table: sql.Composed) -> Mapping[str, _Described]:
    cursor = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(table), (), binary=True)
    result, columns = cursor.pgresult, cursor.description
    assert result is not None and columns is not None
    places = range(len(columns))
    types = connection.execute(
        _TYPES,
        ([c.type_code for c in columns], [result.ftable(i) for i in places], [result.ftablecol(i) for i in places]),
    ).fetchall()
    out = {}
    for place, (spec, row) in enumerate(zip(columns, types, strict=True)):
        kind = _pg_type(row)
        length = spec.precision if spec.precision is not None else spec.display_size
        name = _SHOWN_NAMES.get(str(row[4] or row[0]), str(row[4] or row[0]))
        out[spec.name] = _Described(
            Field(
                name=spec.name,
                type=kind.type if kind is not None else "string",
                type_name=name,
                length=length or -1,
                precision=spec.scale or 0,
                nullable=not row[5],
                comment=str(row[6]),
                default=str(row[7]),
            ),
            base=str(row[0]),
            pg_type=kind,
            modifier=result.fmod(place),
        )
    return out


def _pg_type(row: TupleRow) -> PgType | None:
    name, category, element, element_category = row[:4]
    inner = pg_type(element, element_category, None) if element is not None and element_category == "b" else None
    return pg_type(name, category, inner)


def _key(connection: Connection, source: DataSource, described: Mapping[str, _Described]) -> dict[str, bool]:
    """Key columns -> whether they are integers. Empty for a table without a primary key."""
    names: Sequence[str] = source.key
    if not names and not source.query:
        name = pgsql.quoted(*pgsql.table_name(source))
        names = [str(row[0]) for row in connection.execute(_PRIMARY_KEY, (name,)).fetchall()]
        if not names and connection.execute(_IS_TABLE, (name,)).fetchone() == (True,):
            return {}
    if not names:
        raise ProviderError("The layer has no key", detail="a view or query needs key= in its data source")
    missing = [name for name in names if name not in described]
    if missing:
        raise ProviderError("A key column of the layer does not exist", detail=f"missing key columns: {missing}")
    return {name: described[name].base in ("int2", "int4", "int8", "oid") for name in names}


def _is_small(connection: Connection, source: DataSource) -> bool:
    name = pgsql.quoted(*pgsql.table_name(source))
    return connection.execute(_IS_SMALL, (SMALL, name)).fetchone() == (True,)


def _geometry_column(source: DataSource, described: Mapping[str, _Described]) -> _Described | None:
    if not source.geometry_column:
        return None
    column = described.get(source.geometry_column)
    if column is None:
        raise ProviderError(
            "The geometry column of the layer does not exist", detail=f"missing column {source.geometry_column!r}"
        )
    return column


def _with_geometry(
    connection: Connection, source: DataSource, column: _Described, relation: pgsql.Relation
) -> tuple[str, pgsql.Relation]:
    """The geometry type, and the relation with its geometry. A column of mixed types is cut down to the family that the
    data source names (null geometries are left out then), as QGIS does."""
    name = pgsql.identifier(column.field.name)
    geometry = name if column.base == "geometry" else sql.SQL("{}::geometry").format(name)
    declared, srid = _modifier(connection, column)
    wanted = source.geometry_type.replace("Unknown", "")
    relation = replace(
        relation,
        geometry=geometry,
        srid=source.srid or srid,
        plain_type=declared.rstrip("ZM").upper(),
    )
    members = _FAMILIES.get(family(wanted))
    if declared or members is None:
        return wanted or declared or "Unknown", relation
    found = connection.execute(_sample(relation), ()).fetchall()
    if all(row[0] in members for row in found):
        return wanted, relation
    pin = sql.SQL("geometrytype({}) IN ({})").format(geometry, sql.SQL(", ").join(map(sql.Literal, members)))
    return wanted, replace(relation, conditions=(*relation.conditions, pin))


_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "POINT": ("POINT", "MULTIPOINT"),
    "LINESTRING": ("LINESTRING", "MULTILINESTRING", "CIRCULARSTRING", "COMPOUNDCURVE", "MULTICURVE"),
    "POLYGON": ("POLYGON", "MULTIPOLYGON", "CURVEPOLYGON", "MULTISURFACE", "POLYHEDRALSURFACE", "TIN", "TRIANGLE"),
}
"""Geometry types (``geometrytype``, which adds M) that a layer of a family takes from a mixed column."""
_FAMILIES = {name: (*types, *(f"{t}M" for t in types)) for name, types in _FAMILIES.items()}


def _sample(relation: pgsql.Relation) -> sql.Composed:
    geometry = relation.geometry or sql.SQL("NULL")
    return sql.SQL(
        "SELECT DISTINCT geometrytype(g) FROM (SELECT {} AS g FROM {} WHERE {} IS NOT NULL LIMIT 100) AS s"
    ).format(geometry, relation.table, geometry)


def _modifier(connection: Connection, column: _Described) -> tuple[str, int]:
    """Geometry type ("" = mixed) and SRID (0 = unknown) that the column's type fixes."""
    if column.base not in _SPATIAL or column.modifier < 0:
        return "", 4326 if column.base == "geography" else 0
    row = connection.execute(
        "SELECT postgis_typmod_type(%s), postgis_typmod_srid(%s)", (column.modifier, column.modifier)
    ).fetchone()
    assert row is not None
    kind, srid = str(row[0]), int(str(row[1]))
    return "" if kind.rstrip("ZM") == "Geometry" else geometry_type_name(kind), srid
