"""GetLegendGraphic from the request to the answer; what legends look like is tested elsewhere."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from werkzeug.test import Client, TestResponse

from qgserver.app import Application
from qgserver.ows.wms import getlegendgraphic
from qgserver.settings import Settings

PROJECTS = Path(__file__).parents[3] / "fixtures/projects"
BOX = "842000,6517000,844000,6519000"
EVERYTHING = {"BBOX": "842000,6517000,850000,6523000", "CRS": "EPSG:2154"}


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(Application(Settings(project_roots=(str(PROJECTS),))))


def ask(client: Client, layers: str = "c_polys", *, project: str = "legend.qgz", **parameters: object) -> TestResponse:
    query = {"MAP": str(PROJECTS / project), "SERVICE": "WMS", "REQUEST": "GetLegendGraphic", "LAYERS": layers}
    return client.get("/", query_string=query | parameters)


def entries(answer: TestResponse) -> list[object]:
    """What a JSON legend says, without its icons."""

    def plain(node: dict[str, object]) -> object:
        inner = node.get("symbols") or node.get("nodes")
        return [node["title"], [plain(one) for one in inner]] if isinstance(inner, list) else node["title"]

    assert answer.status_code == 200, answer.text
    return [plain(node) for node in json.loads(answer.data)["nodes"]]


def listing(client: Client, layers: str, **parameters: object) -> list[object]:
    return entries(ask(client, layers, FORMAT="application/json", **parameters))


def test_formats(client: Client) -> None:
    png = ask(client)
    jpeg = ask(client, FORMAT="image/jpeg", TRANSPARENT="TRUE")
    assert (png.mimetype, jpeg.mimetype) == ("image/png", "image/jpeg")
    assert Image.open(io.BytesIO(png.data)).mode == "RGB"
    assert Image.open(io.BytesIO(ask(client, TRANSPARENT="TRUE").data)).mode == "RGBA"
    assert Image.open(io.BytesIO(jpeg.data)).getpixel((1, 1)) == (255, 255, 255)
    assert Image.open(io.BytesIO(ask(client, BGCOLOR="0x0000ff").data)).getpixel((1, 1)) == (0, 0, 255)


def test_layers_stand_as_in_the_layer_tree(client: Client) -> None:
    assert [node[0] if isinstance(node, list) else node for node in listing(client, "c_polys,s_lines")] == [
        "s_lines",
        "c_polys",
    ]
    assert listing(client, "g1", project="tree.qgs") == ["lines", "pts é", "Polygon title"]
    inner = ["First & group", [["Nested", ["lines", "pts é"]], "Polygon title"]]
    assert listing(client, "g1", project="tree.qgs", ADDLAYERGROUPS="TRUE") == [inner]


def test_counts_are_those_of_the_classes_and_of_the_layer(client: Client) -> None:
    counted = ["school [15]", "farm [10]", "mill [8]", "shop [10]", "park [12]"]
    assert listing(client, "c_points,s_points", SHOWFEATURECOUNT="TRUE") == [
        "s_points [60]",
        ["c_points [60]", counted],
    ]


def test_only_what_is_in_view(client: Client) -> None:
    assert listing(client, "c_polys", BBOX=BOX, CRS="EPSG:2154") == [["c_polys", ["school", "shop", "park"]]]
    assert listing(client, "c_polys", BBOX="0,0,10,10", CRS="EPSG:2154") == []
    assert listing(client, "c_polys", FILTER="c_polys:\"kind\" = 'farm'", **EVERYTHING) == ["farm"]


@pytest.mark.parametrize(
    ("parameters", "code", "locator"),
    [
        ({"LAYERS": ""}, "MissingParameterValue", "LAYERS"),
        ({"LAYERS": "nosuch"}, "LayerNotDefined", "LAYERS"),
        ({"STYLES": "nosuch"}, "StyleNotDefined", "STYLES"),
        ({"FORMAT": "image/gif"}, "InvalidFormat", "FORMAT"),
        ({"RULE": "farm"}, "MissingParameterValue", "WIDTH"),
        ({"RULE": "nosuch", "WIDTH": 20, "HEIGHT": 20}, "InvalidParameterValue", "RULE"),
        ({"RULE": "farm", "WIDTH": 20, "HEIGHT": 20, "BBOX": BOX, "CRS": "EPSG:2154"}, "InvalidParameterValue", "RULE"),
        ({"RULE": "farm", "FORMAT": "application/json"}, "InvalidParameterValue", "RULE"),
        ({"BBOX": BOX}, "InvalidCRS", "CRS"),
        ({"BOXSPACE": "-1"}, "InvalidParameterValue", "BOXSPACE"),
        ({"SYMBOLWIDTH": "nan"}, "InvalidParameterValue", "SYMBOLWIDTH"),
        ({"ITEMFONTSIZE": "1e9"}, "InvalidParameterValue", "ITEMFONTSIZE"),
        ({"LAYERFONTCOLOR": "zz"}, "InvalidParameterValue", "LAYERFONTCOLOR"),
        ({"SCALE": "abc"}, "InvalidParameterValue", "SCALE"),
        ({"SLD_BODY": "<x/>"}, "InvalidParameterValue", "SLD_BODY"),
        ({"DPI": 10_000}, "InvalidParameterValue", ""),
    ],
)
def test_what_is_wrong_is_told(client: Client, parameters: dict[str, object], code: str, locator: str) -> None:
    answer = ask(client, **{"layers": str(parameters.get("LAYERS", "c_polys"))} | parameters)  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert f'code="{code}"' in answer.text
    assert not locator or f'locator="{locator}"' in answer.text


def test_a_class_is_found_by_its_label_whatever_else_is_asked(client: Client) -> None:
    wishes = {"RULE": "farm", "WIDTH": 40, "HEIGHT": 20}
    plain = ask(client, **wishes)
    assert Image.open(io.BytesIO(plain.data)).size == (40, 20)
    assert ask(client, **wishes, RULELABEL="FALSE", SHOWFEATURECOUNT="TRUE").data == plain.data


def test_legends_without_data_are_kept_and_others_made_anew(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(client, DPI=97)
    ask(client, DPI=97, BBOX=BOX, CRS="EPSG:2154")
    made: list[object] = []
    monkeypatch.setattr(getlegendgraphic, "legend_nodes", lambda *wishes: made.append(wishes) or ())
    ask(client, DPI=97)
    assert not made
    ask(client, DPI=98)
    ask(client, DPI=97, BBOX=BOX, CRS="EPSG:2154")
    assert len(made) == 2
