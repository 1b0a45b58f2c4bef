"""An SQLite database in memory, in which one query over layers is asked: nothing can be written, attached or opened,
and it ends in time.

What the query names is found out by preparing it: a table that is missing is made, empty, and its features are filled
in when it is known which columns are read.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import orjson

from qgserver.errors import ProviderError
from qgserver.expression.columns import to_values
from qgserver.geo.wkb import to_shapely
from qgserver.providers import sqlfunctions
from qgserver.providers.batch import Batch, Column
from qgserver.providers.protocol import FieldType, Provider, Query
from qgserver.providers.sqlitefile import quoted

Find = Callable[[str], Provider | None]
Guard = Callable[[int, str | None, str | None, str | None, str | None], int]
"""SQLite's authorizer: action, two words on it, database, view that it is done for -> allowed or not."""

GEOMETRY = "geometry"
VIEW = "_view"

MAX_FEATURES = 2_000_000
MAX_BYTES = 256 << 20
MAX_VALUE = 64 << 20
"""A query looks at so many features of other layers altogether, and holds so many bytes of them; a single text or
geometry is no longer than that."""
_MAX_NAMES = 200
_PAGE = 4096
_CHECK_EVERY = 20_000

_DECLARED: Mapping[FieldType, str] = {
    "bool": "INT",
    "int": "INT",
    "int64": "INT",
    "double": "REAL",
    "binary": "BLOB",
}
_READING = frozenset((sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE))
_CATALOGUE = frozenset((sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_READ))
_FORBIDDEN = frozenset(("load_extension", "zeroblob", "randomblob", "fts3_tokenizer"))
_SYSTEM = re.compile(r"sqlite_|pragma_|dbstat|sqlite_dbpage|fts|rtree", re.IGNORECASE)
_NO_TABLE = re.compile(r"no such table: (?:main\.|temp\.)?(.+)", re.DOTALL)
_NO_FUNCTION = re.compile(r"no such function: (.+)", re.DOTALL)


@dataclass(slots=True)
class _Table:
    """A layer as a table: its provider, its columns' names here, and those that the query reads (lower case)."""

    provider: Provider
    columns: tuple[str, ...]
    srid: int
    used: set[str] = field(default_factory=set)


class World:
    """One database, for one question. ``find`` gives the layer of a name."""

    def __init__(self, find: Find, seconds: float) -> None:
        self._find = find
        self._end = time.monotonic() + seconds if seconds else float("inf")
        self._tables: dict[str, _Table] = {}
        self._functions: set[str] = set()
        self._rows = 0
        self._guard: Guard | None = None
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        self._connection.execute(f"PRAGMA max_page_count = {MAX_BYTES // _PAGE}")
        self._connection.execute("PRAGMA temp_store = MEMORY")
        self._connection.set_progress_handler(self._late, _CHECK_EVERY)

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def ask(self, query: str) -> list[tuple[str, str]]:
        """Make the query ready. Its columns: names and declared types ("" where it computes them)."""
        with _errors():
            # SQLite takes nothing but one SELECT for a view.
            with self._guarded(self._may_make):
                self._connection.execute(f"CREATE TEMP VIEW {VIEW} AS {query}\n")
            with self._guarded(self._may_describe):
                described = self._resolved(f"PRAGMA table_info({VIEW})")
        return [(str(row[1]), str(row[2])) for row in described]

    def rows(self, columns: Sequence[str], limit: int | None) -> Iterator[tuple[Any, ...]]:
        """The query's answer in those columns, row by row."""
        listed = ", ".join(map(quoted, columns)) or "1"
        statement = f"SELECT {listed} FROM {VIEW}" + ("" if limit is None else f" LIMIT {limit}")  # noqa: S608
        size = 0
        with _errors():
            with self._guarded(self._may_read):
                self._resolved(f"EXPLAIN {statement}")
            for name, table in self._tables.items():
                self._fill(name, table)
            with self._guarded(self._may_read):
                for row in self._connection.execute(statement):
                    size += sum(len(value) for value in row if isinstance(value, str | bytes))
                    if size > MAX_BYTES:
                        raise ProviderError("The layer's query gives too much")
                    yield row

    @contextmanager
    def _guarded(self, guard: Guard | None) -> Iterator[None]:
        """Only what ``guard`` lets pass is done meanwhile; None: everything."""
        before, self._guard = self._guard, guard
        self._connection.set_authorizer(guard)
        try:
            yield
        finally:
            self._guard = before
            self._connection.set_authorizer(before)

    # -- what the query names -------------------------------------------------------------------------------------

    def _resolved(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement, what it names being made as it is missed."""
        for _ in range(_MAX_NAMES):
            try:
                return self._connection.execute(statement).fetchall()
            except sqlite3.OperationalError as error:
                text = str(error)
                if match := _NO_TABLE.fullmatch(text):
                    self._make_table(match[1], error)
                elif match := _NO_FUNCTION.fullmatch(text):
                    self._make_function(match[1], error)
                else:
                    raise
        raise ProviderError("The layer's query names too much")

    def _make_table(self, name: str, error: Exception) -> None:
        provider = self._find(name) if name not in self._tables else None
        if provider is None:
            raise ProviderError("The layer's query names a layer that is not there", detail=str(error)) from error
        schema = provider.schema()
        names: dict[str, str] = {}
        for column in schema.fields:
            if column.name and column.name.lower() not in (*names, GEOMETRY):
                names[column.name.lower()] = f"{quoted(column.name)} {_DECLARED.get(column.type, 'TEXT')}"
        columns = tuple(c.name for c in schema.fields if c.name.lower() in names)
        has_geometry = schema.geometry_type != "NoGeometry"
        declared = [*names.values(), *([f"{GEOMETRY} GEOMETRY"] if has_geometry else [])] or ["_nothing"]
        authority, _, code = (schema.crs.authid if schema.crs else "").partition(":")
        srid = int(code) if authority == "EPSG" and code.isdecimal() else 0
        with self._guarded(None):
            self._connection.execute(f"CREATE TABLE {quoted(name)} ({', '.join(declared)})")
        self._tables[name] = _Table(provider, columns, srid)

    def _make_function(self, name: str, error: Exception) -> None:
        plain, merged = sqlfunctions.function(name), sqlfunctions.aggregate(name)
        if name in self._functions or (plain is None and merged is None):
            raise ProviderError("The layer's query calls a function that is not there", detail=str(error)) from error
        self._functions.add(name)
        if plain is not None:
            self._connection.create_function(name, -1, plain[0], deterministic=plain[1])
        if merged is not None:
            self._connection.create_aggregate(name, 1, merged)  # type: ignore[arg-type] # stubs know but ints

    # -- permissions and limits -----------------------------------------------------------------------------------

    def _may_read(
        self, action: int, first: str | None, second: str | None, database: str | None, by: str | None
    ) -> int:
        if action == sqlite3.SQLITE_READ:
            if _SYSTEM.match(first or ""):
                return sqlite3.SQLITE_DENY
            if first in self._tables:
                self._tables[first].used.add((second or "").lower())
        forbidden = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _FORBIDDEN
        return sqlite3.SQLITE_OK if action in _READING and not forbidden else sqlite3.SQLITE_DENY

    def _may_make(
        self, action: int, first: str | None, second: str | None, database: str | None, by: str | None
    ) -> int:
        """The catalogue of temporary objects is all that is written when a view is made."""
        catalogue = first in ("sqlite_temp_master", "sqlite_temp_schema")
        if action == sqlite3.SQLITE_CREATE_TEMP_VIEW or (action in _CATALOGUE and catalogue):
            return sqlite3.SQLITE_OK
        return self._may_read(action, first, second, database, by)

    def _may_describe(
        self, action: int, first: str | None, second: str | None, database: str | None, by: str | None
    ) -> int:
        described = action == sqlite3.SQLITE_PRAGMA and first == "table_info"
        return sqlite3.SQLITE_OK if described else self._may_read(action, first, second, database, by)

    def _late(self) -> bool:
        return time.monotonic() > self._end

    def _check(self) -> None:
        if self._late():
            raise ProviderError("The layer's query took too long")

    # -- features -------------------------------------------------------------------------------------------------

    def _fill(self, name: str, table: _Table) -> None:
        """Put a layer's features into its table, in the columns that are read."""
        columns = tuple(column for column in table.columns if column.lower() in table.used)
        geometry = GEOMETRY in table.used
        names = ["rowid", *map(quoted, columns), *([GEOMETRY] if geometry else [])]
        marks = ", ".join(repeat("?", len(names)))
        insert = f"INSERT INTO {quoted(name)} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
        numbered = "rowid" not in (column.lower() for column in table.columns)
        self._connection.execute("BEGIN")
        with closing(table.provider.read(Query(columns=columns, geometry=geometry))) as batches:
            for batch in batches:
                self._check()
                self._rows += len(batch)
                if self._rows > MAX_FEATURES:
                    raise ProviderError("The layer's query reads too many features")
                self._connection.executemany(insert, _rows(batch, columns, table.srid, geometry, numbered))
        self._connection.execute("COMMIT")


def _rows(batch: Batch, columns: Sequence[str], srid: int, geometry: bool, numbered: bool) -> Iterator[tuple[Any, ...]]:
    """The features of a batch as SQLite takes them; the row's id is the feature's, where that is a number."""
    fids = batch.fids.tolist() if numbered and batch.fids.dtype.kind in "iu" else repeat(None, len(batch))
    values: list[Any] = [_sql_values(batch.columns[name]) for name in columns]
    if geometry:
        shapes = None if batch.geometry is None else to_shapely(batch.geometry)
        values.append(repeat(None, len(batch)) if shapes is None else sqlfunctions.blobs(shapes, srid))
    return zip(fids, *values, strict=True)


def _sql_values(column: Column) -> list[Any]:
    values = to_values(column)
    return values if column.values.dtype.kind in "iufb" else [_sql_value(value) for value in values]


def _sql_value(value: object) -> object:
    """Dates and times as ISO text, lists and maps as JSON."""
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, list | dict):
        return orjson.dumps(value, default=str).decode()
    return value if isinstance(value, str | bytes | int | float) else None


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        text = str(error)
        message = next((words for part, words in _MESSAGES if part in text), "The layer's query failed")
        raise ProviderError(message, detail=f"{type(error).__name__}: {text}") from error


_MESSAGES = (
    ("interrupted", "The layer's query took too long"),
    ("not authorized", "The layer's query does what no query may"),
    ("prohibited", "The layer's query does what no query may"),
    ("syntax error", "The layer's query is no SELECT of SQLite's"),
    ("full", "The layer's query needs too much memory"),
)
