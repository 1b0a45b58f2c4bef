"""Virtual layers: what QGIS 3.22 shows of the same queries, and queries that must not do what they try."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from qgserver.errors import ProviderError
from qgserver.expression.parser import parse
from qgserver.geo.crs import parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.wkb import to_shapely
from qgserver.providers import Sources, sqlworld, virtual
from qgserver.providers.protocol import OrderBy, Provider, Query
from qgserver.providers.uri import parse_datasource
from qgserver.providers.virtual import VirtualProvider

CRS = parse_crs("EPSG:2154")
FILES = {
    "a": ("delimiter=;&wktField=wkt", "id;name;val;d;wkt\n1;x;1.5;2020-01-01;POLYGON((0 0,10 0,10 10,0 10,0 0))\n"
          "2;y;;;POLYGON((20 0,30 0,30 10,20 10,20 0))\n3;;3.0;;\n"),
    "b pts": ("xField=x&yField=y", "id,t,x,y\n10,p,1,1\n11,q,25,5\n"),
    "nog": ("type=csv", "k,w\n1,one\n2,two\n"),
}  # fmt: skip

Ask = Callable[..., VirtualProvider]


@pytest.fixture
def ask(tmp_path: Path, sources: Sources) -> Ask:
    """A virtual layer over the three layers in ``FILES``."""
    layers: dict[str, Provider] = {}
    for name, (params, content) in FILES.items():
        (tmp_path / f"{name}.csv").write_text(content)
        source = parse_datasource("delimitedtext", f"./{quote(name)}.csv?{params}", str(tmp_path))
        layers[name] = sources.open(source, CRS)

    def layer(query: str, more: str = "") -> VirtualProvider:
        text = (f"?query={quote(query)}" if query else "?") + more
        opened = sources.open(parse_datasource("virtual", text, "/"), CRS)
        assert isinstance(opened, VirtualProvider)
        return opened.over(layers.get, lambda source: sources.open(source, None))

    return layer


def rows(provider: Provider, query: Query | None = None) -> dict[int, list[object]]:
    """Values by feature id, None where null, the geometry (if there is one) as WKT at the end."""
    out: dict[int, list[object]] = {}
    for batch in provider.read(query or Query()):
        columns = [
            [None if column.nulls is not None and column.nulls[at] else value for at, value in enumerate(column.values)]
            for column in batch.columns.values()
        ]
        if batch.geometry is not None:
            columns.append([None if g is None else g.wkt for g in to_shapely(batch.geometry)])
        out |= {fid: list(values) for fid, *values in zip(batch.fids.tolist(), *columns, strict=True)}
    return out


def kinds(provider: Provider) -> tuple[dict[str, str], str]:
    schema = provider.schema()
    return {field.name: field.type for field in schema.fields}, schema.geometry_type


def test_a_whole_layer(ask: Ask) -> None:
    expected = ({"id": "int64", "name": "string", "val": "double", "d": "string"}, "Polygon")
    for layer in (ask("select * from a"), ask("SELECT * FROM zz;", "&layer_ref=a:zz"), ask("", "&layer_ref=a:zz")):
        assert kinds(layer) == expected
        assert list(rows(layer)) == [0, 1, 2]
        assert rows(layer)[2] == [3, None, 3.0, None, None]
        assert layer.extent() == Extent(0, 0, 30, 10)
        assert layer.count(Query()) == 3


@pytest.mark.parametrize(
    ("query", "more", "expected"),
    [
        ("select w from nog order by k desc", "", {0: ["two"], 1: ["one"]}),
        ("select count(*) as c, sum(val) s, avg(val) from a", "", {0: [3, 4.5, 2.25]}),
        ("select id, st_centroid(geometry) as g from a limit 1", "&uid=id", {1: [1, "POINT (5 5)"]}),
        ("select id, st_centroid(geometry) as g from a limit 1", "&uid=id&nogeometry", {1: [1]}),
        ("select id, st_area(geometry) r, st_centroid(geometry) as g from a limit 1", "&geometry=g:1:2154",
         {0: [1, 100.0, "POINT (5 5)"]}),
        ("select a.id, w from a join nog on a.id = nog.k", "", {0: [1, "one"], 1: [2, "two"]}),
        ("with t as (select * from a) select t.id from t union all select 5", "", {0: [1], 1: [2], 2: [3], 3: [5]}),
        ("select upper(name) u, concat(name, 1) c, to_int('3') i from a limit 1 -- end", "", {0: ["X", "x1", 3]}),
        ("select id, setsrid(make_point(id, id), 2154) as geometry from a limit 1", "", {0: [1, "POINT (1 1)"]}),
        ("select st_x(st_centroid(geometry)) x, st_astext(geometry) w, st_srid(geometry) s, geometrytype(geometry) t"
         " from a where id = 1", "", {0: [5.0, "POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))", 2154, "POLYGON"]}),
        ("select st_distance(a.geometry, b.geometry) d, st_contains(a.geometry, b.geometry) c from a, \"b pts\" b"
         " where b.id = 10", "", {0: [0.0, 1], 1: [pytest.approx(19.0), 0], 2: [None, -1]}),
        ("select count(*) n, st_union(geometry) geometry from \"b pts\"", "", {0: [2, "MULTIPOINT ((1 1), (25 5))"]}),
        ("select a.rowid r, b.rowid from a, \"b pts\" b where r = 3", "", {0: [3, 2], 1: [3, 3]}),
    ],
)  # fmt: skip
def test_queries(ask: Ask, query: str, more: str, expected: dict[int, list[object]]) -> None:
    assert rows(ask(query, more)) == expected


def test_transformation_to_another_crs(ask: Ask) -> None:
    layer = ask("select st_transform(geometry, 4326) as geometry from a")
    extent = layer.extent()
    assert extent is not None and extent.as_tuple() == pytest.approx(
        (-1.363085, -5.983856, -1.362895, -5.983784), abs=1e-6
    )


def test_filters_orders_and_pages(ask: Ask) -> None:
    layer = ask("select * from a", "&uid=id")
    assert list(rows(layer, Query(where=parse("val > 1")))) == [1, 3]
    assert layer.count(Query(where=parse("val > 1"))) == 2
    assert list(rows(layer, Query(extent=Extent(0, 0, 5, 5)))) == [1]
    assert layer.count(Query(extent=Extent(0, 0, 5, 5))) == 1
    assert list(rows(layer, Query(where=parse("area($geometry) > 1"), geometry=False))) == [1, 2]
    assert list(rows(layer, Query(order_by=(OrderBy("id", ascending=False),), limit=2))) == [3, 2]
    assert list(rows(layer, Query(limit=1, offset=1))) == [2]
    assert layer.count(Query(limit=1, offset=1)) == 1
    assert list(rows(layer, Query(fids=["2", 3, "x"]))) == [2, 3]
    assert rows(ask("select * from a", "&subset=id%20%3D%202"), Query(columns=("id",), geometry=False)) == {0: [2]}


def test_layers_whose_source_stands_in_the_text(ask: Ask, tmp_path: Path) -> None:
    source = quote(f"{tmp_path}/nog.csv?type=csv", safe="")
    assert rows(ask("select max(w) from inner", f"&layer=delimitedtext:{source}:inner:UTF-8")) == {0: ["two"]}


def test_a_client_reads_no_more_columns_than_it_asks_for(ask: Ask) -> None:
    (batch,) = ask("select * from a").read(Query(columns=("val",), geometry=False))
    assert list(batch.columns) == ["val"] and batch.geometry is None


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "no query"),
        ("select * from nope", "layer that is not there"),
        ("select nope from a", "failed"),
        ("select readfile('/etc/passwd')", "function that is not there"),
        ("select writefile('/tmp/x', 'y')", "function that is not there"),
        ("select env('HOME')", "function that is not there"),
        ("select load_extension('x')", "no query may"),
        ("select zeroblob(1000000000)", "no query may"),
        ("select * from sqlite_master", "no query may"),
        ("select * from pragma_database_list", "no query may"),
        ("select * from pragma_table_info('a')", "no query may"),
        ("insert into a values (1)", "no SELECT"),
        ("attach ':memory:' as x", "no SELECT"),
        ("pragma database_list", "no SELECT"),
        ("vacuum into '/tmp/x.db'", "no SELECT"),
        ("select 1; drop table a", "failed"),
        ("select 1) as x; attach 'e.db' as e; select (1", "no SELECT"),
        ("select $id from a", "failed"),
    ],
)
def test_what_a_query_must_not_do(ask: Ask, query: str, words: str) -> None:
    with pytest.raises(ProviderError, match=words) as caught:
        list(ask(query).read(Query()))
    assert "/" not in caught.value.message


def test_a_query_ends(tmp_path: Path) -> None:
    sources = Sources(statement_timeout_ms=300)
    endless = "with recursive c(x) as (select 1 union all select x + 1 from c) select {} from c"
    for what in ("count(*)", "x", "hex(printf('%.*c', 1000000, 'x'))"):
        started = time.monotonic()
        with pytest.raises(ProviderError, match=r"too (long|much|many)"):
            sources.open(parse_datasource("virtual", "?query=" + quote(endless.format(what)), "/"), None).count(Query())
        assert time.monotonic() - started < 10
    sources.close()


def test_a_query_is_bounded(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = ask("select * from a, nog")
    layer.schema()
    monkeypatch.setattr(virtual, "MAX_ROWS", 5)
    with pytest.raises(ProviderError, match="too many"):
        layer.count(Query())
    monkeypatch.setattr(sqlworld, "MAX_FEATURES", 4)
    with pytest.raises(ProviderError, match="too many"):
        list(layer.read(Query()))
