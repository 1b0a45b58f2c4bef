"""Geometries that clients want drawn above the layers."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from werkzeug.test import Client, TestResponse

from qgserver.app import Application
from qgserver.settings import Settings

PROJECT = Path(__file__).parents[3] / "fixtures/projects/tree.qgs"
QUERY = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "REQUEST": "GetMap",
    "CRS": "EPSG:2154",
    "BBOX": "842000,6517000,850000,6523000",
    "WIDTH": "80",
    "HEIGHT": "60",
    "FORMAT": "image/png",
}
BLUE, GREEN = (0, 0, 255), (0, 255, 0)
LEFT = "POLYGON((842000 6517000,846000 6517000,846000 6523000,842000 6523000,842000 6517000))"
POINT = "POINT(848000 6520000)"


def style(symbolizer: str) -> str:
    rule = f"<FeatureTypeStyle><Rule><Name>a&amp;b</Name>{symbolizer}</Rule></FeatureTypeStyle>"
    return f"<StyledLayerDescriptor><UserStyle>{rule}</UserStyle></StyledLayerDescriptor>"


FILLED = style('<PolygonSymbolizer><Fill><SvgParameter name="fill">#0000ff</SvgParameter></Fill></PolygonSymbolizer>')
MARKED = style(
    '<PointSymbolizer><Graphic><Mark><Fill><SvgParameter name="fill">#00ff00</SvgParameter></Fill></Mark>'
    "<Size>10</Size></Graphic></PointSymbolizer>"
)


def ask(geometries: str, symbols: str, **query: str) -> TestResponse:
    client = Client(Application(Settings(project_file=str(PROJECT))))
    return client.post("/", data=QUERY | {"HIGHLIGHT_GEOM": geometries, "HIGHLIGHT_SYMBOL": symbols} | query)


def colored(answer: TestResponse, color: tuple[int, int, int]) -> int:
    assert answer.status_code == 200, answer.text
    return int((np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGB")) == color).all(axis=2).sum())


def test_highlights_lie_above_the_layers() -> None:
    answer = ask(f"{LEFT};{POINT}", f"{FILLED};{MARKED}", LAYERS="polyshort")
    assert colored(answer, BLUE) == 40 * 60
    assert 64 <= colored(answer, GREEN) <= 121, "a square of 10 pixels with soft edges"


def test_highlights_alone_and_lists_of_different_lengths() -> None:
    answer = ask(f"{LEFT};{POINT}", FILLED)
    assert (colored(answer, BLUE), colored(answer, GREEN)) == (40 * 60, 0)


@pytest.mark.parametrize(
    ("geometries", "symbols"),
    [
        ("POLYGON((0 0", FILLED),
        (";".join([POINT] * 101), MARKED),
        (POINT, "<StyledLayerDescriptor/>"),
        (POINT, "nonsense"),
        (POINT, style("<Filter/><PointSymbolizer/>")),
    ],
)
def test_highlights_that_are_refused(geometries: str, symbols: str) -> None:
    answer = ask(geometries, symbols, LAYERS="polyshort")
    assert answer.status_code == 400 and "ServiceException" in answer.text
