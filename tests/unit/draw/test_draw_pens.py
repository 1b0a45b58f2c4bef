"""Lines against pixels of QGIS 3.22 (coverage 0..255, black on white inverted)."""

from __future__ import annotations

import numpy as np
import pytest

from qgserver.draw.canvas import Antialias, Canvas
from qgserver.draw.paths import Paths, single_path
from qgserver.draw.pen import Pen, pen_dashes, stroke

BLACK = (0.0, 0.0, 0.0, 1.0)
Line = list[tuple[float, float]]


def _draw(pen: Pen, *lines: Line, size: int = 48, antialias: Antialias = "exact") -> np.ndarray:
    canvas = Canvas(size, size, antialias)
    coords = np.array([point for line in lines for point in line], float)
    starts = np.cumsum([0, *(len(line) for line in lines)])
    stroke(canvas, Paths(coords, starts, False), pen)
    return canvas.pixels()[..., 3].astype(int)


def _close(got: np.ndarray, expected: list[list[int]] | list[int], levels: int = 1) -> None:
    assert np.abs(got - np.array(expected)).max() <= levels, got


@pytest.mark.parametrize("reverse", [False, True])
def test_thin_line_flat(reverse: bool) -> None:
    line: Line = [(5, 5), (25, 13)]
    alpha = _draw(Pen(BLACK, 1, cap="flat"), line[::-1] if reverse else line)
    _close(alpha[4:7, 5:12], [[76, 0, 0, 0, 0, 0, 0], [179, 230, 128, 25, 0, 0, 0], [0, 25, 127, 230, 179, 76, 0]])
    assert not alpha[:, 25].any()


def test_thin_line_with_caps_is_also_moved() -> None:
    alpha = _draw(Pen(BLACK, 1, cap="square"), [(5, 5), (25, 13)])
    _close(alpha[4:7, 4:11], [[63, 25, 0, 0, 0, 0, 0], [64, 230, 179, 76, 0, 0, 0], [0, 0, 76, 179, 230, 128, 25]])
    _close(alpha[11:14, 24:26], [[0, 0], [128, 12], [127, 115]])
    steep = _draw(Pen(BLACK, 1, cap="square"), [(5.25, 20.5), (8.75, 3.5)])
    _close(steep[3:5, 8:10], [[165, 90], [218, 37]])


@pytest.mark.parametrize(("width", "strength"), [(0, 255), (1, 255), (0.5, 127), (0.1, 25)])
def test_thin_pens_lose_strength_not_width(width: float, strength: int) -> None:
    alpha = _draw(Pen(BLACK, width, cap="flat"), [(5, 10.5), (20, 10.5)], [(5, 30), (20, 30)])
    _close(alpha[10, 4:21], [0] + [strength] * 15 + [0])
    _close(alpha[29:31, 10], [strength // 2, strength // 2])


def test_hits_of_thin_lines_blend() -> None:
    alpha = _draw(Pen((0, 0, 0, 0.5), 1, cap="flat"), [(5, 10.5), (20, 10.5)], [(5, 10.5), (20, 10.5)])
    _close(alpha[10, 10], [191])


DASHES = (7.5, 2.25, 1.5, 3.0)
THIN_DASHES = [
    (
        [(5, 5.5), (45, 5.5)],
        "flat",
        "  #######   #   ########  #   ########  ##   ",
    ),
    (
        [(5, 5.5), (45, 5.5)],
        "square",
        " -#######  ##   #######  ##   #######   #    ",
    ),
    (
        [(45, 5.5), (5, 5.5)],
        "flat",
        "  ##  #######   ##  ########   #  ########   ",
    ),
    (
        [(45, 5.5), (5, 5.5)],
        "square",
        "   #  ########   #   #######   ##  #######   ",
    ),
]


@pytest.mark.parametrize(("line", "cap", "expected"), THIN_DASHES)
def test_dashes_of_thin_lines_are_whole_pixels(line: Line, cap: str, expected: str) -> None:
    alpha = _draw(Pen(BLACK, 1, DASHES, cap=cap), line)  # type: ignore[arg-type]
    _close(alpha[5, 3:48], [{" ": 0, "-": 127, "#": 255}[sign] for sign in expected])


def test_dashes_go_on_at_vertices_and_count_steps() -> None:
    alpha = _draw(Pen(BLACK, 1, (5, 3), cap="flat"), [(5, 4), (25, 12), (45, 20)])
    shown = alpha.sum(axis=0)[5:45]
    assert (shown > 200).tolist() == ([True] * 5 + [False] * 3) * 5


@pytest.mark.parametrize(
    ("style", "width", "dashes"),
    [
        ("solid", 2, ()),
        ("dash", 2, (8, 4)),
        ("dot", 0.5, (1, 2)),
        ("dash dot", 1, (4, 2, 1, 2)),
        ("dash dot dot", 3, (12, 6, 3, 6, 3, 6)),
    ],
)
def test_pen_styles(style: str, width: float, dashes: tuple[float, ...]) -> None:
    assert pen_dashes(style, width) == dashes


def test_wide_pens_are_areas() -> None:
    alpha = _draw(Pen(BLACK, 3, cap="flat"), [(5, 10), (20, 10)])
    _close(alpha[7:13, 10], [0, 128, 255, 255, 128, 0], 17)  # cairo looks at 15 lines a pixel
    dashed = _draw(Pen(BLACK, 2, (6, 4), cap="square"), [(5, 10), (45, 10)])
    _close(dashed[10, 4:16], [255] * 8 + [0] * 2 + [255] * 2)


MITERS = [
    (15, 8, [255] * 11 + [253, 201, 132, 64, 7, 0]),
    (28, 8, [255] * 6 + [247, 137, 18] + [0] * 8),
    (29, 8, [255] * 6 + [235, 106, 5] + [0] * 8),
]


@pytest.mark.parametrize(("degrees", "width", "row"), MITERS)
@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_sharp_miters_are_cut_flat(degrees: float, width: float, row: list[int], alpha: float) -> None:
    turn = np.radians(degrees)
    back = (60 - 45 * np.cos(turn), 30 + 45 * np.sin(turn))
    pen = Pen((0, 0, 0, alpha), width, cap="flat", join="miter")
    drawn = _draw(pen, [(10, 30), (60, 30), back], size=100)
    _close(drawn[30, 60:77], [int(value * alpha) for value in row], 16)


@pytest.mark.parametrize("cap", ["flat", "square", "round"])
def test_lines_without_length(cap: str) -> None:
    assert not _draw(Pen(BLACK, 1, cap=cap), [(10.5, 10.5), (10.5, 10.5)]).any()  # type: ignore[arg-type]
    wide = _draw(Pen(BLACK, 10, cap=cap), [(10, 10), (10, 10)])  # type: ignore[arg-type]
    assert wide[5:15, 5:15].min() == (255 if cap == "square" else 0)
    assert wide.sum() == pytest.approx(255 * 100 if cap == "square" else 0, rel=0.01)


@pytest.mark.parametrize("antialias", ["fast", "none"])
def test_other_antialiasing_is_as_strong(antialias: Antialias) -> None:
    rays = [[(50.0, 50.0), (50 + 40 * np.cos(a), 50 + 40 * np.sin(a))] for a in np.arange(0, 6.28, 0.4)]
    pen = Pen(BLACK, 0.93)
    exact, other = (_draw(pen, *rays, size=100, antialias=mode).sum() for mode in ("exact", antialias))
    assert other == pytest.approx(exact, rel=0.2)


HOSTILE = [
    [(-1e12, 20.5), (1e12, 20.5)],
    [(-1e300, 20.5), (1e300, 20.5)],
    [(-1e7, 20.5), (float("nan"), 3.0), (1e7, 20.5)],
    [(float("inf"), 3.0), (-1e12, 20.5), (1e12, 20.5)],
]


@pytest.mark.parametrize("line", HOSTILE)
@pytest.mark.parametrize("width", [1, 2])
def test_far_coordinates(line: Line, width: float) -> None:
    alpha = _draw(Pen(BLACK, width), line)
    assert (alpha[20] == 255).all()
    assert alpha.sum() == 48 * 255 * width


def test_dashes_of_far_lines_go_on() -> None:
    near = _draw(Pen(BLACK, 4, (6, 3), cap="flat"), [(-90, 20), (60, 20)])
    far = _draw(Pen(BLACK, 4, (6, 3), cap="flat"), [(-9e6, 20), (9e6, 20)])
    assert (near == far).all()


@pytest.mark.parametrize(
    "pen",
    [
        Pen(BLACK, 1e9),
        Pen(BLACK, 2, (1e-9, 1e-9)),
        Pen(BLACK, 2, (0.2, 0.2)),
        Pen(BLACK, 2, (1e-12, 1e12)),
        Pen(BLACK, 1, (1e-9,), dash_offset=1e300),
        Pen(BLACK, 3, join="miter"),
    ],
)
def test_odd_pens_do_not_stall(pen: Pen) -> None:
    lines: list[Line] = [[(-1e9, i), (1e9, i), (-1e9, i + 1)] for i in range(20)]
    _draw(pen, *lines)


@pytest.mark.parametrize(
    "pen",
    [
        Pen((0, 0, 0, 0), 5),
        Pen(BLACK, float("nan")),
        Pen(BLACK, float("inf")),
        Pen(BLACK, 2, (0, 0)),
        Pen(BLACK, 2, (float("nan"), 1)),
    ],
)
def test_pens_that_leave_nothing(pen: Pen) -> None:
    assert not _draw(pen, [(5, 5), (40, 40)]).any()


@pytest.mark.parametrize("width", [1, 5])
def test_nothing_to_draw(width: float) -> None:
    canvas = Canvas(10, 10)
    for closed in (True, False):
        stroke(canvas, Paths(np.empty((0, 2)), np.array([0]), closed), Pen(BLACK, width))
        stroke(canvas, Paths(np.empty((0, 2)), np.array([0, 0, 0]), closed), Pen(BLACK, width))
        stroke(canvas, single_path(np.array([[np.nan, np.nan]] * 3), closed), Pen(BLACK, width, join="miter"))
    stroke(canvas, single_path(np.array([[5.0, 5.0]]), False), Pen(BLACK, width))
    assert not canvas.pixels().any()
