"""Real clients write: GDAL's WFS driver, and an edit session of QGIS."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from doors import ROOT, Site, need, serve

pytestmark = [pytest.mark.server, pytest.mark.full]
VERSIONS = pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "2.0.0"])

GDAL = """
import sys
from osgeo import gdal, ogr
gdal.UseExceptions()
def layer():
    source = gdal.OpenEx(f"WFS:{sys.argv[1]}?SERVICE=WFS&VERSION={sys.argv[2]}", gdal.OF_UPDATE | gdal.OF_VECTOR)
    return source, source.GetLayerByName("pts")
source, pts = layer()
pts.StartTransaction()
for number in (101, 102, 103):
    feature = ogr.Feature(pts.GetLayerDefn())
    for name, value in (("num", number), ("name", "é <&>"), ("day", "2022/02/03"), ("flag", 1)):
        feature.SetField(name, value)
    feature.SetGeometry(ogr.CreateGeometryFromWkt(f"POINT ({843000 + number} 6518000)"))
    pts.CreateFeature(feature)
pts.CommitTransaction()
source = None
source, pts = layer()
def found(number):
    pts.SetAttributeFilter(f"num = {number}")
    return next(iter(pts))
feature = found(102)
feature.SetField("name", "changed")
feature.SetFieldNull("day")
feature.SetGeometry(ogr.CreateGeometryFromWkt("POINT (1 2)"))
pts.SetFeature(feature)
pts.DeleteFeature(found(103).GetFID())
"""

QGIS = """
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from qgis.core import *
from qgis.PyQt.QtCore import QDate
application = QgsApplication([], False)
application.initQgis()
url, version = sys.argv[1:]
pts = QgsVectorLayer(f"url='{url}' typename='pts' version='{version}' srsname='EPSG:2154'", "pts", "WFS")
assert pts.isValid()
def edit(change):
    assert pts.startEditing()
    change()
    assert pts.commitChanges(), pts.commitErrors()
def add():
    for number in (101, 102, 103):
        feature = QgsFeature(pts.fields())
        feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(843000 + number, 6518000)))
        values = {"num": number, "name": "é <&>", "day": QDate(2022, 2, 3), "flag": True}
        for name, value in values.items():
            feature.setAttribute(name, value)
        assert pts.addFeature(feature)
edit(add)
ids = {feature["num"]: feature.id() for feature in pts.getFeatures()}
def change():
    assert pts.changeAttributeValue(ids[102], pts.fields().indexOf("name"), "changed")
    assert pts.changeAttributeValue(ids[102], pts.fields().indexOf("day"), None)
    assert pts.changeGeometry(ids[102], QgsGeometry.fromPointXY(QgsPointXY(1, 2)))
    assert pts.deleteFeature(ids[103])
edit(change)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A copy of the project and its data that the server may write."""
    folder = Path(tempfile.mkdtemp(prefix="qgserver-editing-"))
    for name in ("projects/wfs.qgs", "data/data.gpkg"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "fixtures" / name, folder / name)
    for path in (folder, *folder.rglob("*")):  # the server may run as another user
        path.chmod(0o777 if path.is_dir() else 0o666)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def site(place: Path) -> Iterator[Site]:
    with serve(place / "projects/wfs.qgs") as running:
        yield running


def check(place: Path) -> None:
    """What both clients should have left behind."""
    with closing(sqlite3.connect(place / "data/data.gpkg")) as connection:
        rows = connection.execute("SELECT num, name, day, flag FROM fewpoints WHERE num > 100 ORDER BY num").fetchall()
        assert rows == [(101, "é <&>", "2022-02-03", 1), (102, "changed", None, 1)]
        inside = "SELECT count(*) FROM rtree_fewpoints_geom WHERE ? BETWEEN minx AND maxx AND ? BETWEEN miny AND maxy"
        for at in ((843101, 6518000), (1, 2)):
            assert connection.execute(inside, at).fetchone() == (1,)


@VERSIONS
def test_gdal_writes(site: Site, place: Path, version: str) -> None:
    if not Path("/usr/lib/python3/dist-packages/osgeo").exists():
        need("python3-gdal")
    root = site.base.removesuffix("qgis")
    done = subprocess.run(["/usr/bin/python3", "-c", GDAL, root, version], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check(place)


@VERSIONS
def test_qgis_writes(site: Site, place: Path, version: str) -> None:
    if not Path("/usr/lib/python3/dist-packages/qgis").exists():
        need("python3-qgis")
    root = site.base.removesuffix("qgis")
    done = subprocess.run(["/usr/bin/python3", "-c", QGIS, root, version], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    check(place)
