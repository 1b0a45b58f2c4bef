"""Pixel filters against what QGIS 3.22 makes of the same pictures."""

from __future__ import annotations

import numpy as np
import pytest

from qgserver.draw import filters, toning
from qgserver.draw.filters import Light, Pixels

STACK_BLUR = {
    1: "0 0 0 0 0 3 28 224 249 251 251 251 251 251 248 223 26 2 0 0 0 0 0 0",
    9: "16 19 24 29 36 44 55 67 77 84 88 89 88 84 78 69 57 47 39 33 29 26 23 23",
    20: "12 13 14 15 16 17 18 19 20 21 21 22 22 22 22 21 21 20 20 19 19 19 19 19",
}
GAUSSIAN_BLUR = {
    3: "0 0 0 0 1 14 76 178 240 253 255 255 255 253 240 178 76 14 1 0 0 0 0 0",
    8: "1 4 9 20 37 62 93 126 156 180 195 200 195 180 156 126 93 62 37 20 9 4 1 0",
}
COLORS = np.array([(121, 66, 189), (242, 33, 6), (240, 132, 119)], dtype=np.float32)
VIOLET = toning.hue_and_saturation((183 / 255, 67 / 255, 243 / 255, 1.0))
TONED = {
    "brighter": (toning.brightened(COLORS, 20, 1.3), [(139, 67, 227), (255, 24, 0), (255, 153, 136)]),
    "lightness": (toning.grayed(COLORS, toning.LIGHTNESS), [(127,) * 3, (124,) * 3, (179,) * 3]),
    "luminosity": (toning.grayed(COLORS, toning.LUMINOSITY), [(86,) * 3, (75,) * 3, (153,) * 3]),
    "average": (toning.grayed(COLORS, toning.AVERAGE), [(125,) * 3, (93,) * 3, (163,) * 3]),
    "dull": (toning.saturated(COLORS, 0.5, None, 1.0), [(124, 98, 158), (183, 77, 65), (209, 155, 149)]),
    "bright": (toning.saturated(COLORS, 1.7, None, 1.0), [(114, 20, 236), (248, 25, 0), (254, 119, 104)]),
    "violet": (toning.saturated(COLORS, 1.0, VIOLET, 1.0), [(156, 36, 220), (151, 34, 214), (196, 124, 234)]),
    "half violet": (toning.saturated(COLORS, 1.0, VIOLET, 0.4), [(135, 54, 201), (205, 33, 89), (222, 128, 165)]),
}
"""Our colours, and those that QGIS's image operations give."""


@pytest.fixture
def block() -> Pixels:
    """A rectangle of one colour on nothing."""
    pixels = np.zeros((1, 20, 24, 4), dtype=np.uint8)
    pixels[0, 6:14, 7:16] = (0x80, 0x40, 0x20, 255)
    return pixels


@pytest.mark.parametrize(("level", "expected"), STACK_BLUR.items())
def test_stack_blur(block: Pixels, level: int, expected: str) -> None:
    row = filters.smeared(block, level)[0, 10, :, 3].astype(int)
    assert np.abs(row - np.fromstring(expected, int, sep=" ")).max() <= 1


@pytest.mark.parametrize(("radius", "expected"), GAUSSIAN_BLUR.items())
def test_gaussian_blur(block: Pixels, radius: int, expected: str) -> None:
    row = filters.gaussian(block, radius)[0, 10, :, 3].astype(int)
    assert np.abs(row - np.fromstring(expected, int, sep=" ")).max() <= 1


def test_a_stack_is_filtered_picture_by_picture(block: Pixels) -> None:
    stack = np.concatenate([block, block[:, ::-1], np.zeros_like(block)])
    for filtered in (filters.smeared, filters.gaussian):
        whole = filtered(stack, 5)
        assert all((whole[i] == filtered(stack[i : i + 1], 5)[0]).all() for i in range(3))
        assert not whole[2].any()


@pytest.mark.parametrize(("got", "expected"), TONED.values(), ids=TONED.keys())
def test_colours(got: Light, expected: list[tuple[int, int, int]]) -> None:
    assert np.abs(got - np.array(expected)).max() <= 5  # QGIS goes through whole degrees of hue


def test_distances_take_account_of_partly_covered_pixels() -> None:
    alpha = np.zeros((1, 1, 6), dtype=np.uint8)
    alpha[0, 0, :2] = (255, 51)
    found = filters.distances_outside(alpha, 3.0)[0, 0]
    assert found[:4] == pytest.approx([0, 0.894, 1.342, 2.191], abs=1e-3)
    assert np.isinf(found[4:]).all()
    alpha[0, 0] = 255
    alpha[0, 0, 0] = 200
    assert filters.distances_inside(alpha, 9.0)[0, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_long_ways_are_about_right() -> None:
    alpha = np.zeros((1, 400, 40), dtype=np.uint8)
    alpha[:, :30] = 255
    found = filters.distances_outside(alpha, 300.0)[0, :, 20]
    assert np.abs(found[30:320] - np.arange(1, 291)).max() < 3
    assert np.isinf(found[340:]).all()


def test_nothing_comes_from_beyond_the_edge() -> None:
    pixels = np.full((1, 3, 3, 1), 9, dtype=np.uint8)
    assert filters.moved(pixels, 1, -2)[0, :, :, 0].tolist() == [[0, 9, 9], [0, 0, 0], [0, 0, 0]]
    assert not filters.moved(pixels, 10**9, 0).any()
