"""Writing into PostgreSQL: one database transaction over all layers of a connection."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
import psycopg
from psycopg import sql

from qgserver.errors import ProviderError
from qgserver.geo.crs import Crs
from qgserver.providers import pgsql
from qgserver.providers.edit import EditConflict, EditError, ReadOnlyError, Rows
from qgserver.providers.pgconnect import (
    Command,
    Connection,
    Limits,
    Pool,
    Reading,
    begin_reading,
    conninfo,
    failure,
)
from qgserver.providers.pgschema import inspect
from qgserver.providers.pgtypes import PgType
from qgserver.providers.postgres import PostgresProvider
from qgserver.providers.resources import Resources
from qgserver.providers.uri import DataSource

DOUBT_SECONDS = 10.0
"""So long a database may be away before it says what became of a transaction."""


@contextmanager
def _refusing() -> Iterator[None]:
    """Errors of the database as a client may know them, raised where they happen: the action is known there."""
    try:
        yield
    except psycopg.Error as error:
        raise refusal(error) from error


@dataclass(frozen=True, slots=True)
class PostgresStore:
    """A database as one user (and role) sees it."""

    key: tuple[str, str]
    pool: Pool

    @contextmanager
    def edit(self) -> Iterator[PostgresEditor]:
        """See ``Store``. A connection that breaks during COMMIT leaves a doubt, which the database itself ends."""
        number: int | None = None
        try:
            with _refusing(), self.pool.read_write(self.key[1]) as connection:
                yield PostgresEditor(connection)
                if connection.info.transaction_status != psycopg.pq.TransactionStatus.INTRANS:
                    # COMMIT would quietly roll back.
                    raise ProviderError("The layer's database query failed", detail="the transaction was aborted")
                number = _number(connection)
        except ProviderError:
            if number is None or not self._has_committed(number):
                raise

    def _has_committed(self, number: int) -> bool:
        """Whether a transaction whose COMMIT had no good answer took place all the same. Raises ``ProviderError`` when
        the database does not come back in time to say so."""
        end = time.monotonic() + DOUBT_SECONDS
        while True:
            try:
                with self.pool.read_only() as connection:
                    ((state,),) = connection.execute("SELECT txid_status(%s)", (number,)).fetchall()
                if state != "in progress":
                    return bool(state == "committed")
            except ProviderError as error:
                state = error.detail
            if time.monotonic() > end:
                raise ProviderError(
                    "The database went away at the end: it is not known whether the changes were made", detail=state
                )
            time.sleep(0.1)


def _number(connection: Connection) -> int | None:
    """What the database knows the transaction by, None as long as it has changed nothing."""
    ((number,),) = connection.execute("SELECT txid_current_if_assigned()").fetchall()
    return None if number is None else int(str(number))


_CLOSE = sql.SQL("CLOSE ALL").format()


class _Borrowed(Pool):
    """What a provider takes for its pool: it reads inside the transaction, by its connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def read_only(self, role: str = "") -> Iterator[Connection]:
        """The connection of the transaction; it already has its role."""
        with _refusing():
            try:
                yield self._connection
            finally:
                self._close_cursors()

    @contextmanager
    def reading(self, role: str, first: Sequence[Command]) -> Iterator[Reading]:
        """As in ``Pool``, inside the transaction: its end is not this one's."""
        with _refusing():
            try:
                with self._connection.pipeline():
                    yield begin_reading(self._connection, first, _CLOSE)
            finally:
                self._close_cursors()

    def _close_cursors(self) -> None:
        # The provider leaves its cursor to the end of the transaction, and here that is not near.
        if self._connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
            self._connection.execute(_CLOSE)


class PostgresEditor:
    """An open transaction."""

    exclusive = False

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @_refusing()
    def layer(self, source: DataSource, crs: Crs | None) -> PostgresLayerEditor:
        """See ``Editor``."""
        relation = inspect(self._connection, source, crs)[1]
        if not relation.key:
            # A row's place is no key: it changes with every update, also with those of others.
            raise ReadOnlyError("The layer's table has no primary key and can't be written")
        return PostgresLayerEditor(self._connection, source, relation, crs)


class PostgresLayerEditor:
    """A table, or a view that the database can write to."""

    def __init__(self, connection: Connection, source: DataSource, relation: pgsql.Relation, crs: Crs | None) -> None:
        self._connection = connection
        self._relation = relation
        self._geometry = pgsql.identifier(source.geometry_column) if source.geometry_column else None
        self.provider = PostgresProvider(source, crs, _Borrowed(connection))

    @_refusing()
    def lock(self, fids: Sequence[int | str]) -> None:
        """See ``LayerEditor``. In the order of the keys, so that two transactions rarely wait for each other."""
        order = sql.SQL(", ").join([pgsql.identifier(name) for name in self._relation.key])
        statement = sql.SQL("SELECT 1 FROM {} WHERE {} ORDER BY {} FOR UPDATE")
        self._connection.execute(statement.format(self._relation.table, self._which(), order), (self._keys(fids),))

    @_refusing()
    def insert(self, rows: Rows) -> list[int | str]:
        """See ``LayerEditor``. All rows are sent in one go; each answers with its key."""
        columns = [pgsql.identifier(name) for name in rows.columns]
        values: list[sql.Composable] = [sql.SQL("%s")] * len(columns)
        if rows.shapes is not None:
            columns.append(self._shape_column())
            values.append(self._shape())
        into = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING {}").format(
            self._relation.table, sql.SQL(", ").join(columns), sql.SQL(", ").join(values), pgsql.fid(self._relation)
        )
        if not columns:
            into = sql.SQL("INSERT INTO {} DEFAULT VALUES RETURNING {}").format(
                self._relation.table, pgsql.fid(self._relation)
            )
        fids: list[int | str] = []
        with self._connection.cursor() as cursor:
            cursor.executemany(into, self._bound(rows), returning=True)
            for _ in rows.values:
                found = cursor.fetchall()
                fids += [key if isinstance(key, int) else str(key) for (key,) in found]
                cursor.nextset()
        if len(fids) != len(rows.values):
            raise EditError("The layer's table did not take all features", detail="a trigger or rule swallowed rows")
        return fids

    @_refusing()
    def update(self, fids: Sequence[int | str], rows: Rows) -> None:
        """See ``LayerEditor``."""
        items = [sql.SQL("{} = %s").format(pgsql.identifier(name)) for name in rows.columns]
        if rows.shapes is not None:
            items.append(sql.SQL("{} = {}").format(self._shape_column(), self._shape()))
        if not fids or not items:
            return
        statement = sql.SQL("UPDATE {} SET {} WHERE {}").format(
            self._relation.table, sql.SQL(", ").join(items), self._which()
        )
        keys = self._keys(fids)
        which = [keys] if len(rows.values) == 1 else [[key] for key in keys]
        with self._connection.cursor() as cursor:
            cursor.executemany(statement, [(*row, w) for row, w in zip(self._bound(rows), which, strict=True)])
            _check_count(cursor.rowcount, fids)

    @_refusing()
    def delete(self, fids: Sequence[int | str]) -> None:
        """See ``LayerEditor``."""
        statement = sql.SQL("DELETE FROM {} WHERE {}").format(self._relation.table, self._which())
        _check_count(self._connection.execute(statement, (self._keys(fids),)).rowcount, fids)

    def _which(self) -> sql.Composed:
        """The condition of being one of the features whose keys are bound."""
        kind = "bigint" if self._relation.integer_key else "text"
        return sql.SQL("({}) = ANY(%s::" + kind + "[])").format(pgsql.fid(self._relation))

    def _keys(self, fids: Sequence[int | str]) -> list[int] | list[str]:
        return [int(fid) for fid in fids] if self._relation.integer_key else [str(fid) for fid in fids]

    def _bound(self, rows: Rows) -> list[tuple[object, ...]]:
        """The values as the statements take them."""
        writers = [_writer(self._relation.columns.get(name)) for name in rows.columns]
        out = [tuple(write(value) for write, value in zip(writers, values, strict=True)) for values in rows.values]
        if rows.shapes is None:
            return out
        return [(*values, shape) for values, shape in zip(out, rows.shapes, strict=True)]

    def _shape_column(self) -> sql.Composed:
        if self._geometry is None:
            raise EditError("The layer has no geometry")
        return self._geometry

    def _shape(self) -> sql.Composed:
        return sql.SQL("ST_GeomFromWKB(%s::bytea, {})").format(sql.Literal(self._relation.srid))


_HSTORE_CAST = "::json::text"
"""How hstore is read (``pgtypes``), which JSON columns are not."""


def _writer(kind: PgType | None) -> Callable[[object], object]:
    """What makes a parameter of a value for a column. Lists and maps go as text, whose type the column decides."""
    if kind is None or kind.type not in ("list", "map"):
        return lambda value: value
    if kind.type == "list":
        return lambda value: array_text(value) if isinstance(value, list) else value
    if kind.cast == _HSTORE_CAST:
        return lambda value: hstore_text(value) if isinstance(value, dict) else value
    return lambda value: orjson.dumps(value).decode() if isinstance(value, dict | list) else value


def array_text(values: list[object]) -> str:
    """A list as PostgreSQL writes arrays."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: object) -> str:
    if isinstance(value, list):
        return array_text(value)
    if value is None:
        return "NULL"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def hstore_text(value: dict[object, object]) -> str:
    """A map as hstore writes it: keys and values are texts."""
    return ",".join(f"{_element(str(key))}=>{_element(item)}" for key, item in value.items())


def _check_count(count: int, fids: Sequence[int | str]) -> None:
    if count != len(fids):
        raise EditError("A feature is not there any more, or must not be changed")


_REFUSALS: tuple[tuple[type[psycopg.Error], type[ProviderError], str], ...] = (
    (psycopg.errors.NotNullViolation, EditError, "A value that the layer's table requires is missing"),
    (psycopg.errors.UniqueViolation, EditError, "A value that must be unique is there already"),
    (psycopg.errors.ForeignKeyViolation, EditError, "A value refers to something that is not there, or is referred to"),
    (psycopg.errors.IntegrityError, EditError, "The values break a rule of the layer's table"),
    (psycopg.errors.DataError, EditError, "A value does not fit its column in the layer's table"),
    (psycopg.errors.RaiseException, EditError, "The layer's database refuses the change"),
    (psycopg.errors.WithCheckOptionViolation, EditError, "The values break a rule of the layer's view"),
    (psycopg.errors.GeneratedAlways, EditError, "A value is made by the database and can't be given"),
    (psycopg.errors.InsufficientPrivilege, ReadOnlyError, "The layer's table must not be written by this server"),
    (psycopg.errors.ReadOnlySqlTransaction, ReadOnlyError, "The layer's database can't be written at present"),
    (psycopg.errors.ObjectNotInPrerequisiteState, ReadOnlyError, "The layer's table can't be written"),
    (psycopg.errors.FeatureNotSupported, ReadOnlyError, "The layer's table can't be written"),
    (psycopg.errors.WrongObjectType, ReadOnlyError, "The layer's table can't be written"),
    (psycopg.errors.DatatypeMismatch, EditError, "A value does not fit its column in the layer's table"),
    (psycopg.errors.DeadlockDetected, EditConflict, "Another transaction was changing the same features"),
    (psycopg.errors.SerializationFailure, EditConflict, "Another transaction was changing the same features"),
    (psycopg.errors.LockNotAvailable, EditConflict, "Another transaction was changing the same features"),
)
"""Kinds of errors while writing, the narrower before the wider."""


def refusal(error: psycopg.Error) -> ProviderError:
    """What a client may know of an error while writing; values and names of columns go to the log only."""
    for kind, ours, message in _REFUSALS:
        if isinstance(error, kind):
            return ours(message, detail=f"{type(error).__name__}: {str(error).strip()}")
    return failure(error)


def open_store(source: DataSource, resources: Resources) -> PostgresStore:
    """The database of a data source. Connects at first use."""
    limits = Limits(resources.statement_timeout_ms, resources.connect_timeout_s)
    info = conninfo(source, limits)
    return PostgresStore(
        (info, source.params.get("session_role", "")), resources.once(Pool, info, lambda: Pool(info, limits))
    )
