"""Documents that depend on nothing but the project (capabilities), kept as text with a placeholder for the address.

The address of the server is never part of the key: a client that varies ``Host`` cannot fill the memory, and no client
gets the address another one used.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from qgserver.ows.xmlio import escape
from qgserver.project.model import Project
from qgserver.web.service_url import with_separator

URL = "\0url\0"
"""Stands in a document for the service's address. NUL cannot come from a project: ``xmlio.escape`` replaces it."""
PREFIX = "\0prefix\0"
"""The address as a prefix for parameters, with ``?`` or ``&`` at its end."""


T = TypeVar("T")
PICTURES, LARGEST_PICTURE = 128, 1 << 17
"""How many pictures are kept, and of how many bytes at most."""


class _Latest(Generic[T]):
    """What was used last, by project and key. A project that was read anew is another object, so what belongs to it is
    made anew. Safe for several threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[tuple[str, ...], tuple[Project, T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, project: Project, key: tuple[str, ...]) -> T | None:
        with self._lock:
            known, found = self._entries.get((project.path, *key), (None, None))
            if known is not project:
                return None
            self._entries.move_to_end((project.path, *key))
            return found

    def keep(self, project: Project, key: tuple[str, ...], thing: T) -> None:
        with self._lock:
            self._entries[(project.path, *key)] = project, thing
            self._entries.move_to_end((project.path, *key))
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)


class DocumentCache:
    """The last ``size`` documents of one process, and the last pictures that depend on nothing but the project and the
    request (legends)."""

    def __init__(self, size: int) -> None:
        self._documents: _Latest[str] = _Latest(size)
        self._pictures: _Latest[bytes] = _Latest(PICTURES)

    def get(
        self,
        project: Project,
        key: tuple[str, ...],
        url: str,
        build: Callable[[], str],
        lasts: Callable[[], bool] = lambda: True,
    ) -> str:
        """The document ``key`` (service, version, kind, ...) of this very project object, made by ``build`` when it is
        not there, with the placeholders replaced by ``url``. ``lasts`` says after ``build`` whether it may be kept."""
        text = self._documents.get(project, key)
        if text is None:
            text = build()
            if lasts():
                self._documents.keep(project, key, text)
        return fill(text, url)

    def picture(self, project: Project, key: tuple[str, ...], build: Callable[[], bytes]) -> bytes:
        """The picture ``key`` of this very project object, made by ``build`` when it is not there."""
        data = self._pictures.get(project, key)
        if data is None:
            data = build()
            if len(data) <= LARGEST_PICTURE:
                self._pictures.keep(project, key, data)
        return data


def fill(text: str, url: str) -> str:
    """The document with the address of the service in place of the placeholders."""
    return text.replace(PREFIX, escape(with_separator(url))).replace(URL, escape(url))
