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
        self._settle(self._rise(len(self.members) - 1, key), member, key)

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
            self._settle(self._sink(gap, key), last, key)

    def lower(self, members: Iterable[int]) -> None:
        """The keys of those that are still in fall by one, in this order."""
        place, keys, size = self.place, self.keys, len(self.keys)
        for member in members:
            at = place[member]
            if at < 0:
                continue
            key = keys[at] - 1
            keys[at] = key
            right = 2 * at + 2
            # Most stay where they are: nothing greater above, nothing smaller below.
            if (
                (at and keys[(at - 1) >> 1] > key)
                or (right <= size and keys[right - 1] < key)
                or (right < size and keys[right] < key)
            ):
                self._settle(self._sink(self._rise(at, key), key), member, key)

    def _rise(self, at: int, key: int) -> int:
        """Where a key at ``at`` comes to stand when greater ones above it come down."""
        members, keys, place = self.members, self.keys, self.place
        while at:
            above = (at - 1) >> 1
            other = keys[above]
            if other <= key:
                break
            moved = members[at] = members[above]
            keys[at], place[moved] = other, at
            at = above
        return at

    def _sink(self, at: int, key: int) -> int:
        """Where a key at ``at`` comes to stand when smaller ones below it go up."""
        members, keys, place = self.members, self.keys, self.place
        last = len(members) - 1
        child = 2 * at + 1
        while child <= last:
            other = keys[child]
            if child < last and keys[child + 1] <= other:
                child += 1
                other = keys[child]
            if other >= key:
                break
            moved = members[at] = members[child]
            keys[at], place[moved] = other, at
            at, child = child, 2 * child + 1
        return at

    def _settle(self, at: int, member: int, key: int) -> None:
        self.members[at], self.keys[at], self.place[member] = member, key, at
