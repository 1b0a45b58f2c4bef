"""Projects in memory: read once, read again when the file, or the row of a database, changes.

A project is served as long as (mtime, size, inode) of its file, and of the files it embeds groups from, stay as they
were when it was read: one ``stat`` for each per request. A file that changes while it is read, or does not parse, is
taken for half-written: it is tried again for a moment; after that requests get the last good version for
``GRACE`` seconds (time for an upload to end) and an error from then on, until the file changes again. A project that
vanishes is an error at once. Of a project in a database its version is asked for at each request; as long as the
database can't be asked, the last good version is served on.
"""

from __future__ import annotations

import io
import logging
import os
import stat
import threading
import time
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Protocol

from qgserver.errors import Problems, ProjectError
from qgserver.project.addresses import Address, GeoPackageAddress, administrators_address, is_address
from qgserver.project.databases import Databases, Outage
from qgserver.project.model import Project
from qgserver.project.reading import read_project
from qgserver.project.unavailable import unavailable
from qgserver.settings import Settings

log = logging.getLogger("qgserver")

MAX_BYTES = 128 * 1024 * 1024
"""Largest project, packed or unpacked."""
GRACE = 10.0
"""Seconds that the last good version of a file which does not parse any more is served on."""
TRIES = 4
PAUSE = 0.05
"""A file that is being written is read up to ``TRIES`` times, ``PAUSE`` seconds apart."""
LOGGED_PROBLEMS = 20
MAX_EMBEDDING = 5
"""Longest chain of projects that embed groups of each other."""

_ZIP_MAGIC = b"PK\x03\x04"
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)

Stamp = tuple[int, int, int]
"""mtime in ns, size, inode."""
_ABSENT: Stamp = (0, -1, 0)


class _Changing(Exception):
    """The file changed while it was read."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A project, the stamp of where it was read from, and the stamps of the other files that it embeds from."""

    project: Project
    stamp: Hashable
    others: dict[str, Stamp]


class _Place(Protocol):
    """Where a project lies. Both methods raise ``ProjectError``."""

    def stamp(self) -> Hashable:
        """What changes with the project."""

    def load(self, tries: int) -> _Loaded:
        """Read it; one that is being written is looked at up to ``tries`` times."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """The stamp of what could not be read as a project, when that was noticed (monotonic), and why."""

    stamp: Hashable
    since: float
    detail: str


@dataclass(slots=True)
class _Entry:
    """One project: its last good version, and what is wrong with it since."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    loaded: _Loaded | None = None
    failure: _Failure | None = None


class ProjectStore:
    """The projects of one process. Safe for several threads: a file is read by one of them while the others that want
    it wait."""

    def __init__(self, settings: Settings) -> None:
        self._size = max(1, settings.project_cache_size)
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._databases = Databases()
        self._svg_path = settings.svg_path

    def get(self, reference: str | Address) -> Project:
        """The project that ``choose_project`` chose, as it is now. Raises ``ProjectError``."""
        place = _File(reference) if isinstance(reference, str) else _Stored(reference, self._databases)
        try:
            stamp = place.stamp()
            entry = self._entry(reference)
            loaded = entry.loaded
            if loaded is not None and _is_current(loaded, stamp):
                return loaded.project
            with entry.lock:
                return _refresh(entry, place, self._svg_path)
        except Outage as error:
            kept = self._entries.get(reference)
            if kept is None or kept.loaded is None:
                raise
            log.warning("served from memory: %s", error.detail)
            return kept.loaded.project

    def close(self) -> None:
        """Close the connections to databases with projects; they are opened again when one is asked for."""
        self._databases.close()

    def _entry(self, reference: Hashable) -> _Entry:
        """The entry of a project that exists: names that lead nowhere must not drive projects out of the memory."""
        with self._lock:
            entry = self._entries.setdefault(reference, _Entry())
            self._entries.move_to_end(reference)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
            return entry


def _refresh(entry: _Entry, place: _Place, svg_path: tuple[str, ...]) -> Project:
    """Read the project, unless another thread did so meanwhile or it is known not to parse as it is."""
    stamp = place.stamp()
    loaded, failure = entry.loaded, entry.failure
    if loaded is not None and _is_current(loaded, stamp):
        return loaded.project
    if failure is None or failure.stamp != stamp:
        try:
            entry.loaded = _with_svgs(place.load(TRIES if loaded is None else 1), svg_path)
        except Outage:
            raise
        except ProjectError as error:
            failure = entry.failure = _Failure(stamp, time.monotonic(), error.detail)
        else:
            entry.failure = None
            _log_problems(entry.loaded.project)
            return entry.loaded.project
    if loaded is not None and time.monotonic() - failure.since < GRACE:
        return loaded.project
    raise unavailable(failure.detail)


def _with_svgs(loaded: _Loaded, svg_path: tuple[str, ...]) -> _Loaded:
    """Where SVGs are searched is the server's business, not the file's."""
    project = loaded.project
    return replace(loaded, project=replace(project, assets=replace(project.assets, svg_path=svg_path)))


@dataclass(frozen=True, slots=True)
class _File:
    path: str

    def stamp(self) -> Hashable:
        return _stamp(self.path)

    def load(self, tries: int) -> _Loaded:
        return _load(self.path, tries)


@dataclass(frozen=True, slots=True)
class _Stored:
    address: Address
    databases: Databases

    def stamp(self) -> Hashable:
        return self.databases.version(self.address)

    def load(self, tries: int) -> _Loaded:
        """A row is never half-written: it is read once. Relative paths start from the folder of the GeoPackage
        (measured); in PostgreSQL there is none to start from."""
        data, version = self.databases.read(self.address)
        path = self.address.path if isinstance(self.address, GeoPackageAddress) else ""
        others: dict[str, Stamp] = {}
        project = _parse(data, path, (), others)
        return _Loaded(replace(project, path=str(self.address)), version, others)


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise unavailable(f"{path}: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise unavailable(f"{path} is not a file")
    return _stamp_of(status)


def _stamp_of(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _is_current(loaded: _Loaded, stamp: Hashable) -> bool:
    """Whether nothing of the project has changed; ``stamp`` is its own as it is now."""
    return loaded.stamp == stamp and all(_has_stamp(other, old) for other, old in loaded.others.items())


def _has_stamp(path: str, stamp: Stamp) -> bool:
    try:
        return _stamp(path) == stamp
    except ProjectError:
        return stamp == _ABSENT


def load_project(reference: str) -> Project:
    """Read a project once, outside of any store (``qgserver check``): a file, or one in a database by its address.
    Raises ``ProjectError``."""
    if not is_address(reference):
        return _load(reference, TRIES).project
    databases = Databases()
    try:
        return _Stored(administrators_address(reference), databases).load(TRIES).project
    finally:
        databases.close()


def _load(path: str, tries: int) -> _Loaded:
    """Read a project that may be in the middle of being written."""
    failure = unavailable(f"{path} was not read")
    for attempt in range(tries):
        if attempt:
            time.sleep(PAUSE)
        stamps: dict[str, Stamp] = {}
        try:
            project = _read((path,), stamps)
            return _Loaded(project, stamps.pop(path), stamps)
        except ProjectError as error:
            failure = error
        except _Changing:
            failure = unavailable(f"{path} is being written")
    raise failure


def _read(chain: tuple[str, ...], stamps: dict[str, Stamp]) -> Project:
    """The project of the last file of ``chain`` (each embeds from the next). The stamps of all files it is made of
    are added to ``stamps``, of absent ones too: they may come."""
    *before, path = chain
    if path in before or len(chain) > MAX_EMBEDDING:
        raise unavailable(f"{path} embeds itself, or too deeply")
    stamps[path] = _ABSENT
    data, stamps[path] = _read_file(path)
    return _parse(data, path, chain, stamps)


def _parse(data: bytes, path: str, chain: tuple[str, ...], stamps: dict[str, Stamp]) -> Project:
    """The project of these bytes, packed or not; ``chain`` are the files that lead to it."""
    if data.startswith(_ZIP_MAGIC):
        data = unpack(data)
    return read_project(data, path, Problems(), lambda other: _read((*chain, other), stamps))


def _read_file(path: str) -> tuple[bytes, Stamp]:
    """All bytes of a file and its stamp. Raises ``_Changing`` when it was written to, or replaced, meanwhile."""
    try:
        # a pipe must not block us: it is refused below
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise unavailable(f"{path} is not a file")
            if before.st_size > MAX_BYTES:
                raise unavailable(f"{path} is larger than {MAX_BYTES} bytes")
            data = file.read(before.st_size + 1)
    except OSError as error:
        raise unavailable(f"{path}: {error}") from error
    stamp = _stamp_of(before)
    if len(data) != before.st_size or _stamp(path) != stamp:
        raise _Changing
    return data, stamp


def unpack(data: bytes) -> bytes:
    """The ``.qgs`` inside a ``.qgz``: the first entry of that name. Raises ``ProjectError``, also when it would unpack
    to more than ``MAX_BYTES``, whatever the archive says of its size."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            name = next((name for name in archive.namelist() if name.lower().endswith(".qgs")), None)
            if name is None:
                raise unavailable("the .qgz holds no .qgs")
            with archive.open(name) as file:
                content = file.read(MAX_BYTES + 1)
    except _ZIP_ERRORS as error:
        raise unavailable(f"broken .qgz: {error}") from error
    if len(content) > MAX_BYTES:
        raise unavailable(f"the .qgz unpacks to more than {MAX_BYTES} bytes")
    return content


def _log_problems(project: Project) -> None:
    """Tell once per reading what of a project is not served or drawn."""
    for problem in project.problems[:LOGGED_PROBLEMS]:
        log.warning("%s: layer %r: %s: %s", project.path, problem.layer, problem.element, problem.reason)
    if len(project.problems) > LOGGED_PROBLEMS:
        log.warning("%s: %d more (qgserver check)", project.path, len(project.problems) - LOGGED_PROBLEMS)
