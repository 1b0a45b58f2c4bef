"""Answers of a million features need no more memory than short ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psycopg
import pytest

from qgserver.geo.crs import Crs
from qgserver.geo.geometry import POINT, GeometryArray
from qgserver.providers.batch import Column
from qgserver.providers.gpkgnew import NewLayer, new_layer

WGS84 = Crs("EPSG:4326", "EPSG:4326")
STEP = 50_000
SLACK = 64 << 20
"""What an answer may take beyond the interpreter, the libraries and a short answer of the same kind."""

PROGRAM = """
import sys
from werkzeug.test import Client
from qgserver.app import Application
from qgserver.geo.crs import Crs
from qgserver.project.model import Group, Project, VectorLayer, WfsProperties
from qgserver.providers.uri import DataSource
from qgserver.settings import Settings
kind, place, form, *limits = sys.argv[1:]
wgs84 = Crs("EPSG:4326", "EPSG:4326")
if kind == "postgres":
    params = dict(part.split("=", 1) for part in place.split())
    source = DataSource(kind, params=params, schema="public", table="many", geometry_column="geom", key=("fid",),
                        srid=4326)
else:
    source = DataSource("ogr", path=place, table="many", geometry_column="geom")
layer = VectorLayer(id="many", name="many", published="many", source=source, crs=wgs84, geometry_type="Point")
project = Project(path="", version=(3, 22, 0), title="", abstract="", crs=wgs84, layers={"many": layer}, tree=Group(""),
                  wfs=WfsProperties(layers=("many",)))
application = Application(Settings(max_seconds=0))
application._project = lambda request: project
for limit in limits:
    query = {"SERVICE": "WFS", "VERSION": "1.1.0", "REQUEST": "GetFeature", "TYPENAME": "many", "OUTPUTFORMAT": form}
    answer = Client(application).get("/", query_string={**query, "MAXFEATURES": limit}, buffered=False)
    size = sum(map(len, answer.iter_encoded()))
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
    print(answer.status_code, size, int(peak) * 1024)
"""


def _file(path: Path, size: int) -> str:
    layer = NewLayer("many", {"name": "string", "number": "int64"}, geometry="geom", shape="Point", crs=WGS84)
    offsets = np.arange(STEP + 1)
    with new_layer(str(path), layer) as writer:
        for start in range(0, size, STEP):
            fids = np.arange(start, start + STEP)
            names = Column(np.array([f"the name of {fid}" for fid in fids.tolist()], object))
            coords = np.column_stack((fids % 360 - 180.0, fids // 360 % 180 - 90.0))
            points = GeometryArray(np.full(STEP, POINT, np.uint8), coords, offsets, offsets, offsets)
            writer.add(fids, [names, Column(fids * 7)], points, STEP)
    return str(path)


def _view(database: str, size: int) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP VIEW IF EXISTS many")
        connection.execute(
            "CREATE VIEW many AS SELECT i AS fid, 'the name of ' || i AS name, i * 7 AS number, ST_SetSRID(ST_MakePoint"
            "(i % 360 - 180, i / 360 % 180 - 90), 4326)::geometry(Point, 4326) AS geom"
            f" FROM generate_series(1, {size}) i"
        )
    return database


def _grown(kind: str, place: str, form: str, size: int) -> tuple[int, int]:
    """The bytes of the answer of all features, and how much more memory it took than a short one."""
    command = [sys.executable, "-c", PROGRAM, kind, place, form, str(STEP // 10), str(size)]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    short, whole = (tuple(map(int, line.split())) for line in done.stdout.splitlines())
    assert short[0] == whole[0] == 200
    return whole[1], whole[2] - short[2]


FORMATS = ("GML2", "GML3", "GeoJSON", "csv", "gpkg", "shape-zip", "fgb")


@pytest.mark.full
@pytest.mark.parametrize("form", FORMATS)
def test_a_million_features_of_a_file(tmp_path_factory: pytest.TempPathFactory, form: str) -> None:
    path = tmp_path_factory.getbasetemp() / "million.gpkg"
    size, grown = _grown("geopackage", str(path) if path.exists() else _file(path, 1_000_000), form, 1_000_000)
    assert size > 10_000_000
    # GDAL keeps the boxes of all features to make the index of a FlatGeobuf file.
    assert grown < SLACK * (4 if form == "fgb" else 1)


@pytest.mark.full
@pytest.mark.postgis
@pytest.mark.parametrize("form", ["GML3", "GeoJSON"])
def test_a_million_features_of_a_view(database: str, form: str) -> None:
    size, grown = _grown("postgres", _view(database, 1_000_000), form, 1_000_000)
    assert size > 100_000_000
    assert grown < SLACK


@pytest.mark.parametrize("form", ["GML3", "GeoJSON"])
def test_a_hundred_thousand_features(tmp_path: Path, form: str) -> None:
    size, grown = _grown("geopackage", _file(tmp_path / "many.gpkg", 100_000), form, 100_000)
    assert size > 15_000_000
    assert grown < size / 2
