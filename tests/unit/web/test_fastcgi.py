"""The FastCGI door, spoken to in raw records, as hostile web servers would."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qgserver.web.fastcgi import FastCgiError, Kind, decode_pairs, encode_pairs, record, serve

BEGIN = struct.pack(">HB5x", 1, 0)
Answer = tuple[dict[int, bytes], bytes]


def request(parameters: dict[str, str], body: bytes = b"", *, request_id: int = 1) -> bytes:
    pairs = encode_pairs((name.encode(), value.encode()) for name, value in parameters.items())
    parts = [body[i : i + 60000] for i in range(0, len(body), 60000)]
    return b"".join(
        (
            record(Kind.BEGIN, request_id, BEGIN),
            *(record(Kind.PARAMS, request_id, pairs[i : i + 1000]) for i in range(0, len(pairs), 1000)),
            record(Kind.PARAMS, request_id),
            *(record(Kind.STDIN, request_id, part) for part in parts),
            record(Kind.STDIN, request_id),
        )
    )


def read_all(sock: socket.socket) -> bytes:
    data = bytearray()
    try:
        while chunk := sock.recv(1 << 20):
            data += chunk
    except ConnectionResetError:  # closed on us with unread bytes: what garbage deserves
        pass
    return bytes(data)


def split(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytearray] = {}
    position = 0
    while position < len(data):
        _, kind, _, size, padding = struct.unpack_from(">BBHHBx", data, position)
        found.setdefault(kind, bytearray()).extend(data[position + 8 : position + 8 + size])
        position += 8 + size + padding
    return {kind: bytes(content) for kind, content in found.items()}


def talk(application: Any, sent: bytes, *, close: bool = False, timeout: float = 5.0) -> dict[int, bytes]:
    """Serve one connection in a thread and return the bytes of each record kind that came back."""
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=serve, args=(theirs, application), kwargs={"timeout": timeout})
    thread.start()
    with closing(ours):
        writer = threading.Thread(target=_send, args=(ours, sent, close))
        writer.start()
        answer = split(read_all(ours)) if not close else {}
        writer.join(10)
    thread.join(10)
    assert not thread.is_alive()
    return answer


def _send(sock: socket.socket, data: bytes, close: bool) -> None:
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        if close:
            sock.close()
    except OSError:
        pass


def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["QUERY_STRING"].encode("latin-1"), b"|", body]


def test_query_bytes_and_body_arrive_unchanged() -> None:
    body = bytes(range(256)) * 1000
    answer = talk(echo, request({"QUERY_STRING": "LAYERS=Flüsse", "REQUEST_METHOD": "POST"}, body))
    head, _, rest = answer[Kind.STDOUT].partition(b"\r\n\r\n")
    assert head == b"Status: 200 OK\r\nContent-Type: text/plain"
    assert rest == "LAYERS=Flüsse|".encode() + body
    assert answer[Kind.END] == struct.pack(">IB3x", 0, 0)


def test_environ_follows_pep_3333_and_hides_the_proxy_header() -> None:
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.update(environ)
        start_response("204 No Content", [])
        return []

    answer = talk(application, request({"HTTPS": "on", "HTTP_PROXY": "http://evil", "CONTENT_LENGTH": "", "X": "é"}))
    assert answer[Kind.STDOUT] == b"Status: 204 No Content\r\n\r\n"
    assert "HTTP_PROXY" not in seen
    assert "CONTENT_LENGTH" not in seen
    assert (seen["wsgi.url_scheme"], seen["SCRIPT_NAME"], seen["X"]) == ("https", "", "Ã©")


def test_an_answer_larger_than_a_record_streams_and_the_iterable_is_closed() -> None:
    closed: list[bool] = []

    def chunks() -> Iterator[bytes]:
        try:
            for _ in range(20):
                yield b"x" * 1_000_000
        finally:
            closed.append(True)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return chunks()

    answer = talk(application, request({}, b"left unread" * 100_000))
    assert len(answer[Kind.STDOUT].partition(b"\r\n\r\n")[2]) == 20_000_000
    assert closed == [True]


def test_a_failure_before_the_first_byte_is_a_500_and_after_it_a_broken_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def early(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raise OSError("secret path")

    def late(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"half"
        raise ValueError("secret")

    def forged(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("X", "a\r\nSet-Cookie: b")])
        return [b""]

    for application in (early, forged):
        answer = talk(application, request({}))
        assert answer[Kind.STDOUT].startswith(b"Status: 500 ")
        assert b"secret" not in answer[Kind.STDOUT]
        assert Kind.END in answer
    answer = talk(late, request({}))
    assert answer[Kind.STDOUT].endswith(b"half")
    assert Kind.END not in answer
    assert len(caplog.records) == 3


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"",
        b"\x01\x01",
        record(Kind.PARAMS, 1, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
        record(Kind.BEGIN, 1, BEGIN) + record(Kind.PARAMS, 1, b"\xff\xff\xff\xffabc") + record(Kind.PARAMS, 1),
        record(Kind.BEGIN, 1, b"12") + request({}),
        record(Kind.BEGIN, 1, BEGIN) + record(Kind.PARAMS, 1, b"\x01\x01ab" * 16000) * 20,
        request({})[:-8] + record(Kind.ABORT, 1),
        request({}, b"body")[:-12],
    ],
    ids=["http", "nothing", "short", "no begin", "pair", "begin length", "huge params", "abort", "cut body"],
)
def test_garbage_is_dropped_without_an_answer(sent: bytes) -> None:
    answer = talk(lambda e, s: e["wsgi.input"].read() and [], sent)
    assert Kind.END not in answer


def test_management_records_other_roles_and_second_requests_are_answered_by_the_book() -> None:
    wanted = encode_pairs([(b"FCGI_MPXS_CONNS", b""), (b"NOBODY_KNOWS", b"")])
    sent = record(Kind.GET_VALUES, 0, wanted) + record(42, 0) + record(Kind.BEGIN, 1, BEGIN)
    answer = talk(echo, sent + record(Kind.BEGIN, 2, BEGIN) + request({"A": "b"})[16:])
    assert dict(decode_pairs(answer[Kind.GET_VALUES_RESULT])) == {b"FCGI_MPXS_CONNS": b"0"}
    assert answer[Kind.UNKNOWN][0] == 42
    assert answer[Kind.END] == struct.pack(">IB3x", 0, 1) + struct.pack(">IB3x", 0, 0)
    authorizer = struct.pack(">HB5x", 2, 0)
    assert talk(echo, record(Kind.BEGIN, 1, authorizer))[Kind.END] == struct.pack(">IB3x", 0, 3)


def test_a_silent_web_server_is_given_up() -> None:
    started = time.monotonic()
    ours, theirs = socket.socketpair()
    with closing(ours):
        ours.sendall(record(Kind.BEGIN, 1, BEGIN))
        serve(theirs, echo, timeout=0.2)
    assert time.monotonic() - started < 2


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_the_pair_reader_fail_otherwise(data: bytes) -> None:
    try:
        pairs = list(decode_pairs(data))
    except FastCgiError:
        return
    assert sum(len(name) + len(value) for name, value in pairs) <= len(data)


@given(st.lists(st.tuples(st.binary(max_size=300), st.binary(max_size=300)), max_size=5))
def test_pairs_survive_the_way(pairs: list[tuple[bytes, bytes]]) -> None:
    assert list(decode_pairs(encode_pairs(pairs))) == pairs


APPLICATION = """
import os, time
def application(environ, start_response):
    query = environ["QUERY_STRING"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    if query == "die":
        os._exit(3)
    if query == "hang":
        time.sleep(60)
    if query == "slow":
        yield b"first "
        time.sleep(0.6)
    yield str(os.getpid()).encode()
"""


class Program:
    """The real program, as a child process on a unix socket."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        (folder / "trial_app.py").write_text(APPLICATION)
        self.path = folder / f"{time.monotonic_ns()}.sock"
        command = [sys.executable, "-m", "qgserver.fcgi", "--socket", str(self.path), "--application"]
        environ = {**os.environ, "PYTHONPATH": str(folder)}
        self.process = subprocess.Popen([*command, "trial_app:application", *arguments], env=environ)
        self.wait(self.path.exists)

    def wait(self, condition: Callable[[], bool]) -> None:
        for _ in range(500):
            if condition():
                return
            time.sleep(0.02)
        raise AssertionError("waited 10 s in vain")

    def connect(self, query: str) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(10)
        sock.connect(str(self.path))
        sock.sendall(request({"QUERY_STRING": query}))
        return sock

    def ask(self, query: str = "") -> bytes:
        with closing(self.connect(query)) as sock:
            return split(read_all(sock)).get(Kind.STDOUT, b"").partition(b"\r\n\r\n")[2]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    running: list[Program] = []

    def start(*arguments: str) -> Program:
        running.append(Program(tmp_path, *arguments))
        return running[-1]

    yield start
    for each in running:
        each.process.kill()
        each.process.wait(10)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_finishes_the_request_and_ends(program: Callable[..., Program], workers: str) -> None:
    door = program("-w", workers)
    pid = door.ask()
    with closing(door.connect("slow")) as sock:
        time.sleep(0.2)
        door.process.send_signal(signal.SIGTERM)
        answer = split(read_all(sock))
    assert b"first " in answer[Kind.STDOUT]
    assert Kind.END in answer
    assert door.process.wait(5) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_a_killed_worker_is_replaced(program: Callable[..., Program]) -> None:
    door = program("-w", "2")
    assert door.ask("die") == b""
    workers = {door.ask() for _ in range(10)}
    os.kill(int(next(iter(workers))), signal.SIGKILL)
    door.wait(lambda: len({door.ask() for _ in range(10)} - workers) > 0)


def test_workers_end_with_a_killed_parent(program: Callable[..., Program]) -> None:
    door = program("-w", "2")
    pid = int(door.ask())
    door.process.kill()
    door.process.wait(5)

    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"

    door.wait(gone)


def test_processes_are_recycled_and_replaced_on_sighup(program: Callable[..., Program]) -> None:
    door = program("-w", "1", "--max-requests", "2")
    door.ask(), door.ask()
    assert door.process.wait(5) == 0  # one process: whoever started it starts the next
    door = program("-w", "2", "--max-requests", "2")
    assert len({door.ask() for _ in range(8)}) >= 4
    door = program("-w", "2")
    before = {door.ask() for _ in range(10)}
    door.process.send_signal(signal.SIGHUP)
    door.wait(lambda: not before & {door.ask() for _ in range(5)})


def test_a_request_without_progress_is_killed(program: Callable[..., Program]) -> None:
    door = program("-w", "2", "--stall", "1")
    assert door.ask("hang") == b""
    assert door.ask().isdigit()


def test_started_by_hand_it_says_what_it_needs() -> None:
    command = [sys.executable, "-m", "qgserver.fcgi"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--socket" in done.stderr
