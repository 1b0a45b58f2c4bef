"""Writing into GeoPackages: one SQLite transaction over all layers of a file.

By Python's own ``sqlite3`` alone, as reading is. The file keeps its journal mode. A connection is made for each
transaction: nothing of it is left that could outlive a file put in the other's place.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from qgserver.errors import ProviderError
from qgserver.geo.crs import Crs
from qgserver.providers import gpkgblob, gpkgschema
from qgserver.providers.cache import ByteCache
from qgserver.providers.edit import EditConflict, EditError, ReadOnlyError, Rows
from qgserver.providers.geopackage import GeoPackageProvider
from qgserver.providers.gpkgextent import LayerExtent
from qgserver.providers.resources import Resources
from qgserver.providers.sqlitefile import Reader, SqliteFile, failure, quoted, stamp
from qgserver.providers.uri import DataSource


@contextmanager
def _refusing() -> Iterator[None]:
    """Errors of SQLite as a client may know them, raised where they happen: the action is known there."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise _refusal(error) from error


class GeoPackageStore:
    """One file. The transactions of this process stand in a queue (SQLite's own waiting is a lottery); those of other
    processes are waited for by SQLite's busy time-out."""

    def __init__(self, path: str, statement_s: float, lock_s: float) -> None:
        self.key = path
        self._statement_s = statement_s or math.inf
        self._lock_s = lock_s
        self._queue = threading.Lock()

    @contextmanager
    def edit(self) -> Iterator[GeoPackageEditor]:
        """See ``Store``."""
        if not self._queue.acquire(timeout=self._lock_s):
            raise EditConflict("The layer's file is being written by others")
        try:
            moment = stamp(self.key, self.key + "-wal")
            with _refusing(), closing(self._connect()) as connection:
                connection.execute("PRAGMA foreign_keys = ON")
                begun = Reader(connection, moment, self._statement_s + self._lock_s)
                begun.all("BEGIN IMMEDIATE")
                editor = GeoPackageEditor(Reader(connection, moment, self._statement_s), self.key)
                yield editor
                editor.finish()
                # Without a write-ahead log this waits for readers, who hold the file as long as they read.
                Reader(connection, moment, self._statement_s + self._lock_s).all("COMMIT")
        finally:
            self._queue.release()

    def close(self) -> None:
        """Nothing is open between transactions."""

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            Path(self.key).absolute().as_uri() + "?mode=rw", uri=True, timeout=self._lock_s, isolation_level=None
        )
        gpkgblob.register(connection)
        return connection


class _Borrowed(SqliteFile):
    """What a provider takes for its file: it reads inside the transaction."""

    def __init__(self, path: str, reader: Reader) -> None:
        self.path = path
        self._reader = reader

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """The connection of the transaction."""
        with _refusing():
            yield self._reader


class GeoPackageEditor:
    """An open transaction."""

    exclusive = True

    def __init__(self, reader: Reader, path: str) -> None:
        self._reader = reader
        self._path = path
        self._layers: list[GeoPackageLayerEditor] = []

    @_refusing()
    def layer(self, source: DataSource, crs: Crs | None) -> GeoPackageLayerEditor:
        """See ``Editor``."""
        relation = gpkgschema.inspect(self._reader, source, crs)[1]
        name = gpkgschema.layer_name(self._reader, source)
        kinds = self._reader.all("SELECT type FROM sqlite_master WHERE lower(name) = lower(?)", (name,))
        if kinds != [("table",)] or relation.table != quoted(name) or not relation.fid:
            raise ReadOnlyError("The layer is a view or a query and can't be written")
        borrowed = _Borrowed(self._path, self._reader)
        provider = GeoPackageProvider(source, crs, borrowed, ByteCache(0))
        editor = GeoPackageLayerEditor(self._reader, name, relation, provider)
        self._layers.append(editor)
        return editor

    def finish(self) -> None:
        """Bring the file's table of contents up to date."""
        for layer in self._layers:
            layer.finish()


class GeoPackageLayerEditor:
    """A table of a GeoPackage."""

    def __init__(self, reader: Reader, name: str, relation: gpkgschema.Relation, provider: GeoPackageProvider) -> None:
        self.provider = provider
        self._reader = reader
        self._relation = relation
        self._name = name
        self._extent = LayerExtent(reader, name, relation)
        self._srid = self._find_srid()
        self._changed = False

    def lock(self, fids: Sequence[int | str]) -> None:
        """See ``LayerEditor``. The file has one writer at a time: all is locked."""

    @_refusing()
    def insert(self, rows: Rows) -> list[int | str]:
        """See ``LayerEditor``."""
        self._changed = True
        columns = [quoted(name) for name in rows.columns]
        if rows.shapes is not None:
            columns.append(self._shape_column())
        values = f"({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})" if columns else "DEFAULT VALUES"
        statement = f"INSERT INTO {self._relation.table} {values} RETURNING {quoted(self._relation.fid)}"
        return [int(self._reader.all(statement, bound)[0][0]) for bound in self._bound(rows)]

    @_refusing()
    def update(self, fids: Sequence[int | str], rows: Rows) -> None:
        """See ``LayerEditor``."""
        items = [f"{quoted(name)} = ?" for name in rows.columns]
        if rows.shapes is not None:
            items.append(f"{self._shape_column()} = ?")
            self._extent.leaving(fids)
        if not fids or not items:
            return
        self._changed = True
        which = [fids] if len(rows.values) == 1 else [[fid] for fid in fids]
        for some, row in zip(which, self._bound(rows), strict=True):
            where, keys = self._which(some)
            statement = f"UPDATE {self._relation.table} SET {', '.join(items)}{where}"  # noqa: S608
            self._change(statement, (*row, keys), some)

    @_refusing()
    def delete(self, fids: Sequence[int | str]) -> None:
        """See ``LayerEditor``."""
        self._changed = True
        self._extent.leaving(fids)
        where, keys = self._which(fids)
        self._change(f"DELETE FROM {self._relation.table}{where}", (keys,), fids)  # noqa: S608

    def finish(self) -> None:
        """Write the time of the change and the layer's box (clause 1.1.3)."""
        if self._changed:
            self._extent.write()

    def _change(self, statement: str, values: Sequence[object], fids: Sequence[int | str]) -> None:
        self._reader.all(statement, values)
        (count,) = self._reader.all("SELECT changes()")[0]
        if count != len(set(map(int, fids))):
            raise EditError("A feature is not there any more, or must not be changed")

    def _which(self, fids: Sequence[int | str]) -> tuple[str, str]:
        where = f" WHERE {quoted(self._relation.fid)} IN (SELECT value FROM json_each(?))"  # noqa: S608
        return where, json.dumps([int(fid) for fid in fids])

    def _bound(self, rows: Rows) -> list[tuple[object, ...]]:
        """The values as SQLite stores them."""
        out = [tuple(map(stored, values)) for values in rows.values]
        if rows.shapes is None:
            return out
        blobs = [None if shape is None else gpkgblob.encode(shape, self._srid) for shape in rows.shapes]
        for blob in blobs:
            self._extent.coming(blob)
        return [(*values, blob) for values, blob in zip(out, blobs, strict=True)]

    def _shape_column(self) -> str:
        if not self._relation.geometry:
            raise EditError("The layer has no geometry")
        return quoted(self._relation.geometry)

    def _find_srid(self) -> int:
        rows = self._reader.all(
            "SELECT srs_id FROM gpkg_geometry_columns WHERE lower(table_name) = lower(?)", (self._name,)
        )
        return int(rows[0][0]) if rows else 0


def stored(value: object) -> object:
    """A Python value as GeoPackage stores it (table 1 of clause 1.1.1.1.3): instants are text in UTC."""
    convert = _STORED.get(type(value))
    return value if convert is None else convert(value)


_STORED: Mapping[type, Callable[[Any], object]] = {
    bool: int,
    Decimal: float,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
    dt.datetime: lambda value: value.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z",
    list: lambda value: orjson.dumps(value).decode(),
    dict: lambda value: orjson.dumps(value).decode(),
}


def _refusal(error: Exception) -> ProviderError:
    text = str(error)
    detail = f"{type(error).__name__}: {text}"
    for part, kind, message in _REFUSALS:
        if part in text:
            return kind(message, detail=detail)
    if isinstance(error, sqlite3.IntegrityError):
        return EditError("The values break a rule of the layer's table", detail=detail)
    return failure(error)


_REFUSALS: tuple[tuple[str, type[ProviderError], str], ...] = (
    ("locked", EditConflict, "The layer's file is in use by others"),
    ("readonly", ReadOnlyError, "The layer's file can't be written by this server"),
    ("unable to open", ReadOnlyError, "The layer's file can't be opened for writing"),
    ("NOT NULL", EditError, "A value that the layer's table requires is missing"),
    ("UNIQUE", EditError, "A value that must be unique is there already"),
    ("FOREIGN KEY", EditError, "A value refers to something that is not there, or is referred to"),
    ("datatype mismatch", EditError, "A value does not fit its column in the layer's table"),
)


def open_store(source: DataSource, resources: Resources) -> GeoPackageStore:
    """The file of a data source; two names of one file are one store. Nothing is opened yet."""
    path = os.path.realpath(source.path)
    seconds = resources.statement_timeout_ms / 1000
    return resources.once(GeoPackageStore, path, lambda: GeoPackageStore(path, seconds, resources.connect_timeout_s))
