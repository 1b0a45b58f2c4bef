"""A project whose cities lie in PostGIS and the rest in a GeoPackage, served by two processes."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from doors import ROOT, Site, serve
from postgis import Cluster, new_database, running_cluster

PASSWORD = "s3cret-of-the-database"


@dataclass
class Stand:
    """The server under test with what is broken under it."""

    site: Site
    cluster: Cluster
    database: str
    folder: Path


@contextmanager
def running_stand() -> Iterator[Stand]:
    """All of it, with a cluster of its own: the tests stop it."""
    folder = Path(tempfile.mkdtemp(prefix="qgserver-faults-"))
    with running_cluster() as cluster:
        database = new_database(cluster)
        shutil.copy(ROOT / "fixtures" / "demo" / "world.gpkg", folder)
        _copy_cities(folder / "world.gpkg", database)
        table = "table=&quot;public&quot;.&quot;cities&quot; (geom)"
        source = f"{database} password={PASSWORD} key='fid' srid=4326 type=Point {table}"
        text = (ROOT / "fixtures" / "demo" / "world.qgs").read_text()
        before, found, after = text.partition("<datasource>./world.gpkg|layername=cities</datasource>")
        assert found
        after = after.replace(">ogr</provider>", ">postgres</provider>", 1)
        (folder / "world.qgs").write_text(f"{before}<datasource>{source}</datasource>{after}")
        for path in (folder, *folder.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        with serve(folder / "world.qgs", QGSERVER_MAX_SECONDS="2") as site:
            yield Stand(site, cluster, database, folder)
    shutil.rmtree(folder, ignore_errors=True)


def _copy_cities(path: Path, database: str) -> None:
    columns = "fid, name, country, kind, capital, population, rank"
    with sqlite3.connect(path) as source:
        rows = source.execute(f"SELECT {columns}, substr(geom, 9) FROM cities").fetchall()
    with psycopg.connect(database) as target:
        target.execute(
            "CREATE TABLE cities (fid integer PRIMARY KEY, name text, country text, kind text, capital integer, "
            "population integer, rank integer, geom geometry(Point, 4326))"
        )
        with target.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO cities ({columns}, geom) VALUES (%s, %s, %s, %s, %s, %s, %s, ST_GeomFromWKB(%s, 4326))",
                rows,
            )
