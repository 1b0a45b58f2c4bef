"""Fills, patterns, and many polygons at once."""

from __future__ import annotations

from itertools import pairwise

import cairo
import numpy as np
import pytest

from qgserver.draw.areas import draw_areas, stroke_each
from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Antialias, Canvas
from qgserver.draw.paths import Paths, single_path
from qgserver.draw.pen import Pen, stroke

RED = (1.0, 0.0, 0.0, 1.0)


def _square(x: float, y: float, size: float) -> list[tuple[float, float]]:
    return [(x, y), (x + size, y), (x + size, y + size), (x, y + size)]


def _rings(*rings: list[tuple[float, float]]) -> Paths:
    coords = np.array([point for ring in rings for point in ring], float)
    return Paths(coords, np.cumsum([0, *(len(ring) for ring in rings)]), True)


def test_edges_are_covered_by_area_and_holes_are_holes() -> None:
    canvas = Canvas(32, 32)
    fill(canvas, _rings(_square(10.5, 5, 15), _square(14, 10, 4)), Brush(RED))
    alpha = canvas.pixels()[..., 3].astype(int)
    assert abs(alpha[8, 10] - 127) <= 1
    assert alpha[8, 11] == 255
    assert alpha[10:14, 14:18].max() == 0


PATTERNS = {
    "horizontal": "000000ff00000000",
    "vertical": "0808080808080808",
    "cross": "080808ff08080808",
    "b_diagonal": "0102040810204080",
    "f_diagonal": "8040201008040201",
    "diagonal_x": "8142241818244281",
    "dense1": "ffddffffffddffff",
    "dense2": "eeffbbffeeffbbff",
    "dense3": "aaddaa77aaddaa77",
    "dense4": "55aa55aa55aa55aa",
    "dense5": "5522558855225588",
    "dense6": "1100440011004400",
    "dense7": "0022000000220000",
}


@pytest.mark.parametrize(("style", "bits"), PATTERNS.items())
def test_patterns_bit_for_bit(style: str, bits: str) -> None:
    canvas = Canvas(40, 40)
    fill(canvas, _rings(_square(3, 5, 33)), Brush((1.0, 0.0, 0.0, 200 / 255), style))
    tile = canvas.pixels()[16:24, 8:16]
    assert np.packbits(tile[..., 3] > 0, axis=1).tobytes().hex() == bits
    assert set(tile[tile[..., 3] > 0].ravel().tolist()) == {0, 200}


@pytest.mark.parametrize("far", [1e7, 1e12, 1e300])
def test_far_coordinates_fill_what_they_should(far: float) -> None:
    canvas = Canvas(20, 20)
    left_half = [(-far, -far), (10.0, -far), (10.0, far), (-far, far)]
    fill(canvas, _rings(left_half, [(float("nan"), 1.0), (2.0, 2.0), (float("inf"), 3.0)]), Brush(RED))
    alpha = canvas.pixels()[..., 3]
    assert (alpha[:, :10] == 255).all()
    assert not alpha[:, 10:].any()


def test_nothing_to_fill() -> None:
    canvas = Canvas(10, 10)
    for paths in (Paths(np.empty((0, 2)), np.array([0]), True), Paths(np.empty((0, 2)), np.array([0, 0]), True)):
        fill(canvas, paths, Brush(RED))
    fill(canvas, single_path(np.array([[1.0, 1.0]]), True), Brush(RED))
    fill(canvas, _rings(_square(1, 1, 5)), Brush(RED, "no"))
    assert not canvas.pixels().any()


PENS = [
    None,
    Pen((0, 0, 0, 1), 0.93),
    Pen((0, 0, 1, 0.5), 1, (3, 2)),
    Pen((0, 0, 0, 0.5), 2.5),
    Pen((0, 0, 0, 1), 3, join="miter"),
]


@pytest.mark.parametrize("pen", PENS)
@pytest.mark.parametrize("antialias", ["exact", "fast"])
@pytest.mark.parametrize("far", [0.0, 1e8])
def test_many_areas_are_each_filled_then_outlined(pen: Pen | None, antialias: Antialias, far: float) -> None:
    rng = np.random.default_rng(1)
    triangles = [rng.uniform(-10, 70, (3, 2)).tolist() for _ in range(9)]
    triangles[4][0][0] += far
    rings = _rings(*triangles[:5], [], *triangles[5:])
    features = np.array([0, 1, 3, 3, 6, 10])
    brush = Brush((1.0, 0.5, 0.0, 0.7))
    expected, got = Canvas(60, 60, antialias), Canvas(60, 60, antialias)
    for begin, end in pairwise(features.tolist()):
        area = rings.take(np.arange(begin, end))
        fill(expected, area, brush)
        if pen:
            stroke(expected, area, pen)
    draw_areas(got, rings, features, brush, pen)
    assert (expected.pixels() == got.pixels()).all()


def test_masks_of_thin_outlines_come_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    rings = _rings(*(_square(3.3 + 7 * i, 5.2, 9) for i in range(6)))
    pictures = []
    for pixels in (1, 250, 1 << 22):
        monkeypatch.setattr("qgserver.draw.areas._CHUNK_PIXELS", pixels)
        canvas = Canvas(60, 20)
        draw_areas(canvas, rings, np.arange(7), Brush(RED), Pen((0, 0, 0, 1), 1))
        pictures.append(canvas.pixels().copy())
    assert (pictures[0] == pictures[2]).all()
    assert (pictures[1] == pictures[2]).all()


@pytest.mark.parametrize("pen", [Pen((0, 0, 0, 0.5), 6, cap="square"), Pen((0, 0, 0, 0.5), 1), Pen((0, 0, 0, 1), 6)])
@pytest.mark.parametrize("operator", [cairo.Operator.OVER, cairo.Operator.MULTIPLY])
def test_crossing_lines_show_twice(pen: Pen, operator: cairo.Operator) -> None:
    coords = np.array([[5.0, 5.0], [50, 50], [50, 5], [5, 50], [27, 27], [27, 27]])
    lines = Paths(coords, np.array([0, 2, 4, 6]), False)
    expected, got = Canvas(60, 60), Canvas(60, 60)
    for canvas in (expected, got):
        canvas.fill_background((0.8, 0.9, 1.0, 1.0))
        canvas.operator = operator
    for number in range(3):
        stroke(expected, lines.take(np.array([number])), pen)
    stroke_each(got, lines, np.arange(4), pen)
    assert np.abs(expected.pixels().astype(int) - got.pixels()).max() <= 8
