"""A small world to write to: the same tables in a GeoPackage and in PostgreSQL, published by WFS-T."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import psycopg
import pyogrio.raw
import pytest
import shapely
from lxml import etree
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.geo.crs import Crs
from qgserver.project.model import FieldConfig, Group, Project, VectorLayer, VirtualField, WfsProperties
from qgserver.providers import gpkgblob
from qgserver.providers.uri import DataSource
from qgserver.settings import Settings

LAMBERT = Crs("EPSG:2154", "EPSG:2154")
WGS84 = Crs("EPSG:4326", "EPSG:4326")
KINDS = ("geopackage", "postgres")

COLUMNS = {
    "num": "INTEGER NOT NULL",
    "name": "TEXT",
    "ratio": "DOUBLE PRECISION",
    "flag": "BOOLEAN",
    "day": "DATE",
    "stamp": "TIMESTAMP",
    "code": "VARCHAR(3)",
    "secret": "TEXT",
    "fixed": "TEXT",
    "kind": "TEXT",
    "touched": "TEXT",
}
FIELDS = (
    FieldConfig("num", not_null=True),
    FieldConfig("name", constraint="\"name\" IS NULL OR length(\"name\") < 40"),
    FieldConfig("ratio", default="maximum(\"num\") + 1", constraint="\"ratio\" > 0", soft=("constraint",)),
    FieldConfig("secret", hidden_wfs=True),
    FieldConfig("fixed", editable=False),
    FieldConfig("kind", default="'kind ' || \"num\""),
    FieldConfig("touched", default="'by ' || coalesce(\"name\", 'nobody')", apply_default_on_update=True),
)  # fmt: skip
SHAPES = {"pts": ("Point", 2154), "areas": ("MultiPolygon", 2154), "solid": ("PointZ", 2154), "world": ("Point", 4326)}
ALL = ("pts", "areas", "solid", "world", "shapes", "other", "wide")


@dataclass(frozen=True)
class World:
    """The project, its application, and the database (a file or a connection string)."""

    project: Project
    application: Application
    store: str

    @property
    def client(self) -> Client:
        """A client of the application."""
        return Client(self.application)

    def post(self, body: str, version: str = "1.1.0") -> tuple[int, etree._Element]:
        """Status and answer of a transaction with these actions."""
        document = (
            f'<wfs:Transaction service="WFS" version="{version}" xmlns:wfs="http://www.opengis.net/wfs"'
            ' xmlns:ogc="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml"'
            ' xmlns:qgs="http://www.qgis.org/gml" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            f"{body}</wfs:Transaction>"
        )
        answer = self.client.post("/", data=document.encode(), content_type="text/xml")
        return answer.status_code, etree.fromstring(answer.data)

    def done(self, body: str) -> list[str]:
        """The ids that a transaction gave, which must succeed."""
        status, answer = self.post(body)
        assert status == 200, etree.tostring(answer)
        return ids(answer)

    def refused(self, body: str) -> tuple[str, str, str]:
        """Code, locator and text of the exception to a transaction, which must leave nothing behind."""
        before = self.dump()
        status, answer = self.post(body)
        assert status >= 400, etree.tostring(answer)
        found = answer[0]
        assert self.dump() == before
        return found.get("exceptionCode") or "", found.get("locator") or "", found[0].text or ""

    def get(self, **params: str) -> tuple[int, bytes]:
        """The answer to a request by KVP."""
        answer = self.client.get("/", query_string={"SERVICE": "WFS", "VERSION": "1.1.0", **params})
        return answer.status_code, answer.data

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """Rows straight from the database."""
        if self.store.endswith(".gpkg"):
            with closing(sqlite3.connect(self.store)) as connection:
                return connection.execute(statement).fetchall()
        with psycopg.connect(self.store) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]

    def dump(self) -> list[list[tuple[object, ...]]]:
        """All rows of all tables."""
        return [self.query(f"SELECT * FROM {table} ORDER BY fid") for table in SHAPES]

    def points(self) -> Mapping[int, tuple[float, float]]:
        """Where the points of ``pts`` lie, by id."""
        if not self.store.endswith(".gpkg"):
            rows = self.query("SELECT fid, ST_AsBinary(geom) FROM pts WHERE geom IS NOT NULL")
        else:
            rows = self.query("SELECT fid, substr(geom, 9) FROM pts WHERE geom IS NOT NULL")
        return {int(str(fid)): shapely.from_wkb(shape).coords[0] for fid, shape in rows}


def ids(answer: etree._Element) -> list[str]:
    """The feature ids of a transaction's answer."""
    return [str(found.get("fid")) for found in answer.iter("{http://www.opengis.net/ogc}FeatureId")]


def total(answer: etree._Element, kind: str) -> int:
    """``totalInserted`` and so on."""
    (found,) = answer.iter(f"{{http://www.opengis.net/wfs}}total{kind}")
    return int(found.text or "")


def make_world(kind: str, folder: Path, request: pytest.FixtureRequest) -> World:
    """A fresh world: three points (1 Ada, 2 Bob, 3 nameless), nothing else."""
    if kind == "postgres":
        store = str(request.getfixturevalue("database"))
        _make_tables(store)
        source = {
            "provider": "postgres",
            "params": dict(part.split("=", 1) for part in store.split()),
            "schema": "public",
        }
    else:
        store = str(folder / "world.gpkg")
        Path(store).write_bytes(_file())
        source = {"provider": "ogr", "path": store}
    application = Application(Settings(max_transaction_features=50))
    project = _project(source)
    application._project = lambda request: project  # type: ignore[method-assign]
    return World(project, application, store)


def _project(source: Mapping[str, object]) -> Project:
    def layer(name: str, table: str = "", **more: object) -> VectorLayer:
        shape, srid = SHAPES[table or name]
        found = DataSource(table=table or name, geometry_column="geom", key=("fid",), srid=srid, **source)  # type: ignore[arg-type]
        values: dict[str, object] = {"source": found, "fields": FIELDS, **more}
        return VectorLayer(
            id=name, name=name, published=name, crs=WGS84 if srid == 4326 else LAMBERT, geometry_type=shape, **values
        )  # type: ignore[arg-type]

    made = [layer(name) for name in SHAPES]
    made += [
        layer("locked", "pts"),
        layer("shapes", "pts", source=DataSource("ogr", path="/nowhere/shapes.shp")),
        layer("other", "pts", source=DataSource("ogr", path="/nowhere/other.gpkg", table="pts")),
        layer("wide", "pts", virtual_fields=(VirtualField("double", "num * 2", "int"),)),
    ]
    return Project(
        path="", version=(3, 22, 0), title="", abstract="", crs=LAMBERT, layers={one.id: one for one in made},
        tree=Group(""),
        wfs=WfsProperties(
            layers=tuple(one.id for one in made), insertable=frozenset(ALL), updatable=frozenset(ALL),
            deletable=frozenset(ALL) - {"areas"},
        ),
    )  # fmt: skip


@cache
def _file() -> bytes:
    """The GeoPackage, made once."""
    with tempfile.TemporaryDirectory() as folder:
        _make_file(f"{folder}/world.gpkg")
        return Path(f"{folder}/world.gpkg").read_bytes()


def _make_file(path: str) -> None:
    for name, (shape, srid) in SHAPES.items():
        plain = shape.replace("Z", " Z")
        empty = np.array([], object)
        pyogrio.raw.write(
            path,
            empty,
            [],
            [],
            geometry_type=plain,
            crs=f"EPSG:{srid}",
            layer=name,
            driver="GPKG",
            append=name != "pts",
        )
    with closing(sqlite3.connect(path)) as connection:
        for name in SHAPES:
            for column, kind in COLUMNS.items():
                kind = (
                    kind.replace("VARCHAR", "TEXT").replace("TIMESTAMP", "DATETIME").replace("DOUBLE PRECISION", "REAL")
                )
                connection.execute(f"ALTER TABLE {name} ADD COLUMN {column} {kind.replace('NOT NULL', '')}")
        gpkgblob.register(connection)
        connection.execute("INSERT INTO pts (num, name) VALUES (1, 'Ada'), (2, 'Bob'), (3, NULL)")
        connection.commit()


def _make_tables(dsn: str) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, (shape, srid) in SHAPES.items():
            connection.execute(f"DROP TABLE IF EXISTS {name}")  # type: ignore[arg-type]
            connection.execute(
                f"CREATE TABLE {name} (fid serial PRIMARY KEY, geom geometry({shape}, {srid}), {columns})"  # type: ignore[arg-type]
            )
        connection.execute("INSERT INTO pts (num, name) VALUES (1, 'Ada'), (2, 'Bob'), (3, NULL)")
