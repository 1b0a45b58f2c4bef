"""Layers in PostgreSQL/PostGIS: tables, views, query layers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import psycopg
from psycopg import sql

from qgserver.expression.nodes import Node, needs_geometry
from qgserver.expression.sql import Sql, push_down
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.wkb import decode
from qgserver.providers import pgsql
from qgserver.providers.batch import Batch
from qgserver.providers.pgconnect import Command, Connection, Limits, Pool, Rows, conninfo
from qgserver.providers.pgschema import inspect
from qgserver.providers.protocol import Query, Schema
from qgserver.providers.resources import Resources
from qgserver.providers.selection import (
    Batches,
    finish,
    geometry_needed,
    needed_columns,
    paged_count,
    wanted_columns,
)
from qgserver.providers.uri import DataSource

_ESTIMATE = "SELECT ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b) FROM (SELECT ST_EstimatedExtent({}) AS b) AS e"


class PostgresProvider:
    """An open layer. Holds no connection: each call borrows one of the pool."""

    def __init__(self, source: DataSource, crs: Crs | None, pool: Pool) -> None:
        self._source = source
        self._crs = crs
        self._pool = pool
        self._lock = threading.Lock()
        self._inspected: tuple[Schema, pgsql.Relation] | None = None
        self._role = source.params.get("session_role", "")

    def schema(self) -> Schema:
        """See ``Provider``."""
        return self._known()[0]

    def extent(self) -> Extent | None:
        """See ``Provider``. With estimated metadata the planner's statistics are taken where there are some."""
        relation = self._known()[1]
        if relation.geometry is None:
            return None
        row: Sequence[Any] | None = None
        with self._pool.read_only(self._role) as connection:
            if self._source.estimated_metadata and not self._source.query and not self._source.subset:
                row = self._estimated_extent(connection)
            if row is None or row[0] is None:
                row = _execute(connection, pgsql.extent(relation)).fetchone()
        return None if row is None or row[0] is None else Extent(*(float(str(v)) for v in row))

    def count(self, query: Query) -> int:
        """See ``Provider``."""
        relation = self._known()[1]
        pushed, rest = _pushed(query, relation)
        if rest is not None:
            return sum(map(len, self.read(replace(query, columns=(), geometry=False))))
        with self._pool.read_only(self._role) as connection:
            row = _execute(connection, pgsql.count(relation, query, pushed)).fetchone()
        return paged_count(int(str(row[0])) if row else 0, query)

    def read(self, query: Query) -> Batches:
        """See ``Provider``. Rows come through a cursor of the database: memory stays flat, and the statement time-out
        counts for each batch, not for the time a slow client takes to read an answer."""
        relation = self._known()[1]
        if query.extent is not None and (query.extent.is_empty or relation.geometry is None):
            return
        pushed, rest = _pushed(query, relation)
        names = wanted_columns(query, relation.columns)
        if rest is None:
            yield from self._rows(relation, names, query, pushed)
            return
        fetched = needed_columns(query, rest, relation.columns)
        # A filter that looks at the geometry must see all of it.
        simplify = 0.0 if needs_geometry(rest) else query.simplify
        whole = replace(query, limit=None, offset=0, geometry=geometry_needed(query, rest), simplify=simplify)
        yield from finish(self._rows(relation, fetched, whole, pushed), query, rest, names)

    def _rows(self, relation: pgsql.Relation, names: Sequence[str], query: Query, where: Sql | None) -> Batches:
        if query.brief:
            asked = pgsql.few(relation, names, query, where)
            few = self._pool.ask(self._role, Command(asked.text, asked.values, binary=True))
            if len(few) < query.batch_size:
                if few:
                    yield _batch(few, names, query, relation)
                return
        size, crowded = min(query.first_batch, query.batch_size), False
        if query.simplify > 0:
            explain = pgsql.plan(relation, query, where)
            first = [Command(explain.text, explain.values)]
        else:
            first = _opening(pgsql.select(relation, names, query, where, crowded=False), size)
        with self._pool.reading(self._role, first) as reading:
            rows = reading.rows
            if query.simplify > 0:
                crowded = _expected(rows) > query.simplify_above
                opening = _opening(pgsql.select(relation, names, query, where, crowded=crowded), size)
                rows = [reading.send(command) for command in opening][-1].fetchall()
            while True:
                last = len(rows) < size
                size = query.batch_size
                # The database goes on while these rows become arrays and are drawn.
                following = reading.end() if last else reading.send(_fetch(size))
                batch = replace(_batch(rows, names, query, relation), simplified=crowded) if rows else None
                if last:
                    break
                if batch is not None:
                    yield batch
                rows = following.fetchall()
        if batch is not None:
            yield batch

    def close(self) -> None:
        """See ``Provider``. The pool belongs to all layers of its connection and stays."""

    def _known(self) -> tuple[Schema, pgsql.Relation]:
        if self._inspected is None:
            with self._lock:
                if self._inspected is None:
                    with self._pool.read_only(self._role) as connection:
                        self._inspected = inspect(connection, self._source, self._crs)
        return self._inspected

    def _estimated_extent(self, connection: Connection) -> Sequence[Any] | None:
        names = [n for n in (self._source.schema, self._source.table, self._source.geometry_column) if n]
        places = sql.SQL(", ").join([sql.Placeholder()] * len(names))
        try:
            with connection.transaction():
                return connection.execute(sql.SQL(_ESTIMATE).format(places), names).fetchone()
        except psycopg.Error:  # never analysed, or a view
            return None


def _pushed(query: Query, relation: pgsql.Relation) -> tuple[Sql | None, Node | None]:
    """What the database filters, and what is left to do."""
    if query.where is None:
        return None, None
    types: dict[str, str] = {name: kind.type for name, kind in relation.columns.items() if kind.comparable}
    return push_down(query.where, "postgres", types)


def _execute(connection: Connection, statement: pgsql.Statement) -> psycopg.Cursor[tuple[object, ...]]:
    return connection.execute(statement.text, statement.values)


def _expected(rows: Rows) -> float:
    """How many rows the planner expects; 0 when its answer is not understood."""
    plans = rows[0][0] if rows else None
    try:
        return float(plans[0]["Plan"]["Plan Rows"]) if isinstance(plans, list) else 0.0
    except (KeyError, IndexError, TypeError, ValueError):
        return 0.0


def _opening(statement: pgsql.Statement, size: int) -> list[Command]:
    """A cursor, and its first rows."""
    declare = sql.SQL("DECLARE qgserver_rows NO SCROLL CURSOR FOR {}").format(statement.text)
    return [Command(declare, statement.values), _fetch(size)]


def _fetch(size: int) -> Command:
    return Command(sql.SQL("FETCH {} FROM qgserver_rows").format(size), binary=True)


def _batch(rows: Sequence[Sequence[Any]], names: Sequence[str], query: Query, relation: pgsql.Relation) -> Batch:
    fids, *values = zip(*rows, strict=True)
    geometry = decode(values.pop(0)) if query.geometry and relation.geometry is not None else None
    columns = {name: relation.columns[name].convert(v) for name, v in zip(names, values, strict=True)}
    if relation.integer_key:
        return Batch(np.array(fids, np.int64), columns, geometry)
    return Batch(np.fromiter(fids, object, len(fids)), columns, geometry)


def open_layer(source: DataSource, crs: Crs | None, resources: Resources) -> PostgresProvider:
    """The provider of a PostgreSQL data source. Connects at first use."""
    limits = Limits(resources.statement_timeout_ms, resources.connect_timeout_s)
    info = conninfo(source, limits)
    return PostgresProvider(source, crs, resources.once(Pool, info, lambda: Pool(info, limits)))
