"""Files read by GDAL; expected: what QGIS 3.22 shows of the same files (measured)."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from qgserver.errors import ProviderError
from qgserver.providers import Sources
from qgserver.providers.protocol import Provider, Query
from qgserver.providers.uri import DataSource, parse_datasource

DATA = Path(__file__).parents[3] / "fixtures/data"


def layer(sources: Sources, text: str) -> Provider:
    return sources.open(parse_datasource("ogr", text, str(DATA)), None)


@pytest.mark.parametrize(
    ("file", "kind", "count", "fid"),
    [
        ("polys.shp", "MultiPolygon", 20, 0),
        ("latin1.shp", "Point", 12, 0),
        ("points.geojson", "Point", 12, 0),
        ("lines.fgb", "LineString", 9, 0),
    ],
)
def test_layers(sources: Sources, file: str, kind: str, count: int, fid: int) -> None:
    found = layer(sources, file)
    assert found.schema().geometry_type == kind
    assert found.count(Query()) == count
    (batch,) = found.read(Query(limit=1))
    assert batch.fids.tolist() == [fid]


def test_a_shapefile_s_areas_are_multi(sources: Sources) -> None:
    (batch,) = layer(sources, "polys.shp").read(Query(limit=2))
    assert batch.geometry is not None and batch.geometry.types.tolist() == [6, 6]
    assert [c.values.tolist()[0] for c in batch.columns.values()] == [1, "Lyon", "shop", 30.91, 0]


def test_values_of_geojson(sources: Sources) -> None:
    (batch,) = layer(sources, "points.geojson").read(Query(limit=1))
    values = {name: column.values.tolist()[0] for name, column in batch.columns.items()}
    assert values["big"] == 33507399611 and values["flag"] is True
    assert values["day"] == dt.date(2015, 9, 8) and values["ts"] == dt.datetime(2020, 9, 27, 7, 45, 21)


def test_text_in_the_file_s_own_encoding(sources: Sources) -> None:
    (batch,) = layer(sources, "latin1.shp").read(Query())
    assert "Vénissieux" in batch.columns["name"].values.tolist()


def test_text_of_a_file_that_does_not_tell_its_encoding(sources: Sources, tmp_path: Path) -> None:
    name = "Vőnissieux".encode("cp1250")
    for suffix in ("shp", "shx", "dbf"):
        content = (DATA / f"latin1.{suffix}").read_bytes()
        if suffix == "dbf":
            content = content[:29] + b"\0" + content[30:]  # no language driver
            content = content.replace("Vénissieux".encode("latin1"), name)
        (tmp_path / f"a.{suffix}").write_bytes(content)
    source = DataSource(provider="ogr", path=str(tmp_path / "a.shp"), encoding="CP1250")
    (batch,) = sources.open(source, None).read(Query())
    assert "Vőnissieux" in batch.columns["name"].values.tolist()


@pytest.mark.parametrize("subset", ['"num" > 3', "SELECT num, name FROM polys WHERE num > 3"])
def test_subsets(sources: Sources, subset: str) -> None:
    part = layer(sources, f"polys.shp|subset={subset}")
    assert part.count(Query()) == 17
    (batch,) = part.read(Query(columns=("name",), limit=1))
    assert batch.columns["name"].values.tolist() == ["Écully"] and batch.fids.tolist() == [3]


def test_a_file_in_an_archive(sources: Sources, tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(DATA / "points.geojson", "points.geojson")
    assert sources.open(DataSource(provider="ogr", path=f"/vsizip/{archive}/points.geojson"), None).count(Query()) == 12


@pytest.mark.parametrize(
    "text", ["nope.shp", "polys.prj", "polys.shp|layername=nope", "polys.shp|subset=nope > 3", "polys.shp|layerid=7"]
)
def test_what_can_not_be_read(sources: Sources, text: str) -> None:
    with pytest.raises(ProviderError) as caught:
        list(layer(sources, text).read(Query()))
    assert str(DATA) not in caught.value.message


def test_a_changed_file_is_read_anew(sources: Sources, tmp_path: Path) -> None:
    path = tmp_path / "points.geojson"
    shutil.copy(DATA / "points.geojson", path)
    found = sources.open(DataSource(provider="ogr", path=str(path)), None)
    assert found.count(Query()) == 12
    path.write_text('{"type": "FeatureCollection", "features": []}')
    os.utime(path, (1, 1))
    assert found.count(Query()) == 0
    path.unlink()
    with pytest.raises(ProviderError):
        found.count(Query())


def test_memory_layers_are_empty(sources: Sources) -> None:
    text = "memory?geometry=Point&crs=EPSG:3857&field=id:integer(255,0)&field=name:string(255,0)&field=x:date"
    memory = sources.open(parse_datasource("memory", text, "/"), None)
    schema = memory.schema()
    assert [(f.name, f.type, f.length) for f in schema.fields] == [
        ("id", "int", 255),
        ("name", "string", 255),
        ("x", "date", 0),
    ]
    assert schema.geometry_type == "Point"
    assert list(memory.read(Query())) == [] and memory.count(Query()) == 0 and memory.extent() is None


def test_a_shapefile_tells_the_widths_of_its_columns(sources: Sources) -> None:
    fields = sources.open(DataSource("ogr", path=str(DATA / "polys.shp")), None).schema().fields
    assert [(field.name, field.length, field.precision) for field in fields] == [
        ("num", 9, 0),
        ("name", 80, 0),
        ("kind", 80, 0),
        ("val", 23, 15),
        ("flag", 9, 0),
    ]
