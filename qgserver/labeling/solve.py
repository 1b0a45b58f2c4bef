"""Which labels are shown, and where: as many of the important ones as possible, then the cheapest places.

Hiding a label has a price that doubles with each step of its priority; a solution's price is the sum of the costs of
the places taken and of the prices of the labels hidden. A first solution takes the places with the fewest conflicts;
chains of moves, each pushing at most one neighbour away, then improve it until no chain helps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Flags, running
from qgserver.labeling.conflicts import Neighbours
from qgserver.labeling.heap import Heap
from qgserver.labeling.visits import VisitOrder

LONGEST_CHAIN = 50
MOST_STEPS = 300_000
"""So many steps of chains are tried at most; the best solution found until then stands."""

_EPSILON = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Candidates sorted by label and, within a label, by cost. ``first`` int64[f + 1]: where those of a label begin;
    ``cost`` float64[n]; ``hidden`` float64[f]: the price of not showing a label."""

    first: Ints
    cost: Floats
    hidden: Floats
    neighbours: Neighbours


def solve(problem: Problem) -> Ints:
    """int64[f]: the candidate that each label takes, -1 for those that stay hidden."""
    count, labels = len(problem.cost), len(problem.hidden)
    if not count:
        return np.full(labels, -1, dtype=np.int64)
    item = np.repeat(np.arange(labels), np.diff(problem.first))
    overlaps = np.diff(problem.neighbours.start)
    gone = _reduce(problem.neighbours, overlaps, item)
    listed = np.ones(count, dtype=bool)
    listed[gone] = False
    last = problem.first[:-1] + np.bincount(item[listed], minlength=labels)
    active = _in_turn(_as_met(problem.neighbours, gone), overlaps, problem.first, listed)
    return _Search(problem, last, active).run()


def _reduce(neighbours: Neighbours, overlaps: Ints, item: Ints) -> Ints:
    """Where a label has a place without conflicts, its dearer places are of no use: they leave, in this order. What
    they were in conflict with counts them twice from then on (measured in QGIS 3.22)."""
    free = np.flatnonzero(overlaps == 0)
    cheapest = np.full(item[-1] + 1, len(item), dtype=np.int64)
    np.minimum.at(cheapest, item[free], free)
    gone = np.flatnonzero(np.arange(len(item)) > cheapest[item])
    np.add(overlaps, np.bincount(neighbours.of(gone), minlength=len(item)), out=overlaps)
    return gone


def _as_met(neighbours: Neighbours, gone: Ints) -> Neighbours:
    """Conflicts with those that stay once these candidates are gone, in the order in which QGIS meets them."""
    count = len(neighbours)
    order = VisitOrder(count)
    order.remove(gone.tolist())
    met = order.members()
    rank = np.full(count, -1, dtype=np.int64)
    rank[met] = np.arange(len(met))
    row, rank = np.repeat(np.arange(count), np.diff(neighbours.start)), rank[neighbours.other]
    row, rank = row[rank >= 0], rank[rank >= 0]
    rank = np.sort(row * count + rank) - row * count
    return Neighbours(running(np.bincount(row, minlength=count)), met[rank].astype(np.int32))


def _in_turn(neighbours: Neighbours, overlaps: Ints, first: Ints, listed: Flags) -> Ints:
    """The first solution: again and again the place with the fewest conflicts left. It and the places that it rules
    out, first the other ones of its label, leave the heap one by one, which settles the order of equals."""
    active = np.full(len(first) - 1, -1, dtype=np.int64)
    heap = Heap(len(overlaps))
    for place in np.flatnonzero(listed).tolist():
        heap.insert(place, int(overlaps[place]))
    labels, starts = np.repeat(np.arange(len(active)), np.diff(first)).tolist(), first.tolist()
    while len(heap):
        best = heap.pop()
        label = labels[best]
        active[label] = best
        for place in (*range(starts[label], starts[label + 1]), *neighbours.one(best).tolist()):
            if place in heap:
                heap.remove(place)
                heap.lower(neighbours.one(place).tolist())
    return active


@dataclass(slots=True)
class _Chain:
    price: float
    moves: list[tuple[int, int]]


class _Search:
    """Chains of moves. For each candidate it keeps how many shown labels are in its way, the sum of their numbers
    (their very number when it is one), and what hiding them would cost."""

    def __init__(self, problem: Problem, last: Ints, active: Ints) -> None:
        self.first, self.last = problem.first[:-1].tolist(), last.tolist()
        self.cost, self.hidden = problem.cost.tolist(), problem.hidden.tolist()
        self.item = np.repeat(np.arange(len(active)), np.diff(problem.first)).tolist()
        self.near = problem.neighbours.one
        self.shown = np.zeros(len(problem.cost), dtype=bool)
        self.active = [-1] * len(active)
        count = len(problem.cost)
        self.blocking = np.zeros(count, dtype=np.int64)
        self.blocker = np.zeros(count, dtype=np.int64)
        self.price = np.zeros(count)
        self.mark = np.zeros(count, dtype=np.int64)
        self.chain_number = 0
        self.steps = 0
        for label, candidate in enumerate(active.tolist()):
            self._move(label, candidate)

    def run(self) -> Ints:
        settled = bytearray(len(self.active))
        turn, count = 0, len(self.active)
        while self.steps < MOST_STEPS:
            seed = settled.find(0, turn + 1)
            if seed < 0:
                seed = settled.find(0, 0, turn)
            if seed < 0:
                break
            turn = (turn + 1) % count
            chain = self._chain(seed)
            if chain is None or chain.price >= -_EPSILON:
                settled[seed] = 1
                continue
            for label, candidate in chain.moves:
                for other in self._roomier(self.active[label]):
                    settled[other] = 0
                self._move(label, candidate)
                settled[label] = 0
        return np.array(self.active, dtype=np.int64)

    def _roomier(self, place: int) -> set[int]:
        """The labels that may gain from a place being left: QGIS looks at them again."""
        if place < 0:
            return set()
        others = self.near(place).tolist()
        return {self.item[other] for other in others if other < self.last[self.item[other]]}

    def _move(self, label: int, candidate: int) -> None:
        for place, sign in ((self.active[label], -1), (candidate, 1)):
            if place >= 0:
                others = self.near(place)
                self.shown[place] = sign > 0
                self.blocking[others] += sign
                self.blocker[others] += sign * place
                self.price[others] += sign * self.hidden[label]
        self.active[label] = candidate

    def _chain(self, seed: int) -> _Chain | None:
        """The best chain that begins with a move of this label."""
        self.chain_number += 1
        best: _Chain | None = None
        moves: list[tuple[int, int]] = []
        undo: list[tuple[int, int]] = []
        price = 0.0
        while len(moves) <= LONGEST_CHAIN:
            self.steps += 1
            now = self.active[seed]
            price -= self.hidden[seed] if now < 0 else self.cost[now]
            ending, target = self._step(seed, now, price)
            if ending is not None and (best is None or ending[0] < best.price):
                best = _Chain(ending[0], [*moves, *self._ending(seed, ending[1])])
            if target < 0:
                break
            pushed = self.item[int(self.blocker[target])]
            undo.append((seed, now))
            moves.append((seed, target))
            self._move(seed, target)
            self.mark[self.near(target)] = self.chain_number
            price += self.cost[target]
            seed = pushed
        for label, place in undo:
            self._move(label, place)
        return best

    def _step(self, seed: int, now: int, price: float) -> tuple[tuple[float, int] | None, int]:
        """(the best way to end the chain here as (price, candidate), the best place that pushes one label away)."""
        first, last = self.first[seed], self.last[seed]
        ending: tuple[float, int] | None = None if now < 0 else (price + self.hidden[seed], -1)
        target, least = -1, float("inf")
        blocking, blocker = self.blocking[first:last].tolist(), self.blocker[first:last].tolist()
        mark, prices = self.mark[first:last].tolist(), self.price[first:last].tolist()
        for place in range(first, last):
            at = place - first
            if place == now or mark[at] == self.chain_number:
                continue
            if blocking[at] == 1:
                other = blocker[at]
                pushed = price + self.cost[other] + self.hidden[self.item[other]]
                if pushed < least:
                    target, least = place, pushed
                continue
            total = price + self.cost[place] + (prices[at] if blocking[at] else 0.0)
            if ending is None or total < ending[0]:
                ending = (total, place)
        return ending, target

    def _ending(self, seed: int, candidate: int) -> list[tuple[int, int]]:
        """The last moves of a chain: this one, and all labels in its way hidden."""
        moves = [(seed, candidate)]
        if candidate >= 0 and self.blocking[candidate]:
            others = self.near(candidate)
            moves += [(self.item[other], -1) for other in others[self.shown[others]].tolist()]
        return moves
