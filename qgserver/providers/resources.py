"""What open layers share: limits, the cache of file contents, connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from qgserver.providers.cache import ByteCache


class Closable(Protocol):
    """A pool of connections."""

    def close(self) -> None:
        """Give everything back."""


T = TypeVar("T", bound=Closable)


@dataclass(slots=True)
class Resources:
    """One per process. ``statement_timeout_ms`` bounds one statement or batch, ``connect_timeout_s`` the wait for a
    connection or a lock."""

    statement_timeout_ms: int
    connect_timeout_s: float
    cache: ByteCache
    _shared: dict[Hashable, Closable] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def once(self, kind: type[T], key: Hashable, make: Callable[[], T]) -> T:
        """The thing of that kind and key, made at first need."""
        with self._lock:
            found = self._shared.get((kind, key))
            if not isinstance(found, kind):
                found = self._shared[kind, key] = make()
            return found

    def close(self) -> None:
        """Close all that is shared."""
        with self._lock:
            shared, self._shared = list(self._shared.values()), {}
        for thing in shared:
            thing.close()
        self.cache.clear()
