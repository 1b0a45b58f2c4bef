"""Answers of other servers, asked for with bounds on time, size, redirects and on whom to talk to.

The standard library's client does the protocol. Around it stands what a server needs that fetches addresses written by
others: names are resolved here, and the connection goes to the very address that was looked at.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from qgserver.errors import QgServerError

MAX_BYTES = 32 << 20
"""The largest answer that is read."""
MAX_REDIRECTS = 3
MAX_IDLE = 8
"""Connections kept open for each server."""
PAUSE_S = 10.0
"""The longest wait for a connection, or for the next bytes."""
CHUNK = 65536
PORTS = {"http": 80, "https": 443}
AGENT = "Mozilla/5.0 qgserver"
_KEPT_IN_URLS = "%/:?&=#+,;@!$'()*~[]-._"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchError(QgServerError):
    """No usable answer; the message is for the log. ``status`` is that of an answer, 0 without any."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class SlowError(FetchError):
    """The answer was not there in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with status 200: its bytes, and headers by their names in lower case."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rules:
    """Whom to talk to. ``hosts``: if there are any, only these (``.example.org`` means all below it)."""

    hosts: tuple[str, ...] = ()

    def allows(self, host: str) -> bool:
        """Whether a host may be asked at all."""
        return not self.hosts or self.names(host)

    def names(self, host: str) -> bool:
        """Whether the administrator named a host."""
        return any(host == one or (one.startswith(".") and host.endswith(one)) for one in map(str.lower, self.hosts))

    def check(self, address: Address, *, wanted: bool) -> None:
        """Raise ``FetchError`` for addresses not to connect to: never link-local ones, where clouds tell their secrets;
        if nobody ``wanted`` the host (another server sent us there), public ones only."""
        plain = getattr(address, "ipv4_mapped", None) or address
        if plain.is_link_local or plain.is_multicast or plain.is_unspecified or (not wanted and not plain.is_global):
            raise FetchError("its address is not one to connect to")


class Connections:
    """Connections to servers, kept open between requests. Safe for threads."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, str, int, bool], list[_Connection]] = {}

    def get(self, url: str, headers: Mapping[str, str], until: float) -> Answer:
        """The answer to GET, redirects followed, before ``until`` (of ``time.monotonic``). ``headers`` go to the server
        of ``url`` only, and not without its encryption. Raises ``FetchError``."""
        home = _split(url)
        for _ in range(MAX_REDIRECTS + 1):
            parts = _split(url)
            sent = headers if (parts.scheme, parts.netloc) == (home.scheme, home.netloc) else {}
            status, found, body = self._exchange(parts, sent, until, wanted=parts.hostname == home.hostname)
            if status not in (301, 302, 303, 307, 308) or not found.get("location"):
                if status != 200:
                    raise FetchError(f"it answers with status {status}", status)
                return Answer(body, found)
            url = urljoin(url, found["location"])
        raise FetchError("it redirects too often")

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    def _exchange(
        self, parts: SplitResult, headers: Mapping[str, str], until: float, *, wanted: bool
    ) -> tuple[int, Mapping[str, str], bytes]:
        host = parts.hostname or ""
        wanted = wanted or self._rules.names(host)
        if not self._rules.allows(host):
            raise FetchError("QGSERVER_REMOTE_HOSTS does not name its host")
        key = (parts.scheme, host, parts.port or PORTS[parts.scheme], wanted)
        target = quote(parts.path or "/", safe=_KEPT_IN_URLS)
        target += f"?{quote(parts.query, safe=_KEPT_IN_URLS)}" if parts.query else ""
        sent = {"User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        connection = self._take(key)
        used = connection is not None
        connection = connection or _Connection(key, self._rules)
        try:
            try:
                answer = connection.ask(target, sent, until)
            except (ConnectionError, http.client.HTTPException):
                if not used:
                    raise
                # The server closed what was idle: once more, on a connection of its own.
                connection.close()
                connection = _Connection(key, self._rules)
                answer = connection.ask(target, sent, until)
        except TimeoutError:
            connection.close()
            raise SlowError("it takes too long") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise FetchError(f"it can't be reached or understood ({type(error).__name__})") from None
        except FetchError:
            connection.close()
            raise
        self._give_back(key, connection)
        return answer

    def _take(self, key: tuple[str, str, int, bool]) -> _Connection | None:
        with self._lock:
            idle = self._idle.get(key)
            return idle.pop() if idle else None

    def _give_back(self, key: tuple[str, str, int, bool], connection: _Connection) -> None:
        with self._lock:
            idle = self._idle.setdefault(key, [])
            if connection.sock is not None and len(idle) < MAX_IDLE:
                idle.append(connection)
                return
        connection.close()


class _Timed:
    """A socket whose every step ends before ``until``: a server that sends a byte now and then gains nothing. It has
    what ``http.client`` uses of sockets."""

    def __init__(self, plain: socket.socket, until: float) -> None:
        self._socket = plain
        self.until = until
        self._readers = 0
        self._done = False

    def makefile(self, mode: str) -> io.BufferedReader:
        """What one answer is read from; closing it leaves the socket open, and the socket stays until it is closed."""
        self._readers += 1
        return io.BufferedReader(_Reader(self))

    def release(self) -> None:
        """A reader is closed."""
        self._readers -= 1
        if self._done and not self._readers:
            self._socket.close()

    def receive(self, buffer: memoryview) -> int:
        """Fill a buffer with what comes next; 0 at the end."""
        self._socket.settimeout(_patience(self.until))
        return self._socket.recv_into(buffer)

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(_patience(self.until))
        self._socket.sendall(data)

    def close(self) -> None:
        """Close the socket as soon as the last answer is read."""
        self._done = True
        if not self._readers:
            self._socket.close()


class _Reader(io.RawIOBase):
    def __init__(self, timed: _Timed) -> None:
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # any buffer is one of these here
        return self._timed.receive(buffer)

    def close(self) -> None:
        if not self.closed:
            self._timed.release()
        super().close()


class _Connection(http.client.HTTPConnection):
    """A connection to an address that was checked."""

    def __init__(self, key: tuple[str, str, int, bool], rules: Rules) -> None:
        self._scheme, host, port, self._wanted = key
        self._rules = rules
        self._until = 0.0
        self._timed: _Timed | None = None
        super().__init__(host, port, timeout=PAUSE_S)
        self.default_port = PORTS[self._scheme]  # or the header Host would have https's port

    def connect(self) -> None:
        """Resolve, check, connect; see ``http.client``."""
        error: OSError | FetchError = OSError("no address")
        for family, kind, protocol, _, address in _resolve(self.host, self.port):
            try:
                self._rules.check(ipaddress.ip_address(address[0].partition("%")[0]), wanted=self._wanted)
                opened = socket.socket(family, kind, protocol)
            except (OSError, FetchError) as found:
                error = found
                continue
            try:
                opened.settimeout(_patience(self._until))
                opened.connect(address)
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._scheme == "https":
                    opened = _tls().wrap_socket(opened, server_hostname=self.host)
            except (OSError, FetchError) as found:
                opened.close()
                error = found
                continue
            self.sock = self._timed = _Timed(opened, self._until)
            return
        raise error

    def ask(self, target: str, headers: Mapping[str, str], until: float) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the answer."""
        self._until = until
        if self._timed is not None:
            self._timed.until = until
        self.request("GET", target, headers=dict(headers))
        with self.getresponse() as answer:
            found = {name.lower(): value for name, value in answer.getheaders()}
            if found.get("content-encoding", "identity").lower() != "identity":
                raise FetchError("it compresses answers that shall not be")
            pieces, size = [], 0
            while piece := answer.read1(CHUNK):
                pieces.append(piece)
                size += len(piece)
                if size > MAX_BYTES:
                    raise FetchError("its answer is too large")
        return answer.status, found, b"".join(pieces)


def _resolve(host: str, port: int) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, kind, number, name, address) for family, kind, number, name, address in found]  # type: ignore[misc]


def _patience(until: float) -> float:
    """Seconds to wait for what comes next. Raises ``FetchError`` when there are none left."""
    left = until - time.monotonic()
    if left <= 0:
        raise SlowError("it takes too long")
    return min(left, PAUSE_S)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _split(url: str) -> SplitResult:
    """The parts of an address. Raises ``FetchError`` for others than http's, and for control characters in it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in PORTS and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or any(character <= " " or character == "\x7f" for character in url.strip(" ")):
        raise FetchError("its address is not one of http or https")
    return parts
