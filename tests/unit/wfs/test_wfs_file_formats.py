"""CSV, GeoPackage, Shapefile and FlatGeobuf: what is in them, by independent readers, and what is left on the disk."""

from __future__ import annotations

import csv
import errno
import io
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from werkzeug.test import Client, TestResponse

from qgserver.app import Application
from qgserver.geo.crs import Crs
from qgserver.geo.wkb import decode
from qgserver.ows.wfs import answerfile
from qgserver.ows.wfs.answerfile import unique_names
from qgserver.project.model import FieldConfig, Group, Project, VectorLayer, WfsProperties
from qgserver.providers.batch import Column
from qgserver.providers.gpkgnew import NewLayer, new_layer
from qgserver.providers.uri import DataSource
from qgserver.settings import Settings

LAMBERT = Crs("EPSG:2154", "EPSG:2154")
FIDS = [10, 20, 30, 40, 50]
TEXTS = ['=1+1, "x"\r\n', "@é", "", None, " -2 "]
AREA, AREAS = "POLYGON ((0 0, 2 0, 2 2, 0 0))", "MULTIPOLYGON (((5 5, 6 5, 6 6, 5 5)))"
SHAPES = {
    "mixed": ["POINT (700000.1234567 6600000)", "LINESTRING (0 0, 1 1)", None, AREA, "POINT (1 1)"],
    "areas": [AREA, AREAS, None, "MULTIPOLYGON EMPTY", None],
    "plain": [],
}
FIELDS = {
    "a long name of a field": "string",
    "a long name of another": "int64",
    "moment": "datetime",
    "secret": "string",
}
COLUMNS = ["a_long_name_of_a_field", "a_long_name_of_another", "moment"]
HUGE = 2**53 + 1


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Application:
    path = tmp_path_factory.mktemp("data") / "data.gpkg"
    for name, shapes in SHAPES.items():
        declared = {"mixed": "Unknown", "areas": "MultiPolygon"}.get(name, "")
        new = NewLayer(name, FIELDS, geometry="geom" if shapes else "", shape=declared, crs=LAMBERT)
        columns = [
            Column(np.array([text or "" for text in TEXTS], object), np.array([text is None for text in TEXTS])),
            Column(np.array([1, -2, HUGE, 0, 5]), np.array([False, False, False, True, False])),
            Column(np.array(["2020-01-02T03:04:05.678"] * 5, "datetime64[ms]")),
            Column(np.array(["s3cret"] * 5, object)),
        ]
        geometry = decode([None if text is None else shapely.to_wkb(shapely.from_wkt(text)) for text in shapes])
        with new_layer(str(path), new) as writer:
            writer.add(np.array(FIDS), columns, geometry if shapes else None, 5)
    layers = {name: _layer(name, path) for name in SHAPES}
    project = Project(
        path="", version=(3, 22, 0), title="", abstract="", crs=LAMBERT, layers=layers, tree=Group(""),
        wfs=WfsProperties(layers=tuple(layers)),
    )  # fmt: skip
    application = Application(Settings(max_file_bytes=1_000_000))
    application._project = lambda request: project  # type: ignore[method-assign]
    return application


def _layer(name: str, path: Path) -> VectorLayer:
    shape = {"mixed": "Unknown", "areas": "MultiPolygon"}.get(name, "No geometry")
    source = DataSource("ogr", path=str(path), table=name, geometry_column="geom")
    fields = (*map(FieldConfig, list(FIELDS)[:3]), FieldConfig("secret", hidden_wfs=True))
    return VectorLayer(
        id=name,
        name=name,
        published=name,
        source=source,
        crs=LAMBERT if shape != "No geometry" else None,
        geometry_type=shape,
        fields=fields,
    )


def ask(site: Application, kind: str, **params: str) -> TestResponse:
    query = {"SERVICE": "WFS", "VERSION": "1.1.0", "REQUEST": "GetFeature", "OUTPUTFORMAT": kind, **params}
    return Client(site).get("/", query_string=query)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary files are made, which must be empty in the end."""
    home = tmp_path / "temporary"
    home.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    yield home
    assert not list(home.iterdir())


def saved(answer: TestResponse, path: Path) -> Path:
    assert answer.status_code == 200, answer.data
    path.write_bytes(answer.data)
    return path


def read(
    path: Path | str, layer: str | None = None
) -> tuple[Mapping[str, Any], list[str | None], dict[str, list[Any]]]:
    """Facts, geometries as WKT and columns, by GDAL."""
    meta, _, shapes, columns = pyogrio.raw.read(path, layer=layer)
    texts = [] if shapes is None else [None if shape is None else shapely.from_wkb(shape).wkt for shape in shapes]
    return meta, texts, {name: column.tolist() for name, column in zip(meta["fields"], columns, strict=True)}


@pytest.mark.parametrize("name", ["csv", "text/csv", "application/csv"])
def test_csv(site: Application, name: str) -> None:
    answer = ask(site, name, TYPENAME="mixed")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == "attachment; filename=mixed.csv"
    head, *rows = csv.reader(io.StringIO(answer.text, newline=""), strict=True)
    assert head == ["gml_id", "geometry", "fid", *COLUMNS]
    assert [row[0] for row in rows] == [f"mixed.{fid}" for fid in FIDS]
    assert [row[1] for row in rows][:3] == ["POINT (700000.123457 6600000)", "LINESTRING (0 0, 1 1)", ""]
    assert [row[3] for row in rows] == [text or "" for text in TEXTS]  # faithful: nothing is put before a formula
    assert [row[4] for row in rows] == ["1", "-2", str(HUGE), "", "5"]
    assert {row[5] for row in rows} == {"2020-01-02T03:04:05.678"}
    assert 'mixed.30,,30,"",' in answer.text  # an empty text is not NULL
    assert 'mixed.40,"POLYGON ((0 0, 2 0, 2 2, 0 0))",40,,,' in answer.text
    assert ask(site, name, TYPENAME="mixed,areas").status_code == 400


def test_csv_of_a_table_without_geometry_and_of_nothing(site: Application) -> None:
    assert ask(site, "csv", TYPENAME="plain", PROPERTYNAME="moment", MAXFEATURES="1").text == (
        "gml_id,moment\r\nplain.10,2020-01-02T03:04:05.678\r\n"
    )
    assert ask(site, "csv", TYPENAME="plain", PROPERTYNAME="moment", MAXFEATURES="0").text == "gml_id,moment\r\n"


@pytest.mark.parametrize(
    "name",
    ["gpkg", "geopackage", "application/geopackage+sqlite3", "application/geopackage sqlite3", "APPLICATION/X-SQLITE3"],
)
def test_geopackage(site: Application, folder: Path, tmp_path: Path, name: str) -> None:
    answer = ask(site, name, TYPENAME="mixed,areas,plain")
    assert answer.headers["Content-Type"] == "application/geopackage+sqlite3"
    assert answer.headers["Content-Disposition"] == "attachment; filename=features.gpkg"
    path = saved(answer, tmp_path / "a.gpkg")
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("SELECT rtreecheck('rtree_areas_geom')").fetchall() == [("ok",)]
        rows = file.execute(f"SELECT fid, {', '.join(COLUMNS)} FROM areas").fetchall()
        assert [row[0] for row in rows] == FIDS
        assert [row[1] for row in rows] == TEXTS
        assert [row[2] for row in rows] == [1, -2, HUGE, None, 5]
        assert {row[3] for row in rows} == {"2020-01-02T03:04:05.678Z"}
        types = file.execute("SELECT table_name, geometry_type_name, srs_id, z FROM gpkg_geometry_columns ORDER BY 1")
        assert types.fetchall() == [("areas", "MULTIPOLYGON", 2154, 0), ("mixed", "GEOMETRY", 2154, 0)]
        assert file.execute("SELECT id FROM rtree_mixed_geom ORDER BY id").fetchall() == [(10,), (20,), (40,), (50,)]
        boxes = "SELECT min_x, max_y FROM gpkg_contents ORDER BY table_name"
        assert file.execute(boxes).fetchall() == [(0, 6), (0, 6600000), (None, None)]
        assert b"s3cret" not in path.read_bytes()
    meta, shapes, columns = read(path, "areas")
    assert (meta["crs"], meta["geometry_type"]) == ("EPSG:2154", "MultiPolygon")
    assert shapes[0] == "MULTIPOLYGON (((0 0, 2 0, 2 2, 0 0)))"
    assert shapes[2:] == [None, "MULTIPOLYGON EMPTY", None]
    assert list(columns) == COLUMNS


@pytest.mark.parametrize("name", ["fgb", "flatgeobuf", "application/flatgeobuf"])
def test_flatgeobuf(site: Application, folder: Path, tmp_path: Path, name: str) -> None:
    answer = ask(site, name, TYPENAME="mixed")
    assert answer.headers["Content-Type"] == "application/flatgeobuf"
    assert answer.headers["Content-Disposition"] == "attachment; filename=mixed.fgb"
    meta, shapes, columns = read(saved(answer, tmp_path / "a.fgb"))
    assert (meta["crs"], len(shapes), list(columns)) == ("EPSG:2154", 5, ["fid", *COLUMNS])
    assert columns[COLUMNS[0]] == TEXTS
    assert ask(site, name, TYPENAME="mixed,areas").status_code == 400
    located = ask(site, name, TYPENAME="mixed", BBOX="-1,-1,3,3,EPSG:2154")
    assert pyogrio.read_info(saved(located, tmp_path / "b.fgb"))["capabilities"]["fast_spatial_filter"]


@pytest.mark.parametrize("name", ["SHAPE-ZIP", "shapezip", "application/zip"])
def test_shapefile(site: Application, folder: Path, tmp_path: Path, name: str) -> None:
    answer = ask(site, name, TYPENAME="mixed,areas,plain")
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == "attachment; filename=features.zip"
    path = saved(answer, tmp_path / "a.zip")
    parts = ["areas", "mixed_line", "mixed_point", "mixed_polygon"]
    with zipfile.ZipFile(path) as archive:
        expected = [f"{part}{end}" for part in parts for end in (".cpg", ".dbf", ".prj", ".shp", ".shx")]
        assert sorted(archive.namelist()) == [*expected, "plain.cpg", "plain.dbf"]
        assert archive.read("areas.cpg") == b"UTF-8"
    found = {part: read(f"/vsizip/{path}/{part}.shp") for part in parts}
    assert {meta["geometry_type"] for meta, _, _ in found.values()} == {"Point", "LineString", "Polygon"}
    assert found["mixed_point"][1] == ["POINT (700000.123457 6600000)", None, "POINT (1 1)"]
    assert len(found["areas"][1]) == 5
    columns = found["areas"][2]
    assert list(columns) == ["fid", "a_long_nam", "a_long_n_2", "moment"]
    assert columns["a_long_nam"] == [*TEXTS[:2], None, None, "-2"]  # dBASE knows no empty text and no blanks
    assert columns["moment"] == ["2020-01-02T03:04:05.678Z"] * 5


def test_an_empty_answer_is_a_whole_file(site: Application, folder: Path, tmp_path: Path) -> None:
    for name, end in (("gpkg", "gpkg"), ("fgb", "fgb"), ("shape-zip", "zip")):
        answer = ask(site, name, TYPENAME="areas", FEATUREID="areas.99")
        _, shapes, columns = read(saved(answer, tmp_path / f"a.{end}"))
        assert (shapes, list(columns)[-1]) == ([], "moment")


def test_a_type_that_is_asked_for_twice_is_two_layers(site: Application, folder: Path, tmp_path: Path) -> None:
    path = saved(ask(site, "gpkg", TYPENAME="areas,mixed,areas", STARTINDEX="4"), tmp_path / "a.gpkg")
    sizes = {name: pyogrio.read_info(path, layer=name)["features"] for name in pyogrio.list_layers(path)[:, 0]}
    assert list(sizes.items()) == [("areas", 1), ("mixed", 5), ("areas_2", 5)]


def test_geometry_without_a_crs(site: Application, folder: Path, tmp_path: Path) -> None:
    located = VectorLayer(
        id="lost", name="lost", published="lost", source=_layer("areas", Path(_path(site))).source, crs=None,
        geometry_type="MultiPolygon",
    )  # fmt: skip
    project = Project(
        path="", version=(3, 22, 0), title="", abstract="", crs=LAMBERT, layers={"lost": located}, tree=Group(""),
        wfs=WfsProperties(layers=("lost",)),
    )  # fmt: skip
    application = Application(Settings())
    application._project = lambda request: project  # type: ignore[method-assign]
    for name, end in (("gpkg", "gpkg"), ("fgb", "fgb"), ("shape-zip", "zip")):
        meta, shapes, _ = read(saved(ask(application, name, TYPENAME="lost"), tmp_path / f"lost.{end}"))
        assert len(shapes) == 5
        assert not meta["crs"] or "ndefined" in meta["crs"]


def _path(site: Application) -> str:
    return site._project(None).layers["areas"].source.path  # type: ignore[arg-type]


def test_hits_are_told_in_gml(site: Application) -> None:
    answer = ask(site, "gpkg", TYPENAME="mixed", RESULTTYPE="hits")
    assert 'numberOfFeatures="5"' in answer.text
    assert answer.headers["Content-Type"].startswith("text/xml")


@pytest.mark.parametrize("name", ["gpkg", "fgb", "shape-zip"])
def test_a_file_that_is_too_large_is_refused(
    site: Application, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(site, "settings", replace(site.settings, max_file_bytes=50_000))
    answer = ask(site, name, TYPENAME="areas")
    assert answer.status_code == 413
    assert b"too large" in answer.data


def test_no_room_on_the_disk_is_an_error_and_leaves_nothing(
    site: Application, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    monkeypatch.setattr(answerfile, "_require_room", full)
    answer = ask(site, "gpkg", TYPENAME="areas")
    assert answer.status_code == 500
    assert str(folder) not in answer.text


def test_capabilities_list_the_formats(site: Application) -> None:
    query = {"SERVICE": "WFS", "VERSION": "1.1.0", "REQUEST": "GetCapabilities"}
    text = Client(site).get("/", query_string=query).text
    for name in ("text/csv", "application/geopackage+sqlite3", "application/flatgeobuf", "application/zip"):
        assert f"<ows:Value>{name}</ows:Value>" in text


def test_names_that_dbase_can_tell_apart() -> None:
    assert unique_names(["Name", "name", "NAME_2"]) == ["Name", "name_2", "NAME_2_2"]
    assert unique_names(["straßenname_1", "straßenname_2"], longest=10) == ["straßenna", "straßen_2"]
    assert unique_names(["fid"], ["FID"]) == ["fid_2"]


def test_tables_have_a_crs_where_the_schema_wants_one(site: Application) -> None:
    """WFS 1.0.0; OWSLib fails at an empty element."""
    query = {"SERVICE": "WFS", "VERSION": "1.0.0", "REQUEST": "GetCapabilities"}
    text = Client(site).get("/", query_string=query).text
    assert "<SRS>EPSG:4326</SRS>" in text
    assert "<SRS></SRS>" not in text
