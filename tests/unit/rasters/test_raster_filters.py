"""Filters of colours; expected pixels are those of QGIS 3.22."""

from __future__ import annotations

import numpy as np
import pytest
from lxml import etree

from qgserver.rasters.filters import BrightnessContrast, HueSaturation, read_filters
from qgserver.rasters.model import ColorFilter

BASE = [
    [22, 62, 55, 255], [6, 33, 48, 255], [159, 195, 95, 255], [75, 92, 168, 253], [35, 13, 51, 52], [18, 17, 11, 48],
]  # fmt: skip
"""Blue, green, red, alpha, premultiplied."""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (BrightnessContrast(50), "487069ff 385362ff d1f591ff 7c8dd9fd 2d173434 1b1a1430"),
        (BrightnessContrast(0, -60), "6e7573ff 6c7072ff 848a7aff 767885fd 1b171e34 17161530"),
        (BrightnessContrast(30, 40, 1.7), "004730ff 00000dff e9ff8dff 6788f3fd 320f3434 1a190b30"),
        (BrightnessContrast(-30, 90, 0.3), "000000ff 000000ff 88ff00ff 0000e8fd 34003434 00000030"),
        (HueSaturation(50), "0a4a3fff 012235ff a7e33fff 2843c9fd 230c3434 15130730"),
        (HueSaturation(-50), "203431ff 111e25ff 98aa78ff 62698ffd 21162934 100f0c30"),
        (HueSaturation(grayscale=1), "2a2a2aff 1b1b1bff 919191ff 797979fd 20202034 0e0e0e30"),
        (HueSaturation(grayscale=2), "393939ff 222222ff abababff 696969fd 16161634 0f0f0f30"),
        (HueSaturation(grayscale=3), "2e2e2eff 1d1d1dff 959595ff 6f6f6ffd 20202034 0f0f0f30"),
        (HueSaturation(inverted=True), "e9c1c8ff f9decfff 603ca0ff b2a155fd 11270134 1e1f2530"),
        (HueSaturation(colorize=(185, 243, 235), strength=57), "253829ff 142120ff a1b56cff 707c7cfd 231a2534 11110a30"),
        (HueSaturation(40, 0, False, (10, 20, 200), 80), "44130dff 2a0a0bff e8582eff c51f2bfd 2f0e1434 1a050230"),
        (HueSaturation(0, 3, True, (200, 20, 100), 50), "cebbe5ff e0d5efff 643a98ff 885bbffd 120a1b34 20192730"),
        (HueSaturation(0, 1, False, (128, 128, 128), 50), "2a2a2aff 1b1b1bff 919191ff 797979fd 20202034 0e0e0e30"),
    ],
)  # fmt: skip
def test_filters_change_colors_as_qgis_does(change: ColorFilter, expected: str) -> None:
    picture = np.array([BASE], dtype=np.uint8)
    assert [bytes(pixel).hex() for pixel in change.apply(picture)[0]] == expected.split()
    assert change.apply(np.zeros((2, 3, 4), np.uint8)).max() == 0


def test_only_filters_that_change_something_are_read() -> None:
    pipe = etree.fromstring(
        '<pipe><brightnesscontrast brightness="0" contrast="0" gamma="1"/>'
        '<huesaturation saturation="0" grayscaleMode="0" colorizeOn="0" colorizeStrength="70"/></pipe>'
    )
    assert read_filters(pipe) == read_filters(etree.fromstring("<pipe/>")) == ()


def test_filters_are_read_in_their_order_and_absurd_numbers_do_no_harm() -> None:
    pipe = etree.fromstring(
        '<pipe><huesaturation saturation="20" grayscaleMode="9" colorizeOn="1" colorizeRed="10" colorizeGreen="20" '
        'colorizeBlue="200" colorizeStrength="900"/>'
        '<brightnesscontrast brightness="1e9" contrast="nan" gamma="0"/></pipe>'
    )
    found = read_filters(pipe)
    assert [type(one) for one in found] == [BrightnessContrast, HueSaturation]
    assert found[1] == HueSaturation(20, 9, False, (10, 20, 200), 100)
    picture = np.array([BASE], dtype=np.uint8)
    for one in found:
        picture = one.apply(picture)
    assert picture.shape == (1, 6, 4)
