"""A binary heap whose keys fall by ones: the order in which the first solution takes places of equal rank.

Among equals the order is that of QGIS's heap, so that of labels that hinder each other alike the same ones win: an
element falls towards the right child, moves up only past greater keys, and the last element, which fills the gap that
a removed one leaves, only sinks from there. It may be smaller than what is above it until its key falls again.
"""

from __future__ import annotations

from collections.abc import Iterable


class Heap:
    """Members 0..n-1 with keys, the smallest on top."""

    def __init__(self, size: int) -> None:
        self.members: list[int] = []
        self.keys: list[int] = []
        self.place = [-1] * size

    def __len__(self) -> int:
        return len(self.members)

    def __contains__(self, member: int) -> bool:
        return self.place[member] >= 0

    def insert(self, member: int, key: int) -> None:
        self.members.append(member)
        self.keys.append(key)
        self._rise(len(self.members) - 1)

    def pop(self) -> int:
        """The member on top, taken away."""
        top = self.members[0]
        self.remove(top)
        return top

    def remove(self, member: int) -> None:
        gap = self.place[member]
        self.place[member] = -1
        last, key = self.members.pop(), self.keys.pop()
        if last != member:
            self.members[gap], self.keys[gap], self.place[last] = last, key, gap
            self._sink(gap)

    def lower(self, members: Iterable[int]) -> None:
        """The keys of those that are still in fall by one, in this order."""
        place, keys = self.place, self.keys
        for member in members:
            at = place[member]
            if at >= 0:
                keys[at] -= 1
                self._rise(at)
                self._sink(place[member])

    def _rise(self, at: int) -> None:
        member, key = self.members[at], self.keys[at]
        while at:
            above = (at - 1) >> 1
            if self.keys[above] <= key:
                break
            self._put(at, self.members[above], self.keys[above])
            at = above
        self._put(at, member, key)

    def _sink(self, at: int) -> None:
        member, key = self.members[at], self.keys[at]
        size = len(self.members)
        while 2 * at + 1 < size:
            child = 2 * at + 1
            if child + 1 < size and self.keys[child + 1] <= self.keys[child]:
                child += 1
            if self.keys[child] >= key:
                break
            self._put(at, self.members[child], self.keys[child])
            at = child
        self._put(at, member, key)

    def _put(self, at: int, member: int, key: int) -> None:
        self.members[at], self.keys[at], self.place[member] = member, key, at
