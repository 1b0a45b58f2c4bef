"""A ledger that many write to at the same time while workers and the database die, and what it must look like then."""

from __future__ import annotations

import http.client
import random
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psycopg
from doors import Site, serve
from lxml import etree
from postgis import Cluster, new_database

from qgserver.geo.crs import Crs
from qgserver.geo.geometry import POINT, GeometryArray
from qgserver.providers.batch import Column
from qgserver.providers.gpkgnew import NewLayer, new_layer

HOT = 4
"""Rows that all writers change; each counts its changes."""
TABLES = {
    "ledger": {"token": "string"},
    "journal": {"token": "string"},
    "hot": {"last": "string", "hits": "int64"},
}

_LAYER = """<maplayer type="vector" geometry="Point"><id>{name}</id><layername>{name}</layername>
<datasource>{source}</datasource><provider encoding="UTF-8">{provider}</provider>
<srs><spatialrefsys><authid>EPSG:4326</authid></spatialrefsys></srs>{more}</maplayer>"""
_COUNTS = """<defaults><default field="hits" expression="&quot;hits&quot; + 1" applyOnUpdate="1"/></defaults>"""
_PROJECT = """<qgis version="3.22.16" projectname=""><projectlayers>{layers}</projectlayers>
<properties><WFSLayers type="QStringList">{ids}</WFSLayers><WFSTLayers><Insert type="QStringList">{ids}</Insert>
<Update type="QStringList">{ids}</Update><Delete type="QStringList">{ids}</Delete></WFSTLayers></properties></qgis>"""


@dataclass
class Outcome:
    """What the writers were told: the tokens of transactions that were acknowledged, refused, or had no answer; and the
    token that a transaction was to delete."""

    acknowledged: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    deletes: dict[str, str] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)


@dataclass
class Ledger:
    """The server, and where its tables are: a GeoPackage or a database."""

    site: Site
    store: str

    @property
    def is_file(self) -> bool:
        return self.store.endswith(".gpkg")

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """Rows straight from the store."""
        if self.is_file:
            with closing(sqlite3.connect(self.store, timeout=10)) as connection:
                return connection.execute(statement).fetchall()
        with psycopg.connect(self.store) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]

    def write(self, writers: int, turns: int) -> Outcome:
        """So many transactions by so many threads, each sent once."""
        outcome = Outcome()
        lock = threading.Lock()
        threads = [threading.Thread(target=self._writer, args=(at, turns, outcome, lock)) for at in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return outcome

    def _writer(self, number: int, turns: int, outcome: Outcome, lock: threading.Lock) -> None:
        chance = random.Random(number)
        mine: list[str] = []
        for turn in range(turns):
            token = f"w{number}t{turn}"
            old = mine.pop(0) if len(mine) > 5 else ""
            state, reason = self._send(token, chance, old)
            with lock:
                getattr(outcome, state).add(token)
                if old:
                    outcome.deletes[token] = old
                if reason:
                    outcome.reasons.add(reason)
            if state == "acknowledged":
                mine.append(token)
            else:
                time.sleep(0.1)

    def _send(self, token: str, chance: random.Random, old: str) -> tuple[str, str]:
        try:
            answer = self.site.ask(body=_document(token, chance, old).encode(), Content_Type="text/xml")
        except (OSError, http.client.HTTPException):
            return "unanswered", ""
        root = etree.fromstring(answer.body)
        if answer.status == 200 and root.tag.endswith("TransactionResponse"):
            return "acknowledged", ""
        return "refused", "".join(str(text) for text in root.itertext()).strip()

    def check(self, outcome: Outcome) -> None:
        """Every acknowledged change is there once, no other is, and the store is sound."""
        journal = [str(token) for (token,) in self.rows("SELECT token FROM journal")]
        done = set(journal)
        assert len(done) == len(journal)
        assert outcome.acknowledged <= done
        assert not done & outcome.refused
        assert done <= outcome.acknowledged | outcome.unanswered
        ledger = [str(token) for (token,) in self.rows("SELECT token FROM ledger")]
        gone = {old for token, old in outcome.deletes.items() if token in done}
        assert sorted(ledger) == sorted(done - gone)
        assert self.rows("SELECT sum(hits) FROM hot") == [(len(done),)]
        assert {token for (token,) in self.rows("SELECT last FROM hot WHERE hits > 0")} <= done
        assert self.rows("SELECT count(DISTINCT fid) FROM ledger") == [(len(ledger),)]
        (self._check_file if self.is_file else self._check_database)()

    def _check_file(self) -> None:
        assert self.rows("PRAGMA integrity_check") == [("ok",)]
        for name in TABLES:
            assert self.rows(f"SELECT rtreecheck('rtree_{name}_geom')") == [("ok",)]
            assert self.rows(f"SELECT fid FROM {name} EXCEPT SELECT id FROM rtree_{name}_geom") == []
            assert self.rows(f"SELECT id FROM rtree_{name}_geom EXCEPT SELECT fid FROM {name}") == []
            counted = self.rows(f"SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = '{name}'")
            assert counted == self.rows(f"SELECT count(*) FROM {name}")

    def _check_database(self) -> None:
        with psycopg.connect(self.store) as connection:
            for name in TABLES:
                counts = set()
                for scan in ("seqscan", "indexscan"):
                    connection.execute(f"SET enable_{scan} = off")  # type: ignore[arg-type]
                    box = "geom && ST_MakeEnvelope(-180, -90, 180, 90, 4326)"
                    found = connection.execute(f"SELECT count(*), count(fid) FROM {name} WHERE {box}")  # type: ignore[arg-type]
                    counts.add(found.fetchone())
                    connection.execute(f"SET enable_{scan} = on")  # type: ignore[arg-type]
                assert len(counts) == 1


def _document(token: str, chance: random.Random, old: str) -> str:
    place = f"{chance.uniform(-80, 80):.6f} {chance.uniform(-170, 170):.6f}"
    shape = f'<gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>{place}</gml:pos></gml:Point>'
    values = f"<qgs:geometry>{shape}</qgs:geometry><qgs:token>{token}</qgs:token>"
    last = f"<wfs:Property><wfs:Name>last</wfs:Name><wfs:Value>{token}</wfs:Value></wfs:Property>"
    row = f'<ogc:Filter><ogc:FeatureId fid="hot.{chance.randint(1, HOT)}"/></ogc:Filter>'
    parts = [
        f"<wfs:Insert><qgs:ledger>{values}</qgs:ledger></wfs:Insert>",
        f"<wfs:Insert><qgs:journal>{values}</qgs:journal></wfs:Insert>",
        f'<wfs:Update typeName="hot">{last}{row}</wfs:Update>',
    ]
    if old:
        same = f"<ogc:PropertyName>token</ogc:PropertyName><ogc:Literal>{old}</ogc:Literal>"
        condition = f"<ogc:Filter><ogc:PropertyIsEqualTo>{same}</ogc:PropertyIsEqualTo></ogc:Filter>"
        parts.append(f'<wfs:Delete typeName="ledger">{condition}</wfs:Delete>')
    chance.shuffle(parts)
    return (
        '<wfs:Transaction service="WFS" version="1.1.0" xmlns:wfs="http://www.opengis.net/wfs"'
        ' xmlns:ogc="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml"'
        f' xmlns:qgs="http://www.qgis.org/gml">{"".join(parts)}</wfs:Transaction>'
    )


@contextmanager
def ledger_in_database(cluster: Cluster) -> Iterator[Ledger]:
    """The tables in a new database that keeps what it has acknowledged."""
    dsn = new_database(cluster)
    with psycopg.connect(dsn, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = on')  # type: ignore[arg-type]
        for table, columns in TABLES.items():
            items = ", ".join(
                f"{column} {'text' if kind == 'string' else 'bigint'}" for column, kind in columns.items()
            )
            geometry = "geom geometry(Point, 4326)"
            connection.execute(f"CREATE TABLE {table} (fid serial PRIMARY KEY, {geometry}, {items})")  # type: ignore[arg-type]
            connection.execute(f"CREATE INDEX ON {table} USING gist (geom)")  # type: ignore[arg-type]
        connection.execute(
            "INSERT INTO hot (geom, hits) SELECT ST_SetSRID(ST_MakePoint(i, i), 4326), 0"
            f" FROM generate_series(1, {HOT}) i"
        )
    sources = {
        table: f"{dsn} key='fid' srid=4326 type=Point table=&quot;public&quot;.&quot;{table}&quot; (geom)"
        for table in TABLES
    }
    with _serving("postgres", sources) as site:
        yield Ledger(site, dsn)


@contextmanager
def ledger_in_file() -> Iterator[Ledger]:
    """The tables in a GeoPackage."""
    with tempfile.TemporaryDirectory(prefix="qgserver-ledger-") as name:
        folder = Path(name)
        path = folder / "ledger.gpkg"
        each = np.arange(HOT + 1)
        points = GeometryArray(
            np.full(HOT, POINT, np.uint8), np.column_stack((each[1:], each[1:])) * 1.0, each, each, each
        )
        nothing = Column(np.full(HOT, "", object), np.ones(HOT, bool))
        for table, columns in TABLES.items():
            layer = NewLayer(table, columns, geometry="geom", shape="Point", crs=Crs("EPSG:4326", "EPSG:4326"))
            with new_layer(str(path), layer) as writer:
                if table == "hot":
                    writer.add(each[1:], [nothing, Column(np.zeros(HOT, np.int64))], points, HOT)
        folder.chmod(0o777)
        path.chmod(0o666)
        with _serving("ogr", {table: f"{path}|layername={table}" for table in TABLES}) as site:
            yield Ledger(site, str(path))


@contextmanager
def _serving(provider: str, sources: dict[str, str]) -> Iterator[Site]:
    layers = [
        _LAYER.format(name=name, source=source, provider=provider, more=_COUNTS if name == "hot" else "")
        for name, source in sources.items()
    ]
    ids = "".join(f"<value>{name}</value>" for name in sources)
    with tempfile.TemporaryDirectory(prefix="qgserver-ledger-") as name:
        Path(name).chmod(0o755)
        project = Path(name) / "ledger.qgs"
        project.write_text(_PROJECT.format(layers="".join(layers), ids=ids))
        project.chmod(0o644)
        with serve(project, QGSERVER_MAX_SECONDS="10") as site:
            yield site
