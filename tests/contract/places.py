"""One small layer in every kind of source, and the little that a test needs to ask of it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
import pyogrio.raw
import shapely

from qgserver.geo.crs import Crs
from qgserver.providers import Sources
from qgserver.providers.batch import Batch
from qgserver.providers.protocol import Provider, Query
from qgserver.providers.uri import DataSource

CRS = Crs("EPSG:2154", "EPSG:2154")


@dataclass(frozen=True)
class Place:
    id: int
    name: str | None
    num: int | None
    val: float | None
    day: str | None
    geometry: str | None


HOLE = "POLYGON((40 0,60 0,60 20,40 20,40 0),(45 5,55 5,55 15,45 15,45 5))"
PLACES = (
    Place(1, "alpha", 10, 1.5, "2020-01-31", "POLYGON((0 0,10 0,10 10,0 10,0 0))"),
    Place(2, "Beta", 20, -2.25, None, HOLE),
    Place(3, None, 30, None, "1999-12-31", "POLYGON((20 20,30 20,30 30,20 30,20 20))"),
    Place(4, "o'neil 100%", None, 1000.0, "2020-01-01", "POLYGON((5 5,15 5,15 15,5 15,5 5))"),
    Place(5, "été ☃", -7, 0.0, "2021-06-15", None),
    Place(6, "alpha", 10, 2.5, "2020-02-01", "POLYGON((100 100,110 100,110 110,100 100))"),
)
WHOLE = (0.0, 0.0, 110.0, 110.0)
Make = Callable[[Path, str], DataSource]


def ids(provider: Provider, query: Query) -> list[int]:
    """The ``id`` of each feature that a query gives, in order."""
    return [int(i) for batch in provider.read(query) for i in batch.columns["id"].values]


def rows(batches: Iterator[Batch], name: str) -> list[object]:
    """The values of a column, None where null."""
    out: list[object] = []
    for batch in batches:
        column = batch.columns[name]
        nulls = np.zeros(len(column), bool) if column.nulls is None else column.nulls
        out += [None if null else value for value, null in zip(column.values.tolist(), nulls, strict=True)]
    return out


def write_file(path: Path, driver: str) -> None:
    """The layer as a file, by GDAL."""
    shapes = [None if p.geometry is None else shapely.to_wkb(shapely.from_wkt(p.geometry)) for p in PLACES]
    day = np.array([p.day or "NaT" for p in PLACES], "datetime64[D]")
    data = [
        np.array([p.id for p in PLACES], np.int32),
        np.array([p.name for p in PLACES], object),
        np.array([p.num or 0 for p in PLACES], np.int32),
        np.array([p.val or 0.0 for p in PLACES], np.float64),
        day,
    ]
    masks = [None, None, *(np.array([getattr(p, n) is None for p in PLACES]) for n in ("num", "val")), None]
    pyogrio.raw.write(
        path,
        np.array(shapes, object),
        data,
        ["id", "name", "num", "val", "day"],
        field_mask=masks,
        geometry_type="Polygon",
        crs="EPSG:2154",
        layer="places",
        driver=driver,
        encoding="UTF-8",
        # its index has no place for features without geometry
        layer_options={"SPATIAL_INDEX": "NO"} if driver == "FlatGeobuf" else None,
    )


def file_source(name: str, driver: str, table: str = "") -> Make:
    """Writes a file and says how to open it."""

    def make(folder: Path, dsn: str) -> DataSource:
        write_file(folder / name, driver)
        return DataSource(provider="ogr", path=str(folder / name), table=table)

    return make


def text_source(folder: Path, dsn: str) -> DataSource:
    """Writes the layer as delimited text and says how to open it."""
    with open(folder / "places.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["id", "name", "num", "val", "day", "shape"])
        writer.writerows((p.id, p.name, p.num, p.val, p.day, p.geometry) for p in PLACES)
    params = {"type": "csv", "delimiter": ";", "wktField": "shape"}
    return DataSource(provider="delimitedtext", path=str(folder / "places.csv"), params=params)


def postgres_source(*, view: bool = False, query: bool = False) -> Make:
    """Makes a table (and a view) in the database and says how to open it."""

    def make(folder: Path, dsn: str) -> DataSource:
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("DROP TABLE IF EXISTS places CASCADE")
            connection.execute(
                "CREATE TABLE places (id int PRIMARY KEY, name text, num int, val float8, day date,"
                " geom geometry(Polygon, 2154))"
            )
            for p in PLACES:
                connection.execute(
                    "INSERT INTO places VALUES (%s, %s, %s, %s, %s, ST_GeomFromText(%s, 2154))",
                    (p.id, p.name, p.num, p.val, p.day, p.geometry),
                )
            connection.execute("CREATE VIEW places_view AS SELECT * FROM places")
        return DataSource(
            provider="postgres",
            params=dict(part.split("=", 1) for part in dsn.split()),
            schema="" if query else "public",
            table="" if query else "places_view" if view else "places",
            query="SELECT * FROM places WHERE name IS NULL OR name LIKE '%' -- all" if query else "",
            geometry_column="geom",
            key=("id",),
            srid=2154,
        )

    return make


SOURCES: dict[str, Make] = {
    "postgres": postgres_source(),
    "postgres view": postgres_source(view=True),
    "postgres query": postgres_source(query=True),
    "geopackage": file_source("places.gpkg", "GPKG", "places"),
    "geopackage in memory": file_source("places.gpkg", "GPKG", "places"),
    "shapefile": file_source("places.shp", "ESRI Shapefile"),
    "geojson": file_source("places.geojson", "GeoJSON"),
    "delimited text": text_source,
}


def open_source(sources: Sources, source: DataSource) -> Provider:
    """The provider, in the layer's CRS."""
    return sources.open(source, CRS)
