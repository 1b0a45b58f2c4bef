"""A cache that forgets what was not used for longest, bounded in bytes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


_RECENT = 10.0


@dataclass(slots=True)
class _Item:
    value: object
    size: int
    used: float


class ByteCache:
    """Values by key, at most ``limit`` bytes altogether (as their makers count them). Safe for threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._items: OrderedDict[Hashable, _Item] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, kind: type[T]) -> T | None:
        """The value of that key, if it is one of that kind."""
        with self._lock:
            item = self._items.get(key)
            if item is None or not isinstance(item.value, kind):
                return None
            self._items.move_to_end(key)
            item.used = time.monotonic()
            return item.value

    def put(self, key: Hashable, value: object, size: int) -> None:
        """Keep a value of ``size`` bytes; one larger than the whole cache is not kept."""
        with self._lock:
            old = self._items.pop(key, None)
            self._size -= old.size if old else 0
            if size > self.limit:
                return
            self._items[key] = _Item(value, size, time.monotonic())
            self._size += size
            while self._size > self.limit:
                self._size -= self._items.popitem(last=False)[1].size

    def room(self) -> int:
        """Bytes that can be had without dropping what was used in the last seconds: two layers that do not fit together
        should not push each other out at every request."""
        now = time.monotonic()
        with self._lock:
            return self.limit - sum(item.size for item in self._items.values() if now - item.used < _RECENT)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
            self._size = 0
