"""The order of equally dear places is that of QGIS 3.22, which takes it from an unstable sort."""

from __future__ import annotations

import numpy as np

from qgserver.labeling.sorting import cheapest_first


def test_sixteen_equals_stay_and_seventeen_are_shuffled() -> None:
    item = np.repeat([0, 1], [16, 17])
    order = cheapest_first(item, np.full(33, 0.0021)).tolist()
    assert order[:16] == list(range(16))
    # so stand the 17 places of a polygon that obstacles make equally dear
    assert [place - 16 for place in order[16:]] == [8, *range(16, 8, -1), 0, *range(7, 0, -1)]


def test_the_cheapest_come_first() -> None:
    cost = np.array([(7 * n % 40) / 10 for n in range(40)])
    assert (np.diff(cost[cheapest_first(np.zeros(40, dtype=np.int64), cost)]) > 0).all()
    assert cheapest_first(np.array([0, 0, 1]), np.array([2.0, 1.0, 0.5])).tolist() == [1, 0, 2]
    assert not len(cheapest_first(np.empty(0, dtype=np.int64), np.empty(0)))
