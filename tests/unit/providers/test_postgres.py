"""Types, keys and geometry columns of PostgreSQL; expected: what QGIS 3.22's postgres provider shows (measured)."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

import numpy as np
import psycopg
import pytest

from qgserver.geo.extent import Extent
from qgserver.providers import Sources
from qgserver.providers.protocol import Provider, Query
from qgserver.providers.uri import DataSource, parse_datasource

pytestmark = pytest.mark.postgis

TABLES = """
CREATE EXTENSION hstore; CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE DOMAIN small AS varchar(7);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE types (
  id serial PRIMARY KEY, i2 smallint NOT NULL DEFAULT 3, i8 bigint, n numeric, n10 numeric(10, 3), f4 real, f8 float8,
  mon money, b boolean, c5 char(5), v20 varchar(20), t text, ct citext, u uuid, j json, jb jsonb, hs hstore,
  d date, tm time, tmz timetz, ts timestamp, tz timestamptz, iv interval, bt bytea, bits bit(3), ine inet, pt point,
  r int4range, m mood, dst small, cmp pair, ia int[], na numeric[], fa real[], ta text[], ba boolean[], ua uuid[],
  da date[], ma mood[], geom geometry(Point, 2154), geom2 geometry);
COMMENT ON COLUMN types.i8 IS 'a long';
INSERT INTO types (id, i8, n, n10, f4, f8, mon, b, c5, v20, t, ct, u, j, jb, hs, d, tm, tmz, ts, tz, bt, ine, m, dst,
  ia, na, fa, ta, ba, ua, da, geom, geom2) VALUES
(1, 9007199254740993, 1234567890.123456789, 1.5, 7.38, 0.1, '12.34', true, 'ab', 'v', 'é', 'Ct',
 '00000000-0000-0000-0000-000000000001', '{"b": 1, "a": [1, 2.5, null]}', '5', 'k=>v', '2020-02-03', '12:30:01.5',
 '12:30:01+02', '2020-02-03 04:05:06.789', '2020-02-03 04:05:06.789+02', '\\xdeadbeef', '10.0.0.1', 'b', 'dom',
 '{1,NULL}', '{1.5}', '{7.38}', '{a,"b c"}', '{t,f}', '{00000000-0000-0000-0000-000000000001}', '{2020-01-01}',
 'SRID=2154;POINT(1 2)', 'POINT(3 4)'),
(2, NULL, 'NaN', NULL, 'infinity', '-infinity', NULL, NULL, NULL, '', NULL, NULL, NULL, 'null', NULL, NULL, 'infinity',
 '24:00:00', NULL, 'infinity', '0044-03-15 12:00 BC', NULL, NULL, NULL, NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL,
 NULL, NULL);
CREATE TABLE mixed (id int PRIMARY KEY, geom geometry);
INSERT INTO mixed VALUES (1, 'POINT(1 1)'), (2, 'LINESTRING(0 0,1 1)'), (3, 'POLYGON((0 0,1 0,1 1,0 0))'),
 (4, 'MULTIPOINT(1 1,2 2)'), (5, NULL), (6, 'POINT Z(1 1 5)'), (7, 'MULTIPOLYGON(((0 0,1 0,1 1,0 0)))'),
 (8, 'GEOMETRYCOLLECTION(POINT(1 1))'), (9, 'CURVEPOLYGON(CIRCULARSTRING(0 0,1 1,2 0,1 -1,0 0))'),
 (10, 'MULTILINESTRING((0 0,1 1))'), (11, 'POLYGON EMPTY');
CREATE TABLE nokey (a text, geom geometry(Point, 2154));
INSERT INTO nokey VALUES ('x', 'SRID=2154;POINT(1 2)'), ('y', 'SRID=2154;POINT(3 4)');
CREATE TABLE textkey (k text PRIMARY KEY, v int);
INSERT INTO textkey VALUES ('x y', 1), ('a@@b', 2);
CREATE TABLE pairkey (a int, "b ""c" text, PRIMARY KEY (a, "b ""c"));
INSERT INTO pairkey VALUES (1, 'x'), (2, 'y z');
CREATE TABLE "Odd ""name%s" ("Id%" int PRIMARY KEY, "a""b" text, "%s" int);
INSERT INTO "Odd ""name%s" VALUES (1, '100%', 5);
CREATE TABLE geo (id int PRIMARY KEY, g geography(Point, 4326));
INSERT INTO geo VALUES (1, 'POINT(5 45)'), (2, 'POINT(15 45)');
CREATE TABLE lines (id int PRIMARY KEY, g geometry(LineString, 2154));
CREATE TABLE moved (id int PRIMARY KEY);
INSERT INTO moved VALUES (1), (3), (2), (4);
CREATE VIEW moving AS SELECT * FROM moved;
CREATE TABLE heavy (id int PRIMARY KEY, t text);
INSERT INTO heavy SELECT i, repeat('x', 1000) FROM generate_series(2000, 1, -1) i;
INSERT INTO lines SELECT 1, ST_SetSRID(ST_MakeLine(array_agg(ST_MakePoint(i, i % 2))), 2154)
 FROM generate_series(0, 99) i;
"""


@pytest.fixture(scope="module")
def filled(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLES)  # type: ignore[arg-type]
    return database


@pytest.fixture(scope="module")
def layers(filled: str) -> Iterator[tuple[Sources, str]]:
    opened = Sources()
    yield opened, filled
    opened.close()


Layers = tuple[Sources, str]


def layer(layers: Layers, text: str) -> Provider:
    sources, dsn = layers
    return sources.open(parse_datasource("postgres", f"{dsn} {text}", "/"), None)


TYPES: dict[str, tuple[str, str, object]] = {
    "id": ("int", "int4", 1),
    "i2": ("int", "int2", 3),
    "i8": ("int64", "int8", 9007199254740993),
    "n": ("double", "numeric", 1234567890.1234567),
    "n10": ("double", "numeric", 1.5),
    "f4": ("double", "float4", 7.38),
    "f8": ("double", "float8", 0.1),
    "mon": ("string", "money", "$12.34"),
    "b": ("bool", "bool", True),
    "c5": ("string", "character", "ab"),
    "v20": ("string", "varchar", "v"),
    "t": ("string", "text", "é"),
    "ct": ("string", "citext", "Ct"),
    "u": ("string", "uuid", "00000000-0000-0000-0000-000000000001"),
    "j": ("map", "json", {"a": [1, 2.5, None], "b": 1}),
    "jb": ("map", "jsonb", 5),
    "hs": ("map", "hstore", {"k": "v"}),
    "d": ("date", "date", dt.date(2020, 2, 3)),
    "tm": ("time", "time", dt.time(12, 30, 1, 500000)),
    "tmz": ("string", "timetz", "12:30:01+02"),
    "ts": ("datetime", "timestamp", dt.datetime(2020, 2, 3, 4, 5, 6, 789000)),
    "tz": ("datetime", "timestamptz", dt.datetime(2020, 2, 3, 2, 5, 6, 789000)),
    "bt": ("binary", "bytea", b"\xde\xad\xbe\xef"),
    "ine": ("string", "inet", "10.0.0.1/32"),
    "m": ("string", "mood", "b"),
    "dst": ("string", "small", "dom"),
    "ia": ("list", "_int4", [1, None]),
    "na": ("list", "_numeric", [1.5]),
    "fa": ("list", "_float4", [7.38]),
    "ta": ("list", "_text", ["a", "b c"]),
    "ba": ("list", "_bool", [True, False]),
    "ua": ("list", "_uuid", ["00000000-0000-0000-0000-000000000001"]),
    "da": ("list", "_date", ["2020-01-01"]),
    "geom2": ("string", "geometry", "POINT(3 4)"),
}
"""Column -> type, the provider's word, value in the first row. Interval, bit, point, range and composite columns and
arrays of enums are not shown."""


def test_types_are_those_of_qgis(layers: Layers) -> None:
    types = layer(layers, 'key=\'id\' table="public"."types" (geom)')
    schema = types.schema()
    assert {f.name: (f.type, f.type_name) for f in schema.fields} == {n: t[:2] for n, t in TYPES.items()}
    assert schema.geometry_type == "Point"
    described = {f.name: f for f in schema.fields}
    assert (described["n10"].length, described["n10"].precision) == (10, 3)
    assert [described[n].length for n in ("v20", "c5", "dst", "t")] == [20, 5, 7, -1]
    assert [described[n].nullable for n in ("id", "i2", "i8")] == [False, False, True]
    assert described["i8"].comment == "a long" and described["i2"].default == "3"
    (batch,) = types.read(Query(fids=[1]))
    assert {name: column.values.tolist()[0] for name, column in batch.columns.items()} == {
        name: expected for name, (_, _, expected) in TYPES.items()
    }


def test_nulls_and_what_has_no_value(layers: Layers) -> None:
    (batch,) = layer(layers, 'key=\'id\' table="public"."types" (geom)').read(Query(fids=[2]))
    present = {n: c.values.tolist()[0] for n, c in batch.columns.items() if c.nulls is None or not c.nulls[0]}
    assert math.isnan(present.pop("n"))
    assert present.pop("tz") == np.datetime64("-0043-03-15T12:00:00.000").item()
    assert present == {"id": 2, "i2": 3, "v20": "", "tm": dt.time(0, 0), "ia": []}
    assert batch.geometry is not None and batch.geometry.types.tolist() == [0]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("Point", [1, 4, 6]),
        ("PointZ", [1, 4, 6]),
        ("MultiPoint", [1, 4, 6]),
        ("LineString", [2, 10]),
        ("MultiLineString", [2, 10]),
        ("Polygon", [3, 7, 9, 11]),
        ("CurvePolygon", [3, 7, 9, 11]),
        ("GeometryCollection", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ],
)
def test_a_mixed_column_is_cut_down_to_the_family_of_the_type(layers: Layers, kind: str, expected: list[int]) -> None:
    mixed = layer(layers, f'key=\'id\' type={kind} table="public"."mixed" (geom)')
    assert mixed.schema().geometry_type == kind
    assert [i for batch in mixed.read(Query()) for i in batch.fids.tolist()] == expected
    assert mixed.count(Query()) == len(expected)
    assert sum(map(len, mixed.read(Query(simplify=0.1)))) == len(expected)


@pytest.mark.parametrize(
    ("text", "fids", "kind"),
    [
        ('table="public"."nokey" (geom)', [1, 2], "i"),  # 65536 * page + line
        ('table="public"."textkey"', ["x y", "a@@b"], "O"),
        ('key=\'a,"b ""c"\' table="public"."pairkey"', ["1@@x", "2@@y z"], "O"),
    ],
)
def test_keys(layers: Layers, text: str, fids: list[object], kind: str) -> None:
    keyed = layer(layers, text)
    (batch,) = keyed.read(Query())
    assert batch.fids.tolist() == fids and batch.fids.dtype.kind == kind
    for fid in fids:
        (one,) = keyed.read(Query(fids=[str(fid)]))
        assert one.fids.tolist() == [fid]
    assert keyed.count(Query(fids=["zz", "1@@", "9" * 30, -5])) == 0


def test_names_that_look_like_sql(layers: Layers) -> None:
    sources, dsn = layers
    source = DataSource(
        provider="postgres",
        params=dict(part.split("=", 1) for part in dsn.split()),
        schema="public",
        table='Odd "name%s',
        subset='"a""b" LIKE \'1%\' -- %s',
    )
    odd = sources.open(source, None)
    (batch,) = odd.read(Query(fids=[1]))
    assert {name: column.values.tolist() for name, column in batch.columns.items()} == {
        "Id%": [1],
        'a"b': ["100%"],
        "%s": [5],
    }
    assert odd.count(Query()) == 1


def test_geography_is_read_as_geometry(layers: Layers) -> None:
    geo = layer(layers, 'key=\'id\' srid=4326 type=Point table="public"."geo" (g)')
    (batch,) = geo.read(Query(extent=Extent(0, 40, 10, 50)))
    assert batch.geometry is not None and batch.geometry.coords.tolist() == [[5, 45]]


def test_simplified_lines_are_shorter_and_all_there(layers: Layers) -> None:
    lines = layer(layers, 'key=\'id\' srid=2154 type=LineString table="public"."lines" (g)')
    (full,) = lines.read(Query())
    (less,) = lines.read(Query(simplify=2.0))
    assert full.geometry is not None and less.geometry is not None
    assert len(full.geometry.coords) == 100
    assert less.geometry.coords.tolist() == [[0, 0], [99, 1]]


def test_estimated_metadata_of_a_table_never_analysed(layers: Layers) -> None:
    lines = layer(layers, 'key=\'id\' estimatedmetadata=true srid=2154 table="public"."lines" (g)')
    assert lines.extent() == Extent(0, 0, 99, 1)


def test_pages_of_a_small_table_as_it_lies(layers: Layers) -> None:
    def pages(text: str, table_order: bool) -> list[int]:
        read = [layer(layers, text).read(Query(limit=2, offset=n, table_order=table_order)) for n in (0, 2)]
        return [int(fid) for page in read for batch in page for fid in batch.fids]

    assert pages('table="public"."moved"', True) == [1, 3, 2, 4]
    assert pages('table="public"."moved"', False) == [1, 2, 3, 4]
    assert pages('key=\'id\' table="public"."moving"', True) == [1, 2, 3, 4]
    assert pages('table="public"."heavy"', True) == [1, 2, 3, 4]


def test_a_session_role_limits_what_is_read(layers: Layers) -> None:
    _, dsn = layers
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE qgserver_nobody")
    lines = layer(layers, "key='id' session_role='qgserver_nobody' table=\"public\".\"lines\" (g)")
    with pytest.raises(Exception, match="must not be read"):
        lines.schema()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute('GRANT SELECT ON public."lines" TO qgserver_nobody')
        assert sum(map(len, lines.read(Query(brief=True)))) == 1
        connection.execute('REVOKE SELECT ON public."lines" FROM qgserver_nobody')
    with pytest.raises(Exception, match="must not be read"):
        list(lines.read(Query(brief=True)))
    assert layer(layers, 'key=\'id\' table="public"."lines" (g)').count(Query()) == 1


def test_clicks_find_what_all_others_find(layers: Layers) -> None:
    _, dsn = layers
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute('CREATE TABLE clicked ("Id%" int PRIMARY KEY, "%s" text, g geometry(Point, 2154))')
        connection.execute("""INSERT INTO clicked SELECT i, '50%', ST_SetSRID(ST_MakePoint(i, i), 2154)
                              FROM generate_series(1, 9) i""")
    clicked = layer(layers, 'key=\'Id%\' srid=2154 table="public"."clicked" (g) sql="Id%" % 2 = 1')
    for extent, found in ((Extent(2, 2, 6, 6), [3, 5]), (Extent(6, 6, 9, 9), [7, 9]), (Extent(10, 10, 11, 11), [])):
        for columns in ((), ("%s",), None):
            for brief, size in ((True, 64), (True, 1), (False, 64)):
                query = Query(columns, extent=extent, brief=brief, batch_size=size)
                batches = list(clicked.read(query))
                assert sorted(fid for batch in batches for fid in batch.fids.tolist()) == found
                assert all(
                    list(batch.columns) == list(("Id%", "%s") if columns is None else columns) for batch in batches
                )
    assert sum(map(len, clicked.read(Query(extent=Extent(0, 0, 9, 9), limit=2, brief=True)))) == 2
