"""Too many places at one spot: where nearly all must stay hidden, not all of them are tried."""

from __future__ import annotations

import numpy as np

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling import conflicts
from qgserver.labeling.candidates.columns import Candidates
from qgserver.labeling.conflicts import Neighbours

MOST_PAIRS = 6_000_000
"""So many conflicts are remembered and looked at: 50 000 places that fill a map have about half of them."""


def manageable(found: Candidates, price: Floats) -> tuple[Ints, Neighbours]:
    """(rows of the candidates that are tried, the conflicts among these): all rows unless conflicts are too many. Of
    each spot the best places of the dearest labels stay; ``price`` float64[n] is what hiding their labels costs."""
    spot, crowd = _spots(found)
    place = _rank_in(found.item)
    order = np.lexsort((place, -price, spot))
    rank = np.empty(len(found), dtype=np.int64)
    rank[order] = _rank_in(spot[order])
    best = np.lexsort((place, -price))
    pairs, most = 4 * MOST_PAIRS, len(found)
    while True:
        deepest = _deepest(crowd, pairs)
        rows = np.sort(best[rank[best] < deepest][:most])
        neighbours = conflicts.index(found.take(rows)).all(MOST_PAIRS)
        if neighbours is not None:
            return rows, neighbours
        pairs //= 2
        if deepest == 1:  # labels much larger than the spots
            most = len(rows) // 2


def _spots(found: Candidates) -> tuple[Ints, Ints]:
    """(int64[n] the spots, about as large as labels, on which the candidates lie; how many lie on each)."""
    column = np.floor((found.x + found.width / 2) / found.width.mean())
    row = np.floor((found.y + found.height / 2) / found.height.mean())
    _, spot, crowd = np.unique(column + 1j * row, return_inverse=True, return_counts=True)
    return spot, crowd


def _rank_in(group: Ints) -> Ints:
    """int64[n]: the how-manieth of its group each is; members of a group follow each other."""
    start = np.flatnonzero(np.diff(group, prepend=-1))
    return np.arange(len(group)) - np.repeat(start, np.diff(start, append=len(group)))


def _deepest(crowd: Ints, pairs: int) -> int:
    """How many candidates a spot may have for about so many conflicts: each is in the way of those of its own spot and
    of half of the places around."""
    low, high = 1, int(crowd.max(initial=1))
    while low < high:
        middle = (low + high + 1) // 2
        if 4 * int((np.minimum(crowd, middle) ** 2).sum()) <= pairs:
            low = middle
        else:
            high = middle - 1
    return low
