"""Projects in PostgreSQL and GeoPackages: found by QGIS's addresses, only in databases that are listed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from postgis import Cluster, new_database
from project_xml import layer_xml, project_xml

from qgserver.errors import ProjectError
from qgserver.project import databases
from qgserver.project.addresses import Address, GeoPackageAddress, PostgresAddress
from qgserver.project.choose import choose_project
from qgserver.project.store import ProjectStore
from qgserver.settings import Settings

Save = Callable[[str, bytes, str], None]


@dataclass(frozen=True)
class Saved:
    """A database with the table of projects: how ``MAP`` names one of them, and how QGIS saves one."""

    settings: Settings
    map: str
    save: Save

    def address(self, name: str = "p") -> str | Address:
        return choose_project(self.map.format(name), {}, self.settings)


def titled(title: str, body: str = "") -> bytes:
    return project_xml(body).replace(b"<title>t<", f"<title>{title}<".encode())


def in_postgres(dsn: str) -> Saved:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute('CREATE SCHEMA IF NOT EXISTS "a b"')
        connection.execute(
            'CREATE TABLE IF NOT EXISTS "a b".qgis_projects (name text PRIMARY KEY, metadata jsonb, content bytea)'
        )

    def save(name: str, content: bytes, time: str) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute(
                'INSERT INTO "a b".qgis_projects VALUES (%s, %s, %s)'
                " ON CONFLICT (name) DO UPDATE SET metadata = excluded.metadata, content = excluded.content",
                (name, f'{{"last_modified_time": "{time}"}}', content),
            )

    parts = dict(part.split("=", 1) for part in dsn.split())
    address = f"postgresql:?dbname={parts['dbname']}&sslmode=disable&authcfg=&schema=a%20b&project={{}}"
    return Saved(Settings(project_databases=(dsn,)), address, save)


def in_geopackage(path: Path) -> Saved:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB)")

    def save(name: str, content: bytes, time: str) -> None:
        with sqlite3.connect(path) as connection:
            row = (name, f'{{"last_modified_time": "{time}"}}', content.hex())
            connection.execute("INSERT OR REPLACE INTO qgis_projects VALUES (?, ?, ?)", row)

    return Saved(Settings(project_databases=(str(path),)), f"geopackage:{path}?projectName={{}}", save)


@pytest.fixture(params=["postgres", "geopackage"])
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Saved]:
    if request.param == "postgres":
        yield in_postgres(request.getfixturevalue("database"))
    else:
        yield in_geopackage(tmp_path / "p.gpkg")


@pytest.fixture
def store() -> Iterator[ProjectStore]:
    opened = ProjectStore(Settings())
    yield opened
    opened.close()


def test_read_once_and_again_when_saved(store: ProjectStore, saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "a+b'; é"
    saved.save(name, titled("one"), "2020")
    address = saved.address(name)
    reads = []
    read = databases.Databases.read
    monkeypatch.setattr(databases.Databases, "read", lambda *args: reads.append(1) or read(*args))  # type: ignore[func-returns-value]
    first = store.get(address)
    assert store.get(address) is first and first.title == "one"
    saved.save(name, titled("two"), "2021")
    assert store.get(address).title == "two"
    assert len(reads) == 2


def test_a_broken_row_is_an_error_until_it_is_saved_again(store: ProjectStore, saved: Saved) -> None:
    address = saved.address("broken")
    for number, content in enumerate((b"PK\x03\x04rubbish", titled("t")[:-30], b"")):
        saved.save("broken", content, str(number))
        with pytest.raises(ProjectError, match="not available"):
            store.get(address)
    saved.save("broken", titled("mended"), "3")
    assert store.get(address).title == "mended"


def test_a_row_that_is_too_large_is_not_fetched(
    store: ProjectStore, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "MAX_CONTENT", 10)
    saved.save("large", titled("t"), "2020")
    with pytest.raises(ProjectError) as error:
        store.get(saved.address("large"))
    assert "larger" in error.value.detail


def test_paths_start_from_the_folder_of_the_geopackage(store: ProjectStore, tmp_path: Path) -> None:
    saved = in_geopackage(tmp_path / "p.gpkg")
    saved.save("p", titled("t", layer_xml()), "2020")
    project = store.get(saved.address())
    assert project.layers["id"].source.path == str(tmp_path / "d.gpkg")


def test_a_database_that_is_down_leaves_the_last_good_version(
    store: ProjectStore, cluster: Cluster, tmp_path: Path
) -> None:
    dsn = new_database(cluster)
    saved = in_postgres(dsn)
    saved.save("p", titled("good"), "2020")
    saved.save("other", titled("other"), "2020")
    address = saved.address()
    good = store.get(address)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CHECKPOINT")  # the server is about to be stopped as by a loss of power
    cluster.stop()
    try:
        assert store.get(address) is good
        with pytest.raises(ProjectError, match="not available"):
            store.get(saved.address("other"))
    finally:
        cluster.start()
    saved.save("p", titled("newer"), "2021")
    assert store.get(address).title == "newer"
    assert store.get(saved.address("other")).title == "other"


def test_a_project_that_is_deleted_is_an_error_at_once(store: ProjectStore, tmp_path: Path) -> None:
    saved = in_geopackage(tmp_path / "p.gpkg")
    saved.save("p", titled("t"), "2020")
    address = saved.address()
    store.get(address)
    writer = sqlite3.connect(tmp_path / "p.gpkg", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    databases.CONNECT_S, patience = 0.1, databases.CONNECT_S
    try:
        assert store.get(address).title == "t"
    finally:
        databases.CONNECT_S = patience
        writer.execute("ROLLBACK")
    writer.execute("DELETE FROM qgis_projects")
    writer.close()
    with pytest.raises(ProjectError):
        store.get(address)
    (tmp_path / "p.gpkg").unlink()
    with pytest.raises(ProjectError):
        store.get(address)


LISTED = ("service=one", "host=db port=5433 dbname=d user=u password=secret", "/srv/a.gpkg", "service=two dbname=x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql:?service=one&schema=s&project=p", PostgresAddress(LISTED[0], "s", "p")),
        (
            "postgresql:?service=one&authcfg=&sslmode=disable&dbname=&project=p",
            PostgresAddress(LISTED[0], "public", "p"),
        ),
        ("postgresql://u:guess@db:5433?dbname=d&schema=s&project=p", PostgresAddress(LISTED[1], "s", "p")),
        ("postgresql:?service=two&schema=s&project=p", PostgresAddress(LISTED[3], "s", "p")),
        ("PostgreSQL:?service=two&dbname=x&project=p+q%26", PostgresAddress(LISTED[3], "public", "p+q&")),
        ("geopackage:/srv/a.gpkg?projectName=p%20q", GeoPackageAddress("/srv/a.gpkg", "p q")),
        ("geopackage:/srv/x/../a.gpkg?projectName=p", GeoPackageAddress("/srv/a.gpkg", "p")),
    ],
)
def test_map_names_a_project_in_a_listed_database(text: str, expected: object) -> None:
    address = choose_project(text, {}, Settings(project_databases=LISTED))
    assert address == expected
    assert "secret" not in repr(address) + str(address)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql:?service=three&schema=s&project=p",
        "postgresql:?service=one&dbname=other&schema=s&project=p",
        "postgresql://evil:5433?dbname=d&schema=s&project=p",
        "postgresql://db?dbname=d&port=1&host=evil&hostaddr=1.2.3.4&schema=s",
        "postgresql://db:5432?dbname=d&schema=s&project=p",
        "postgresql://db:99999?dbname=d&schema=s&project=p",
        "postgresql:?service=one host=evil&schema=s&project=p",
        "postgresql:?service=one&schema=s",
        "postgresql:?service=one&schema=s&project=a%00b",
        "postgresql:" + "&a" * 100,
        "postgresql:?" + "x" * 100_000,
        "geopackage:/srv/b.gpkg?projectName=p",
        "geopackage:/srv/a.gpkg",
        "geopackage:a.gpkg?projectName=p",
        "geopackage:?projectName=p",
    ],
)
def test_all_else_is_refused_alike(text: str) -> None:
    with pytest.raises(ProjectError) as error:
        choose_project(text, {}, Settings(project_databases=LISTED, project_roots=("/",)))
    assert error.value.message == "The project is not available."
    assert "secret" not in error.value.detail


def test_what_host_and_password_say_in_map_is_not_used() -> None:
    text = "postgresql://mallory:pw@db:5433?dbname=d&sslmode=disable&user=x&password=y&options=-c&schema=s&project=p"
    address = choose_project(text, {}, Settings(project_databases=LISTED))
    assert isinstance(address, PostgresAddress) and address.database == LISTED[1]


def test_the_administrators_own_address_is_used_as_it_is(store: ProjectStore, database: str, tmp_path: Path) -> None:
    saved = in_postgres(database)
    saved.save("own", titled("own"), "2020")
    parts = dict(part.split("=", 1) for part in database.split())
    host = parts["host"].replace("/", "%2F")
    text = f"postgresql://{parts['user']}:it%27s%20secret@{host}?dbname={parts['dbname']}&schema=a%20b&project=own"
    address = choose_project(None, {}, Settings(project_file=text))
    assert store.get(address).title == "own"
    assert "secret" not in str(address)
