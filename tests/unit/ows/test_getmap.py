"""GetMap from the request to the picture; what is drawn is the drawing room's own test."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from werkzeug.test import Client, TestResponse

from qgserver.app import Application
from qgserver.draw.canvas import Canvas
from qgserver.errors import ProviderError
from qgserver.ows.wms import getmap
from qgserver.project.model import Project
from qgserver.providers import Sources
from qgserver.render.request import MapRequest
from qgserver.settings import Settings

PROJECT = Path(__file__).parents[3] / "fixtures/projects/tree.qgs"
QUERY = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "REQUEST": "GetMap",
    "LAYERS": "polyshort",
    "CRS": "EPSG:2154",
    "BBOX": "842000,6517000,850000,6523000",
    "WIDTH": "80",
    "HEIGHT": "60",
    "FORMAT": "image/png",
}


def client(**settings: bool) -> Client:
    return Client(Application(Settings(project_file=str(PROJECT), **settings)))


def picture(answer: TestResponse) -> Image.Image:
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.data))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[MapRequest]:
    """The map requests that reach the drawing room, which has no source for the layer ``lines``."""
    requests: list[MapRequest] = []

    def render_map(project: Project, request: MapRequest, sources: Sources) -> Canvas:
        requests.append(request)
        if any(item.layer.published == "lines" for item in request.layers):
            raise ProviderError("The data source is not available.", layer="lines")
        canvas = Canvas(request.width, request.height)
        if request.background:
            canvas.fill_background(request.background)
        return canvas

    monkeypatch.setattr(getmap, "render_map", render_map)
    return requests


def test_all_ways_to_ask_give_one_request(asked: list[MapRequest]) -> None:
    ask = client()
    form = {name.lower(): value for name, value in QUERY.items()}
    xml = "<GetMap " + " ".join(f'{n.lower()}="{v}"' for n, v in QUERY.items() if n != "REQUEST") + "/>"
    for answer in (
        ask.get("/", query_string=QUERY),
        ask.post("/", data=form),
        ask.post("/", data=xml, content_type="text/xml"),
        ask.get("/", query_string=QUERY | {"CRS": "urn:ogc:def:crs:EPSG::2154"}),
        ask.get("/", query_string={"SRS": "EPSG:2154", **QUERY, "CRS": ""}),
    ):
        assert picture(answer).size == (80, 60)
    assert all(request == asked[0] for request in asked)


def test_versions_differ_in_axes_and_in_what_a_bent_box_means(asked: list[MapRequest]) -> None:
    lonlat = QUERY | {"CRS": "EPSG:4326", "BBOX": "45,4,46,6"}
    client().get("/", query_string=lonlat)
    client().get("/", query_string=lonlat | {"VERSION": "1.1.1", "SRS": "EPSG:4326", "BBOX": "4,45,6,46"})
    new, old = asked
    assert new.extent.as_tuple() == old.extent.as_tuple() == (4, 45, 6, 46)
    assert (new.stretch, old.stretch) == (True, False)


@pytest.mark.parametrize(
    ("changes", "mode", "pixel"),
    [
        ({}, "RGB", (255, 255, 255)),
        ({"TRANSPARENT": "TRUE"}, "RGBA", (0, 0, 0, 0)),
        ({"BGCOLOR": "0xff0000"}, "RGB", (255, 0, 0)),
        ({"BGCOLOR": "0xff0000", "TRANSPARENT": "TRUE", "FORMAT": "image/jpeg"}, "RGB", (254, 0, 0)),
    ],
)
def test_background(asked: list[MapRequest], changes: dict[str, str], mode: str, pixel: tuple[int, ...]) -> None:
    image = picture(client().get("/", query_string=QUERY | changes))
    assert (image.mode, image.getpixel((5, 5))) == (mode, pixel)


def test_a_broken_layer_fails_only_requests_that_name_it(asked: list[MapRequest]) -> None:
    ask = client()
    assert ask.get("/", query_string=QUERY).status_code == 200
    answer = ask.get("/", query_string=QUERY | {"LAYERS": "polyshort,lines"})
    assert answer.status_code == 500
    assert "lines" in answer.text


def test_broken_layers_may_be_left_out(asked: list[MapRequest]) -> None:
    answer = client(ignore_bad_layers=True).get("/", query_string=QUERY | {"LAYERS": "lines,polyshort"})
    assert answer.status_code == 200
    assert [item.layer.published for item in asked[-1].layers] == ["polyshort"]


@pytest.mark.parametrize("name", ["jpeg", "image/gif", "application/foo", ""])
def test_formats_we_do_not_have(name: str) -> None:
    answer = client().get("/", query_string=QUERY | {"FORMAT": name})
    assert (answer.status_code, "InvalidFormat" in answer.text) == (400, True)


def test_maps_need_a_version() -> None:
    answer = client().get("/", query_string={name: value for name, value in QUERY.items() if name != "VERSION"})
    assert (answer.status_code, "MissingParameterValue" in answer.text) == (400, True)


def test_an_sld_is_refused_and_not_passed_over() -> None:
    assert client().get("/", query_string=QUERY | {"SLD_BODY": "<a/>"}).status_code == 400
