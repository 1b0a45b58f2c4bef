"""OGC's own test suite for WFS 2.0 (ets-wfs20), on GeoPackage and on PostGIS.

It lies beside the checkout (``../shared/conformance``, or where QGSERVER_CONFORMANCE says); Maven fetches its programs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from doors import ROOT, Site, need, serve

pytestmark = [pytest.mark.server, pytest.mark.full, pytest.mark.shared]

SUITE = Path(os.environ.get("QGSERVER_CONFORMANCE") or ROOT.parent / "shared" / "conformance")
CACHE = ROOT / "build" / "conformance"
CLASSES = (
    "Simple WFS",
    "Basic WFS",
    "Temporal filter",
    "Spatial filter",
    "Transactional WFS",
    "Response paging",
    "Manage stored queries",
)
KINDS = {"places": "Point", "roads": "MultiLineString", "zones": "MultiPolygon"}
KNOWN: Mapping[str, str] = {
    "supportedStoredQueryLanguages": "looks for an element where it means an attribute; mended later",
}
"""Tests that fail, and why."""
MISTAKE = re.compile(r"xs:date\(.*Invalid date")
"""The suite takes a property by chance; of one that is an xs:date it writes values that are xs:dateTime."""

JAXB = (
    "javax.xml.bind:jaxb-api:2.3.1",
    "com.sun.xml.bind:jaxb-impl:2.3.1",
    "com.sun.xml.bind:jaxb-core:2.3.0.1",
    "javax.activation:javax.activation-api:1.2.0",
)
"""Since Java 11 nobody brings the XML binding that the suite reads geometries and times with."""


@pytest.fixture(scope="module")
def tools() -> dict[str, str]:
    """The environment of the suite."""
    if not (SUITE / "run.sh").exists():
        pytest.skip(f"OGC's test suite is not at {SUITE}; QGSERVER_CONFORMANCE names its folder")
    need("java", "javac", "jar", "mvn")
    jars = CACHE / "jars"
    jars.mkdir(parents=True, exist_ok=True)
    files = [jars / f"{artifact.split(':')[1]}-{artifact.split(':')[2]}.jar" for artifact in JAXB]
    for artifact, file in zip(JAXB, files, strict=True):
        if not file.exists():
            subprocess.run(
                ["mvn", "-B", "-q", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
                 f"-Dartifact={artifact}", f"-DoutputDirectory={jars}"],
                check=True,
            )  # fmt: skip
    options = "-Xbootclasspath/a:" + ":".join(map(str, files))
    return {**os.environ, "CONFORMANCE_CACHE": str(CACHE), "JDK_JAVA_OPTIONS": options}


@pytest.fixture(scope="module", params=["geopackage", "postgres"])
def site(request: pytest.FixtureRequest, tools: dict[str, str]) -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="qgserver-conformance-"))
    for name in ("project.qgs", "cite.gpkg"):
        (folder / name).write_bytes((SUITE / "data" / "wfs" / name).read_bytes())
    _make_room(folder / "cite.gpkg")
    if request.param == "postgres":
        _move_to_postgres(folder, request.getfixturevalue("database"))
    for path in (folder, *folder.iterdir()):
        path.chmod(0o777)
    (folder / "queries").mkdir(mode=0o777)
    (folder / "queries").chmod(0o777)
    with serve(folder / "project.qgs", QGSERVER_STORED_QUERIES=str(folder / "queries")) as running:
        yield running
    shutil.rmtree(folder)


def _make_room(data: Path) -> None:
    """Columns for the properties of GML itself that the tables lack: the suite stores values for them."""
    with closing(sqlite3.connect(data)) as database:
        for table in KINDS:
            for name in ("gml_description", "gml_identifier"):
                database.execute(f"ALTER TABLE {table} ADD COLUMN {name} TEXT")
        database.commit()


def _move_to_postgres(folder: Path, database: str) -> None:
    """Load the layers into the database, and let the project find them there."""
    need("ogr2ogr")
    target = ["-f", "PostgreSQL", f"PG:{database}", "-lco", "GEOMETRY_NAME=geom", "-lco", "FID=gid"]
    subprocess.run(["ogr2ogr", *target, str(folder / "cite.gpkg")], check=True)
    host, user, name = (part.partition("=")[2] for part in database.split())

    def source(match: re.Match[str]) -> str:
        table = match[1]
        return (
            f"<datasource>dbname='{name}' host={host} user='{user}' key='gid' srid=4326 type={KINDS[table]}"
            f' table="public"."{table}" (geom)</datasource>'
        )

    project = folder / "project.qgs"
    text = re.sub(r"<datasource>\./cite\.gpkg\|layername=(\w+)</datasource>", source, project.read_text())
    project.write_text(re.sub(r"(<provider[^>]*>)ogr(</provider>)", r"\1postgres\2", text))


def test_wfs_2(site: Site, tools: dict[str, str], tmp_path: Path) -> None:
    address = f"{site.base.removesuffix('qgis')}?SERVICE=WFS&REQUEST=GetCapabilities&VERSION=2.0.0"
    required = [word for name in CLASSES for word in ("--require", name)]
    command = [str(SUITE / "run.sh"), "wfs20", address, *required]
    env = {**tools, "CONFORMANCE_OUT": str(tmp_path)}
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    failing = [test for test in results["failing"] if not MISTAKE.search(test["message"])]
    assert not results["required_missing"], done.stdout
    assert {test["test"] for test in failing} == set(KNOWN), done.stdout
