"""Data sources: where features come from.

``Sources`` opens them; what a source can do is ``protocol.Provider``. A new provider is one file with a function
``open_layer`` and one row in ``_MODULES``.
"""

from __future__ import annotations

import importlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import MappingProxyType

from qgserver.errors import ProviderError
from qgserver.geo.crs import Crs
from qgserver.providers.absent import AbsentProvider
from qgserver.providers.cache import ByteCache
from qgserver.providers.edit import Store, open_store, takes_edits
from qgserver.providers.protocol import Provider
from qgserver.providers.resources import Resources, T
from qgserver.providers.uri import DataSource

_MODULES: Mapping[str, str] = MappingProxyType({
    "postgres": "qgserver.providers.postgres",
    "ogr": "qgserver.providers.ogr",
    "spatialite": "qgserver.providers.ogr",
    "geopackage": "qgserver.providers.geopackage",
    "memory": "qgserver.providers.memory",
    "delimitedtext": "qgserver.providers.delimitedtext",
    "virtual": "qgserver.providers.virtual",
})  # fmt: skip
"""Provider's name -> the module that opens it, imported on first use."""

_OF_FILES = frozenset({"ogr", "spatialite", "delimitedtext", "gdal"})

MAX_OPEN = 5000
"""Open layers kept. They are small: names, types and a reference to what is shared."""


class Sources:
    """All open data sources of a process; the application owns one and closes it at exit. Safe for threads and for
    processes that fork: a child starts with nothing open."""

    def __init__(
        self,
        *,
        cache_bytes: int = 64 << 20,
        statement_timeout_ms: int = 30_000,
        connect_timeout_s: float = 5.0,
        ignore_absent: bool = False,
        remote_hosts: tuple[str, ...] = (),
    ) -> None:
        """``ignore_absent``: layers whose file is not there are empty, not broken. ``remote_hosts``: if there are any,
        only these may be asked over HTTP."""
        self.remote_hosts = remote_hosts
        self._ignore_absent = ignore_absent
        self._arguments = (cache_bytes, statement_timeout_ms, connect_timeout_s)
        self._lock = threading.Lock()
        self._start()

    def open(self, source: DataSource, crs: Crs | None) -> Provider:
        """The provider of a data source; ``crs`` is what the project says. The same object gives the same provider,
        which knows its schema already; a reloaded project has new objects and so asks anew. Nothing is read yet.

        Raises ProviderError for providers that are unknown or not supported.
        """
        if self.is_absent(source):
            return AbsentProvider(crs)  # not kept: the file may come
        with self._lock:
            if self._pid != os.getpid():
                self._start()
            found = self._open.get(id(source))
            if found is not None:
                self._open.move_to_end(id(source))
                return found[1]
        provider = _open(source, crs, self._resources)
        with self._lock:
            self._open[id(source)] = (source, provider)
            if len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)
        return provider

    def store(self, source: DataSource) -> Store:
        """Where a data source is written to. Nothing is opened yet. Raises ReadOnlyError for what can't be written."""
        return open_store(_provider_name(source), source, self._own_resources())

    def is_absent(self, source: DataSource) -> bool:
        """Whether a source is a file that is not there, and layers of such are to be empty, not broken."""
        return self._ignore_absent and file_is_missing(source)

    def shared(self, kind: type[T], make: Callable[[], T]) -> T:
        """The one thing of its kind that other kinds of sources share in this process; closed with the rest."""
        return self._own_resources().once(kind, "", make)

    def close(self) -> None:
        """Close all connections and forget all data."""
        with self._lock:
            if self._pid == os.getpid():
                self._resources.close()
            self._start()

    def _own_resources(self) -> Resources:
        """What this process has open: nothing of what it may have had before a fork."""
        with self._lock:
            if self._pid != os.getpid():
                self._start()
            return self._resources

    def _start(self) -> None:
        cache_bytes, statement_timeout_ms, connect_timeout_s = self._arguments
        self._pid = os.getpid()
        self._open: OrderedDict[int, tuple[DataSource, Provider]] = OrderedDict()
        self._resources = Resources(statement_timeout_ms, connect_timeout_s, ByteCache(cache_bytes))


def _open(source: DataSource, crs: Crs | None, resources: Resources) -> Provider:
    name = _provider_name(source)
    if name not in _MODULES:
        raise ProviderError("The layer's kind of data source is not supported", detail=f"provider {name!r}")
    provider: Provider = importlib.import_module(_MODULES[name]).open_layer(source, crs, resources)
    return provider


def file_is_missing(source: DataSource) -> bool:
    """Whether a source is a plain file (or folder) that is not there. Nothing is opened, and no server asked."""
    plain = source.provider in _OF_FILES and source.path.startswith("/") and not source.path.startswith("/vsi")
    return plain and not os.path.exists(source.path)


def is_editable(source: DataSource) -> bool:
    """Whether a source is of a kind that can be written at all. Nothing is opened."""
    return takes_edits(_provider_name(source), source)


def _provider_name(source: DataSource) -> str:
    return "geopackage" if source.provider == "ogr" and _is_geopackage(source.path) else source.provider


def _is_geopackage(path: str) -> bool:
    # One that lies in an archive is GDAL's: nobody writes there.
    return path.lower().endswith(".gpkg") and not path.startswith("/vsi")
