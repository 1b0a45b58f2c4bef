"""Writers at the same time, while workers are killed and the database is restarted: every change that was acknowledged
is there once, and no other."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from doors import wait
from ledger import Ledger, ledger_in_database, ledger_in_file
from postgis import Cluster, new_database, running_cluster

from qgserver.providers import Sources
from qgserver.providers.edit import Rows
from qgserver.providers.uri import DataSource

pytestmark = [pytest.mark.server, pytest.mark.postgis]


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """A server that may be stopped."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(params=["geopackage", "postgres"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """Both kinds of store, new for each test."""
    if request.param == "geopackage":
        with ledger_in_file() as made:
            yield made
    else:
        with ledger_in_database(request.getfixturevalue("own_cluster")) as made:
            yield made


@contextmanager
def trouble(ledger: Ledger, cause: Callable[[int], None], every: float) -> Iterator[None]:
    """``cause(0)``, ``cause(1)``, ... every so many seconds, the first at half of that."""
    over = threading.Event()

    def run() -> None:
        number = 0
        while not over.wait(every if number else every / 2):
            cause(number)
            number += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def kill_a_worker(ledger: Ledger) -> None:
    workers = ledger.site.workers()
    if workers:
        os.kill(workers[0], signal.SIGKILL)


def endure(ledger: Ledger, cluster: Cluster | None, writers: int, turns: int, every: float) -> None:
    def cause(number: int) -> None:
        if cluster is not None and number % 3 == 1:
            cluster.stop()
            cluster.start()
        else:
            kill_a_worker(ledger)

    with trouble(ledger, cause, every):
        outcome = ledger.write(writers, turns)
    wait(lambda: len(ledger.site.workers()) == 2, "the workers' return")
    ledger.check(outcome)
    assert len(outcome.acknowledged) > writers * turns / 4, (outcome.reasons, ledger.site.log()[-2000:])
    after = ledger.write(1, 1)
    assert len(after.acknowledged) == 1


def test_writers_lose_nothing(ledger: Ledger, request: pytest.FixtureRequest) -> None:
    endure(ledger, _cluster(ledger, request), 4, 40, 0.8)


@pytest.mark.full
def test_many_writers_lose_nothing(ledger: Ledger, request: pytest.FixtureRequest) -> None:
    endure(ledger, _cluster(ledger, request), 8, 500, 2.0)


def _cluster(ledger: Ledger, request: pytest.FixtureRequest) -> Cluster | None:
    return None if ledger.is_file else request.getfixturevalue("own_cluster")


@pytest.mark.parametrize("kept", [True, False])
def test_a_connection_that_breaks_during_commit(own_cluster: Cluster, sources: Sources, kept: bool) -> None:
    """The database has committed and waits for a standby that is not there when the connection is cut: the change is
    acknowledged, not refused. When it has not committed, the change is refused."""
    dsn = new_database(own_cluster)
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("CREATE TABLE places (fid serial PRIMARY KEY, name text)")
        admin.execute(f'ALTER DATABASE "{admin.info.dbname}" SET synchronous_commit = on')  # type: ignore[arg-type]
        if kept:
            admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        else:  # COMMIT waits for a lock, before anything is decided
            admin.execute(
                "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN PERFORM pg_advisory_lock(7); RETURN NULL; END';"
                "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON places DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION wait(); SELECT pg_advisory_lock(7)"
            )
        admin.execute("SELECT pg_reload_conf()")
        params = dict(part.split("=", 1) for part in dsn.split())
        source = DataSource("postgres", params=params, schema="public", table="places", key=("fid",))
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(_insert, sources, source)
            waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event IN ('SyncRep', 'advisory')"
            wait(lambda: admin.execute(waiting).fetchall(), "the commit")
            try:
                admin.execute(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS waiting")  # type: ignore[arg-type]
                assert (done.exception(20) is None) == kept
            finally:
                admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
                admin.execute("SELECT pg_reload_conf()")
        assert admin.execute("SELECT count(*) FROM places").fetchone() == (int(kept),)


def _insert(sources: Sources, source: DataSource) -> None:
    with sources.store(source).edit() as editor:
        editor.layer(source, None).insert(Rows(("name",), [("here",)]))
