"""Layers in GeoPackages; expected: what QGIS 3.22 shows of the same file (measured)."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qgserver.geo.extent import Extent
from qgserver.providers import Sources, geopackage, gpkgmemory
from qgserver.providers.columnstore import Shapes
from qgserver.providers.gpkgschema import Relation
from qgserver.providers.protocol import OrderBy, Provider, Query
from qgserver.providers.sqlitefile import Reader
from qgserver.providers.uri import DataSource, parse_datasource

DATA = Path(__file__).parents[3] / "fixtures/data"


def layer(sources: Sources, parts: str) -> Provider:
    return sources.open(parse_datasource("ogr", f"data.gpkg|{parts}", str(DATA)), None)


def fids(provider: Provider, query: Query) -> list[int]:
    return [fid for batch in provider.read(query) for fid in batch.fids.tolist()]


def test_types_are_those_of_qgis(sources: Sources) -> None:
    schema = layer(sources, "layername=polys").schema()
    words = {"int": "Integer", "int64": "Integer64", "double": "Real", "string": "String"}
    words |= {"date": "Date", "datetime": "DateTime", "bool": "Boolean"}
    kinds = "int64 int string string double int64 double double string date datetime bool double double double string"
    names = "fid num name kind val big ang siz color day ts flag a b c note"
    assert [(f.name, f.type, f.type_name) for f in schema.fields] == [
        (name, kind, words[kind]) for name, kind in zip(names.split(), kinds.split(), strict=True)
    ]
    assert schema.key == ("fid",)
    assert [f.nullable for f in schema.fields[:2]] == [False, True]


def test_values_are_those_of_qgis(sources: Sources) -> None:
    (batch,) = layer(sources, "layername=points").read(Query(fids=[1]))
    values = {name: column.values.tolist()[0] for name, column in batch.columns.items()}
    assert values["big"] == 2870223677 and values["val"] == 20.12 and values["flag"] is True
    assert values["day"] == dt.date(2014, 8, 23)
    assert values["ts"] == dt.datetime(2016, 7, 23, 4, 2, 30)
    assert values["note"] == 'Lyon & <Lyon> "0"\nsecond line'


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("pointz", "PointZ", 8),
        ("curves", "CompoundCurve", 3),
        ("curvepolys", "CurvePolygon", 2),
        ("nullgeom", "Point", 5),
        ("empty", "Polygon", 0),
        ("parents", "NoGeometry", 5),
        ("multipg", "MultiPolygon", 3),
    ],
)
def test_geometry_types(sources: Sources, name: str, kind: str, count: int) -> None:
    found = layer(sources, f"layername={name}")
    assert found.schema().geometry_type == kind
    assert len(fids(found, Query())) == found.count(Query())
    assert (found.extent() is None) == (name in ("empty", "parents"))


WINDOW = Extent(843000, 6518000, 848000, 6522500)
IN_WINDOW = [20, 27, 41, 26, 24, 47, 13, 15, 1, 38, 44, 3, 34, 12, 52, 45, 33, 46, 19, 9]


@pytest.mark.parametrize("in_memory", [False, True])
def test_features_overlap_as_in_qgis(sources: Sources, in_memory: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """GDAL gives a part of a layer in the order of the R-tree, and all of it in the order of ids."""
    points = layer(sources, "layername=points")
    if in_memory:
        monkeypatch.setattr(geopackage, "HEAVY_BYTES", -1)
        monkeypatch.setattr(gpkgmemory, "in_background", lambda work: work())
        fids(points, Query(extent=WINDOW))
        monkeypatch.setattr(geopackage.GeoPackageProvider, "_selected", None)
    assert fids(points, Query(extent=WINDOW))[:20] == IN_WINDOW
    assert len(fids(points, Query(extent=WINDOW))) == 37
    everything = points.extent()
    assert everything is not None
    assert fids(points, Query(extent=everything.grown(100))) == list(range(1, 61))


def test_subsets(sources: Sources) -> None:
    part = layer(sources, 'layername=points|subset="val" > 30 -- dear')
    assert part.count(Query()) == 39
    extent = part.extent()
    assert extent is not None and extent.as_tuple() == (842423.77, 6517627.62, 849460.94, 6522489.02)
    query = layer(
        sources, "layername=points|subset=SELECT fid, geom, name, val * 2 AS twice FROM points WHERE val > 30"
    )
    assert [(f.name, f.type) for f in query.schema().fields] == [
        ("fid", "int64"),
        ("name", "string"),
        ("twice", "double"),
    ]
    assert query.count(Query()) == 39
    assert len(fids(query, Query(extent=WINDOW, order_by=(OrderBy("twice"),)))) == len(fids(part, Query(extent=WINDOW)))


def test_layers_by_number_and_by_default(sources: Sources) -> None:
    assert layer(sources, "layerid=2").schema().geometry_type == "LineString"
    assert layer(sources, "geometrytype=Point").count(Query()) == 60
    with pytest.raises(Exception, match="table does not exist"):
        layer(sources, "layerid=99").schema()


@pytest.fixture
def odd(tmp_path: Path) -> str:
    """A file with a view, a table of mixed geometries without index and odd declarations."""
    path = tmp_path / "ödd #1%.gpkg"
    shutil.copy(DATA / "data.gpkg", path)
    writer = sqlite3.connect(path)
    writer.executescript("""
        CREATE VIEW "v ""1" AS SELECT fid AS OGC_FID, geom, name FROM polys WHERE fid < 4;
        INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('v "1', 'features', 'v1', 2154);
        INSERT INTO gpkg_geometry_columns VALUES ('v "1', 'geom', 'POLYGON', 2154, 0, 0);
        CREATE TABLE mixed (k INTEGER PRIMARY KEY, g GEOMETRY, id INTEGER, minx TEXT(5), bad DATE, n NUMERIC(5,2),
                            j TEXT ( 64 ));
        INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('mixed', 'features', 'm', 2154);
        INSERT INTO gpkg_geometry_columns VALUES ('mixed', 'g', 'GEOMETRY', 2154, 2, 2);
        INSERT INTO mixed SELECT fid, geom, 7, 'x', 'no date', 1.25, '{"a": 1}' FROM polys;
        INSERT INTO mixed SELECT 100 + fid, geom, 'text', 5, '2020-01-01', 'x', NULL FROM points;
        CREATE TABLE gpkg_data_columns (table_name, column_name, name, title, description, mime_type, constraint_name);
        INSERT INTO gpkg_data_columns (table_name, column_name, mime_type) VALUES ('mixed', 'j', 'application/json');
    """)
    writer.close()
    return str(path)


def test_views(odd: str, sources: Sources) -> None:
    view = sources.open(DataSource(provider="ogr", path=odd, table='v "1'), None)
    assert view.schema().geometry_type == "Polygon"
    assert fids(view, Query()) == [1, 2, 3]
    first = next(view.read(Query())).geometry
    assert first is not None
    box = Extent(*first.boxes()[0].tolist())
    assert 1 in fids(view, Query(extent=box))


def test_mixed_types_and_values_that_do_not_fit(odd: str, sources: Sources) -> None:
    source = DataSource(provider="ogr", path=odd, table="mixed")
    everything = sources.open(source, None)
    assert everything.schema().geometry_type == "Unknown"
    assert everything.count(Query()) == 80
    points = sources.open(replace(source, geometry_type="Point"), None)
    assert points.schema().geometry_type == "Point"
    assert points.count(Query()) == len(fids(points, Query())) == 60
    assert points.count(Query(limit=10, offset=55)) == 5
    (batch,) = everything.read(Query(fids=[1, 101]))
    values = {name: column.values.tolist() for name, column in batch.columns.items()}
    nulls = {n: c.nulls.tolist() for n, c in batch.columns.items() if c.nulls is not None}
    assert values["minx"] == ["x", "5"] and values["id"][0] == 7 and values["n"][0] == 1.25
    assert values["bad"][1] == dt.date(2020, 1, 1) and values["j"][0] == {"a": 1}
    assert nulls == {"id": [False, True], "n": [False, True], "bad": [True, False], "j": [False, True]}
    fields = {f.name: f for f in everything.schema().fields}
    assert (fields["minx"].length, fields["j"].length) == (5, 0), "QGIS overlooks a length that stands apart"
    assert (fields["n"].length, fields["n"].precision) == (5, 2)


def test_columns_named_like_those_of_the_index(odd: str, sources: Sources) -> None:
    writer = sqlite3.connect(odd)
    writer.executescript("""
        CREATE VIRTUAL TABLE rtree_mixed_g USING rtree(id, minx, maxx, miny, maxy);
        INSERT INTO rtree_mixed_g SELECT * FROM rtree_polys_geom;
    """)
    writer.close()
    mixed = sources.open(DataSource(provider="ogr", path=odd, table="mixed", subset="id = 7 AND minx = 'x'"), None)
    polys = sources.open(DataSource(provider="ogr", path=odd, table="polys"), None)
    assert fids(mixed, Query(extent=WINDOW)) == fids(polys, Query(extent=WINDOW))


def test_a_layer_comes_into_memory_beside_the_requests(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geopackage, "HEAVY_BYTES", -1)
    begun, may_go_on = threading.Event(), threading.Event()
    shapes = gpkgmemory._shapes

    def slow(reader: Reader, relation: Relation) -> Shapes:
        begun.set()
        assert may_go_on.wait(10)
        return shapes(reader, relation)

    monkeypatch.setattr(gpkgmemory, "_shapes", slow)
    points = layer(sources, "layername=points")
    for _ in range(2):
        assert len(fids(points, Query(extent=WINDOW))) == 37
    assert begun.wait(10)
    assert len(fids(points, Query(extent=WINDOW))) == 37, "from the file meanwhile"
    may_go_on.set()
    for thread in threading.enumerate():
        if thread.name == "qgserver-geopackage":
            thread.join(10)
    monkeypatch.setattr(geopackage.GeoPackageProvider, "_selected", None)
    assert len(fids(points, Query(extent=WINDOW))) == 37


def test_a_layer_too_large_for_the_cache_stays_in_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geopackage, "HEAVY_BYTES", -1)
    monkeypatch.setattr(gpkgmemory, "in_background", lambda work: work())
    sources = Sources(cache_bytes=1000)
    points = layer(sources, "layername=points")
    for _ in range(3):
        assert fids(points, Query(extent=WINDOW))[:20] == IN_WINDOW
    sources.close()


def test_a_young_file_is_not_kept(odd: str, sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two changes within one tick of the clock leave the same stamp."""
    monkeypatch.setattr(geopackage, "HEAVY_BYTES", -1)
    monkeypatch.setattr(gpkgmemory, "in_background", lambda work: work())
    source = DataSource(provider="ogr", path=odd, table="points")
    now = np.datetime64("now").astype(int) + 3600
    os.utime(odd, (now, now))
    points = sources.open(source, None)
    for _ in range(3):
        fids(points, Query(extent=WINDOW))
    monkeypatch.setattr(geopackage.GeoPackageProvider, "_selected", None)
    with pytest.raises(TypeError):
        fids(points, Query(extent=WINDOW))
