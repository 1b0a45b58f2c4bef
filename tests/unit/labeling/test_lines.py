"""Joining and cutting the lines of labels."""

from __future__ import annotations

import shapely

from qgserver.labeling.lines import MOST_PIECES, joined, pieces


def test_lines_that_meet_become_one() -> None:
    lines = [shapely.LineString([(0, 0), (1, 0)]), shapely.LineString([(9, 9), (8, 8)])]
    lines += [shapely.LineString([(2, 0), (1, 0)]), shapely.LineString([(2, 0), (3, 1)])]
    found = joined(lines)
    assert [number for number, _ in found] == [1, 3]
    assert found[1][1].equals(shapely.LineString([(0, 0), (1, 0), (2, 0), (3, 1)]))


def test_lines_that_cross_or_fork_do_not() -> None:
    crossing = [shapely.LineString([(0, 0), (2, 2)]), shapely.LineString([(0, 2), (2, 0)])]
    assert len(joined(crossing)) == 2
    ends = [(1, 1), (2, 1), (0, 2)]
    forks = joined([shapely.LineString([(0, 0), end]) for end in ends])
    assert len(forks) == 2


def test_a_line_is_cut_into_equal_pieces() -> None:
    # QGIS labels a line of 90 pixels twice at a distance of 37.8
    line = shapely.LineString([(0, 0), (30, 0), (90, 0)])
    found = pieces(line, 37.8, 20.0)
    assert [piece.bounds for piece in found] == [(0, 0, 45, 0), (45, 0, 90, 0)]
    assert len(shapely.get_coordinates(found[0])) == 3


def test_pieces_are_not_shorter_than_the_label() -> None:
    line = shapely.LineString([(0, 0), (100, 0)])
    assert len(pieces(line, 20.0, 35.0)) == 2
    assert pieces(line, 0.0, 5.0) == [line]
    assert len(pieces(line, 1e-9, 1e-12)) == MOST_PIECES
