"""In which order QGIS meets neighbours: that of a tree of boxes whose shape does not depend on the boxes.

QGIS shrinks boxes so far that their sizes vanish in its tree (measured). All branches then grow alike, so each entry
goes down the first branch and full nodes always split the same way. Only numbers are left of the tree: how many came,
and which left again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from qgserver.geo.geometry import Ints

_Entry = TypeVar("_Entry")
_MOST, _LEAST = 8, 4
"""Entries of a node."""
_STAYING, _LEAVING = (0, 2, 3, 4, 5), (1, 6, 7, 8)
"""Which of the entries of a node with one too many stay in it, and which move to a new one."""


@dataclass(slots=True, eq=False)
class _Node:
    level: int
    above: _Node | None = None
    nodes: list[_Node] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    """Of a leaf, which has level 0 and no nodes."""

    def __len__(self) -> int:
        return len(self.nodes) or len(self.members)


class VisitOrder:
    """Members 0..n-1, put in by their numbers."""

    def __init__(self, size: int) -> None:
        self.root = _Node(0)
        self.home = [self.root] * size
        for member in range(size):
            self._insert(member)

    def remove(self, members: Iterable[int]) -> None:
        """Take members out, one by one."""
        for member in members:
            self._remove(member)

    def members(self) -> Ints:
        """Those that are left, in the order in which they are met."""
        found: list[int] = []
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            found += node.members
            waiting += reversed(node.nodes)
        return np.array(found, dtype=np.int64)

    def _insert(self, member: int) -> None:
        leaf = self._first(0)
        leaf.members.append(member)
        self.home[member] = leaf
        self._split(leaf)

    def _first(self, level: int) -> _Node:
        node = self.root
        while node.level > level:
            node = node.nodes[0]
        return node

    def _split(self, node: _Node) -> None:
        """Halve nodes with too many entries, from this one up."""
        while len(node) > _MOST:
            other = _Node(node.level)
            if node.level:
                node.nodes, other.nodes = [[node.nodes[i] for i in some] for some in (_STAYING, _LEAVING)]
                for child in other.nodes:
                    child.above = other
            else:
                node.members, other.members = [[node.members[i] for i in some] for some in (_STAYING, _LEAVING)]
                for member in other.members:
                    self.home[member] = other
            above = node.above
            if above is None:
                above = self.root = node.above = _Node(node.level + 1, nodes=[node])
            other.above = above
            above.nodes.append(other)
            node = above

    def _remove(self, member: int) -> None:
        node = self.home[member]
        _drop(node.members, node.members.index(member))
        scattered: list[_Node] = []
        while node.above is not None:
            if len(node) < _LEAST:
                scattered.insert(0, node)
                _drop(node.above.nodes, node.above.nodes.index(node))
            node = node.above
        for lost in scattered:
            for entry in lost.members:
                self._insert(entry)
            for child in lost.nodes:
                child.above = self._first(lost.level)
                child.above.nodes.append(child)
                self._split(child.above)
        if len(self.root.nodes) == 1:
            self.root = self.root.nodes[0]
            self.root.above = None


def _drop(entries: list[_Entry], at: int) -> None:
    """The last entry fills the gap."""
    entries[at] = entries[-1]
    entries.pop()
