"""Every kind of source unplugged, slowed down, locked and corrupted under a server: only requests that name its layer
fail, they fail soon, clearly and without secrets, and all is well again as soon as the source is."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from places import CRS, SOURCES, file_source
from werkzeug.test import Client, TestResponse

from qgserver.app import Application
from qgserver.project.model import Group, Project, Style, TreeLayer, VectorLayer, WfsProperties
from qgserver.providers import Sources
from qgserver.providers.uri import DataSource, parse_datasource
from qgserver.settings import Settings
from qgserver.symbology.renderer import Common
from qgserver.symbology.renderers.single import SingleRenderer
from qgserver.symbology.symbol import Symbol

pytestmark = pytest.mark.postgis

SECONDS = 0.3
"""Limits of the server: of a statement, and of waiting for a lock."""
SLOWEST = 5.0
SOUND, BROKEN, DERIVED = "sound", "broken", "derived"
MAP = "SERVICE=WMS&VERSION=1.3.0&CRS=EPSG:2154&BBOX=0,0,110,110&WIDTH=50&HEIGHT=50&FORMAT=image/png"
REQUESTS = (
    f"{MAP}&REQUEST=GetMap&LAYERS={{0}}",
    f"{MAP}&REQUEST=GetMap&LAYERS={SOUND},{{0}}",
    f"{MAP}&REQUEST=GetFeatureInfo&LAYERS={{0}}&QUERY_LAYERS={{0}}&I=10&J=40",
    "SERVICE=WFS&VERSION=1.1.0&REQUEST=GetFeature&TYPENAME={0}",
    "SERVICE=WFS&VERSION=1.0.0&REQUEST=GetFeature&TYPENAME={0}&RESULTTYPE=hits",
    "SERVICE=WFS&VERSION=1.1.0&REQUEST=DescribeFeatureType&TYPENAME={0}",
)
ABOUT_ALL = (
    "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetCapabilities",
    "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetProjectSettings",
    "SERVICE=WFS&VERSION=1.1.0&REQUEST=GetCapabilities",
    "SERVICE=WFS&VERSION=1.1.0&REQUEST=DescribeFeatureType",
)

KINDS = {
    **{name: SOURCES[name] for name in ("postgres", "geopackage", "shapefile", "geojson", "delimited text")},
    "flatgeobuf": file_source("places.fgb", "FlatGeobuf"),
}


# -- faults: each breaks a source for a while -----------------------------------------------------------------------


Fault = Callable[[DataSource, str], Iterator[None]]


def gone(source: DataSource, dsn: str) -> Iterator[None]:
    away = Path(source.path + ".away")
    Path(source.path).rename(away)
    yield
    away.rename(source.path)


def corrupt(source: DataSource, dsn: str) -> Iterator[None]:
    path = Path(source.path)
    whole = path.read_bytes()
    path.write_bytes(b"\0\xff of no use " * 500)
    yield
    path.write_bytes(whole)


def locked(source: DataSource, dsn: str) -> Iterator[None]:
    writer = sqlite3.connect(source.path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    yield
    writer.execute("ROLLBACK")
    writer.close()


def run(*statements: str) -> Callable[[str], None]:
    def execute(dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    return execute


def statements(there: Callable[[str], None], back: Callable[[str], None]) -> Fault:
    def fault(source: DataSource, dsn: str) -> Iterator[None]:
        there(dsn)
        yield
        back(dsn)

    return fault


def table_locked(source: DataSource, dsn: str) -> Iterator[None]:
    with psycopg.connect(dsn) as blocker:
        blocker.execute("LOCK TABLE places IN ACCESS EXCLUSIVE MODE")
        yield
        blocker.rollback()


AWAY = run("ALTER TABLE places RENAME TO away"), run("ALTER TABLE away RENAME TO places")
SLOW = (
    run(
        "ALTER TABLE places RENAME TO away",
        "CREATE VIEW places AS SELECT * FROM away, LATERAL (SELECT 1 AS nap WHERE pg_sleep(1) IS NOT NULL) AS n",
    ),
    run("DROP VIEW places", "ALTER TABLE away RENAME TO places"),
)
CHANGED = run("ALTER TABLE places RENAME geom TO shape"), run("ALTER TABLE places RENAME shape TO geom")
FAULTS: dict[tuple[str, str], Fault] = {
    ("postgres", "unplugged"): statements(*AWAY),
    ("postgres", "slow"): statements(*SLOW),
    ("postgres", "corrupt"): statements(*CHANGED),
    ("postgres", "locked"): table_locked,
    ("geopackage", "locked"): locked,
    **{(kind, "unplugged"): gone for kind in KINDS if kind != "postgres"},
    **{(kind, "corrupt"): corrupt for kind in KINDS if kind != "postgres"},
}


# -- a server with a sound layer, one that is broken, and a virtual one over that -----------------------------------


def layer(name: str, source: DataSource) -> VectorLayer:
    style = Style("default", SingleRenderer(Common(), (Symbol("fill", ()),)))
    return VectorLayer(
        id=name, name=name, published=name, source=source, crs=CRS, geometry_type="Polygon", styles={"default": style}
    )


@contextmanager
def served(folder: Path, source: DataSource) -> Iterator[Client]:
    sound = folder / "sound"
    sound.mkdir()
    derived = parse_datasource("virtual", "?query=" + quote(f"SELECT * FROM {BROKEN}"), "/")
    layers = (layer(SOUND, SOURCES["geopackage"](sound, "")), layer(BROKEN, source), layer(DERIVED, derived))
    names = (SOUND, BROKEN, DERIVED)
    tree = Group("", tuple(TreeLayer(name, name) for name in names))
    project = Project("p", (3, 22, 0), "", "", CRS, {one.id: one for one in layers}, tree, wfs=WfsProperties(names))
    app = Application(Settings())
    app.sources.close()
    app.sources = Sources(statement_timeout_ms=int(SECONDS * 1000), connect_timeout_s=SECONDS)
    app.store.get = lambda reference: project  # type: ignore[method-assign]
    app.settings = replace(app.settings, project_file="p")
    try:
        yield Client(app)
    finally:
        app.sources.close()


def ask(client: Client, query: str) -> TestResponse:
    started = time.monotonic()
    answer = client.get("/?" + query)
    assert time.monotonic() - started < SLOWEST, query
    return answer


def assert_well(client: Client, name: str) -> None:
    for request in REQUESTS:
        answer = ask(client, request.format(name))
        assert answer.status_code == 200, (request, answer.text)


def assert_refused(answer: TestResponse, source: DataSource) -> None:
    assert answer.status_code >= 400, answer.text
    assert "ServiceException" in answer.text or "ExceptionReport" in answer.text
    assert "Internal" not in answer.text and "layer" in answer.text
    for secret in (source.path or "host=", "Traceback", "password", "dbname"):
        assert secret not in answer.text


@pytest.mark.parametrize(("kind", "fault"), FAULTS)
def test_only_requests_for_the_layer_fail(database: str, tmp_path: Path, kind: str, fault: str) -> None:
    source = KINDS[kind](tmp_path, database)
    breaking = contextmanager(FAULTS[kind, fault])
    with served(tmp_path, source) as client:
        for name in (SOUND, BROKEN, DERIVED):
            assert_well(client, name)
        with breaking(source, database):
            for request in REQUESTS:
                for name in (BROKEN, DERIVED):
                    answer = ask(client, request.format(name))
                    # columns are remembered; a table may be counted whose geometry is gone
                    spared = "Describe" in request or (kind, fault, "hits" in request) == ("postgres", "corrupt", True)
                    if not spared or answer.status_code != 200:
                        assert_refused(answer, source)
            assert_well(client, SOUND)
            for request in ABOUT_ALL:
                assert ask(client, request).status_code == 200, request
        for name in (SOUND, BROKEN, DERIVED):
            assert_well(client, name)
