"""GetPrint from the request to the answer; what pages look like is compared with QGIS's in tests/oracle."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

PROJECT = Path(__file__).parents[3] / "fixtures/projects/print.qgz"
QUERY = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "REQUEST": "GetPrint",
    "TEMPLATE": "text",
    "CRS": "EPSG:2154",
    "FORMAT": "png",
    "DPI": "25.4",
    "map0:EXTENT": "842000,6517000,850000,6523000",
}


def client(*, disable_getprint: bool = False) -> Client:
    return Client(Application(Settings(project_file=str(PROJECT), disable_getprint=disable_getprint)))


@pytest.fixture(scope="module")
def server() -> Client:
    return client()


def picture(server: Client, **changes: str) -> Image.Image:
    answer = server.get("/", query_string={**QUERY, **changes})
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.data)).convert("RGB")


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, (100, 75)),
        ({"DPI": "96"}, (377, 283)),
        ({"WIDTH": "40"}, (40, 30)),
        ({"WIDTH": "9", "HEIGHT": "9"}, (9, 9)),
    ],
)
def test_page_of_100_by_75_mm_in_pixels(server: Client, changes: dict[str, str], size: tuple[int, int]) -> None:
    assert picture(server, **changes).size == size


def test_map_without_extent_is_not_drawn(server: Client) -> None:
    assert picture(server).getpixel((30, 40)) != (255, 255, 255)
    assert picture(server, **{"map0:EXTENT": ""}).getpixel((30, 40)) == (255, 255, 255)


def test_extent_is_written_in_the_axis_order_of_the_version(server: Client) -> None:
    north_first = {"CRS": "EPSG:4326", "map0:EXTENT": "45.7361,4.826255,45.791828,4.930989"}
    east_first = {"SRS": "EPSG:4326", "VERSION": "1.1.1", "map0:EXTENT": "4.826255,45.7361,4.930989,45.791828"}
    assert picture(server, **north_first).tobytes() == picture(server, **east_first).tobytes()


def test_text_of_a_client_is_never_evaluated(server: Client) -> None:
    plain = picture(server, title="[% 1 + 1 %]")
    assert plain.tobytes() != picture(server, title="2").tobytes()
    assert picture(server, title="").crop((0, 0, 100, 15)).getcolors() == [(1500, (255, 255, 255))]


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"TEMPLATE": ""}, "MissingParameterValue", "The TEMPLATE parameter is missing."),
        ({"TEMPLATE": "nosuch"}, "InvalidParameterValue", "The TEMPLATE parameter is invalid."),
        ({"FORMAT": "gif"}, "InvalidFormat", "gif"),
        ({"DPI": "1e9"}, "InvalidParameterValue", "DPI"),
        ({"DPI": "9000"}, "InvalidParameterValue", "too many pixels"),
        ({"map0:ROTATION": "1", "map0:EXTENT": "0,0,1,1e9"}, "InvalidParameterValue", "too many pixels"),
        ({"map0:EXTENT": "0,0,0,0"}, "InvalidParameterValue", "minimum"),
        ({"map0:SCALE": "-1"}, "InvalidParameterValue", "greater than 0"),
        ({"map0:LAYERS": "nosuch"}, "LayerNotDefined", "nosuch"),
        ({"TEMPLATE": "atlas", "ATLAS_PK": "3,5"}, "InvalidParameterValue", "2 atlas features"),
        ({"TEMPLATE": "atlas", "ATLAS_PK": "*"}, "InvalidParameterValue", "More than 1"),
        ({"TEMPLATE": "atlas", "ATLAS_PK": "4711"}, "InvalidParameterValue", "no such features"),
    ],
)
def test_refused(server: Client, changes: dict[str, str], code: str, said: str) -> None:
    answer = server.get("/", query_string={**QUERY, **changes})
    assert (answer.status_code, f'code="{code}"' in answer.text) == (400, True), answer.text
    assert said in answer.text


def test_map_far_beyond_the_page_is_cut(server: Client) -> None:
    assert picture(server, **{"map0:EXTENT": "0,0,1,1e9"}).size == (100, 75)


def test_pdf_has_all_pages_in_their_size(server: Client) -> None:
    answer = server.get("/", query_string={**QUERY, "TEMPLATE": "twopages", "FORMAT": "pdf"})
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    boxes = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", answer.data)
    assert [tuple(round(float(side) / 72 * 25.4) for side in box) for box in boxes] == [(60, 45)] * 2


def test_svg_is_one_page(server: Client) -> None:
    answer = server.get("/", query_string={**QUERY, "FORMAT": "svg"})
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert 'viewBox="0 0 100 75"' in answer.text


@pytest.mark.parametrize("form", ["pdf", "svg"])
def test_maps_and_legends_of_documents_are_shapes(server: Client, form: str) -> None:
    for template in ("text", "legend", "rotated"):
        query = {**QUERY, "TEMPLATE": template, "FORMAT": form, "map0:ROTATION": "20"}
        answer = server.get("/", query_string=query).data
        assert len(answer) > 5000 and not re.search(rb"/Subtype /Image|<image", answer)


def test_switched_off() -> None:
    off = client(disable_getprint=True)
    assert off.get("/", query_string=QUERY).status_code == 501
    listing = {"SERVICE": "WMS", "REQUEST": "GetProjectSettings"}
    assert "<GetPrint>" not in off.get("/", query_string=listing).text
    assert "<GetPrint><Format>svg</Format>" in client().get("/", query_string=listing).text
