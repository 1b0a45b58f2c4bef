"""SQLite files, read only: connections that end in time, and a stamp that tells whether the file changed.

A GeoPackage is opened by Python's own ``sqlite3`` alone, never by GDAL: two SQLite libraries in one process drop each
other's locks.
"""

from __future__ import annotations

import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgserver.errors import ProviderError

MAX_IDLE = 4
_CHECK_EVERY = 20_000
"""Instructions of SQLite's machine between two looks at the clock (about a millisecond)."""

_WAL_VERSION = 2


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file, or the one that belongs to it (write-ahead log, ``.dbf``), is replaced or written."""

    inode: int
    size: int
    changed_ns: int
    other_size: int = 0
    other_changed_ns: int = 0

    @property
    def settled(self) -> bool:
        """Whether the last change is old enough for the next one to have another time (clocks tick every few ms)."""
        return time.time_ns() - max(self.changed_ns, self.other_changed_ns) > 100_000_000


def stamp(path: str, other: str) -> Stamp:
    """The stamp of a file and of the ``other`` that may belong to it. Raises ProviderError when there is no file."""
    try:
        main = os.stat(path)
    except OSError as error:
        raise ProviderError("The layer's file can't be opened", detail=str(error)) from error
    try:
        beside = os.stat(other)
    except OSError:
        return Stamp(main.st_ino, main.st_size, main.st_mtime_ns)
    return Stamp(main.st_ino, main.st_size, main.st_mtime_ns, beside.st_size, beside.st_mtime_ns)


class Reader:
    """A connection inside one transaction: all it answers is of one moment, ``moment`` or a little later."""

    def __init__(self, connection: sqlite3.Connection, moment: Stamp, timeout_s: float) -> None:
        self.moment = moment
        self._connection = connection
        self._timeout_s = timeout_s or math.inf
        self._deadline = 0.0
        connection.set_progress_handler(self._late, _CHECK_EVERY)

    def all(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        self._deadline = time.monotonic() + self._timeout_s
        return self._connection.execute(statement, values).fetchall()

    def describe(self, statement: str) -> tuple[list[str], tuple[Any, ...] | None]:
        """Names of the columns of a statement, and its first row."""
        self._deadline = time.monotonic() + self._timeout_s
        cursor = self._connection.execute(statement)
        names = [str(c[0]) for c in cursor.description]
        row = cursor.fetchone()
        cursor.close()
        return names, row

    def batches(
        self, statement: str, values: Sequence[object], first: int, size: int
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a statement, ``first`` of them, then ``size`` at a time. Each fetch has its own time-out."""
        self._deadline = time.monotonic() + self._timeout_s
        cursor = self._connection.execute(statement, values)
        count = first
        while rows := cursor.fetchmany(count):
            yield rows
            count = size
            self._deadline = time.monotonic() + self._timeout_s
        cursor.close()

    def begin(self, moment: Stamp) -> None:
        """Start the transaction."""
        self.moment = moment
        self._connection.execute("BEGIN")

    def end(self) -> None:
        """End it; statements not read to the end are given up."""
        self._connection.rollback()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _late(self) -> bool:
        return time.monotonic() > self._deadline


class SqliteFile:
    """The connections of one file. Safe for threads."""

    def __init__(self, path: str, timeout_s: float, lock_timeout_s: float) -> None:
        self.path = path
        self._timeout_s = timeout_s
        self._lock_timeout_s = lock_timeout_s
        self._idle: list[Reader] = []
        self._lock = threading.Lock()

    def moment(self) -> Stamp:
        """The file's stamp of now. Raises ProviderError when there is no file."""
        return stamp(self.path, self.path + "-wal")

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """A connection in a read transaction. Errors of SQLite leave as ProviderError."""
        if os.path.exists(self.path + "-journal"):
            self._recover()
        moment = self.moment()
        reader = self._pop(moment.inode)
        try:
            if reader is None:
                reader = Reader(self._connect(), moment, self._timeout_s)
            reader.begin(moment)
            yield reader
        except (sqlite3.Error, sqlite3.Warning) as error:
            if reader is not None:
                reader.close()
            reader = None
            raise failure(error) from error
        finally:
            if reader is not None:
                self._push(reader)

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.close()

    def _pop(self, inode: int) -> Reader | None:
        with self._lock:
            reader = self._idle.pop() if self._idle else None
        if reader is not None and reader.moment.inode != inode:
            # Another file has been put in its place.
            reader.close()
            self.close()
            return None
        return reader

    def _push(self, reader: Reader) -> None:
        reader.end()
        with self._lock:
            if len(self._idle) < MAX_IDLE:
                self._idle.append(reader)
                return
        reader.close()

    def _recover(self) -> None:
        """Play the journal back that a killed writer has left: nobody can read before, and who only reads can't do it.
        The journal of a writer that is alive stays as it is."""
        uri = Path(self.path).absolute().as_uri() + "?mode=rw"
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=self._lock_timeout_s)) as connection:
                connection.execute("PRAGMA schema_version").fetchall()
        except sqlite3.Error:  # reading will tell
            return

    def _connect(self) -> sqlite3.Connection:
        flags = "?mode=ro&immutable=1" if self._orphaned_log() else "?mode=ro"
        return sqlite3.connect(
            Path(self.path).absolute().as_uri() + flags,
            uri=True,
            timeout=self._lock_timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )

    def _orphaned_log(self) -> bool:
        """Whether the file is in WAL mode (QGIS leaves it so), nobody has it open, and its folder must not be written
        to: SQLite can't open it then but by the promise that it does not change while it is open."""
        if os.path.exists(self.path + "-wal") or os.access(os.path.dirname(self.path) or ".", os.W_OK):
            return False
        with open(self.path, "rb") as file:
            return file.read(20)[18:20] == bytes([_WAL_VERSION, _WAL_VERSION])


def failure(error: Exception) -> ProviderError:
    """What a client may know of an error of SQLite; the rest is for the log."""
    text = str(error)
    message = next((words for part, words in _MESSAGES if part in text), "The layer's file can't be read")
    return ProviderError(message, detail=f"{type(error).__name__}: {text}")


_MESSAGES = (
    ("locked", "The layer's file is locked by a writer"),
    ("interrupted", "The layer's file took too long to read"),
    ("not a database", "The layer's file is damaged"),
    ("malformed", "The layer's file is damaged"),
    ("no such table", "The layer's table does not exist"),
    ("no such column", "A column of the layer does not exist in its table"),
    ("unable to open", "The layer's file can't be opened"),
)


def quoted(name: str) -> str:
    """An identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'
