"""Other servers as all layers of a process use them: what they answered, who is down, several requests at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from qgserver.providers.cache import ByteCache
from qgserver.rasters.http import Answer, Connections, FetchError, Rules, SlowError

log = logging.getLogger("qgserver")
T = TypeVar("T")

AT_ONCE = 6
"""Requests under way at a time."""
CACHE_BYTES = 32 << 20
LONGEST_KEPT_S = 86_400.0
MISSING_KEPT_S = 60.0
DOWN_S = 20.0
"""How long a server that can't be reached is left alone."""
FAIR_S = 5.0
"""What a server may take at least before it counts as one that can't be reached."""
WARNED_S = 60.0
"""A server's failures are logged once in this time."""
_BODY_OVERHEAD = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """An address to ask, with the headers that its author wants sent; ``keep_s`` is how long the answer is good where
    it does not say itself."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    keep_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    size: int
    until: float


class Remote:
    """One per process; ``rules`` say which servers may be asked. Safe for threads."""

    def __init__(self, rules: Rules) -> None:
        self._connections = Connections(rules)
        self._cache = ByteCache(CACHE_BYTES)
        self._lock = threading.Lock()
        self._down: dict[str, float] = {}
        self._warned: dict[str, float] = {}
        self._threads: ThreadPoolExecutor | None = None

    def get(self, wanted: Wanted, until: float) -> bytes | None:
        """The bytes at an address; None where there are none (status 204, 404, 410), or none to be had: why is logged,
        and a server that did not answer in time is left alone for a while."""
        key = (wanted.url, *sorted(wanted.headers.items()))
        kept = self._cache.get(key, _Kept)
        if kept is not None and kept.until > time.monotonic():
            body: bytes | None = kept.value
            return body
        host = urlsplit(wanted.url).netloc
        if self._is_down(host):
            return None
        start = time.monotonic()
        if start >= until:
            self.warn(host, "the map has waited long enough for other servers")
            return None
        try:
            answer = self._connections.get(wanted.url, wanted.headers, until)
        except FetchError as error:
            if error.status in (204, 404, 410):
                self._keep(key, None, MISSING_KEPT_S)
                return None
            # One that was given little time, because others had taken it, may be well.
            if not error.status and (not isinstance(error, SlowError) or time.monotonic() - start > FAIR_S):
                self._set_down(host)
            self.warn(host, str(error))
            return None
        self._keep(key, answer.body, freshness(answer, wanted.keep_s))
        return answer.body

    def parsed(self, wanted: Wanted, parse: Callable[[bytes], T | None], until: float) -> T | None:
        """What ``parse`` makes of the bytes at an address, kept as long as they are; None where that fails."""
        key = (parse, wanted.url, *sorted(wanted.headers.items()))
        kept = self._cache.get(key, _Kept)
        if kept is not None and kept.until > time.monotonic():
            known: T = kept.value
            return known
        body = self.get(wanted, until)
        if body is None:
            return None
        found = parse(body)
        if found is None:
            self.warn(urlsplit(wanted.url).netloc, "its capabilities can't be read")
        seconds = wanted.keep_s if found is not None else MISSING_KEPT_S
        self._cache.put(key, _Kept(found, len(body), time.monotonic() + seconds), len(body) + _BODY_OVERHEAD)
        return found

    def each(self, jobs: Sequence[T], work: Callable[[T], None]) -> None:
        """``work`` for every job, a few at a time."""
        if len(jobs) < 2:
            for job in jobs:
                work(job)
            return
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="remote")
            threads = self._threads
        for _ in threads.map(work, jobs):
            pass

    def warn(self, host: str, reason: str) -> None:
        """Log that a server fails."""
        now = time.monotonic()
        with self._lock:
            if now - self._warned.get(host, -WARNED_S) < WARNED_S:
                return
            self._warned[host] = now
        log.warning("the server %s of a raster layer fails: %s", host.rpartition("@")[2], reason)

    def close(self) -> None:
        """Close connections and threads."""
        with self._lock:
            threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)
        self._connections.close()
        self._cache.clear()

    def _keep(self, key: tuple[object, ...], body: bytes | None, seconds: float) -> None:
        if seconds > 0:
            size = len(body or b"") + _BODY_OVERHEAD
            self._cache.put(key, _Kept(body, size, time.monotonic() + min(seconds, LONGEST_KEPT_S)), size)

    def _is_down(self, host: str) -> bool:
        with self._lock:
            return self._down.get(host, 0.0) > time.monotonic()

    def _set_down(self, host: str) -> None:
        with self._lock:
            self._down[host] = time.monotonic() + DOWN_S


def freshness(answer: Answer, default: float) -> float:
    """How many seconds an answer may be used again, by its ``Cache-Control`` or ``Expires``; else ``default``."""
    directives = dict(_directives(answer.headers.get("cache-control", "")))
    if directives.keys() & {"no-store", "no-cache", "private"}:
        return 0.0
    if "max-age" in directives:
        text = directives["max-age"]
        return max(float(text) - _number(answer.headers.get("age", "")), 0.0) if text.isdecimal() else 0.0
    expires = answer.headers.get("expires")
    if expires is None:
        return default
    try:
        return max(parsedate_to_datetime(expires).timestamp() - time.time(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return 0.0  # RFC 9111, 5.3: what is no date has expired


def _directives(text: str) -> Iterator[tuple[str, str]]:
    for part in text.lower().split(","):
        name, _, value = part.strip().partition("=")
        yield name.strip(), value.strip().strip('"')


def _number(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0
