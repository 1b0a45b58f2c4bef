"""Documents that depend on nothing but the project (capabilities), kept as text with a placeholder for the address.

The address of the server is never part of the key: a client that varies ``Host`` cannot fill the memory, and no client
gets the address another one used.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from qgserver.ows.xmlio import escape
from qgserver.project.model import Project
from qgserver.web.service_url import with_separator

URL = "\0url\0"
"""Stands in a document for the service's address. NUL cannot come from a project: ``xmlio.escape`` replaces it."""
PREFIX = "\0prefix\0"
"""The address as a prefix for parameters, with ``?`` or ``&`` at its end."""


@dataclass(frozen=True, slots=True)
class _Entry:
    project: Project
    text: str


class DocumentCache:
    """The last ``size`` documents of one process. Safe for several threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[tuple[str, ...], _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, project: Project, key: tuple[str, ...], url: str, build: Callable[[], str]) -> str:
        """The document ``key`` (service, version, kind, ...) of this very project object, made by ``build`` when it is
        not there, with the placeholders replaced by ``url``. A project that was read anew is another object, so its
        documents are made anew."""
        full_key = (project.path, *key)
        with self._lock:
            entry = self._entries.get(full_key)
            if entry is not None:
                self._entries.move_to_end(full_key)
        if entry is None or entry.project is not project:
            entry = _Entry(project, build())
            self._keep(full_key, entry)
        return fill(entry.text, url)

    def _keep(self, key: tuple[str, ...], entry: _Entry) -> None:
        with self._lock:
            self._entries[key] = entry
            self._entries.move_to_end(key)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)


def fill(text: str, url: str) -> str:
    """The document with the address of the service in place of the placeholders."""
    return text.replace(PREFIX, escape(with_separator(url))).replace(URL, escape(url))
