"""Lines of labels: those of one text joined where they meet, long ones cut so that their label comes again."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

MOST_PIECES = 5_000
"""Pieces that a line is cut into at most."""


def joined(lines: Sequence[BaseGeometry]) -> list[tuple[int, BaseGeometry]]:
    """Lines (of one text) joined as QGIS does it: each in turn becomes part of the first later one that it touches, if
    the two make one line. Pairs of the number of the line that stays and what has become of it."""
    shapes = np.array(lines, dtype=object)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="touches")
    neighbours: list[set[int]] = [set() for _ in lines]
    for number, other in zip(left.tolist(), right.tolist(), strict=True):
        neighbours[number].add(other)
    into = list(range(len(lines)))

    def stays(number: int) -> int:
        """The line that this one is part of by now."""
        while into[number] != number:
            into[number] = into[into[number]]
            number = into[number]
        return number

    for number in range(len(lines)):
        later = [other for other in map(stays, neighbours[number]) if other > number]
        if not later:
            continue
        other = min(later)
        merged = shapely.line_merge(shapely.multilinestrings([shapes[other], shapes[number]]))
        if shapely.get_type_id(merged) == shapely.GeometryType.LINESTRING:
            shapes[other] = merged
            into[number] = other
            neighbours[other] |= neighbours[number]
    return [(number, shapes[number]) for number in range(len(lines)) if into[number] == number]


def pieces(line: BaseGeometry, interval: float, label: float) -> list[BaseGeometry]:
    """A line cut into equal pieces of about ``interval`` pixels, or several times as much for a longer ``label``."""
    if interval <= 0 or shapely.get_type_id(line) != shapely.GeometryType.LINESTRING:
        return [line]
    length = float(shapely.length(line))
    count = min(int(length / (interval * max(math.ceil(label / interval), 1))), MOST_PIECES)
    if count < 2:
        return [line]
    coords = shapely.get_coordinates(line)
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(coords, axis=0).T))])
    cuts = np.linspace(0.0, at[-1], count + 1)
    ends = np.column_stack([np.interp(cuts, at, coords[:, 0]), np.interp(cuts, at, coords[:, 1])])
    inner = np.searchsorted(at, cuts, side="right"), np.searchsorted(at, cuts, side="left")
    return [
        shapely.LineString(
            np.concatenate([ends[i : i + 1], coords[inner[0][i] : inner[1][i + 1]], ends[i + 1 : i + 2]])
        )
        for i in range(count)
    ]
