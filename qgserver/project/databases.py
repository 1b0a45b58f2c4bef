"""Projects in databases: rows of a table ``qgis_projects(name, metadata, content)``, as QGIS saves them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from qgserver.errors import ProjectError, ProviderError
from qgserver.project.addresses import Address, GeoPackageAddress, PostgresAddress, connection_parts
from qgserver.project.unavailable import unavailable
from qgserver.providers.cache import ByteCache
from qgserver.providers.resources import Resources
from qgserver.providers.sqlitefile import SqliteFile
from qgserver.providers.uri import DataSource

MAX_CONTENT = 256 * 1024 * 1024
"""Longest ``content``: twice the largest project, for it may be written as hexadecimal digits."""
STATEMENT_MS = 20_000
CONNECT_S = 5.0

Version = tuple[str, int]
"""``metadata`` (the time of the last change is in it) and length of the content."""

_Row = tuple[object, ...]
_IN_GEOPACKAGE = """
SELECT metadata, length(content), CASE WHEN length(content) <= ? THEN content END FROM qgis_projects WHERE name = ?"""
_IN_POSTGRES = """
SELECT metadata::text, octet_length(content), CASE WHEN octet_length(content) <= %s THEN content END
FROM {}.qgis_projects WHERE name = %s"""


class Outage(ProjectError):
    """The database can't be asked just now; that says nothing about the project."""


class Databases:
    """The connections of one process to databases with projects. Safe for threads and for processes that fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start()

    def version(self, address: Address) -> Version:
        """What changes when the project is saved: one small query. Raises ``ProjectError`` when there is no such
        project, ``Outage`` when the database does not answer."""
        return _version(self._row(address, 0))

    def read(self, address: Address) -> tuple[bytes, Version]:
        """The bytes of the project (``.qgs`` or ``.qgz``) and their version. Raises like ``version``."""
        row = self._row(address, MAX_CONTENT)
        if row[2] is None:
            raise unavailable(f"{address}: it is empty, or larger than {MAX_CONTENT} bytes")
        return _binary(row[2]), _version(row)

    def close(self) -> None:
        """Close all connections."""
        self._shared().close()

    def _row(self, address: Address, longest: int) -> _Row:
        """Metadata, length of the content, and the content unless it is longer than ``longest``."""
        with _errors(address):
            row = (
                self._from_geopackage(address, longest)
                if isinstance(address, GeoPackageAddress)
                else self._from_postgres(address, longest)
            )
        if row is None:
            raise unavailable(f"{address}: there is no such project")
        return row

    def _from_geopackage(self, address: GeoPackageAddress, longest: int) -> _Row | None:
        path = address.path
        file = self._shared().once(SqliteFile, path, lambda: SqliteFile(path, STATEMENT_MS / 1000, CONNECT_S))
        with file.read() as reader:
            rows = reader.all(_IN_GEOPACKAGE, (longest, address.name))
        return rows[0] if rows else None

    def _from_postgres(self, address: PostgresAddress, longest: int) -> _Row | None:
        from psycopg import sql

        from qgserver.providers.pgconnect import Limits, Pool, conninfo

        limits = Limits(STATEMENT_MS, CONNECT_S)
        info = conninfo(DataSource("postgres", params=connection_parts(address.database)), limits)
        pool = self._shared().once(Pool, info, lambda: Pool(info, limits))
        query = sql.SQL(_IN_POSTGRES).format(sql.Identifier(address.schema))
        with pool.read_only() as connection:
            return connection.execute(query, (longest, address.name)).fetchone()

    def _shared(self) -> Resources:
        with self._lock:
            if self._pid != os.getpid():
                self._start()
            return self._resources

    def _start(self) -> None:
        self._pid = os.getpid()
        self._resources = Resources(STATEMENT_MS, CONNECT_S, ByteCache(0))


def _version(row: _Row) -> Version:
    return str(row[0]), int(str(row[1] or 0))


def _binary(content: object) -> bytes:
    """QGIS writes bytes into PostgreSQL and hexadecimal digits into GeoPackages; either is understood in both."""
    data = content.encode() if isinstance(content, str) else bytes(content)  # type: ignore[call-overload]
    try:
        return bytes.fromhex(data.removeprefix(b"\\x").decode("ascii"))
    except ValueError:
        return bytes(data)


@contextmanager
def _errors(address: Address) -> Iterator[None]:
    """The provider's errors as those of a project: the one error, or an outage."""
    try:
        yield
    except ProviderError as error:
        detail = f"{address}: {error.message} ({error.detail})"
        if _is_outage(error):
            raise Outage(unavailable("").message, detail=detail) from error
        raise unavailable(detail) from error


def _is_outage(error: ProviderError) -> bool:
    """Of a file only a lock passes by itself. A server that does not answer, or not in time, may do so later; one that
    says that a table is absent or must not be read has answered."""
    cause = error.__cause__
    if isinstance(cause, OSError) or type(cause).__module__ == "sqlite3":
        return "locked" in error.detail
    from psycopg import ProgrammingError

    return not isinstance(cause, ProgrammingError)
