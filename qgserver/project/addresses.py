"""Addresses of projects in databases: QGIS's own form of them, and which of them a client may name."""

from __future__ import annotations

import functools
import os.path
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from qgserver.project.unavailable import unavailable

SETTING = "QGSERVER_PROJECT_DATABASES"

_ADDRESS = re.compile(r"(postgresql|geopackage):", re.IGNORECASE)
_DEFAULT_SCHEMA = "public"
_MAX_PARAMETERS = 50


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """A row of ``qgis_projects`` in a schema. ``database`` is libpq's connection string: it may hold a password."""

    database: str = field(repr=False)
    schema: str
    name: str

    def __str__(self) -> str:
        known = connection_parts(self.database)
        shown = "".join(f"{key}={known[key]}&" for key in ("service", "host", "dbname") if key in known)
        return f"postgresql:?{shown}schema={self.schema}&project={self.name}"


@dataclass(frozen=True, slots=True)
class GeoPackageAddress:
    """A row of ``qgis_projects`` in a GeoPackage."""

    path: str
    name: str

    def __str__(self) -> str:
        return f"geopackage:{self.path}?projectName={self.name}"


Address = PostgresAddress | GeoPackageAddress


def is_address(text: str) -> bool:
    """Whether it is meant as the address of a project in a database."""
    return _ADDRESS.match(text) is not None


def administrators_address(text: str) -> Address:
    """The address that a variable of the administrator holds; connection and credentials are in it. Raises
    ``ProjectError`` when it names no project."""
    url, params = _parts(text)
    if url.scheme == "geopackage":
        return _in_geopackage(os.path.abspath(unquote(url.path)), params)
    parts = _connection(url, params) | {
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "sslmode": params.get("sslmode", ""),
    }
    # https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
    database = " ".join(f"{name}='{_escaped(value)}'" for name, value in parts.items() if value)
    return _in_postgres(database, params)


def clients_address(text: str, listed: Sequence[str]) -> Address:
    """The address that ``MAP`` holds, in one of the databases ``listed`` in the setting: of ``MAP`` itself only
    schema and name are used, the rest of it chooses among the list. Raises ``ProjectError`` when none agrees."""
    url, params = _parts(text)
    if url.scheme == "geopackage":
        return _in_geopackage(_listed_file(unquote(url.path), listed), params)
    asked = _connection(url, params)
    found = next((entry for entry in listed if not _is_file(entry) and _agrees(asked, entry)), None)
    if found is None:
        raise unavailable(f"MAP={text[:200]!a}: the database is not in {SETTING}")
    return _in_postgres(found, params)


@functools.lru_cache(maxsize=100)
def connection_parts(database: str) -> Mapping[str, str]:
    """The words of a connection string; nothing when it can't be understood."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        found = conninfo_to_dict(database)
    except psycopg.Error:
        return MappingProxyType({})
    return MappingProxyType({name: str(value) for name, value in found.items() if value is not None})


def _parts(text: str) -> tuple[SplitResult, Mapping[str, str]]:
    try:
        url = urlsplit(text)
        _ = url.port  # read late: a port that is none raises now
        # A plus sign is one, as Qt has it.
        pairs = parse_qsl(url.query.replace("+", "%2B"), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError as error:
        raise unavailable(f"{text[:200]!a} is no address: {error}") from error
    return url, dict(pairs)


def _connection(url: SplitResult, params: Mapping[str, str]) -> dict[str, str]:
    """What of an address says which database is meant, as words of libpq."""
    return {
        "service": params.get("service", ""),
        "host": unquote(url.hostname or ""),
        "port": str(url.port or ""),
        "dbname": params.get("dbname", ""),
    }


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _agrees(asked: Mapping[str, str], entry: str) -> bool:
    """Whether nothing in an address speaks against that entry of the list."""
    known = connection_parts(entry)
    defaults = {"port": "5432"} if "host" in known else {}
    return bool(known) and all(
        not value or value == known.get(name, defaults.get(name)) for name, value in asked.items()
    )


def _is_file(entry: str) -> bool:
    return entry.lower().endswith(".gpkg")


def _listed_file(path: str, listed: Sequence[str]) -> str:
    """The listed GeoPackage that a path names. The path is compared as text: the file system is not asked about it."""
    files = (os.path.abspath(entry) for entry in listed if _is_file(entry))
    found = next((file for file in files if os.path.normpath(path) in (file, os.path.realpath(file))), None)
    if found is None:
        raise unavailable(f"MAP: the GeoPackage {path[:200]!a} is not in {SETTING}")
    return found


def _in_geopackage(path: str, params: Mapping[str, str]) -> GeoPackageAddress:
    return GeoPackageAddress(path, _name(params.get("projectName", "")))


def _in_postgres(database: str, params: Mapping[str, str]) -> PostgresAddress:
    schema = _name(params.get("schema", "") or _DEFAULT_SCHEMA)
    return PostgresAddress(database, schema, _name(params.get("project", "")))


def _name(text: str) -> str:
    """A name that a database can hold."""
    if not text or "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise unavailable("the address of the project names no project, or by characters that no name can have")
    return text
