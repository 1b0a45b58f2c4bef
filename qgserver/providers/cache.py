"""A cache that forgets what was not used for longest, bounded in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import TypeVar

T = TypeVar("T")


class ByteCache:
    """Values by key, at most ``limit`` bytes altogether (as their makers count them). Safe for threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._items: OrderedDict[Hashable, tuple[int, object]] = OrderedDict()
        self._used = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, kind: type[T]) -> T | None:
        """The value of that key, if it is one of that kind."""
        with self._lock:
            found = self._items.get(key)
            if found is None or not isinstance(found[1], kind):
                return None
            self._items.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, value: object, size: int) -> None:
        """Keep a value of ``size`` bytes; one larger than the whole cache is not kept."""
        with self._lock:
            old = self._items.pop(key, None)
            self._used -= old[0] if old else 0
            if size > self.limit:
                return
            self._items[key] = (size, value)
            self._used += size
            while self._used > self.limit:
                _, (dropped, _) = self._items.popitem(last=False)
                self._used -= dropped

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
            self._used = 0
