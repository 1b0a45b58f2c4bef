"""The SQL of a PostgreSQL layer: identifiers by ``psycopg.sql``, values always bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter

from psycopg import sql

from qgserver.expression.sql import Sql
from qgserver.geo.extent import Extent
from qgserver.providers.pgtypes import PgType
from qgserver.providers.protocol import OrderBy, Query
from qgserver.providers.selection import integer
from qgserver.providers.uri import DataSource

SIMPLIFIABLE = ("LINESTRING", "MULTILINESTRING", "POLYGON", "MULTIPOLYGON")
"""Geometry types that have vertices to spare."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with ``%s`` placeholders, and what goes there."""

    text: sql.SQL | sql.Composed
    values: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """Where a layer's rows come from. ``table`` goes behind FROM; ``geometry`` is the column as a geometry (None: no
    geometry), ``plain_type`` one of ``SIMPLIFIABLE`` when it holds nothing else; ``key`` maps the key columns to
    whether they are integers (empty: the row's place in the table); ``conditions`` always hold; a ``small`` table is
    soon sorted."""

    table: sql.Composed
    columns: Mapping[str, PgType]
    geometry: sql.Composed | None = None
    plain_type: str = ""
    srid: int = 0
    key: Mapping[str, bool] = field(default_factory=dict)
    conditions: tuple[sql.Composed, ...] = ()
    small: bool = False
    clicks: dict[object, sql.SQL] = field(default_factory=dict, compare=False, repr=False)
    """What ``few`` has put together."""

    @property
    def integer_key(self) -> bool:
        """Whether feature ids are integers."""
        return list(self.key.values()) in ([], [True])


def quoted(*names: str) -> str:
    """An identifier as text, its parts joined by dots."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


@lru_cache(maxsize=4096)
def identifier(*names: str) -> sql.Composed:
    """An identifier inside a statement with parameters, where ``%`` is doubled (psycopg's own does not do that)."""
    return trusted(quoted(*names))


def trusted(text: str) -> sql.Composed:
    """SQL text of the project's author (subset, query layer) as it stands; ``%`` is no placeholder there."""
    return sql.Composed([sql.SQL(text.replace("%", "%%"))])


def table(source: DataSource) -> sql.Composed:
    """The table, view or query of a data source."""
    if source.query:
        # A query may end in a comment: the bracket stands on a line of its own.
        return sql.Composed([sql.SQL("("), trusted(source.query.strip().rstrip(";")), sql.SQL('\n) AS "query"')])
    return identifier(*table_name(source))


def table_name(source: DataSource) -> tuple[str, ...]:
    """Schema, if given, and table."""
    return tuple(name for name in (source.schema, source.table) if name)


def select(
    relation: Relation, columns: Sequence[str], query: Query, where: Sql | None, *, crowded: bool = True
) -> Statement:
    """Feature id, geometry (if asked for) and columns of the features asked for. Where ``query.simplify`` allows it,
    all geometries are simplified, or only the heavy ones when the view is not ``crowded``."""
    values: list[object] = []
    items: list[sql.Composable] = [fid(relation)]
    if query.geometry and relation.geometry is not None:
        items.append(_geometry(relation, query, values, crowded))
    items += [_item(name, relation.columns[name]) for name in columns]
    conditions = _where(relation, query, where, values)
    order = _order(relation, query)
    limits = _limits(query, values)
    text = sql.SQL("SELECT {} FROM {}{}{}{}").format(
        sql.SQL(", ").join(items), relation.table, conditions, order, limits
    )
    return Statement(text, tuple(values))


_FEW = sql.SQL("SELECT * FROM ({}) AS q LIMIT %s")
_BEYOND_A_BOX = attrgetter("fids", "order_by", "limit", "offset", "simplify")


def few(relation: Relation, columns: Sequence[str], query: Query, where: Sql | None) -> Statement:
    """At most ``query.batch_size`` of the features asked for. What each click asks, features in a box and nothing else,
    is put together once, as that takes longer than to read the answer."""
    if where is not None or query.extent is None or _BEYOND_A_BOX(query) != _BEYOND_A_BOX(Query()):
        whole = select(relation, columns, query, where)
        return Statement(_FEW.format(whole.text), (*whole.values, query.batch_size))
    key = (*columns, query.geometry)
    if key not in relation.clicks:
        text = _FEW.format(select(relation, columns, query, None).text)
        relation.clicks[key] = sql.SQL(text.as_string(None))
    return Statement(relation.clicks[key], (*query.extent.as_tuple(), query.batch_size))


def count(relation: Relation, query: Query, where: Sql | None) -> Statement:
    """The number of features asked for, whatever ``limit`` and ``offset`` say."""
    values: list[object] = []
    conditions = _where(relation, query, where, values)
    return Statement(sql.SQL("SELECT count(*) FROM {}{}").format(relation.table, conditions), tuple(values))


def plan(relation: Relation, query: Query, where: Sql | None) -> Statement:
    """The planner's opinion of a query as one JSON value: costs no reading."""
    values: list[object] = []
    conditions = _where(relation, query, where, values)
    return Statement(
        sql.SQL("EXPLAIN (FORMAT JSON) SELECT 1 FROM {}{}").format(relation.table, conditions), tuple(values)
    )


def extent(relation: Relation) -> Statement:
    """One row: xmin, ymin, xmax, ymax of all features."""
    box = sql.SQL("SELECT ST_Extent({}) AS box FROM {}{}").format(
        relation.geometry or sql.SQL("NULL"), relation.table, _where(relation, Query(), None, [])
    )
    return Statement(
        sql.SQL("SELECT ST_XMin(box), ST_YMin(box), ST_XMax(box), ST_YMax(box) FROM ({}) AS e").format(box)
    )


def fid(relation: Relation) -> sql.Composable:
    """The feature id: the integer key, the key's texts joined by ``@@`` (as QGIS Server writes them), or the number
    that QGIS makes of a row's place."""
    if not relation.key:
        place = "(ctid::text::point)"
        return sql.SQL(f"(({place}[0]::bigint << 16) + {place}[1]::bigint)")
    if relation.integer_key:
        return identifier(*relation.key)
    return sql.SQL(" || '@@' || ").join([sql.SQL("{}::text").format(identifier(name)) for name in relation.key])


@lru_cache(maxsize=4096)
def _item(name: str, kind: PgType) -> sql.Composable:
    column = identifier(name)
    if kind.function:
        return sql.SQL(kind.function + "({})").format(column)
    return sql.SQL("{}" + kind.cast).format(column)


HEAVY = 2000
"""Vertices from which a geometry is cut and simplified in any view: a coastline costs more to fetch than to reduce."""
CLIP_MARGIN = 0.15
"""How far outside the view, in its size, a heavy geometry is cut: beyond the widest pen."""


def _geometry(relation: Relation, query: Query, values: list[object], crowded: bool) -> sql.Composable:
    geometry = relation.geometry or sql.SQL("NULL")
    if query.simplify <= 0 or relation.plain_type in ("POINT", "MULTIPOINT"):
        return geometry
    cut = _clipped(relation, query, values)
    values.append(query.simplify)
    # True keeps what collapses: a small building stays a dot on the map.
    reduced = sql.SQL("CASE WHEN ST_NPoints({0}) > {1} THEN ST_Simplify({2}, %s, true) ELSE {3} END")
    if crowded:
        values.append(query.simplify)
        light: sql.Composable = sql.SQL("ST_Simplify({}, %s, true)").format(geometry)
    else:
        light = geometry
    simplified = reduced.format(geometry, HEAVY, cut, light)
    if relation.plain_type in SIMPLIFIABLE:
        return simplified
    # ST_Simplify raises for curves.
    types = sql.SQL(", ").join(map(sql.Literal, SIMPLIFIABLE))
    return sql.SQL("CASE WHEN geometrytype({0}) IN ({1}) THEN {2} ELSE {0} END").format(geometry, types, simplified)


def _clipped(relation: Relation, query: Query, values: list[object]) -> sql.Composable:
    geometry = relation.geometry or sql.SQL("NULL")
    if query.extent is None:
        return geometry
    values += query.extent.grown(CLIP_MARGIN * query.extent.width, CLIP_MARGIN * query.extent.height).as_tuple()
    box = sql.SQL("ST_MakeEnvelope(%s, %s, %s, %s, {})").format(sql.Literal(relation.srid))
    return sql.SQL("ST_ClipByBox2D({}, {})").format(geometry, box)


def _where(relation: Relation, query: Query, where: Sql | None, values: list[object]) -> sql.Composed:
    conditions = list(relation.conditions)
    if query.extent is not None and relation.geometry is not None:
        conditions.append(_box(relation, query.extent, values))
    if query.fids is not None:
        conditions.append(_fids(relation, query.fids, values))
    if where is not None:
        conditions.append(sql.Composed([sql.SQL(f"({where.text})")]))
        values += where.params
    if not conditions:
        return sql.Composed([])
    return sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(conditions))


def _box(relation: Relation, extent: Extent, values: list[object]) -> sql.Composed:
    values += extent.as_tuple()
    return sql.SQL("{} && ST_MakeEnvelope(%s, %s, %s, %s, {})").format(
        relation.geometry or sql.SQL("NULL"), sql.Literal(relation.srid)
    )


def _fids(relation: Relation, fids: Sequence[int | str], values: list[object]) -> sql.Composed:
    """Only the features of these ids; a text that can't be an id of this layer is the id of no feature."""
    if not relation.integer_key:
        values.append([str(f) for f in fids])
        return sql.SQL("({}) = ANY(%s::text[])").format(fid(relation))
    numbers = [n for f in fids if (n := integer(f)) is not None]
    if relation.key:
        values.append(numbers)
        return sql.SQL("{} = ANY(%s::bigint[])").format(fid(relation))
    values.append([f"({n >> 16},{n & 0xFFFF})" for n in numbers if 0 <= n >> 16 < 2**32])
    return sql.SQL("ctid = ANY(%s::tid[])").format()


def _order(relation: Relation, query: Query) -> sql.Composed:
    """Without ``order_by``, ``limit`` and ``offset`` rows come as the database finds them, as QGIS draws them. Pages
    need an order that lasts from request to request: by key, or by place, which is the order QGIS reads a table in."""
    keys = [_sort_key(key) for key in query.order_by]
    if not keys and query.table_order and relation.small and (query.limit is not None or query.offset):
        keys = [identifier("tableoid"), identifier("ctid")]
    elif keys or query.limit is not None or query.offset:
        keys += [identifier(name) for name in relation.key]
    return sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(keys)) if keys else sql.Composed([])


def _sort_key(key: OrderBy) -> sql.Composed:
    direction = "ASC" if key.ascending else "DESC"
    nulls = "FIRST" if key.nulls_first else "LAST"
    return sql.SQL(f"{{}} {direction} NULLS {nulls}").format(identifier(key.column))


def _limits(query: Query, values: list[object]) -> sql.Composed:
    parts: list[sql.Composed] = []
    for word, number in (("LIMIT", query.limit), ("OFFSET", query.offset or None)):
        if number is not None:
            values.append(number)
            parts.append(sql.SQL(f" {word} %s").format())
    return sql.Composed(parts)
