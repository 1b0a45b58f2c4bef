"""Maps with layers of other servers, from the request to the answer."""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings
from tests.unit.rasters.otherserver import other_server, tile_color

FIXTURES = Path(__file__).parents[3] / "fixtures"
QUERY = (
    "SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS={}&CRS=EPSG:3857&BBOX=-5000000,-5000000,5000000,5000000"
    "&WIDTH=256&HEIGHT=256&FORMAT=image/png&BGCOLOR=0x123456"
)


@contextmanager
def asking(folder: Path, **settings: tuple[str, ...]) -> Iterator[Client]:
    application = Application(replace(Settings(project_roots=(str(folder),)), **settings))
    yield Client(application)
    application.sources.close()


def project(folder: Path, source: str) -> Path:
    """The raster project; its layer rs_nearest is one of another server."""
    with zipfile.ZipFile(FIXTURES / "projects/raster.qgz") as archive:
        text = archive.read(next(name for name in archive.namelist() if name.endswith(".qgs"))).decode()

    def changed(found: re.Match[str]) -> str:
        if "<layername>rs_nearest</layername>" not in found[0]:
            return found[0]
        layer = re.sub(
            "<datasource>.*?</datasource>", f"<datasource>{source.replace('&', '&amp;')}</datasource>", found[0]
        )
        layer = re.sub("<provider[^>/]*>gdal</provider>", "<provider>wms</provider>", layer)
        layer = re.sub(
            "<srs>.*?</srs>", "<srs><spatialrefsys><authid>EPSG:3857</authid></spatialrefsys></srs>", layer, flags=re.S
        )
        colors = '<rasterrenderer type="singlebandcolordata" band="1" opacity="1" alphaBand="-1"/>'
        return re.sub("<rasterrenderer.*?</rasterrenderer>", colors, layer, flags=re.DOTALL)

    path = folder / "remote.qgs"
    path.write_text(re.sub(r"<maplayer .*?</maplayer>", changed, text, flags=re.DOTALL))
    return path


def picture(client: Client, path: Path, layers: str = "rs_nearest") -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    answer = client.get(f"/?MAP={path}&{QUERY.format(layers)}")
    assert (answer.status_code, answer.mimetype) == (200, "image/png"), answer.text
    return np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGBA"))


def tiles(base: str) -> str:
    return f"type=xyz&url={quote(base + '/tiles/{z}/{x}/{y}.png', safe='')}&zmin=0&zmax=5"


def test_tiles_are_drawn_and_reprojected(tmp_path: Path) -> None:
    with other_server() as server, asking(tmp_path) as client:
        path = project(tmp_path, tiles(server.base))
        found = picture(client, path)
        assert found[64, 64].tolist() == list(tile_color(2, 1, 1))
        turned = client.get(f"/?MAP={path}&{QUERY.format('rs_nearest').replace('EPSG:3857', 'EPSG:2154')}")
        assert turned.status_code == 200
        capabilities = client.get(f"/?MAP={path}&SERVICE=WMS&REQUEST=GetCapabilities")
        assert capabilities.status_code == 200 and server.base not in capabilities.text


def test_a_dead_server_leaves_the_rest_of_the_map(tmp_path: Path) -> None:
    with other_server() as server:
        base = server.base
    start = time.monotonic()
    with asking(tmp_path) as client:
        found = picture(client, project(tmp_path, tiles(base)))
    assert np.unique(found.reshape(-1, 4), axis=0).tolist() == [[0x12, 0x34, 0x56, 255]]
    assert time.monotonic() - start < 5


def test_hosts_that_are_not_named_are_not_asked(tmp_path: Path) -> None:
    with other_server() as server, asking(tmp_path, remote_hosts=("tiles.example.org",)) as client:
        found = picture(client, project(tmp_path, tiles(server.base)))
        assert not server.paths
    assert np.unique(found.reshape(-1, 4), axis=0).tolist() == [[0x12, 0x34, 0x56, 255]]


@pytest.mark.parametrize("name", ["MAP", "url", "SLD", "LAYERS"])
def test_no_request_can_name_a_server(tmp_path: Path, name: str) -> None:
    with other_server() as server, asking(tmp_path) as client:
        path = project(tmp_path, tiles("http://127.0.0.1:1"))
        query = {"MAP": str(path), **dict(pair.split("=", 1) for pair in QUERY.format("rs_nearest").split("&"))}
        client.get("/", query_string=query | {name: f"{server.base}/tiles/0/0/0.png"})
        assert not server.paths
