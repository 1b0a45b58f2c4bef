"""Connections to PostgreSQL: one small pool per process and connection string.

The caller's own thread connects, so a server that is down is known at once and with its reason, and one that is back is
used by the next request. (psycopg_pool connects in background threads: a request to a dead server waits for the whole
time-out without a reason, and after an outage the next attempt may be minutes away.)
Nothing is set for a session and nothing is prepared, so poolers in transaction mode (pgbouncer) work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from qgserver.errors import ProviderError
from qgserver.providers.pgpipeline import exchange
from qgserver.providers.pgtypes import register_loaders
from qgserver.providers.uri import DataSource

_PARAMETERS = (
    "service", "host", "hostaddr", "port", "dbname", "user", "password", "sslmode", "sslcert", "sslkey", "sslrootcert",
    "sslcrl", "sslpassword", "krbsrvname", "gssencmode", "target_session_attrs", "options", "application_name",
    "channel_binding", "connect_timeout",
)  # fmt: skip
"""What a data source may say about its connection: libpq's own words. The rest (``key``, ``estimatedmetadata``, ...)
is QGIS's."""

MAX_CONNECTIONS = 10
"""At most so many at once for one process and connection string: nested reads (joins, aggregates) of every thread."""
MAX_IDLE = 4
IDLE_SECONDS = 120.0
_UNANSWERED_MS = 10_000
"""How long after the time-out of a statement its server is given up."""

Connection = psycopg.Connection[tuple[object, ...]]
Rows = list[tuple[object, ...]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Command:
    """One statement with its values; ``binary``: rows come in PostgreSQL's binary form."""

    text: sql.SQL | sql.Composed
    values: Sequence[object] = ()
    binary: bool = False


_BEGIN, _COMMIT = sql.SQL("BEGIN READ ONLY").format(), sql.SQL("COMMIT").format()
_SETTINGS = "SELECT set_config('transaction_read_only', 'on', true), set_config('statement_timeout', %s, true)"
_GUARD = sql.SQL(_SETTINGS)
_GUARD_AND_ROLE = sql.SQL(_SETTINGS + ", set_config('role', %s, true)")


@dataclass(frozen=True, slots=True)
class Reading:
    """A transaction that reads, its connection in pipeline mode: what is sent is worked on at once, while others go
    on, until somebody asks for its rows. ``rows`` are those of the commands that it began with."""

    connection: Connection
    rows: Rows
    last: sql.Composed
    """The command that ends it."""

    def send(self, command: Command) -> psycopg.Cursor[tuple[object, ...]]:
        """The rows of a command, to come."""
        return self.connection.execute(command.text, command.values, binary=command.binary)

    def end(self) -> psycopg.Cursor[tuple[object, ...]]:
        """No more commands follow. Who leaves without it gives up what is going on."""
        return self.connection.execute(self.last)


def begin_reading(connection: Connection, commands: Sequence[Command], last: sql.Composed) -> Reading:
    """Send commands on a connection in pipeline mode and wait for the rows of the last one."""
    found = [connection.execute(one.text, one.values, binary=one.binary) for one in commands]
    return Reading(connection, found[-1].fetchall(), last)


@dataclass(frozen=True, slots=True)
class Limits:
    """Time-outs: ``statement`` in milliseconds for one statement or one batch of rows, ``connect`` in seconds."""

    statement_ms: int
    connect_s: float


def conninfo(source: DataSource, limits: Limits) -> str:
    """libpq's connection string of a data source. ``service=`` and ``~/.pgpass`` are libpq's business.

    Raises ProviderError for ``authcfg``: its credentials lie in the encrypted database of a QGIS desktop.
    """
    if source.params.get("authcfg"):
        raise ProviderError(
            "The layer's credentials are kept by QGIS and not known to this server",
            detail="authcfg can't be resolved: use service= with a pg_service.conf, or ~/.pgpass",
        )
    values = {name: source.params[name] for name in _PARAMETERS if source.params.get(name)}
    values.setdefault("connect_timeout", str(max(2, round(limits.connect_s))))
    values.setdefault("application_name", "qgserver")
    try:
        return make_conninfo(
            "", client_encoding="UTF8", tcp_user_timeout=limits.statement_ms + _UNANSWERED_MS, **values
        )
    except psycopg.Error as error:
        raise ProviderError("The layer's connection is not understood", detail=_masked(error, values)) from None


def _masked(error: Exception, values: Mapping[str, str]) -> str:
    text = str(error).strip()
    for name in ("password", "sslpassword"):
        if values.get(name):
            text = text.replace(values[name], "***")
    return text


class Pool:
    """Open connections of one connection string. Safe for threads; never used in another process than its own."""

    def __init__(self, info: str, limits: Limits) -> None:
        self._info = info
        self._limits = limits
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._idle: list[tuple[float, Connection]] = []
        self._down: tuple[float, str] = (0.0, "")

    @contextmanager
    def read_only(self, role: str = "") -> Iterator[Connection]:
        """A connection inside a READ ONLY transaction, as ``role`` if given. All errors are ProviderError."""
        try:
            with self._transaction("BEGIN READ ONLY", role) as connection:
                yield connection
        except psycopg.Error as error:
            raise failure(error) from error

    @contextmanager
    def read_write(self, role: str = "") -> Iterator[Connection]:
        """A connection inside a transaction that is committed at the end, as ``role`` if given. Left by an exception,
        nothing has happened. Errors of statements and of COMMIT are psycopg's own, the others ProviderError."""
        with self._transaction("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", role) as connection:
            yield connection

    @contextmanager
    def reading(self, role: str, first: Sequence[Command]) -> Iterator[Reading]:
        """A READ ONLY transaction, as ``role`` if given, with the rows of the last of its ``first`` commands: they and
        all that goes before them cost one round trip. All errors are ProviderError."""
        with self._opened([Command(_BEGIN), *self._guarded(role, first)]) as reading:
            yield reading

    def ask(self, role: str, command: Command) -> Rows:
        """The rows of a command in a READ ONLY transaction of its own, as ``role`` if given: one round trip in place of
        three or more, which counts where the answer is small. All errors are ProviderError.

        What a pipeline sends before it waits is one transaction without BEGIN and COMMIT, and settings that are local
        to that end with it."""
        commands = self._guarded(role, [command])
        try:
            with self._slot():
                return self._on_connection(lambda connection: self._asked(connection, commands))
        except psycopg.Error as error:
            raise failure(error) from error

    def _asked(self, connection: Connection, commands: Sequence[Command]) -> Rows:
        timeout = self._limits.statement_ms + _UNANSWERED_MS if self._limits.statement_ms else None
        try:
            return exchange(connection, commands, timeout)
        finally:
            self._release(connection)

    def _guarded(self, role: str, commands: Sequence[Command]) -> list[Command]:
        """The commands behind the settings of their transaction."""
        guard = Command(_GUARD, (str(self._limits.statement_ms),))
        return [Command(_GUARD_AND_ROLE, (*guard.values, role)) if role else guard, *commands]

    @contextmanager
    def _opened(self, commands: Sequence[Command]) -> Iterator[Reading]:
        """What begins with these commands."""
        try:
            with self._slot(), ExitStack() as stack:
                yield self._on_connection(lambda connection: self._read_by(connection, stack, commands))
        except psycopg.Error as error:
            raise failure(error) from error

    def _on_connection(self, run: Callable[[Connection], T]) -> T:
        """What comes of it on a connection. Idle ones are tried first, as one may have been cut."""
        while idle := self._pop():
            try:
                return run(idle)
            except psycopg.errors.QueryCanceled:
                raise
            except psycopg.OperationalError:
                idle.close()
        return run(self._connect())

    def _read_by(self, connection: Connection, stack: ExitStack, commands: Sequence[Command]) -> Reading:
        with ExitStack() as own:
            own.callback(self._release, connection)
            own.enter_context(connection.pipeline())
            reading = begin_reading(connection, commands, _COMMIT)
            stack.push(own.pop_all())
            return reading

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=self._limits.connect_s):
            raise ProviderError("The database of the layer is busy", detail="all connections are in use")
        try:
            yield
        finally:
            self._slots.release()

    @contextmanager
    def _transaction(self, begin: str, role: str) -> Iterator[Connection]:
        with self._slot():
            connection = self._begun(self._begin_sql(begin, role))
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                self._release(connection)

    def close(self) -> None:
        """Close what is idle; connections in use close when they come back."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def _begin_sql(self, how: str, role: str) -> sql.Composed:
        begin = sql.SQL(how + "; SET LOCAL statement_timeout = {}").format(self._limits.statement_ms)
        return begin + sql.SQL("; SET LOCAL ROLE {}").format(sql.Identifier(role)) if role else begin

    def _begun(self, begin: sql.Composed) -> Connection:
        """A connection that has just answered: the idle ones are tried by the BEGIN itself, then a new one is made."""
        while idle := self._pop():
            try:
                idle.execute(begin)
                return idle
            except psycopg.OperationalError:
                idle.close()
        connection = self._connect()
        try:
            connection.execute(begin)
        except psycopg.Error as error:
            connection.close()
            raise failure(error) from error
        return connection

    def _pop(self) -> Connection | None:
        with self._lock:
            return self._idle.pop()[1] if self._idle else None

    def _connect(self) -> Connection:
        until, reason = self._down
        started = time.monotonic()
        if started < until:
            raise ProviderError("The database of the layer can't be reached", detail=reason)
        try:
            connection = psycopg.connect(self._info, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            reason = str(error).strip()
            # A host that swallows packets would hold every thread for the whole time-out, again and again: after a slow
            # failure the next ones come at once, for as long as it took.
            now = time.monotonic()
            self._down = (2 * now - started, reason)
            raise ProviderError("The database of the layer can't be reached", detail=reason) from error
        register_loaders(connection)
        return connection

    def _release(self, connection: Connection) -> None:
        if not connection.closed and connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            try:
                connection.execute("ROLLBACK")
            except psycopg.Error:
                connection.close()
        now = time.monotonic()
        with self._lock:
            if not connection.closed:
                self._idle.append((now, connection))
            fresh = [item for item in self._idle if now - item[0] < IDLE_SECONDS][-MAX_IDLE:]
            stale = [item for item in self._idle if item not in fresh]
            self._idle = fresh
        for _, old in stale:
            old.close()


def failure(error: psycopg.Error) -> ProviderError:
    """What a client may know of an error, and for the log what the database said."""
    message = next((text for kind, text in _MESSAGES if isinstance(error, kind)), "The layer's database query failed")
    return ProviderError(message, detail=f"{type(error).__name__}: {str(error).strip()}")


_MESSAGES: tuple[tuple[type[psycopg.Error], str], ...] = (
    (psycopg.errors.QueryCanceled, "The database of the layer took too long to answer"),
    (psycopg.errors.UndefinedTable, "The layer's table does not exist"),
    (psycopg.errors.InvalidSchemaName, "The layer's table does not exist"),
    (psycopg.errors.UndefinedColumn, "A column of the layer does not exist in its table"),
    (psycopg.errors.InsufficientPrivilege, "The layer's table must not be read by this server"),
    (psycopg.OperationalError, "The database of the layer can't be reached"),
)
