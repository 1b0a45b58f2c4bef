"""Simplification while drawing. Expected shapes are what QGIS 3.22's own simplifier makes of the same WKT."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from qgserver.geo.geometry import GeometryArray
from qgserver.geo.simplify import drop_near, simplify
from qgserver.geo.wkb import decode, to_shapely

ZIGZAG = "LINESTRING(" + ",".join(f"{i * 0.25} {i % 2 * 0.25}" for i in range(41)) + ")"
CIRCLE = (
    "POLYGON(("
    + ",".join(f"{5 * math.cos(i * math.pi / 30):.6f} {5 * math.sin(i * math.pi / 30):.6f}" for i in range(60))
    + ",5 0))"
)
TINY = (
    "POLYGON(("
    + ",".join(f"{0.4 * math.cos(i * math.pi / 5):.6f} {0.3 * math.sin(i * math.pi / 5):.6f}" for i in range(10))
    + ",.4 0))"
)
SLIVER = "POLYGON((0 0,.1 .1,.2 0,20 0,.3 .1,.2 .2,.1 .2,.05 .1,0 0))"
MULTI = "MULTIPOLYGON(((0 0,.2 0,.2 .2,0 .2,0 .1,0 0)),((10 0,14 0,14 4,13.9 4,13.8 4,13.7 4,10 4,10 0)))"
HOLE = "POLYGON((0 0,10 0,10 10,9.9 10,9.8 10,0 10,0 0),(5 5,5.2 5,5.2 5.2,5 5.2,5 5))"
FEW = "POLYGON((0 0,.1 0,.1 .1,0 .1,0 .05,0 0))"


def read(*wkt: str) -> GeometryArray:
    return decode([shapely.to_wkb(shapely.from_wkt(text)) for text in wkt])


def shapes(geometry: GeometryArray) -> list[str]:
    return [shapely.to_wkt(shape, rounding_precision=3) for shape in to_shapely(geometry)]


@pytest.mark.parametrize(
    ("wkt", "expected"),
    [
        (
            ZIGZAG,
            "LINESTRING (0 0, 0.25 0.25, 1.5 0, 2.75 0.25, 4 0, 5.25 0.25, 6.5 0, 7.75 0.25, 9 0, 9.75 0.25, 10 0)",
        ),
        (TINY, "POLYGON ((-0.4 -0.285, 0.4 -0.285, 0.4 0.285, -0.4 0.285, -0.4 -0.285))"),
        (SLIVER, shapely.to_wkt(shapely.from_wkt(SLIVER), rounding_precision=3)),  # collapses, but is long: untouched
        ("LINESTRING(0 0,.1 0,.2 0,.3 .1)", "LINESTRING (0 0, 0.3 0.1)"),
        (MULTI, "MULTIPOLYGON (((0 0, 0.2 0, 0.2 0.2, 0 0.2, 0 0)), ((10 0, 14 0, 14 4, 10 4, 10 0)))"),
        (HOLE, "POLYGON ((0 0, 10 0, 10 10, 0 10, 0 0), (5 5, 5.2 5, 5.2 5.2, 5 5.2, 5 5))"),
        (FEW, "POLYGON ((0 0, 0.1 0, 0.1 0.1, 0 0.1, 0 0.05, 0 0))"),
        ("POINT (1 2)", "POINT (1 2)"),
    ],
)
def test_by_distance(wkt: str, expected: str) -> None:
    assert shapes(simplify(read(wkt), 1.0)) == [expected]


def test_circle_keeps_every_vertex_a_pixel_from_the_last() -> None:
    kept = simplify(read(CIRCLE), 1.0).coords
    assert len(kept) == 31
    np.testing.assert_allclose(kept[:4], [(5, 0), (4.891, 1.04), (4.568, 2.034), (4.045, 2.939)], atol=1e-3)


@pytest.mark.parametrize(("algorithm", "vertices"), [(1, 16), (2, 3), (3, 11)])
def test_other_algorithms(algorithm: int, vertices: int) -> None:
    assert len(simplify(read(ZIGZAG), 1.0, algorithm).coords) == vertices


def test_all_features_of_a_batch_at_once() -> None:
    many = [ZIGZAG, CIRCLE, FEW, MULTI, SLIVER, TINY, HOLE] * 20  # more sequences than are followed one by one
    alone = [shapes(simplify(read(wkt), 1.0))[0] for wkt in many[:7]]
    assert shapes(simplify(read(*many), 1.0)) == alone * 20


def test_dense_lines_skip_far_ahead() -> None:
    x = np.arange(3334) * 0.003
    line = shapely.LineString(np.column_stack((x, np.zeros_like(x))))
    kept = simplify(decode([shapely.to_wkb(line)]), 1.0).coords[:, 0]
    np.testing.assert_allclose(kept, [0, *np.arange(0.003, 9.996, 1.002), 9.996, 9.999], atol=1e-9)


def test_no_tolerance_changes_nothing() -> None:
    geometry = read(ZIGZAG)
    assert simplify(geometry, 0.0) is geometry
    assert drop_near(geometry, 0.0) is geometry


def test_empty_features_stay_in_place() -> None:
    made = simplify(read("POLYGON EMPTY", CIRCLE, "LINESTRING EMPTY"), 1.0)
    assert np.diff(made.features).tolist() == [0, 1, 0]


def test_drop_near_keeps_ends_and_features() -> None:
    made = drop_near(read(ZIGZAG, TINY, CIRCLE), 1.0)
    assert np.diff(made.features).tolist() == [1, 1, 1]
    np.testing.assert_allclose(made.coords[[0, made.rings[1] - 1]], [(0, 0), (10, 0)])
    assert len(made.coords) < 90
    assert shapely.area(to_shapely(made)[2]) == pytest.approx(math.pi * 25, rel=0.02)
