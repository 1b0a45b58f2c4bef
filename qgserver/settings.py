"""Settings of the process: the only reader of ``os.environ``.

One field of ``Settings`` is one row of the table: variable name, reader, default and what it means.
``docs/settings.md`` is written from it (``python -m qgserver.settings > docs/settings.md``).
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TypeVar

T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def text(value: str) -> str:
    """The value without surrounding blanks."""
    return value.strip()


def flag(value: str) -> bool:
    """QGIS Server's booleans: ``1`` or ``true`` in any case; all else is false."""
    return value.strip().lower() in ("1", "true")


def whole(value: str) -> int:
    """A whole number."""
    return int(value)


def amount(value: str) -> int:
    """A whole number, 0 or more."""
    number = int(value)
    if number < 0:
        raise ValueError("must not be negative")
    return number


def separated(*separators: str) -> Callable[[str], tuple[str, ...]]:
    """Reader of a list; empty items are dropped."""

    def read(value: str) -> tuple[str, ...]:
        for other in separators[1:]:
            value = value.replace(other, separators[0])
        return tuple(item.strip() for item in value.split(separators[0]) if item.strip())

    return read


def networks(value: str) -> tuple[Network, ...]:
    """IP addresses and networks (``10.0.0.0/8``), separated by commas or blanks."""
    return tuple(ipaddress.ip_network(item, strict=False) for item in separated(",", " ")(value))


def setting(name: str, read: Callable[[str], T], default: str, doc: str) -> T:
    """One row of the table, as a dataclass field: ``default`` is written as in the environment."""
    return field(default=read(default), metadata={"name": name, "read": read, "default": default, "doc": doc})


@dataclass(frozen=True, slots=True)
class Settings:
    """What the administrator decides. ``Settings()`` is all defaults; ``from_environ`` reads the variables."""

    project_file: str = setting(
        "QGIS_PROJECT_FILE",
        text,
        "",
        "The default project: a `.qgs` or `.qgz` file, or a project in a database in QGIS's own form. A request may "
        "carry its own (`SetEnv`, `fastcgi_param`), and `MAP` overrides both.",
    )
    project_file_alias: str = setting(
        "QGIS_PROJET_FILE", text, "", "A misspelling found in the wild: understood, with a warning in the log."
    )
    project_roots: tuple[str, ...] = setting(
        "QGSERVER_PROJECT_ROOTS",
        separated(":"),
        "",
        "Directories, separated by `:`, inside which `MAP` may name a project file; symbolic links are resolved first. "
        "Default: the directory of the default project.",
    )
    project_databases: tuple[str, ...] = setting(
        "QGSERVER_PROJECT_DATABASES",
        separated(";"),
        "",
        "Databases, separated by `;`, out of which `MAP` may name a project: `service=NAME`, connection strings, "
        "GeoPackage files. Host and credentials never come from `MAP`.",
    )
    trusted_proxies: tuple[Network, ...] = setting(
        "QGSERVER_TRUSTED_PROXIES",
        networks,
        "127.0.0.0/8,::1",
        "Addresses and networks whose `Forwarded`, `X-Forwarded-*` and `X-Qgis-*-Service-Url` headers are believed. "
        "Unix sockets always are.",
    )
    cors: tuple[str, ...] = setting(
        "QGSERVER_CORS",
        separated(",", " "),
        "",
        "Origins whose pages may read our answers (`https://maps.example.org`), or `*` for all. Empty: none may.",
    )
    service_url: str = setting(
        "QGIS_SERVER_SERVICE_URL", text, "", "The public address of every service, when requests do not tell it."
    )
    wms_service_url: str = setting("QGIS_SERVER_WMS_SERVICE_URL", text, "", "The public address of WMS.")
    wfs_service_url: str = setting("QGIS_SERVER_WFS_SERVICE_URL", text, "", "The public address of WFS.")
    ignore_bad_layers: bool = setting(
        "QGIS_SERVER_IGNORE_BAD_LAYERS",
        flag,
        "false",
        "Draw a map without the layers whose data source fails, instead of answering an error, and take a layer whose "
        "file is not there for empty. Requests that do not name a broken layer work either way.",
    )
    wms_max_width: int = setting(
        "QGIS_SERVER_WMS_MAX_WIDTH",
        whole,
        "-1",
        "Largest WIDTH of a map; the project's own limit counts too. -1: none.",
    )
    wms_max_height: int = setting(
        "QGIS_SERVER_WMS_MAX_HEIGHT",
        whole,
        "-1",
        "Largest HEIGHT of a map; the project's own limit counts too. -1: none.",
    )
    disable_getprint: bool = setting(
        "QGIS_SERVER_DISABLE_GETPRINT", flag, "false", "Answer GetPrint with status 501, and do not list it."
    )
    extra_sql_tokens: tuple[str, ...] = setting(
        "QGIS_SERVER_ALLOWED_EXTRA_SQL_TOKENS", separated(","), "", "Further words that `FILTER` of WMS may hold."
    )
    log_level: int = setting(
        "QGIS_SERVER_LOG_LEVEL",
        amount,
        "1",
        "0: one line for each request, warnings and errors; 1: warnings and errors; 2: errors only.",
    )
    log_file: str = setting(
        "QGIS_SERVER_LOG_FILE", text, "", "Log into this file instead of the standard error output."
    )
    project_cache_size: int = setting(
        "QGIS_SERVER_PROJECT_CACHE_SIZE", amount, "100", "Projects that one process keeps in memory."
    )
    capabilities_cache_size: int = setting(
        "QGIS_SERVER_CAPABILITIES_CACHE_SIZE", amount, "40", "Capabilities documents that one process keeps in memory."
    )
    fcgi_workers: int = setting(
        "QGSERVER_FCGI_WORKERS",
        amount,
        "1",
        "Processes of `qgserver.fcgi`, where a web server leaves no room for its argument `-w`.",
    )
    svg_path: tuple[str, ...] = setting(
        "QGSERVER_SVG_PATH",
        separated(":"),
        "",
        "Directories of SVG markers, separated by `:`, searched before `/usr/share/qgis/svg`.",
    )
    remote_hosts: tuple[str, ...] = setting(
        "QGSERVER_REMOTE_HOSTS",
        separated(",", " "),
        "",
        "Servers that layers of tiles, WMTS and WMS may be fetched from: host names, separated by commas; "
        "`.example.org` stands for all hosts below it. Empty: those that projects name, and public ones that these "
        "lead to. Link-local addresses are never asked, and no request can name a server.",
    )
    cache_bytes: int = setting(
        "QGSERVER_CACHE_BYTES", amount, "67108864", "Memory that one process may use for the data of files, in bytes."
    )
    max_body_bytes: int = setting(
        "QGSERVER_MAX_BODY_BYTES", amount, "33554432", "Largest body of a POST request, in bytes."
    )
    max_pixels: int = setting(
        "QGSERVER_MAX_PIXELS", amount, "64000000", "Most pixels (WIDTH x HEIGHT) of one map: each takes four bytes."
    )
    max_layers: int = setting("QGSERVER_MAX_LAYERS", amount, "1000", "Most layers that one map may draw.")
    max_file_bytes: int = setting(
        "QGSERVER_MAX_FILE_BYTES",
        amount,
        "2147483648",
        "Most room on the disk, in bytes, for one WFS answer that is made as a file first (GeoPackage, Shapefile, "
        "FlatGeobuf), in the directory that `TMPDIR` names. 0: no limit.",
    )
    max_seconds: int = setting(
        "QGSERVER_MAX_SECONDS",
        amount,
        "60",
        "Longest time that one database statement, or a whole transaction, may take, in seconds. 0: no limit.",
    )
    max_transaction_features: int = setting(
        "QGSERVER_MAX_TRANSACTION_FEATURES",
        amount,
        "100000",
        "Most features that one transaction may insert, update and delete, all in all.",
    )
    stored_queries: str = setting(
        "QGSERVER_STORED_QUERIES",
        text,
        "",
        "A directory, the same for all processes, where stored queries are kept that clients of WFS 2.0 make "
        "(CreateStoredQuery). Empty: they make none.",
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Settings of the variables in ``environ`` (default: of the process). ``ValueError`` names a bad variable."""
        environ = os.environ if environ is None else environ
        values: dict[str, object] = {}
        for row in fields(cls):
            name = row.metadata["name"]
            if name not in environ:
                continue
            try:
                values[row.name] = row.metadata["read"](environ[name])
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return cls(**values)  # type: ignore[arg-type]


def document() -> str:
    """``docs/settings.md``: the table of all variables."""

    def lines() -> Iterator[str]:
        yield "# Settings\n"
        yield "Environment variables, read when the process starts. `python -m qgserver.settings` prints this page.\n"
        yield "| variable | default | meaning |\n| --- | --- | --- |"
        for row in fields(Settings):
            default = f"`{row.metadata['default']}`" if row.metadata["default"] else ""
            yield f"| `{row.metadata['name']}` | {default} | {row.metadata['doc']} |"

    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    print(document(), end="")
