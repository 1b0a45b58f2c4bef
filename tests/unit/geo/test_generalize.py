"""Simplification of crowded views, against GEOS's Douglas and Peucker."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qgserver.geo.generalize import PIECE, generalize
from qgserver.geo.wkb import decode, to_shapely

TOLERANCE = 0.7


def _walk(seed: int, count: int) -> shapely.LineString:
    return shapely.LineString(np.random.default_rng(seed).normal(size=(count, 2)).cumsum(axis=0))


def _reduced(*shapes: shapely.Geometry) -> list[shapely.Geometry]:
    return list(to_shapely(generalize(decode([shapely.to_wkb(shape) for shape in shapes]), TOLERANCE)))


def test_lines_keep_the_vertices_that_geos_keeps() -> None:
    lines = [_walk(seed, 5 + 11 * seed) for seed in range(20)]
    assert _reduced(*lines) == [line.simplify(TOLERANCE, preserve_topology=False) for line in lines]


def test_a_long_line_stays_within_the_tolerance() -> None:
    line = _walk(1, 20 * PIECE)
    (reduced,) = _reduced(line)
    assert shapely.get_num_coordinates(reduced) < shapely.get_num_coordinates(line) / 1.5
    lost = shapely.distance(reduced, shapely.points(shapely.get_coordinates(line)))
    assert lost.max() <= TOLERANCE * (1 + 2**0.5)  # so far the vertices in one cell lie apart, too


@pytest.mark.parametrize("segments", [PIECE - 1, PIECE, PIECE + 1, PIECE + 2, 2 * PIECE + 1])
def test_lines_of_whole_pieces_and_a_rest_keep_their_ends(segments: int) -> None:
    lines = [_walk(seed, segments + 1) for seed in range(2)]
    for line, reduced in zip(lines, _reduced(*lines), strict=True):
        ends = shapely.get_point(reduced, [0, -1])
        assert shapely.equals(ends, shapely.get_point(line, [0, -1])).all()
        assert shapely.hausdorff_distance(line, reduced) <= TOLERANCE * (1 + 2**0.5)


@pytest.mark.parametrize("size", [0.1, 30.0])
def test_a_ring_keeps_four_corners(size: float) -> None:
    circle = shapely.Point(3, 4).buffer(size)
    (reduced,) = _reduced(circle)
    assert shapely.is_valid(reduced)
    assert shapely.area(reduced) > 0.6 * circle.area
    assert shapely.get_num_coordinates(reduced) >= 5
    assert shapely.hausdorff_distance(reduced, circle) <= TOLERANCE


def test_collapsed_and_short_sequences_stay() -> None:
    flat = shapely.Polygon([(0, 0), (9, 0), (0, 0), (9, 0), (0, 0), (9, 0), (0, 0)])
    shapes = [flat, shapely.LineString([(0, 0), (0.1, 0)]), shapely.LineString([(1, 1)] * 5), shapely.Point(1, 2)]
    reduced = _reduced(*shapes)
    assert shapely.get_type_id(reduced).tolist() == shapely.get_type_id(shapes).tolist()
    assert shapely.bounds(reduced).tolist() == shapely.bounds(shapes).tolist()
