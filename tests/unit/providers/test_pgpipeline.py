"""Small questions to PostgreSQL: what comes of them, and in what state they leave a connection."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from qgserver.errors import ProviderError
from qgserver.providers.pgconnect import Command, Connection, Limits, Pool
from qgserver.providers.pgpipeline import exchange


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with psycopg.connect(database, autocommit=True, prepare_threshold=None) as opened:
        yield opened


def command(text: str, *values: object, binary: bool = True) -> Command:
    return Command(sql.SQL(text).format(), values, binary=binary)


SETTING = command("SELECT set_config('statement_timeout', %s, true)", "50")


@pytest.mark.parametrize("binary", [True, False])
def test_rows_are_those_of_psycopg(connection: Connection, binary: bool) -> None:
    text = "SELECT %s::int8, %s, %s, %s, '%%s %%' || %s, NULL, %s, '\\x00ff'::bytea, i FROM generate_series(1, 3) i"
    values = (7, 1.5, "é", [1, 2], "%s", True)
    asked = command(text, *values, binary=binary)
    expected = connection.execute(asked.text, values, binary=binary).fetchall()
    assert len(expected) == 3
    assert exchange(connection, [SETTING, asked], None) == expected
    assert exchange(connection, [command("SELECT 1 WHERE false")], None) == []


def test_settings_end_with_the_question(connection: Connection) -> None:
    shown = command("SELECT current_setting('statement_timeout')")
    assert exchange(connection, [SETTING, shown], None) == [("50ms",)]
    assert exchange(connection, [shown], None) == [("0",)]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("SELECT pg_sleep(5)", psycopg.errors.QueryCanceled),
        ("SELECT 1 FROM absent", psycopg.errors.UndefinedTable),
        ("SELECT 1 / (i - 2) FROM generate_series(1, 3) i", psycopg.errors.DivisionByZero),
    ],
)
def test_a_failed_statement_leaves_the_connection_as_it_was(
    connection: Connection, text: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        exchange(connection, [SETTING, command(text), command("SELECT 1")], None)
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert exchange(connection, [command("SELECT 1")], None) == [(1,)]


def test_more_than_the_socket_takes_at_once(connection: Connection) -> None:
    long = "x" * 5_000_000
    assert exchange(connection, [command("SELECT length(%s), repeat('y', 3000000)", long)], None)[0][0] == len(long)


def test_a_server_that_does_not_answer_is_given_up(connection: Connection) -> None:
    with pytest.raises(psycopg.OperationalError, match="does not answer"):
        exchange(connection, [command("SELECT pg_sleep(1)")], 50)
    assert connection.closed


def test_a_pool_reads_only_and_survives_cut_connections(database: str) -> None:
    pool = Pool(database, Limits(1000, 1.0))
    try:
        with pytest.raises(ProviderError):
            pool.ask("", command("CREATE TABLE never (a int)"))
        ((process,),) = pool.ask("", command("SELECT pg_backend_pid()"))
        with psycopg.connect(database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (process,))
        ((following,),) = pool.ask("", command("SELECT pg_backend_pid()"))
        assert following != process
    finally:
        pool.close()
