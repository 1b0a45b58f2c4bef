"""Groups of near points: QGIS's greedy rule."""

from __future__ import annotations

import time

import numpy as np
import pytest

from qgserver.geo.geometry import Floats
from qgserver.geo.nearby import group_nearby


def points(*pairs: tuple[float, float]) -> Floats:
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def test_a_point_joins_the_group_whose_first_point_is_near_and_moves_its_centre() -> None:
    groups, centers = group_nearby(points((0, 0), (10, 10), (20, 0), (21, 0)), 10.0)
    assert groups.tolist() == [0, 0, 1, 1]  # (20, 0) is near the centre (5, 5) in y alone: first points count
    assert centers.tolist() == [[5, 5], [20.5, 0]]


def test_of_two_groups_in_reach_the_one_with_the_nearer_centre_is_joined() -> None:
    groups, _ = group_nearby(points((0, 0), (16, 0), (24, 0), (9, 0)), 10.0)
    assert groups.tolist() == [0, 1, 1, 0]  # the second centre has moved to 20


@pytest.mark.parametrize("reach", [0.0, 1e-300, float("nan")])
def test_without_reach_only_points_at_one_place_are_a_group(reach: float) -> None:
    groups, centers = group_nearby(points((5, 5), (1, 1), (5, 5)), reach)
    assert groups.tolist() == [0, 1, 0]
    assert centers.tolist() == [[5, 5], [1, 1]]


def test_no_points_are_no_groups() -> None:
    groups, centers = group_nearby(points(), 1.0)
    assert groups.shape == (0,)
    assert centers.shape == (0, 2)


@pytest.mark.parametrize("reach", [1e-3, 1.0, 1e9])
def test_many_points_take_no_longer_however_they_lie(reach: float) -> None:
    crowd = np.random.default_rng(1).normal(0.0, 10.0, (100_000, 2))
    begin = time.perf_counter()
    groups, centers = group_nearby(crowd, reach)
    assert time.perf_counter() - begin < 5.0
    assert np.abs(np.bincount(groups) @ centers / len(crowd) - crowd.mean(axis=0)).max() < 1e-6
