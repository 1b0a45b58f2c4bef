"""Composition, scaling, stamping."""

from __future__ import annotations

import cairo
import numpy as np
import pytest

from qgserver.draw.blend import effect_operator, layer_operator
from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.paths import single_path
from qgserver.draw.sprites import stamp, stamp_sequence

BELOW: Color = (100 / 255, 150 / 255, 200 / 255, 1.0)
ABOVE: Color = (200 / 255, 100 / 255, 50 / 255, 1.0)

# (number in a project, in an effect, result): pixels of QGIS for ABOVE over BELOW
BLENDS = [
    (0, 0, (200, 100, 50)),
    (1, 17, (200, 150, 200)),
    (2, 14, (222, 192, 211)),
    (3, 18, (255, 247, 249)),
    (4, 12, (255, 250, 250)),
    (5, 16, (100, 100, 50)),
    (6, 13, (78, 59, 39)),
    (7, 19, (57, 0, 0)),
    (8, 15, (157, 127, 167)),
    (9, 21, (133, 136, 173)),
    (10, 20, (188, 118, 78)),
    (11, 22, (100, 50, 150)),
    (12, 23, (144, 133, 172)),
]


def _canvas(color: Color) -> Canvas:
    canvas = Canvas(4, 4)
    canvas.fill_background(color)
    return canvas


def _rgba(canvas: Canvas) -> list[int]:
    blue, green, red, alpha = canvas.pixels()[1, 1].tolist()
    return [red, green, blue, alpha]


@pytest.mark.parametrize(("project", "effect", "expected"), BLENDS)
def test_blend_modes(project: int, effect: int, expected: tuple[int, int, int]) -> None:
    canvas = _canvas(BELOW)
    canvas.compose(_canvas(ABOVE), 1.0, layer_operator(project))
    assert np.abs(np.array(_rgba(canvas)) - (*expected, 255)).max() <= 1
    assert effect_operator(effect) == layer_operator(project)


# over a transparent map with opacity 0.5 and alpha 180: pixels of QGIS (premultiplied)
CLIPPING = [
    (13, (120, 111, 118, 218)),
    (17, (120, 110, 117, 218)),
    (18, (85, 128, 171, 218)),
    (19, (50, 75, 100, 128)),
    (20, (65, 97, 129, 165)),
    (21, (135, 132, 146, 255)),
    (22, (85, 128, 171, 218)),
    (23, (65, 97, 129, 165)),
]


@pytest.mark.parametrize(("mode", "expected"), CLIPPING)
def test_clipping_modes_with_opacity(mode: int, expected: tuple[int, ...]) -> None:
    canvas = _canvas(BELOW)
    canvas.compose(_canvas((*ABOVE[:3], 180 / 255)), 0.5, layer_operator(mode))
    assert np.abs(np.array(_rgba(canvas)) - expected).max() <= 1


@pytest.mark.parametrize("number", [-1, 24, 99])
def test_unknown_modes_are_normal(number: int) -> None:
    assert layer_operator(number) == effect_operator(number) == cairo.Operator.OVER


def test_layer_opacity_is_of_the_group() -> None:
    canvas, layer = _canvas((1, 1, 1, 1)), Canvas(4, 4)
    whole = single_path(np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]]), True)
    fill(layer, whole, Brush((1, 0, 0, 1)))
    fill(layer, whole, Brush((0, 0, 1, 1)))  # hides the red below it, also when both fade
    canvas.compose(layer, 0.5)
    assert np.abs(np.array(_rgba(canvas)) - (127, 127, 255, 255)).max() <= 1


def test_feature_blend_mode() -> None:
    canvas = _canvas(BELOW)
    canvas.operator = layer_operator(6)
    fill(canvas, single_path(np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]]), True), Brush(ABOVE))
    assert np.abs(np.array(_rgba(canvas)) - (78, 59, 39, 255)).max() <= 1


# QImage.scaled(SmoothTransformation) of a 5 x 4 picture: red = 50 x, green = 80 y, blue = 17 x y; red of the first row,
# green of the first column, blue of the last row
SCALED = [
    (8, 3, [0, 21, 53, 84, 115, 146, 178, 200], [20, 120, 220], [0, 20, 49, 78, 108, 137, 166, 187]),
    (3, 7, [19, 99, 179], [0, 28, 74, 119, 165, 211, 240], [20, 101, 183]),
    (7, 6, [0, 28, 64, 99, 135, 171, 200], [0, 39, 93, 146, 199, 240], [0, 29, 65, 101, 138, 174, 204]),
    (2, 2, [39, 159], [40, 200], [33, 135]),
    (5, 4, [0, 50, 100, 150, 200], [0, 80, 160, 240], [0, 51, 102, 153, 204]),
]


@pytest.mark.parametrize(("width", "height", "red", "green", "blue"), SCALED)
def test_scaling_is_qts(width: int, height: int, red: list[int], green: list[int], blue: list[int]) -> None:
    y, x = np.indices((4, 5))
    canvas = Canvas(5, 4)
    canvas.pixels()[:] = np.stack([17 * x * y, 80 * y, 50 * x, np.full((4, 5), 255)], axis=2)
    pixels = canvas.scaled(width, height).pixels().astype(int)
    assert np.abs(pixels[0, :, 2] - red).max() <= 1
    assert np.abs(pixels[:, 0, 1] - green).max() <= 1
    assert np.abs(pixels[-1, :, 0] - blue).max() <= 1
    assert (pixels[..., 3] == 255).all()


def test_antialiasing_may_change_on_the_way() -> None:
    slanted = single_path(np.array([[0.0, 0], [40, 0], [0, 37]]), True)
    greys = []
    for mode in ("exact", "fast", "none"):
        canvas = Canvas(40, 40)
        canvas.antialias = mode  # type: ignore[assignment]
        fill(canvas, slanted, Brush((0, 0, 0, 1)))
        greys.append(len(np.unique(canvas.pixels()[..., 3])))
    assert greys[0] > greys[1] > greys[2] == 2


def test_stamps_lie_in_order_and_beside_the_picture_is_nothing() -> None:
    canvas = Canvas(10, 10)
    red, blue = _canvas((1, 0, 0, 1)).surface, _canvas((0, 0, 1, 1)).surface
    which = np.array([0, 1, 0, 0, 1])
    xs = np.array([0, 2, 7, -4, 2_000_000_000], np.int32)
    ys = np.array([0, 2, -3, 3, -2_000_000_000], np.int32)
    stamp_sequence(canvas, {0: red, 1: blue}, which, xs, ys)
    pixels = canvas.pixels()
    assert pixels[1, 1].tolist() == [0, 0, 255, 255]
    assert pixels[3, 3].tolist() == [255, 0, 0, 255]
    assert pixels[0, 9].tolist() == [0, 0, 255, 255]
    assert int((pixels[..., 3] > 0).sum()) == 16 + 16 - 4 + 3
    stamp(canvas, red, np.array([3], np.int32), np.array([3], np.int32))
    assert canvas.pixels()[3, 3].tolist() == [0, 0, 255, 255]
    stamp(canvas, red, np.array([], np.int32), np.array([], np.int32))
