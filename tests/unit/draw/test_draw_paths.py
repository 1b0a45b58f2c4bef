"""Paths on their way into cairo, and curves."""

from __future__ import annotations

import cairo
import numpy as np
import pytest

from qgserver.draw import paths as module
from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import FILL_TOLERANCE, THIN_TOLERANCE, Paths, append_paths, arc, circle
from qgserver.draw.pen import Pen, stroke


def _context() -> cairo.Context[cairo.ImageSurface]:
    return cairo.Context(cairo.ImageSurface(cairo.Format.A8, 100, 100))


def _paths(closed: bool) -> Paths:
    coords = np.array([[1.0, 2], [3, 4], [5, 6.5], [10, 10], [20, 20]])
    return Paths(coords, np.array([0, 0, 3, 3, 5, 5]), closed)  # with empty ones first, between and last


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("native", [True, False])
def test_append_is_what_line_to_draws(closed: bool, native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert module._native() is not None  # the fast way works with the pycairo we install
    if not native:
        monkeypatch.setattr(module, "_native", lambda: None)
    expected, got = _context(), _context()
    paths = _paths(closed)
    for start, stop in zip(paths.starts[:-1], paths.starts[1:], strict=True):
        for number, (x, y) in enumerate(paths.coords[start:stop]):
            (expected.line_to if number else expected.move_to)(x, y)
        if closed and stop > start:
            expected.close_path()
    append_paths(got, paths)
    assert str(got.copy_path()) == str(expected.copy_path())


def test_take_and_translate() -> None:
    taken = _paths(False).take(np.array([3, 0, 1])).translate(1, -1)
    assert taken.starts.tolist() == [0, 2, 2, 5]
    assert taken.coords.tolist() == [[11, 9], [21, 19], [2, 1], [4, 3], [6, 5.5]]


def test_circles_are_as_coarse_as_in_qgis() -> None:
    """Quarters of circle markers, as QGIS 3.22 draws them: 5 px filled; 9 px filled and outlined 1 px wide."""
    canvas = Canvas(6, 6)
    fill(canvas, circle(3, 3, 2.5, 2.5, FILL_TOLERANCE), Brush((1, 0, 0, 1)))
    alpha = [[0, 15, 102], [15, 221, 255], [102, 255, 255]]
    assert np.abs(canvas.pixels()[:3, :3, 3].astype(int) - alpha).max() <= 1

    outlined = Canvas(12, 12)
    outlined.fill_background((1, 1, 1, 1))
    fill(outlined, circle(6, 6, 4.5, 4.5, FILL_TOLERANCE), Brush((1, 0, 0, 1)))
    stroke(outlined, circle(6, 6, 4.5, 4.5, THIN_TOLERANCE), Pen((0, 0, 0, 1), 1))
    red = [
        [255, 216, 94, 24, 25],
        [213, 35, 192, 231, 230],
        [36, 255, 255, 255, 255],
    ]
    got = outlined.pixels()[..., 2].astype(int)
    assert np.abs([got[1, 2:7], got[2, 2:7], got[3, 2:7]] - np.array(red)).max() <= 2


def test_arc_runs_counter_clockwise_from_the_right() -> None:
    points = arc((0, 0, 20, 10), 90, 180)
    assert points[0] == pytest.approx([10, 0])
    assert points[-1] == pytest.approx([10, 10])
    assert points[:, 0].min() == pytest.approx(0)
    ellipse = ((points - (10, 5)) / (10, 5)) ** 2
    assert np.allclose(ellipse.sum(axis=1), 1, atol=2e-3)
