"""What every provider must do, whatever its source: the one suite a new provider has to pass."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from places import PLACES, SOURCES, WHOLE, ids, open_source, rows

from qgserver.expression.evaluate import select
from qgserver.expression.parser import parse
from qgserver.geo.extent import Extent
from qgserver.providers import Sources, geopackage, gpkgmemory
from qgserver.providers.protocol import OrderBy, Provider, Query

FILTERS = (
    "num = 10",
    "num <> 10",
    "num IS NULL",
    "num > 10 OR val < 0",
    "NOT (num = 10)",
    "num IN (10, 30)",
    "num NOT IN (10, NULL)",
    "name = 'alpha'",
    "name = 'o''neil 100%'",
    "name LIKE '%a'",
    "name LIKE 'o%100\\\\%'",
    "name ILIKE 'BETA'",
    "name ~ '^[a-o]'",
    "upper(name) = 'ÉTÉ ☃'",
    "name IS NOT NULL AND num * 2 >= 20",
    "num / 20 = 0.5",
    "num // 7 = 1",
    "num % 7 = 3",
    "val = '1.5'",
    "val > 1e2",
    "day = '2020-01-01'",
    "day > '2020-01-01' AND day <= '2020-02-01'",
    "year(day) = 2020",
    "coalesce(name, 'x') = 'x'",
    "CASE WHEN num > 15 THEN 'big' ELSE 'small' END = 'big'",
    "area($geometry) > 100",
    "$geometry IS NULL",
    "num = 10 AND length(name) = 5",
    '"nope" = 1',
    "NULL",
    "1 = 1",
    "'; DROP TABLE places; --' = name",
)


@pytest.fixture(scope="module", params=SOURCES)
def provider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    dsn = request.getfixturevalue("database") if request.param.startswith("postgres") else ""
    source = SOURCES[request.param](tmp_path_factory.mktemp("places"), dsn)
    opened = Sources()
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "geopackage in memory":
            # Any reading makes the layer worth keeping, and the file is not as young as it is.
            patch.setattr(geopackage, "HEAVY_BYTES", -1)
            patch.setattr(gpkgmemory, "in_background", lambda work: work())
            os.utime(source.path, (0, 0))
        provider = open_source(opened, source)
        list(provider.read(Query(extent=Extent(*WHOLE))))
        yield provider
    opened.close()


def test_schema(provider: Provider) -> None:
    schema = provider.schema()
    kinds = {field.name: field.type for field in schema.fields if field.name != "fid"}
    assert list(kinds) == ["id", "name", "num", "val", "day"]
    assert [kinds[n] for n in ("name", "num", "val")] == ["string", "int", "double"]
    assert kinds["day"] == "date"
    assert schema.geometry_type in ("Polygon", "MultiPolygon")  # a Shapefile can't tell
    assert schema.crs is not None


def test_values_keep_their_types_and_nulls(provider: Provider) -> None:
    for name in ("id", "name", "num", "val"):
        expected = [getattr(place, name) for place in PLACES]
        assert rows(provider.read(Query(order_by=(OrderBy("id"),))), name) == expected
    days = rows(provider.read(Query(order_by=(OrderBy("id"),))), "day")
    assert days == [place.day and dt.date.fromisoformat(place.day) for place in PLACES]


def test_extent_and_counts(provider: Provider) -> None:
    extent = provider.extent()
    assert extent is not None and extent.as_tuple() == WHOLE
    assert provider.count(Query()) == 6
    assert provider.count(Query(limit=2)) == 2
    assert provider.count(Query(limit=4, offset=4)) == 2
    assert provider.count(Query(offset=10)) == 0
    assert provider.count(Query(extent=Extent(0, 0, 12, 12))) == 2


@pytest.mark.parametrize(
    ("extent", "expected"),
    [
        (Extent(0, 0, 12, 12), {1, 4}),
        (Extent(-1e9, -1e9, 1e9, 1e9), {1, 2, 3, 4, 6}),
        (Extent(31, 31, 39, 39), set()),
        (Extent(30, 30, 39, 39), {3}),
        (Extent(49, 9, 51, 11), {2}),  # in the hole: boxes count
        (Extent(7, 7, 7, 7), {1, 4}),
    ],
)
def test_a_box_keeps_what_meets_it(provider: Provider, extent: Extent, expected: set[int]) -> None:
    assert set(ids(provider, Query(extent=extent))) == expected


@pytest.mark.parametrize("extent", [Extent(1, 1, 0, 0), Extent(float("nan"), 0, 1, 1), Extent(0, 0, float("inf"), 1)])
def test_a_box_that_is_none_holds_nothing(provider: Provider, extent: Extent) -> None:
    assert ids(provider, Query(extent=extent)) == []


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_gives_what_it_gives_on_the_columns(provider: Provider, text: str) -> None:
    where = parse(text)
    (everything,) = provider.read(Query())
    expected = everything.columns["id"].values[select(where, everything, Query().context)].tolist()
    assert sorted(ids(provider, Query(columns=("id",), geometry=False, where=where))) == sorted(expected)
    assert provider.count(Query(where=where)) == len(expected)
    inside = Extent(0, 0, 60, 30)
    in_box = set(ids(provider, Query(extent=inside)))
    assert set(ids(provider, Query(extent=inside, where=where))) == in_box & set(expected)


def test_columns_come_as_asked(provider: Provider) -> None:
    (batch,) = provider.read(Query(columns=("val", "nope", "name"), geometry=False, where=parse("num > 0")))
    assert list(batch.columns) == ["val", "name"]
    assert batch.geometry is None
    (batch,) = provider.read(Query(columns=()))
    assert not batch.columns and batch.geometry is not None and len(batch) == 6


def test_order_and_pages(provider: Provider) -> None:
    by_num = Query(order_by=(OrderBy("num", ascending=False), OrderBy("id")))
    assert ids(provider, by_num) == [3, 2, 1, 6, 5, 4]
    first_nulls = Query(order_by=(OrderBy("num", nulls_first=True), OrderBy("val", ascending=False)))
    assert ids(provider, first_nulls) == [4, 5, 6, 1, 2, 3]
    pages = [ids(provider, Query(limit=2, offset=n)) for n in (0, 2, 4, 6)]
    assert [len(page) for page in pages] == [2, 2, 2, 0]
    assert sorted(i for page in pages for i in page) == [1, 2, 3, 4, 5, 6]
    rest = Query(where=parse("length(name) = 5"), order_by=(OrderBy("id", ascending=False),), limit=2, offset=1)
    assert ids(provider, rest) == [5, 1]


def test_batches_are_of_the_size_asked(provider: Provider) -> None:
    sizes = [len(batch) for batch in provider.read(Query(batch_size=4))]
    assert sizes == [4, 2]


def test_features_are_found_by_their_ids(provider: Provider) -> None:
    (everything,) = provider.read(Query())
    fid = everything.fids.tolist()
    assert len(set(fid)) == 6
    (batch,) = provider.read(Query(fids=[fid[4], str(fid[1]), "nope", "1@@2", 10**30, -1]))
    assert sorted(batch.fids.tolist()) == sorted([fid[1], fid[4]])
    assert list(provider.read(Query(fids=[]))) == []


def test_geometry_has_its_holes_and_its_nulls(provider: Provider) -> None:
    (batch,) = provider.read(Query(order_by=(OrderBy("id"),)))
    geometry = batch.geometry
    assert geometry is not None
    assert np.diff(geometry.vertex_offsets()).tolist() == [5, 10, 5, 5, 0, 4]
    assert np.diff(geometry.parts).tolist() == [1, 2, 1, 1, 1]
    assert np.isnan(geometry.boxes()[4]).all()


def test_an_answer_may_be_left_unread(provider: Provider) -> None:
    for _ in range(20):
        with closing(provider.read(Query(batch_size=1))) as batches:
            next(batches)
    assert provider.count(Query()) == 6
