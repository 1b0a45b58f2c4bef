"""Outlines of straight shapes against pixels of QGIS 3.22."""

from __future__ import annotations

import numpy as np
import pytest

from qgserver.draw.brush import Brush
from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import Paths
from qgserver.draw.pen import Cap, Join, Pen, stroke
from qgserver.draw.pieces import stroke_pieces
from qgserver.symbology.markers import draw_marker, outlines
from qgserver.symbology.marks import mark

BLACK = (0.0, 0.0, 0.0, 1.0)
STAR = """
255 255 255 255 245 245 255 255 255 255
255 255 255 255  67  67 255 255 255 255
255 255 255 224  67  67 225 255 255 255
255  67  67  67  67  67  67  67  67 255
252  67  67  63  20  20  63  67  67 253
255 252 137  67  18  18  67 138 253 255
255 255 169  67  67  67  67 169 255 255
255 255  67  67 110 109  67  67 255 255
255 255 196 155 254 254 155 197 255 255
"""
"""The green of a star of 2.17 mm, its pen 0.38 mm wide, at 90.7 dpi."""


def test_coverage_adds_up_in_the_corners_of_a_star() -> None:
    pixel = 90.714 / 25.4
    canvas = Canvas(14, 14)
    canvas.fill_background((1.0, 1.0, 1.0, 1.0))
    pen = Pen((99 / 255, 67 / 255, 38 / 255, 1.0), 0.38 * pixel)
    shape = outlines(mark("star"), (2.17 * pixel, 2.17 * pixel), 0, pen)
    draw_marker(canvas, shape, Brush((104 / 255, 7 / 255, 151 / 255, 1.0)), pen, (7, 7))
    expected = np.array([line.split() for line in STAR.split("\n")[1:-1]], int)
    assert np.abs(canvas.pixels()[2:11, 2:12, 1].astype(int) - expected).max() <= 3


@pytest.mark.parametrize(("cap", "join"), [("square", "bevel"), ("flat", "miter"), ("round", "round")])
@pytest.mark.parametrize("closed", [True, False])
def test_a_right_angle_is_no_other_shape(cap: Cap, join: Join, closed: bool) -> None:
    square = np.array([(4, 4), (16, 4), (16, 16), (4, 16)], float)
    canvases = Canvas(20, 20), Canvas(20, 20)
    for canvas, draw in zip(canvases, (stroke, stroke_pieces), strict=True):
        draw(canvas, Paths(square, np.array([0, 4]), closed), Pen(BLACK, 4.0, cap=cap, join=join))
    one, other = (canvas.pixels()[..., 3].astype(int) for canvas in canvases)
    assert np.abs(one - other).max() <= 10


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, 1e30])
def test_spoilt_shapes_draw_what_can_be_drawn(spoilt: float) -> None:
    canvas = Canvas(20, 20)
    coords = np.array([(4, 4), (spoilt, 4), (4, 4), (4, 4)], float)
    stroke_pieces(canvas, Paths(coords, np.array([0, 4]), True), Pen(BLACK, 3.0))
    stroke_pieces(canvas, Paths(np.empty((0, 2)), np.array([0]), True), Pen(BLACK, 3.0))
    stroke_pieces(canvas, Paths(coords[:1], np.array([0, 1]), False), Pen(BLACK, 3.0))
