"""Statements to PostgreSQL in one round trip, for small questions.

psycopg's pipeline mode does the same, and more than that, for three times the work on our side (measured: 160 against
55 microseconds of a feature info request), so this speaks to libpq itself; values and rows are still psycopg's.
"""

from __future__ import annotations

import re
import select
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.abc import Transformer as Adapters
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

if TYPE_CHECKING:
    from qgserver.providers.pgconnect import Command, Connection, Rows

_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE)
_PLACEHOLDER = re.compile(rb"%(s|%)")


def exchange(connection: Connection, commands: Sequence[Command], timeout_ms: int | None) -> Rows:
    """The rows of the last of some commands, all in one transaction without BEGIN and COMMIT: what is local to that
    ends with it. Raises psycopg's errors: those of statements leave the connection as it was, after all others it is
    closed."""
    try:
        results, types = _exchanged(connection, commands, timeout_ms)
    except BaseException:
        connection.close()  # nobody knows what still comes
        raise
    for result in results:
        if result.status in _FAILED:
            raise error_from_result(result, connection.info.encoding)
    types.set_pgresult(results[-1])
    return types.load_rows(0, results[-1].ntuples, tuple)


def _exchanged(
    connection: Connection, commands: Sequence[Command], timeout_ms: int | None
) -> tuple[list[PGresult], Adapters]:
    """A result for each command, and what knows the types of the last one's."""
    libpq = connection.pgconn
    libpq.enter_pipeline_mode()
    for command in commands:
        types = _send(connection, libpq, command)
    libpq.pipeline_sync()
    poll = select.poll()
    poll.register(libpq.socket, select.POLLIN | select.POLLOUT)
    while libpq.flush():
        _wait(poll, libpq, timeout_ms)
    poll.modify(libpq.socket, select.POLLIN)
    results: list[PGresult] = []
    while len(results) <= len(commands):  # that of the synchronisation comes last
        while libpq.is_busy():
            _wait(poll, libpq, timeout_ms)
        result = libpq.get_result()
        if result is not None:  # None stands between the results of two commands
            results.append(result)
    libpq.exit_pipeline_mode()
    return results[:-1], types


def _send(connection: Connection, libpq: PGconn, command: Command) -> Adapters:
    types: Adapters = Transformer(connection)
    values = types.dump_sequence(command.values, [PyFormat.AUTO] * len(command.values))
    libpq.send_query_params(
        _numbered(command.text.as_bytes(connection)),
        values,
        param_types=types.types,
        param_formats=types.formats,
        result_format=Format.BINARY if command.binary else Format.TEXT,
    )
    return types


def _wait(poll: Any, libpq: PGconn, timeout_ms: int | None) -> None:
    """Until something comes, or can be sent."""
    ready = poll.poll(timeout_ms)
    if not ready:
        raise psycopg.OperationalError("the server does not answer")
    if ready[0][1] & ~select.POLLOUT:
        libpq.consume_input()


@lru_cache(maxsize=256)
def _numbered(text: bytes) -> bytes:
    """psycopg's placeholders (``%s``, and ``%%`` for a percent sign) as PostgreSQL's (``$1``)."""
    number = 0

    def replace(found: re.Match[bytes]) -> bytes:
        nonlocal number
        if found[1] == b"%":
            return b"%"
        number += 1
        return b"$%d" % number

    return _PLACEHOLDER.sub(replace, text)
