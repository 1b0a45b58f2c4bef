"""Sources that are down, gone, locked, broken or changed: a ProviderError without secrets; then all is well again."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from places import SOURCES, WHOLE, ids, open_source
from postgis import Cluster, new_database

from qgserver.errors import ProviderError
from qgserver.expression.parser import parse
from qgserver.geo.extent import Extent
from qgserver.providers import Sources, geopackage, gpkgmemory
from qgserver.providers.protocol import Provider, Query
from qgserver.providers.uri import DataSource

EVERYTHING = Query(extent=Extent(*WHOLE))


def refusal(provider: Provider) -> ProviderError:
    """The error of a read; neither it nor what is logged tells a password."""
    with pytest.raises(ProviderError) as caught:
        list(provider.read(Query()))
    assert "secret" not in caught.value.message + caught.value.detail
    assert "/" not in caught.value.message
    return caught.value


def postgres(dsn: str) -> DataSource:
    return SOURCES["postgres"](Path(), dsn)


def test_the_database_goes_and_comes_back(cluster: Cluster, sources: Sources, tmp_path: Path) -> None:
    database = new_database(cluster)
    layer = open_source(sources, postgres(database))
    file = open_source(sources, SOURCES["geopackage"](tmp_path, ""))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CHECKPOINT")  # the cluster commits asynchronously: an immediate stop would lose the rows
    half = layer.read(Query(batch_size=1))
    next(half)
    cluster.stop()
    try:
        with pytest.raises(ProviderError):
            list(half)
        assert "can't be reached" in refusal(layer).message
        assert ids(file, Query()) == [1, 2, 3, 4, 5, 6]
        started = time.monotonic()
        refusal(layer)
        assert time.monotonic() - started < 1
    finally:
        cluster.start()
    assert ids(layer, Query()) == [1, 2, 3, 4, 5, 6]


def test_a_connection_that_was_cut_is_replaced(database: str, sources: Sources) -> None:
    layer = open_source(sources, postgres(database))
    assert layer.count(Query()) == 6
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'qgserver'")
    assert layer.count(Query()) == 6


def test_a_slow_query_is_cut_off(database: str) -> None:
    sources = Sources(statement_timeout_ms=200)
    source = postgres(database)
    slow = replace(source, table="", query="SELECT *, pg_sleep(0.1) FROM places")
    try:
        assert "too long" in refusal(open_source(sources, slow)).message
        assert open_source(sources, source).count(Query()) == 6
    finally:
        sources.close()


def test_brief_questions(database: str, sources: Sources) -> None:
    """Asked in one go: as whole, as safe and as well repaired as others."""
    source = postgres(database)
    layer = open_source(sources, source)
    assert ids(layer, Query(brief=True)) == [1, 2, 3, 4, 5, 6]
    assert ids(layer, Query(brief=True, batch_size=2)) == [1, 2, 3, 4, 5, 6], "there is more than a batch"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'qgserver'")
    assert ids(layer, Query(brief=True)) == [1, 2, 3, 4, 5, 6]
    gone = open_source(sources, replace(source, subset="1/0 = 1"))
    with pytest.raises(ProviderError):
        list(gone.read(Query(brief=True)))
    writing = open_source(sources, replace(source, table="", query="SELECT *, nextval('counter') FROM places"))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE counter")
    with pytest.raises(ProviderError):
        list(writing.read(Query(brief=True)))
    assert ids(layer, Query(brief=True)) == [1, 2, 3, 4, 5, 6]


def test_all_connections_taken(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qgserver.providers.pgconnect.MAX_CONNECTIONS", 2)
    sources = Sources(connect_timeout_s=0.1)
    layer = open_source(sources, postgres(database))
    layer.schema()
    held = [layer.read(Query(batch_size=1)) for _ in range(2)]
    try:
        for batches in held:
            next(batches)
        assert "busy" in refusal(layer).message
    finally:
        for batches in held:
            batches.close()
    assert layer.count(Query()) == 6
    sources.close()


def test_reading_can_not_write(database: str, sources: Sources) -> None:
    source = replace(postgres(database), table="", query="DELETE FROM places RETURNING *")
    refusal(open_source(sources, source))
    nested = replace(source, query="SELECT * FROM places WHERE pg_catalog.setval('s', 1) = 1")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE s")
    refusal(open_source(sources, nested))
    assert open_source(sources, postgres(database)).count(Query()) == 6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"table": "nope"}, "table does not exist"),
        ({"schema": "nope"}, "table does not exist"),
        ({"geometry_column": "nope"}, "geometry column"),
        ({"key": ("nope",)}, "key column"),
        ({"table": "places_view", "key": ()}, "no key"),
        ({"subset": "nope = 1"}, "column of the layer"),
        ({"subset": "syntax error ("}, "query failed"),
    ],
)
def test_a_layer_that_is_wrong_says_what_is_wrong(
    database: str, sources: Sources, change: dict[str, object], words: str
) -> None:
    source = replace(postgres(database), **change)  # type: ignore[arg-type]
    assert words in refusal(open_source(sources, source)).message


@pytest.mark.parametrize(
    "params",
    [
        {"host": "127.0.0.1", "port": "1", "user": "u", "password": "secret", "dbname": "d"},
        {"host": "/nowhere", "user": "u", "password": "secret"},
        {"service": "no_such_service", "password": "secret"},
        {"host": "127.0.0.1", "port": "x", "password": "secret' x"},
        {"authcfg": "abc1234"},
    ],
)
def test_a_connection_that_can_not_be(sources: Sources, params: dict[str, str]) -> None:
    source = DataSource(provider="postgres", params=params, table="t", geometry_column="g", key=("id",))
    with pytest.raises(ProviderError) as caught:
        open_source(sources, source).schema()
    assert "secret" not in caught.value.message + caught.value.detail


def test_a_child_process_opens_its_own(database: str, sources: Sources) -> None:
    source = postgres(database)
    assert open_source(sources, source).count(Query()) == 6
    child = os.fork()
    if not child:
        try:
            done = open_source(sources, source).count(Query()) == 6
            os._exit(0 if done else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert open_source(sources, source).count(Query()) == 6


@pytest.fixture
def package(tmp_path: Path) -> DataSource:
    return SOURCES["geopackage"](tmp_path, "")


def test_a_file_goes_and_comes_back(package: DataSource, sources: Sources, tmp_path: Path) -> None:
    layer = open_source(sources, package)
    assert layer.count(Query()) == 6
    aside = tmp_path / "aside"
    os.rename(package.path, aside)
    assert "can't be opened" in refusal(layer).message
    os.rename(aside, package.path)
    assert layer.count(Query()) == 6


def test_a_file_that_is_none(package: DataSource, sources: Sources) -> None:
    Path(package.path).write_bytes(b"not a database" * 100)
    assert "damaged" in refusal(open_source(sources, package)).message
    Path(package.path).write_bytes(b"")
    assert "does not exist" in refusal(open_source(sources, package)).message


def test_a_locked_file_is_waited_for_and_no_longer(package: DataSource) -> None:
    sources = Sources(connect_timeout_s=0.2)
    layer = open_source(sources, package)
    writer = sqlite3.connect(package.path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    assert "locked" in refusal(layer).message
    writer.execute("ROLLBACK")
    writer.close()
    assert layer.count(Query()) == 6
    sources.close()


def test_an_endless_subset_is_cut_off(package: DataSource) -> None:
    sources = Sources(statement_timeout_ms=200)
    endless = "id IN (WITH RECURSIVE c(x) AS (SELECT 7 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c)"
    assert "too long" in refusal(open_source(sources, replace(package, subset=endless))).message
    sources.close()


def test_what_is_written_is_seen(package: DataSource, sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geopackage, "HEAVY_BYTES", -1)
    monkeypatch.setattr(gpkgmemory, "in_background", lambda work: work())
    os.utime(package.path, (0, 0))
    layer = open_source(sources, package)
    for _ in range(3):  # from the file, into memory, out of memory
        assert sorted(ids(layer, EVERYTHING)) == [1, 2, 3, 4, 6]
    writer = sqlite3.connect(package.path)
    for (trigger,) in writer.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        writer.execute(f'DROP TRIGGER "{trigger}"')  # they call functions of GDAL
    writer.execute("UPDATE places SET id = 77 WHERE id = 3")
    writer.commit()
    assert sorted(ids(layer, EVERYTHING)) == [1, 2, 4, 6, 77]
    writer.execute("ALTER TABLE places ADD COLUMN more TEXT DEFAULT 'm'")
    writer.commit()
    writer.close()
    assert layer.schema().fields[-1].name == "more"
    (batch,) = layer.read(Query(columns=("more",), limit=1))
    assert batch.columns["more"].values.tolist() == ["m"]


def test_a_file_in_wal_mode_in_a_folder_that_must_not_be_written(
    package: DataSource, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = sqlite3.connect(package.path)
    writer.execute("PRAGMA journal_mode = wal")
    writer.close()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert open_source(sources, package).count(Query()) == 6


def test_threads_share_a_layer(package: DataSource, database: str, sources: Sources) -> None:
    layers = [open_source(sources, package), open_source(sources, postgres(database))]
    wrong: list[object] = []

    def work() -> None:
        for _ in range(10):
            for layer in layers:
                found = sorted(ids(layer, Query(extent=Extent(0, 0, 12, 12), where=parse("length(name) > 1"))))
                if found != [1, 4]:
                    wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("provider", ["nope", "wcs", "", "WFS"])
def test_unknown_providers_are_refused(sources: Sources, provider: str) -> None:
    with pytest.raises(ProviderError, match="not supported"):
        sources.open(DataSource(provider=provider, path="/etc/passwd"), None)
