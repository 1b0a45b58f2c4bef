"""Errors as pictures."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from qgserver.ows.exceptions import Report
from qgserver.ows.wms.imageerror import image_error
from qgserver.web.request import Request

REPORT = Report("LayerNotDefined", "The layer 'ü河' does not exist. " * 20, "LAYERS", 400)


def ask(**params: str) -> Image.Image | None:
    response = image_error(Request(params={"WIDTH": "200", "HEIGHT": "100"} | params), REPORT)
    return Image.open(io.BytesIO(response.get_data())) if response else None


@pytest.mark.parametrize("version", ["", "application/vnd.ogc.se_"])
def test_inimage_and_blank(version: str) -> None:
    drawn, blank = ask(EXCEPTIONS=version + "inimage"), ask(EXCEPTIONS=version + "blank", BGCOLOR="0xff0000")
    assert drawn is not None and blank is not None
    assert drawn.size == blank.size == (200, 100)
    assert len(drawn.getcolors() or ()) > 1
    assert blank.getcolors() == [(20_000, (255, 0, 0, 255))]


def test_transparent_and_jpeg() -> None:
    picture, jpeg = ask(EXCEPTIONS="BLANK", TRANSPARENT="TRUE"), ask(EXCEPTIONS="BLANK", FORMAT="image/jpeg")
    assert picture is not None and jpeg is not None
    assert picture.getcolors() == [(20_000, (255, 255, 255, 0))]
    assert jpeg.format == "JPEG"


@pytest.mark.parametrize(
    "params", [{}, {"EXCEPTIONS": "XML"}, {"WIDTH": "abc"}, {"WIDTH": "0"}, {"WIDTH": "99999"}, {"BGCOLOR": "0xzz"}]
)
def test_otherwise_an_exception_document(params: dict[str, str]) -> None:
    assert ask(**({"EXCEPTIONS": "INIMAGE"} if params else {}) | params) is None
