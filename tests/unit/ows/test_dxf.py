"""Maps as DXF, read back by GDAL."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyogrio
import pytest
import shapely
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.ows.wms.dxffile import FOREGROUND, layer_name, nearest
from qgserver.settings import Settings

PROJECT = Path(__file__).parents[3] / "fixtures/projects/wfs.qgs"
QUERY = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "REQUEST": "GetMap",
    "LAYERS": "pol,lin layer,pts",
    "CRS": "EPSG:2154",
    "BBOX": "842000,6517000,850000,6523000",
    "WIDTH": "256",
    "HEIGHT": "192",
    "FORMAT": "application/dxf",
}


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(Application(Settings(project_file=str(PROJECT))))


def groups(client: Client, query: dict[str, str]) -> list[tuple[int, str]]:
    answer = client.get("/", query_string=QUERY | query)
    assert (answer.status_code, answer.content_type) == (200, "application/dxf"), answer.text
    lines = answer.data.decode("cp1252").split("\r\n")
    return [(int(code), value) for code, value in zip(lines[:-1:2], lines[1::2], strict=True)]


def test_features_are_those_of_qgis(client: Client, tmp_path: Path) -> None:
    """QGIS Server has 34 polylines and 12 points of the same request."""
    path = tmp_path / "map.dxf"
    path.write_bytes(client.get("/", query_string=QUERY).data)
    _, _, wkbs, columns = pyogrio.raw.read(path, columns=["Layer"])
    kinds = Counter(zip(columns[0].tolist(), shapely.get_type_id(shapely.from_wkb(wkbs)).tolist(), strict=True))
    assert kinds["pts", 0] == 12
    assert sum(kinds.values()) - 12 == 34
    assert {layer for layer, _ in kinds} == {"pol", "lin layer", "pts"}


def test_colors_and_layers(client: Client) -> None:
    plain = groups(client, {"LAYERS": "pol"})
    assert {value for code, value in plain if code == 62} == {"7", "256"}, "of the layer"
    colored = groups(client, {"LAYERS": "pol", "FORMAT_OPTIONS": "SCALE:5000;MODE:FEATURESYMBOLOGY"})
    assert "256" not in {value for code, value in colored if code == 62}
    named = groups(client, {"LAYERS": "pol", "FORMAT_OPTIONS": "LAYERATTRIBUTES:fid"})
    assert {value for code, value in named if code == 8} >= {"1", "2"}


def test_only_layers_of_wfs(client: Client) -> None:
    assert not [value for code, value in groups(client, {"LAYERS": "unpublished"}) if code == 8]


@pytest.mark.parametrize("options", ["MODE:NICE", "LAYERATTRIBUTES:nope", "LAYERATTRIBUTES:fid,x\r\n0\r\nLINE"])
def test_options_that_are_refused(client: Client, options: str) -> None:
    query = QUERY | {"LAYERS": "pol,pts", "FORMAT_OPTIONS": options}
    assert client.get("/", query_string=query).status_code == 400


def test_colors_by_number() -> None:
    assert [nearest((r, g, b, 1.0)) for r, g, b in ((1, 0, 0), (0, 0, 1), (0, 0, 0), (1, 1, 1))] == [
        1,
        5,
        7,
        FOREGROUND,
    ]
    assert nearest((165 / 255, 82 / 255, 0, 1.0)) == 32
    assert nearest((0.5, 0.5, 0.5, 1.0)) == 8


def test_names_hold_no_line_ends() -> None:
    assert layer_name("a\r\n0/b") == "a__0_b"
    assert layer_name("") == "0"
