"""Clients of the web: OWSLib, MapProxy, and pages with OpenLayers and Leaflet in a browser."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from doors import ROOT, Site, need, serve
from PIL import Image

pytestmark = [pytest.mark.server, pytest.mark.full]

HERE = Path(__file__).parent / "clients"
INSTALLED = ROOT / ".clients"
"""Where ``./bootstrap full`` puts them."""


@pytest.fixture(scope="module")
def site(projects: Path) -> Iterator[Site]:
    with serve(projects / "world.qgs", QGSERVER_CORS="*") as running:
        yield running


def url(site: Site) -> str:
    return site.base.removesuffix("qgis") + "?"


def _installed(path: str) -> Path:
    """A file of a client; the test is skipped without it, in CI it fails."""
    found = INSTALLED / path
    if not found.exists():
        reason = f"not installed: {path} (./bootstrap full installs it)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


def _python(script: str, *arguments: str) -> str:
    """The output of a script that runs with the clients' own libraries."""
    command = [str(_installed("python/bin/python")), str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- OWSLib and MapProxy --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "2.0.0"])
def test_owslib_reads_features(site: Site, version: str) -> None:
    found = json.loads(_python("owslib_asks.py", url(site), "WFS", version))
    assert {"cities", "countries", "rivers"} <= {name.removeprefix("qgs:") for name in found["types"]}
    assert {"DescribeFeatureType", "GetCapabilities", "GetFeature"} <= set(found["operations"])
    assert (found["schema"], found["all"], found["page"], found["json"]) == ("int", 1249, 7, 3)
    assert (found["filtered"], found["box"]) == (4, 13)


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_owslib_reads_maps(site: Site, version: str) -> None:
    found = json.loads(_python("owslib_asks.py", url(site), "WMS", version))
    assert found["layers"] and found["error"]
    assert found["box"][:2] == pytest.approx([-180, -90], abs=0.01)
    assert found["map"] > 5000
    assert "Germany" in found["info"]


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_mapproxy_keeps_tiles(site: Site, tmp_path: Path, version: str) -> None:
    assert "Name = 'Germany'" in _python("mapproxy_through.py", url(site), str(tmp_path), version, "countries")
    with Image.open(tmp_path / "tile.png") as tile:
        assert tile.size == (256, 256)
        assert len(tile.convert("RGBA").getcolors(1 << 24) or ()) > 20


# -- pages ----------------------------------------------------------------------------------------------------------


class _Pages(http.server.SimpleHTTPRequestHandler):
    """The pages, what they load, and where they report to."""

    server: _PageServer

    def translate_path(self, path: str) -> str:
        name = path.partition("?")[0]
        if name.startswith("/modules/"):
            return str(INSTALLED / "node_modules" / name.removeprefix("/modules/"))
        return str(HERE / name.removeprefix("/"))

    def do_GET(self) -> None:
        if self.path in ("/favicon.ico", "/reported"):
            # The page is not loaded, and its picture not taken, before it has reported.
            if self.path == "/reported":
                self.server.reported.wait(60)
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def do_POST(self) -> None:
        self.server.report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        self.server.reported.set()

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _PageServer(http.server.ThreadingHTTPServer):
    report: dict[str, Any] | None = None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.reported = threading.Event()


@contextmanager
def _pages() -> Iterator[_PageServer]:
    server = _PageServer(("127.0.0.1", 0), _Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _browse(page: str, site: Site) -> tuple[dict[str, Any], int]:
    """What a page reports, and how many colours its screenshot has."""
    need("chromium")
    with tempfile.TemporaryDirectory(prefix="chromium-") as folder, _pages() as pages:
        picture = Path(folder) / "page.png"
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
        command += ["--window-size=800,700", f"--screenshot={picture}"]
        address = f"http://127.0.0.1:{pages.server_port}/{page}?server={quote(url(site))}"
        done = subprocess.run([*command, address], capture_output=True, text=True, check=False, timeout=120)
        assert pages.report is not None, done.stderr
        with Image.open(picture) as image:
            return pages.report, len(image.convert("RGB").getcolors(1 << 24) or ())


def test_openlayers_draws_and_asks(site: Site) -> None:
    _installed("node_modules/ol/dist/ol.js")
    report, colours = _browse("openlayers.html", site)
    assert report["errors"] == []
    assert colours > 50
    assert report["colours"] > 50
    assert report["cities"] > 50
    assert report["named"]
    assert report["found"] == {f"{v} {crs}": ["Germany"] for v in ("1.1.1", "1.3.0") for crs in CRS}
    names, inside = zip(*report["gml"], strict=True)
    assert "Berlin" in names
    assert all(inside)
    assert report["title"]


CRS = ("EPSG:3857", "EPSG:4326")


def test_leaflet_draws_and_asks(site: Site) -> None:
    _installed("node_modules/leaflet/dist/leaflet.js")
    report, colours = _browse("leaflet.html", site)
    assert report["errors"] == []
    assert colours > 50
    assert min(report["tiles"]) > 5
    assert report["cities"] > 10
    assert report["inside"]
    assert report["found"] == ["Germany"]
