"""What breaks below or beside the server, and how far the damage goes."""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from doors import Answer, Site, wait
from stand import PASSWORD, Stand

pytestmark = [pytest.mark.server, pytest.mark.postgis]

_MAP = "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&STYLES=&CRS=EPSG:4326&BBOX=40,0,55,20&WIDTH=200&HEIGHT=150"
FILE_MAP = f"{_MAP}&FORMAT=image/png&LAYERS=countries,rivers"
TABLE_MAP = f"{_MAP}&FORMAT=image/png&LAYERS=cities"
FEATURES = "SERVICE=WFS&VERSION=1.1.0&REQUEST=GetFeature&TYPENAME=cities"
CAPABILITIES = "SERVICE=WMS&REQUEST=GetCapabilities"


class Load:
    """Asks one question again and again in threads; keeps (when answered, answer or None when it broke)."""

    def __init__(self, site: Site, query: str, threads: int) -> None:
        self._site = site
        self._query = query
        self._stop = threading.Event()
        self.answers: list[tuple[float, Answer | None]] = []
        self.slowest = 0.0
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    @contextmanager
    def running(self) -> Iterator[Load]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(60)

    def _run(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            answer: Answer | None = None
            try:
                answer = self._site.ask(self._query)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)
            self.answers.append((time.monotonic(), answer))
            self.slowest = max(self.slowest, time.monotonic() - started)

    def statuses(self, since: float = 0.0) -> set[int]:
        return {answer.status if answer else 0 for when, answer in list(self.answers) if when >= since}


def assert_clear_error(answer: Answer) -> None:
    """An OGC exception that says what is the matter, and nothing of how the database is reached."""
    assert answer.status >= 400
    assert "ServiceException" in answer.text or "<ExceptionReport" in answer.text
    assert "database" in answer.text
    for secret in (PASSWORD, "qgserver-pg-", "password", "dbname", "postgres"):
        assert secret not in answer.text


def test_a_database_restarted_under_load(stand: Stand) -> None:
    site = stand.site
    assert site.ask(TABLE_MAP).status == 200
    before = site.workers()
    with Load(site, FILE_MAP, 2).running() as files, Load(site, TABLE_MAP, 2).running() as tables:
        wait(lambda: len(tables.answers) > 4 and len(files.answers) > 4, "some answers")
        assert tables.statuses() == {200}
        stand.cluster.stop()
        stopped = time.monotonic()
        try:
            wait(lambda: sum(when > stopped for when, _ in list(tables.answers)) > 6, "answers without the database")
            assert_clear_error(site.ask(TABLE_MAP))
            assert_clear_error(site.ask(FEATURES))
            assert site.ask(CAPABILITIES).status == 200
            assert site.ask("SERVICE=WFS&REQUEST=GetCapabilities").status == 200
        finally:
            stand.cluster.start()
        wait(lambda: site.ask(TABLE_MAP).status == 200, "the table's return", 15)
        back = time.monotonic()
        wait(lambda: sum(when > back + 1 for when, _ in list(tables.answers)) > 4, "answers with the database")
    assert tables.statuses(back + 1) == {200}
    assert files.statuses() == {200}
    assert tables.slowest < 15
    assert site.workers() == before
    assert "layer cities" in site.log()  # for the administrator
    assert PASSWORD not in site.log()


def test_a_statement_that_takes_too_long_is_given_up(stand: Stand) -> None:
    with psycopg.connect(stand.database) as blocker:
        blocker.execute("LOCK TABLE cities IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        assert_clear_error(stand.site.ask(TABLE_MAP))
        assert time.monotonic() - started < 10
        assert stand.site.ask(FILE_MAP).status == 200
        blocker.rollback()
    assert stand.site.ask(TABLE_MAP).status == 200


def test_a_killed_worker_under_load(stand: Stand) -> None:
    site = stand.site
    with Load(site, FILE_MAP, 4).running() as load:
        wait(lambda: len(load.answers) > 8, "some answers")
        victim = site.workers()[0]
        os.kill(victim, signal.SIGKILL)
        wait(lambda: len(site.workers()) == 2 and victim not in site.workers(), "a new worker")
        since = time.monotonic() + 1
        wait(lambda: sum(when > since for when, _ in list(load.answers)) > 8, "answers of the new worker")
    assert load.statuses() <= {0, 200}
    assert load.statuses(since) == {200}
    broken = sum(answer is None for _, answer in load.answers)
    assert broken <= 4  # no more than were in the worker's hands


def test_a_file_that_goes_and_comes_back(stand: Stand) -> None:
    site, path = stand.site, stand.folder / "world.gpkg"
    moved = path.with_suffix(".away")
    path.rename(moved)
    try:
        answer = site.ask(f"{_MAP}&FORMAT=image/png&LAYERS=lakes")
        assert answer.status >= 400
        assert str(stand.folder) not in answer.text
        assert site.ask(TABLE_MAP).status == 200
        assert site.ask(CAPABILITIES).status == 200
    finally:
        moved.rename(path)
    wait(lambda: site.ask(FILE_MAP).status == 200, "the file's return", 5)


def test_a_project_half_written_is_never_served(stand: Stand) -> None:
    site, path = stand.site, stand.folder / "world.qgs"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[: len(whole) // 2])
        answer = site.ask(CAPABILITIES)
        assert answer.status >= 400 or "<Title>Ocean</Title>" in answer.text
        path.write_bytes(whole.replace(b"<title>Ocean</title>", b"<title>All the sea</title>"))
        wait(lambda: "<Title>All the sea</Title>" in site.ask(CAPABILITIES).text, "the edited project", 5)
    finally:
        path.write_bytes(whole)
    wait(lambda: "<Title>Ocean</Title>" in site.ask(CAPABILITIES).text, "the project's return", 5)
