"""Clipping; expected vertices are those of QGIS 3.22's clipper."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qgserver.geo.clip import clip_to_rect
from qgserver.geo.extent import Extent
from qgserver.geo.wkb import decode, to_shapely

RECT = Extent(-5, -4, 6, 5)


def clipped(*wkt: str) -> list[str]:
    geometry = decode([shapely.to_wkb(shapely.from_wkt(text)) for text in wkt])
    return [shapely.to_wkt(shape, rounding_precision=3) for shape in to_shapely(clip_to_rect(geometry, RECT))]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # from edge to opposite edge: clockwise around the rectangle
        ("0 1,-20 1,-20 40,40 40,40 4,0 4", "0 1, -5 1, -5 5, 6 5, 6 4, 0 4"),
        ("0 1,20 1,20 40,-40 40,-40 4,0 4", "0 1, 6 1, 6 -4, -5 -4, -5 4, 0 4"),
        ("1 0,1 -20,40 -20,40 40,4 40,4 0", "1 0, 1 -4, -5 -4, -5 5, 4 5, 4 0"),
        ("1 0,1 20,40 20,40 -40,4 -40,4 0", "1 0, 1 5, 6 5, 6 -4, 4 -4, 4 0"),
        # neighbouring edges: over the corner; the same edge: straight
        ("0 0,-20 0,-20 20,0 20,0 0", "0 0, -5 0, -5 5, 0 5, 0 0"),
        ("0 0,-20 0,-20 3,0 3", "0 0, -5 0, -5 3, 0 3"),
        # beginning and ending outside
        ("-20 1,20 1", "-5 1, 6 1"),
    ],
)
def test_lines_go_along_the_edge(line: str, expected: str) -> None:
    assert clipped(f"LINESTRING({line})") == [f"LINESTRING ({expected})"]


def test_rings_stay_rings() -> None:
    assert clipped("POLYGON((0 0,20 0,20 2,0 2,0 0))") == ["POLYGON ((0 0, 6 0, 6 2, 0 2, 0 0))"]
    assert clipped("POLYGON((-99 -99,99 -99,99 99,-99 99,-99 -99),(0 0,1 0,1 1,0 0))") == [
        "POLYGON ((-5 -4, 6 -4, 6 5, -5 5, -5 -4), (0 0, 1 0, 1 1, 0 0))"
    ]


def test_what_is_inside_is_the_same_object_and_points_are_not_cut() -> None:
    geometry = decode([shapely.to_wkb(shapely.from_wkt(text)) for text in ("POINT(99 99)", "LINESTRING(0 0,1 1)")])
    assert clip_to_rect(geometry, RECT) is geometry


def test_what_is_outside_leaves_an_empty_feature() -> None:
    outside = ("LINESTRING(10 10,20 20)", "POLYGON((10 0,20 0,20 9,10 0))", "LINESTRING(10 0,0 20)")
    assert [text.split(" ", 1)[1] for text in clipped(*outside, "POINT(1 1)")] == ["EMPTY", "EMPTY", "EMPTY", "(1 1)"]


def test_many_random_shapes_have_the_area_inside() -> None:
    random = np.random.default_rng(11)
    shapes = []
    for _ in range(200):
        angle, radius = np.sort(random.uniform(0, 2 * np.pi, 12)), random.uniform(1, 9, (12, 1))
        corner = np.column_stack((np.cos(angle), np.sin(angle))) * radius + random.uniform(-8, 8, 2)
        shapes.append(shapely.Polygon(corner))
    window = shapely.box(*RECT.as_tuple())
    made = to_shapely(clip_to_rect(decode([shapely.to_wkb(shape) for shape in shapes]), RECT))
    expected = [shape.buffer(0).intersection(window).area for shape in shapes if shape.is_valid]
    got = [made[i].area for i, shape in enumerate(shapes) if shape.is_valid]
    np.testing.assert_allclose(got, expected, atol=1e-9)
