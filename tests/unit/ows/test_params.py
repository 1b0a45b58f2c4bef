"""Parameters of WMS: read once, checked once."""

from __future__ import annotations

from pathlib import Path

import pytest

from qgserver.errors import OwsError
from qgserver.ows.wms import params
from qgserver.ows.wms.maprequest import read_crs
from qgserver.web.request import Request

ROOT = Path(__file__).parents[3]
WGS84 = {"BBOX": "43,7,44,8"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WIDTH", "abc"),
        ("WIDTH", "1e3"),
        ("WIDTH", "9" * 5000),
        ("HEIGHT", "10.5"),
        ("BBOX", "1,2,3"),
        ("BBOX", "1,2,3,nan"),
        ("BBOX", "0,0,1e400,1"),
        ("BGCOLOR", "0xzz"),
        ("BGCOLOR", "#12345678901"),
        ("OPACITIES", "abc"),
        ("OPACITIES", "256"),
        ("DPI", "0"),
        ("DPI", "inf"),
        ("IMAGE_QUALITY", "101"),
    ],
)
def test_bad_values(name: str, value: str) -> None:
    row = next(row for row in params.PARAMETERS if row.names[0] == name)
    with pytest.raises(OwsError) as caught:
        row.of(Request(params={name: value}))
    assert (caught.value.code, caught.value.locator) == ("InvalidParameterValue", name)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    ("value", "rgb"),
    [("0xff8800", (255, 136, 0)), ("#00ff88", (0, 255, 136)), ("red", (255, 0, 0)), ("0x80ff0000", (255, 0, 0))],
)
def test_colours(value: str, rgb: tuple[int, int, int]) -> None:
    assert tuple(round(part * 255) for part in params.color(value)[:3]) == rgb


@pytest.mark.parametrize(
    ("sent", "dpi"),
    [({"DPI": "96"}, 96), ({"DPI": "96", "MAP_RESOLUTION": "72"}, 96), ({"MAP_RESOLUTION": "72"}, 0), ({}, 0)],
)
def test_resolution_is_dpi_alone(sent: dict[str, str], dpi: float) -> None:
    assert params.DPI.of(Request(params=sent)) == dpi


@pytest.mark.parametrize("box", ["1,1,1,2", "2,1,1,2", "1,2,2,1"])
def test_boxes_without_area(box: str) -> None:
    with pytest.raises(OwsError):
        params.extent(Request(params={"BBOX": box}), inverted=False)


@pytest.mark.parametrize(
    ("version", "crs", "inverted"),
    [
        ("1.3.0", "EPSG:4326", True),
        ("1.3.0", "urn:ogc:def:crs:EPSG::4326", True),
        ("1.3.0", "CRS:84", False),
        ("1.3.0", "EPSG:2154", False),
        ("1.3.0", "EPSG:31468", True),
        ("1.1.1", "EPSG:4326", False),
        ("1.1.1", "EPSG:31468", False),
    ],
)
def test_axis_order(version: str, crs: str, inverted: bool) -> None:
    for name in ("CRS", "SRS"):
        assert read_crs(Request(params={name: crs}), version)[1] is inverted
    extent = params.extent(Request(params=WGS84), inverted=inverted)
    assert extent.as_tuple() == ((7, 43, 8, 44) if inverted else (43, 7, 44, 8))


@pytest.mark.parametrize(("version", "code"), [("1.1.1", "InvalidSRS"), ("1.3.0", "InvalidCRS")])
@pytest.mark.parametrize("crs", ["", "EPSG:1", "/etc/passwd", "+proj=longlat", "EPSG:4326" * 100])
def test_unknown_crs(version: str, code: str, crs: str) -> None:
    with pytest.raises(OwsError) as caught:
        read_crs(Request(params={"CRS": crs}), version)
    assert caught.value.code == code


def test_the_document_is_up_to_date() -> None:
    assert (ROOT / "docs/wms-parameters.md").read_text() == params.document()
