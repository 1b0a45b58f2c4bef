"""Columns that only PostgreSQL has: what is sent comes back, keys of every kind, the database's own rules."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest

from qgserver.errors import ProviderError
from qgserver.geo.crs import Crs
from qgserver.providers import Sources
from qgserver.providers.edit import EditError, ReadOnlyError, Rows
from qgserver.providers.uri import DataSource

SETUP = """
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE types (
    a int GENERATED ALWAYS AS IDENTITY, b text DEFAULT 'k', PRIMARY KEY (a, b),
    numbers int[], words text[], doc jsonb, store hstore, how mood, id uuid, exact numeric(30, 10), at timestamptz,
    short varchar(3), small smallint, place geography(Point, 4326)
);
CREATE TABLE child (id serial PRIMARY KEY, a int, b text, UNIQUE (a), CHECK (a <> 13),
    FOREIGN KEY (a, b) REFERENCES types DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE loose (a int);
CREATE VIEW shown AS SELECT * FROM child WHERE a > 100 WITH CHECK OPTION;
CREATE VIEW joined AS SELECT c.id, t.words FROM child c JOIN types t USING (a, b);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'secret words'; END $$;
CREATE TABLE guarded (id int PRIMARY KEY);
CREATE TRIGGER t BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TABLE hole (id int PRIMARY KEY);
CREATE TRIGGER t BEFORE INSERT ON hole FOR EACH ROW EXECUTE FUNCTION swallow();
"""
WGS84 = Crs("EPSG:4326", "EPSG:4326")


@pytest.fixture(scope="module")
def dsn(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SETUP)
    return database


def source(dsn: str, table: str, *key: str) -> DataSource:
    params = dict(part.split("=", 1) for part in dsn.split())
    geometry = "place" if table == "types" else ""
    return DataSource("postgres", params=params, schema="public", table=table, geometry_column=geometry, key=key)


def insert(sources: Sources, where: DataSource, columns: Sequence[str], *values: object) -> list[int | str]:
    with sources.store(where).edit() as editor:
        return editor.layer(where, WGS84).insert(Rows(tuple(columns), [values]))


def test_values(sources: Sources, dsn: str) -> None:
    given = {
        "numbers": [1, None, 2],
        "words": ['a"b', "c\\d", "{e,f}", "NULL", ""],
        "doc": [{"x": [1, "é"]}],
        "store": {'k"1': "v=>2", "n": None},
        "how": "glad",
        "id": "6f2e5160-0000-4000-8000-000000000000",
        "exact": "12345678901234567890.0123456789",
    }
    (fid,) = insert(sources, source(dsn, "types"), tuple(given), *given.values())
    assert fid == "1@@k"
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            "SELECT numbers, words, doc, hstore_to_json(store), how::text, id::text, exact::text FROM types"
        ).fetchone()
    assert row == tuple(given.values())


def test_a_composite_key(sources: Sources, dsn: str) -> None:
    where = source(dsn, "types")
    fids = [insert(sources, where, ("b",), name)[0] for name in ("x@@y", "'; --")]
    with sources.store(where).edit() as editor:
        layer = editor.layer(where, WGS84)
        layer.lock(fids)
        layer.update(fids[:1], Rows(("short",), [("ok",)]))
        layer.delete(fids[1:])
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT b, short FROM types WHERE b <> 'k'").fetchall() == [("x@@y", "ok")]


@pytest.mark.parametrize(
    ("table", "key", "column", "value", "kind"),
    [
        ("types", (), "a", 7, EditError),
        ("types", (), "how", "angry", EditError),
        ("types", (), "id", "none", EditError),
        ("types", (), "short", "four", EditError),
        ("types", (), "small", 70_000, EditError),
        ("types", (), "doc", "{", EditError),
        ("child", (), "a", 13, EditError),
        ("shown", ("id",), "a", 7, EditError),
        ("joined", ("id",), "words", ["x"], ReadOnlyError),
        ("guarded", (), "id", 1, EditError),
        ("hole", (), "id", 1, EditError),
        ("loose", (), "a", 1, ReadOnlyError),
    ],
)
def test_refusals(
    sources: Sources, dsn: str, table: str, key: tuple[str, ...], column: str, value: object, kind: type[ProviderError]
) -> None:
    with pytest.raises(kind) as caught:
        insert(sources, source(dsn, table, *key), (column,), value)
    assert "secret" not in caught.value.message
    assert str(value) not in caught.value.message.split()


def test_a_constraint_that_is_checked_at_the_end(sources: Sources, dsn: str) -> None:
    """COMMIT itself fails, and says so."""
    with pytest.raises(EditError):
        insert(sources, source(dsn, "child"), ("a", "b"), 999, "nothing")
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*) FROM child").fetchone() == (0,)
