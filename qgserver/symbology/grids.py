"""Patterns of areas drawn node by node or line by line: where a tile that repeats will not do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qgserver.draw.paths import Paths
from qgserver.geo.geometry import Floats

if TYPE_CHECKING:
    import shapely

Pair = tuple[float, float]
MOST = 50_000
"""Nodes or lines of one area; where there would be more, none is of use."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Nodes ``distance`` pixels apart; every second row is ``moved`` to the right, every second column up; all are
    ``offset`` and then turned clockwise around the middle of what they cover."""

    distance: Pair
    moved: Pair
    offset: Pair
    degrees: float = 0.0

    def nodes(self, box: Floats) -> Floats:
        """Those in a box float64[4] (x, y, width, height) and a step around it, float64[n, 2]; a node lies at the left
        bottom corner."""
        x, y, width, height = box.tolist()
        grown = (math.hypot(width, height), math.hypot(width, height)) if self.degrees % 360 else (width, height)
        counts = [math.ceil(side / step) + 2 for side, step in zip(grown, self.distance, strict=True)]
        before = [
            math.ceil((outer - side) / 2 / step) + 2
            for outer, side, step in zip(grown, (width, height), self.distance, strict=True)
        ]
        if (counts[0] + 2 * before[0]) * (counts[1] + 2 * before[1]) > MOST:
            return np.empty((0, 2))
        columns, rows = (
            grid.ravel()
            for grid in np.meshgrid(*(np.arange(-back, n + back) for n, back in zip(counts, before, strict=True)))
        )
        across = columns * self.distance[0] + (rows % 2) * self.moved[0] + self.offset[0]
        up = rows * self.distance[1] + (columns % 2) * self.moved[1] - self.offset[1]
        nodes = np.column_stack([x + across, y + height - up])
        return _turned(nodes, (x + width / 2, y + height / 2), self.degrees)


def parallels(box: Floats, degrees: float, distance: float, offset: float) -> Floats:
    """Lines float64[n, 2, 2] right across a box float64[4], counter-clockwise by so many degrees from +x."""
    x, y, width, height = box.tolist()
    reach = math.hypot(width, height) / 2 + distance
    count = math.ceil(reach / distance)
    if count > MOST:
        return np.empty((0, 2, 2))
    steps = np.arange(-count, count + 1) * distance - offset
    middle = (x + width / 2, y + height / 2)
    ends = np.stack([np.column_stack([np.full(len(steps), side), steps]) for side in (-reach, reach)], axis=1)
    lines: Floats = _turned((ends + middle).reshape(-1, 2), middle, -degrees).reshape(-1, 2, 2)
    return lines


def _turned(points: Floats, middle: Pair, degrees: float) -> Floats:
    if not degrees % 360:
        return points
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    turned: Floats = (points - middle) @ np.array([[cos, sin], [-sin, cos]]) + middle
    return turned


def within(rings: Paths, points: Floats, reach: float) -> Floats:
    """Those of the points that lie in the area, at least ``reach`` pixels from its edge."""
    import shapely

    area = _polygon(rings)
    if reach > 0:
        area = shapely.buffer(area, -reach, join_style="mitre")
    shapely.prepare(area)
    found: Floats = points[shapely.contains_xy(area, points)]
    return found


def cut(rings: Paths, lines: Floats) -> list[Floats]:
    """What of the lines float64[n, 2, 2] lies in the area."""
    import shapely

    whole = np.array([shapely.LineString(line) for line in lines], dtype=object)
    pieces = shapely.get_parts(shapely.intersection(whole, _polygon(rings)))
    return [
        shapely.get_coordinates(piece) for piece in pieces if piece.geom_type == "LineString" and not piece.is_empty
    ]


def _polygon(rings: Paths) -> shapely.Geometry:
    import shapely

    outer, *holes = (rings.coords[a:b] for a, b in zip(rings.starts[:-1], rings.starts[1:], strict=True))
    return shapely.make_valid(shapely.Polygon(outer, [hole for hole in holes if len(hole) > 2]))
