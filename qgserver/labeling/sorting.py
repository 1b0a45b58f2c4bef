"""The cheapest first, and equals in QGIS's order: that of its unstable quick sort, which short lists do not reach."""

from __future__ import annotations

import numpy as np

from qgserver.geo.geometry import Floats, Ints

_SHORT = 16
"""So many members or fewer keep the order of equals."""


def cheapest_first(item: Ints, cost: Floats) -> Ints:
    """int64[n]: the rows by item (int64[n]) and cost (float64[n]); those of an item must follow each other."""
    order = np.lexsort((cost, item))
    start = np.flatnonzero(np.diff(item, prepend=-1))
    count = np.diff(start, append=len(item))
    several = np.flatnonzero(count > _SHORT)
    for first, last in zip(start[several].tolist(), (start + count)[several].tolist(), strict=True):
        keys = cost[first:last]
        if (np.diff(cost[order[first:last]]) == 0).any():
            order[first:last] = first + np.array(_sorted(keys.tolist()))
    return order


def _sorted(keys: list[float]) -> list[int]:
    """The places of keys from the smallest on: parts are split at medians of three until they are short."""
    order = list(range(len(keys)))
    waiting = [(0, len(keys), 2 * (len(keys).bit_length() - 1))]
    while waiting:
        first, last, depth = waiting.pop()
        while last - first > _SHORT and depth:
            depth -= 1
            cut = _partition(order, keys, first, last)
            waiting.append((cut, last, depth))
            last = cut
    return sorted(order, key=keys.__getitem__)


def _partition(order: list[int], keys: list[float], first: int, last: int) -> int:
    """Split a range in two, the smaller ones in front; where the second part begins. Equals change sides."""
    _median_first(order, keys, first, (first + 1, first + (last - first) // 2, last - 1))
    pivot = keys[order[first]]
    left, right = first + 1, last - 1
    while True:
        while keys[order[left]] < pivot:
            left += 1
        while pivot < keys[order[right]]:
            right -= 1
        if left >= right:
            return left
        order[left], order[right] = order[right], order[left]
        left, right = left + 1, right - 1


def _median_first(order: list[int], keys: list[float], first: int, three: tuple[int, int, int]) -> None:
    """Change places of the first and the median of three: of equals, the one that so many comparisons find."""
    a, b, c = three
    x, y, z = (keys[order[place]] for place in three)
    if x < y:
        median = b if y < z else c if x < z else a
    else:
        median = a if x < z else c if y < z else b
    order[first], order[median] = order[median], order[first]
