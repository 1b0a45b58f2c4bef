"""``qgserver.fcgi``: the FastCGI door, for mod_fcgid, spawn-fcgi, systemd sockets and NGINX's ``fastcgi_pass``.

Without options it serves the listening socket it was given as file descriptor 0, in one process, which is what
mod_fcgid wants: it starts and stops processes itself. With ``--workers N`` a parent forks N processes on one socket,
restarts the ones that end and passes signals on: SIGTERM and SIGINT finish the running requests and stop, SIGHUP
replaces the workers by fresh ones.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import logging
import os
import random
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from qgserver.settings import Settings
from qgserver.web.fastcgi import serve

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

log = logging.getLogger(__name__)

_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)  # SIGUSR1: FastCGI's own word for a gentle end
_PARENT = (*_STOP, signal.SIGHUP, signal.SIGCHLD)
_GRACE_SECONDS = 30.0
_CRASH_SECONDS = 1.0  # a worker that ends sooner than this is started again only after as long a pause


@dataclass(frozen=True, slots=True)
class Limits:
    """When a worker makes room for a fresh one: after so many requests (0: never), above so much memory (bytes,
    0: never), and at once when a request gives no sign of progress for ``stall`` seconds (0: never)."""

    requests: int = 0
    memory: int = 0
    stall: float = 300.0


class Worker:
    """One process: accepts one connection at a time until it is told to stop or reaches a limit."""

    def __init__(self, listener: socket.socket, application: WSGIApplication, limits: Limits) -> None:
        self._listener = listener
        self._application = application
        self._limits = limits
        self._served = 0
        self._stopping = False
        self._armed = 0.0

    def run(self, parent: int | None = None) -> None:
        """Serve until done. ``parent`` is a pipe whose end means that the parent process is gone."""
        wake, trigger = os.pipe()
        os.set_blocking(trigger, False)
        for number in _STOP:
            signal.signal(number, self._on_signal)
        signal.set_wakeup_fd(trigger, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PARENT)
        self._listener.setblocking(False)
        with selectors.DefaultSelector() as selector:
            for source in (self._listener, wake, *(() if parent is None else (parent,))):
                selector.register(source, selectors.EVENT_READ)
            while not self._stopping:
                ready = {key.fd for key, _ in selector.select()}
                if parent in ready:
                    break
                if self._listener.fileno() in ready:
                    self._accept()

    def _accept(self) -> None:
        try:
            connection, address = self._listener.accept()
        except OSError:  # a sibling was faster, or the client left
            return
        if not _allowed(address):
            connection.close()
            return
        self._progress()
        serve(connection, self._application, progress=self._progress, before_end=self._before_end)
        faulthandler.cancel_dump_traceback_later()
        self._armed = 0.0

    def _progress(self) -> None:
        """(Re)arm the watchdog, at most once a second: it works from a C thread, whatever holds the interpreter."""
        now = time.monotonic()
        if self._limits.stall and now - self._armed > 1.0:
            faulthandler.dump_traceback_later(self._limits.stall, exit=True)
            self._armed = now

    def _before_end(self) -> None:
        """Before the web server learns that this process is free: stop listening if it will not serve again.
        mod_fcgid tries another process when a connection is refused, but not when it was accepted and dropped."""
        self._served += 1
        if 0 < self._limits.requests <= self._served or 0 < self._limits.memory < _resident_bytes():
            self._stopping = True
        if self._stopping:
            self._listener.close()

    def _on_signal(self, number: int, frame: object) -> None:
        self._stopping = True


class Parent:
    """Keeps ``count`` workers running and passes signals on to them."""

    def __init__(self, count: int, work: Callable[[int], None]) -> None:
        self._count = count
        self._work = work
        self._started: dict[int, float] = {}
        self._lifeline = os.pipe()
        self._stopping = False

    def run(self) -> None:
        """Return when all workers have ended after SIGTERM or SIGINT; a second signal ends them at once."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _PARENT)
        for _ in range(self._count):
            self._start()
        deadline = None
        while self._started:
            wait = 3600.0 if deadline is None else max(0.0, deadline - time.monotonic())
            arrived = signal.sigtimedwait(_PARENT, wait)
            number = None if arrived is None else arrived.si_signo
            if number == signal.SIGCHLD:
                self._reap()
            elif number == signal.SIGHUP:
                self._signal(signal.SIGTERM)
            elif number is not None or deadline is not None:
                self._signal(signal.SIGKILL if self._stopping else signal.SIGTERM)
                self._stopping = True
                deadline = time.monotonic() + _GRACE_SECONDS

    def _start(self) -> None:
        child = os.fork()
        if child:
            self._started[child] = time.monotonic()
            return
        os.close(self._lifeline[1])  # so that its end is seen when the parent dies, however it dies
        random.seed()
        self._work(self._lifeline[0])
        raise SystemExit(0)

    def _reap(self) -> None:
        while self._started:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                return
            age = time.monotonic() - self._started.pop(child, 0.0)
            if self._stopping:
                continue
            if status:
                log.error("FastCGI worker %d ended: %s", child, _ending(status))
                time.sleep(_CRASH_SECONDS if age < _CRASH_SECONDS else 0.0)
            self._start()

    def _signal(self, number: signal.Signals) -> None:
        for child in self._started:
            os.kill(child, number)


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script ``qgserver.fcgi``."""
    options = _parser().parse_args(arguments)
    listener = _listener(options)
    workers = options.workers if options.workers is not None else Settings.from_environ().fcgi_workers
    limits = Limits(requests=options.max_requests, memory=options.max_memory << 20, stall=options.stall)
    application = _application(options.application)

    def work(parent: int | None) -> None:
        # Workers that were born together must not all retire together.
        spread = random.randint(0, limits.requests // 10)
        Worker(listener, application, replace(limits, requests=limits.requests + spread)).run(parent)

    if workers > 1:
        Parent(workers, work).run()
    else:
        work(None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qgserver.fcgi", description="QGIS projects as WMS and WFS over FastCGI.")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--socket", metavar="PATH", help="listen on this unix socket (default: file descriptor 0)")
    where.add_argument("--bind", metavar="HOST:PORT", help="listen on this TCP address")
    parser.add_argument("--mode", default="0660", help="permissions of the unix socket, octal (default %(default)s)")
    parser.add_argument("-w", "--workers", type=int, help="processes (default $QGSERVER_FCGI_WORKERS, else 1)")
    parser.add_argument("--max-requests", type=int, default=0, metavar="N", help="recycle a process after N requests")
    parser.add_argument("--max-memory", type=int, default=1024, metavar="MIB", help="recycle above MIB of memory")
    parser.add_argument("--stall", type=float, default=300.0, metavar="S", help="kill a request stuck for S seconds")
    parser.add_argument("--application", default="qgserver.wsgi:application", help=argparse.SUPPRESS)
    return parser


def _application(name: str) -> WSGIApplication:
    module, _, attribute = name.partition(":")
    return cast("WSGIApplication", getattr(importlib.import_module(module), attribute))


def _listener(options: argparse.Namespace) -> socket.socket:
    try:
        if options.socket:
            return _unix_listener(Path(options.socket), int(options.mode, 8))
        if options.bind:
            host, _, port = options.bind.rpartition(":")
            return socket.create_server((host.strip("[]"), int(port)), backlog=1024)
        listener = socket.socket(fileno=0)
        if listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return listener
    except (OSError, ValueError) as error:
        if options.socket or options.bind:
            _refuse(f"cannot listen: {error}")
    _refuse("started without a listening socket; a web server or spawn-fcgi gives one, or use --socket or --bind")


def _unix_listener(path: Path, mode: int) -> socket.socket:
    """Bind under a name of our own and rename: an old socket file is no obstacle, and nobody ever meets the new one
    with wrong permissions."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(fresh))
    fresh.chmod(mode)
    listener.listen(1024)
    fresh.replace(path)
    return listener


def _allowed(address: object) -> bool:
    """Whether the peer may talk to us: FCGI_WEB_SERVER_ADDRS (FastCGI 1.0, section 3.2) lists TCP peers."""
    permitted = os.environ.get("FCGI_WEB_SERVER_ADDRS")
    return not permitted or not isinstance(address, tuple) or address[0] in permitted.split(",")


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except OSError:  # no Linux: no recycling by memory
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _ending(status: int) -> str:
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"


def _refuse(reason: str) -> NoReturn:
    sys.stderr.write(f"qgserver.fcgi: {reason}\n")
    raise SystemExit(2)


if __name__ == "__main__":
    main()
