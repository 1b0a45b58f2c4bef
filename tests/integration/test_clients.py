"""Real clients: GDAL, QGIS and a browser look at the bundled map."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from doors import Site, need, serve
from PIL import Image

pytestmark = [pytest.mark.server, pytest.mark.full]

QGIS = """
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from qgis.core import *
from qgis.PyQt.QtCore import QEventLoop, QSize
from qgis.PyQt.QtGui import QColor
application = QgsApplication([], False)
application.initQgis()
url, target = sys.argv[1:]
source = f"url={url}&layers=countries&layers=rivers&styles=&styles=&format=image/png&crs=EPSG:3857"
wms = QgsRasterLayer(source, "map", "wms")
assert wms.isValid(), wms.error().message()
settings = QgsMapSettings()
settings.setLayers([wms])
settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
settings.setExtent(QgsRectangle(0, 4800000, 2200000, 7000000))
settings.setOutputSize(QSize(300, 300))
job = QgsMapRendererSequentialJob(settings)
job.start()
job.waitForFinished()
job.renderedImage().save(target)
for version, paging in (("1.0.0", ""), ("1.1.0", ""), ("2.0.0", "enabled"), ("2.0.0", "disabled"), ("auto", "")):
    pages = f"pagingEnabled='true' maxNumFeatures='5000' pageSize='300'" if paging == "enabled" else ""
    source = f"url='{url}' typename='cities' version='{version}' srsname='EPSG:4326' {pages}"
    wfs = QgsVectorLayer(source, "cities", "WFS")
    assert wfs.isValid(), version
    features = list(wfs.getFeatures())
    print("WFS", version, len(features), sum(f.geometry().asPoint().y() > 0 for f in features))
    request = QgsFeatureRequest(QgsRectangle(5, 45, 11, 48)).setFilterExpression("population > 100000")
    print("FOUND", sorted(feature["name"] for feature in wfs.getFeatures(request)))
"""


@pytest.fixture(scope="module")
def site(projects: Path) -> Iterator[Site]:
    with serve(projects / "world.qgs") as running:
        yield running


def root(site: Site) -> str:
    return site.base.removesuffix("qgis")


def colours(picture: Path) -> int:
    """How many different colours a picture has: a blank one has few."""
    with Image.open(picture) as image:
        return len(image.convert("RGB").getcolors(1 << 24) or ())


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "2.0.0"])
def test_gdal_reads_the_features(site: Site, version: str) -> None:
    need("ogrinfo")
    command = ["ogrinfo", "-ro", "-al", "-so", f"WFS:{root(site)}?SERVICE=WFS&VERSION={version}", "cities"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Feature Count: 1249" in done.stdout
    assert "Geometry: Point" in done.stdout
    assert "population: Integer" in done.stdout


def test_gdal_reads_the_map(site: Site, tmp_path: Path) -> None:
    need("gdal_translate")
    source = (
        f"WMS:{root(site)}?SERVICE=WMS&VERSION=1.1.1&REQUEST=GetMap&LAYERS=countries&SRS=EPSG:4326&BBOX=-20,30,40,70"
    )
    target = tmp_path / "map.png"
    subprocess.run(["gdal_translate", "-q", "-of", "PNG", "-outsize", "300", "200", source, target], check=True)
    assert colours(target) > 20


def test_qgis_shows_the_services(site: Site, tmp_path: Path) -> None:
    if not Path("/usr/lib/python3/dist-packages/qgis").exists():
        need("python3-qgis")
    target = tmp_path / "map.png"
    command = ["/usr/bin/python3", "-c", QGIS, root(site), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("WFS")]
    assert len(lines) == 5, done.stderr
    for _, _, count, northern in lines:
        assert int(count) == 1249
        assert int(northern) > 800  # axes are the right way round
    found = {line for line in done.stdout.splitlines() if line.startswith("FOUND")}
    assert len(found) == 1
    assert "Genève" in found.pop() or "Zürich" in done.stdout
    assert colours(target) > 20


def test_a_browser_shows_the_viewer(site: Site) -> None:
    need("chromium")
    with tempfile.TemporaryDirectory(prefix="chromium-") as folder:
        target = Path(folder) / "viewer.png"
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
        command += ["--window-size=1200,800", "--virtual-time-budget=10000", f"--screenshot={target}"]
        done = subprocess.run([*command, root(site)], capture_output=True, text=True, check=True, timeout=120)
        assert "Refused" not in done.stderr  # nothing on the page breaks its own policy
        with Image.open(target) as image:
            ocean = sum(n for n, c in image.convert("RGB").getcolors(1 << 24) or () if c == (207, 226, 236))
            assert ocean > 50_000
