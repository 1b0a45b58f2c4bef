"""The FastCGI 1.0 responder protocol: one connection carries one request, then it is closed.

FCGI_KEEP_CONN is not honoured on purpose: a process serves one request at a time, so an idle kept connection of the
web server would own the process. Connecting again over a unix socket costs less than 20 us.
"""

from __future__ import annotations

import io
import logging
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from enum import IntEnum
from socket import SHUT_WR, socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

_HEADER = struct.Struct(">BBHHBx")  # version, kind, request id, content length, padding length
_BEGIN = struct.Struct(">HB5x")  # role, flags
_END = struct.Struct(">IB3x")  # application status, protocol status
_RESPONDER = 1
_COMPLETE, _CANT_MULTIPLEX, _UNKNOWN_ROLE = 0, 1, 3
_MAX_CONTENT = 65528  # the largest multiple of 8 in a 16-bit length: no padding, aligned records
_MAX_PARAMETERS = 1 << 20
_VALUES = {b"FCGI_MAX_CONNS": b"1", b"FCGI_MAX_REQS": b"1", b"FCGI_MPXS_CONNS": b"0"}


class Kind(IntEnum):
    """Record types (FastCGI 1.0, section 8)."""

    BEGIN = 1
    ABORT = 2
    END = 3
    PARAMS = 4
    STDIN = 5
    STDOUT = 6
    STDERR = 7
    DATA = 8
    GET_VALUES = 9
    GET_VALUES_RESULT = 10
    UNKNOWN = 11


class FastCgiError(Exception):
    """The web server spoke no FastCGI, gave the request up or went away."""


def record(kind: int, request_id: int, content: bytes = b"") -> bytes:
    """One record of at most 65,535 bytes of content."""
    return _HEADER.pack(1, kind, request_id, len(content), 0) + content


def encode_pairs(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Name-value pairs (section 3.4): lengths below 128 take one byte, others four with the high bit set."""

    def size(part: bytes) -> bytes:
        return bytes((len(part),)) if len(part) < 128 else struct.pack(">I", len(part) | 0x80000000)

    return b"".join(size(name) + size(value) + name + value for name, value in pairs)


def decode_pairs(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The inverse of `encode_pairs`; raises `FastCgiError` where a length runs past the end."""
    position = 0

    def size() -> int:
        nonlocal position
        width = 4 if data[position] & 0x80 else 1
        value = int.from_bytes(data[position : position + width], "big") & (0x7FFFFFFF if width == 4 else 0xFF)
        position += width
        return value

    while position < len(data):
        try:
            name_size, value_size = size(), size()
        except IndexError:
            raise FastCgiError("a parameter is cut off") from None
        middle = position + name_size
        end = middle + value_size
        if end > len(data):
            raise FastCgiError("a parameter is cut off")
        yield data[position:middle], data[middle:end]
        position = end


class _Connection:
    """Reads and writes records of one request."""

    def __init__(self, sock: socket) -> None:
        self._socket = sock
        self._incoming = sock.makefile("rb", buffering=_MAX_CONTENT)
        self.request_id = 0

    def close(self) -> None:
        self._incoming.close()
        self._socket.close()

    def send_stdout(self, data: bytes) -> None:
        """Send any number of bytes at once: headers and slices of ``data`` in vectored writes, without copies."""
        view = memoryview(data)
        for start in range(0, len(view), _MAX_CONTENT):
            part = view[start : start + _MAX_CONTENT]
            self._send(_HEADER.pack(1, Kind.STDOUT, self.request_id, len(part), 0), part)

    def end(self, status: int = _COMPLETE) -> None:
        """Finish the request and say that no byte follows."""
        self._send(record(Kind.STDOUT, self.request_id), record(Kind.END, self.request_id, _END.pack(0, status)))
        with suppress(OSError):  # the web server has its answer and may be gone
            self._socket.shutdown(SHUT_WR)

    def _send(self, head: bytes, content: bytes | memoryview = b"") -> None:
        try:
            sent = self._socket.sendmsg((head, content))
            if sent < len(head):
                self._socket.sendall(head[sent:])
            rest = max(0, sent - len(head))
            if rest < len(content):
                self._socket.sendall(content[rest:])
        except OSError as error:
            raise FastCgiError(f"the answer cannot be delivered: {error}") from error

    def next(self) -> tuple[int, bytes]:
        """The next record of our request as (kind, content); answers the records of others by itself."""
        while True:
            kind, request_id, content = self._read()
            if request_id == 0:
                self._manage(kind, content)
            elif kind == Kind.BEGIN:
                if not self._begin(request_id, content):
                    continue
                return kind, content
            elif request_id == self.request_id:
                if kind == Kind.ABORT:
                    raise FastCgiError("the web server gave the request up")
                return kind, content

    def _read(self) -> tuple[int, int, bytes]:
        version, kind, request_id, size, padding = _HEADER.unpack(self._exactly(_HEADER.size))
        if version != 1:
            raise FastCgiError(f"FastCGI version {version}")
        content = self._exactly(size)
        self._exactly(padding)
        return kind, request_id, content

    def _exactly(self, size: int) -> bytes:
        try:
            data = self._incoming.read(size) if size else b""
        except OSError as error:
            raise FastCgiError(f"the request does not arrive: {error}") from error
        if len(data) < size:
            raise FastCgiError("the web server closed the connection")
        return data

    def _manage(self, kind: int, content: bytes) -> None:
        """Answer a management record (request id 0, section 4)."""
        if kind == Kind.GET_VALUES:
            known = [(name, _VALUES[name]) for name, _ in decode_pairs(content) if name in _VALUES]
            self._send(record(Kind.GET_VALUES_RESULT, 0, encode_pairs(known)))
        else:
            self._send(record(Kind.UNKNOWN, 0, bytes((kind,)) + bytes(7)))

    def _begin(self, request_id: int, content: bytes) -> bool:
        """True when the request is ours to answer; a second one on the same connection is refused."""
        if len(content) != _BEGIN.size:
            raise FastCgiError("a begin record of wrong length")
        if self.request_id:
            self._send(record(Kind.END, request_id, _END.pack(0, _CANT_MULTIPLEX)))
            return False
        self.request_id = request_id
        role, _ = _BEGIN.unpack(content)
        if role != _RESPONDER:
            self.end(_UNKNOWN_ROLE)
            raise FastCgiError(f"role {role} is not offered")
        return True


class _Body(io.RawIOBase):
    """The request body: pulled from the connection record by record, never held whole."""

    def __init__(self, connection: _Connection) -> None:
        super().__init__()
        self._connection = connection
        self._rest = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest and not self._ended:
            self._pull()
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def discard(self) -> None:
        """Read to the end what the application left: the web server may not look at our answer before it has
        delivered the body (mod_fcgid), and closing with unread bytes resets the connection under the answer."""
        self._rest = memoryview(b"")
        while not self._ended:
            self._pull()
            self._rest = memoryview(b"")

    def _pull(self) -> None:
        kind, content = self._connection.next()
        if kind == Kind.STDIN:
            self._rest = memoryview(content)
            self._ended = not content


class _Answer:
    """What the application says through ``start_response``, on its way to the web server."""

    def __init__(self, connection: _Connection, body: _Body, progress: Callable[[], None]) -> None:
        self._connection = connection
        self._body = body
        self._progress = progress
        self._head = b""
        self.started = False

    def start(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
    ) -> Callable[[bytes], object]:
        """PEP 3333's start_response; a header with a line break is refused, it could forge others."""
        if exc_info and exc_info[1] and self.started:
            raise exc_info[1]
        lines = [f"Status: {status}", *(f"{name}: {value}" for name, value in headers)]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a response header holds a line break")
        self._head = "\r\n".join((*lines, "", "")).encode("latin-1")
        return self.write

    def write(self, data: bytes) -> None:
        """Send one chunk now; the head goes with the first, once the request body is out of the way."""
        if not self._head:
            raise AssertionError("the application wrote before it called start_response")
        if not self.started:
            self._body.discard()
            self.started = True
            data = self._head + data if len(data) <= _MAX_CONTENT else self._send_head(data)
        self._connection.send_stdout(data)
        self._progress()

    def _send_head(self, data: bytes) -> bytes:
        self._connection.send_stdout(self._head)
        return data


def serve(
    sock: socket,
    application: WSGIApplication,
    *,
    timeout: float = 60.0,
    progress: Callable[[], None] = lambda: None,
    before_end: Callable[[], None] = lambda: None,
) -> None:
    """Answer the one request on ``sock`` by ``application`` and close it.

    ``timeout``: seconds without a byte after which the web server counts as gone. ``progress`` is called after each
    chunk sent, ``before_end`` before the web server learns that we are free again. Raises nothing.
    """
    sock.settimeout(timeout)
    connection = _Connection(sock)
    with closing(connection):
        try:
            environ = _environ(connection)
            body = _Body(connection)
            environ["wsgi.input"] = io.BufferedReader(body, _MAX_CONTENT)
            if _run(application, environ, _Answer(connection, body, progress)):
                before_end()
                connection.end()
        except FastCgiError as error:
            log.info("FastCGI request dropped: %s", error)


def _environ(connection: _Connection) -> WSGIEnvironment:
    """Read up to the end of the parameters. Bytes become latin-1 text, as PEP 3333 wants them."""
    kind, _ = connection.next()
    if kind != Kind.BEGIN:
        raise FastCgiError("a request that does not begin")
    data = bytearray()
    while True:
        kind, content = connection.next()
        if kind != Kind.PARAMS:
            raise FastCgiError("the parameters are not ended")
        if not content:
            break
        data += content
        if len(data) > _MAX_PARAMETERS:
            raise FastCgiError("too many parameters")
    environ: WSGIEnvironment = {
        name.decode("latin-1"): value.decode("latin-1") for name, value in decode_pairs(bytes(data))
    }
    environ.pop("HTTP_PROXY", None)  # the client's "Proxy:" header, which libraries would take for a proxy to use
    if not environ.get("CONTENT_LENGTH"):
        environ.pop("CONTENT_LENGTH", None)
    for name, default in _DEFAULTS.items():
        environ.setdefault(name, default)
    https = environ.get("HTTPS", "").lower() in ("on", "1", "true")
    environ |= {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if https or environ.get("REQUEST_SCHEME") == "https" else "http",
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    return environ


_DEFAULTS = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "",
    "QUERY_STRING": "",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.0",
}


def _run(application: WSGIApplication, environ: WSGIEnvironment, answer: _Answer) -> bool:
    """Call the application. False when the answer broke off in the middle: then the connection is closed without
    FCGI_END_REQUEST, from which the web server and its client see that something is missing."""
    try:
        chunks = application(environ, answer.start)
        try:
            for chunk in chunks:
                if chunk:
                    answer.write(chunk)
            if not answer.started:
                answer.write(b"")
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
    except FastCgiError:
        raise
    except Exception:  # the server's own border: what escapes the application must not end the process
        log.exception("the application failed")
        if answer.started:
            return False
        _sorry(answer)
    return True


def _sorry(answer: _Answer) -> None:
    answer.start("500 Internal Server Error", [("Content-Type", "text/plain; charset=utf-8")])
    answer.write(b"Internal server error.\n")
