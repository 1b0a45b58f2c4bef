"""Which features have a point in common with a box: the exact test behind a search at a point.

A click finds a handful of small features: to walk their vertices takes less than to make shapely's objects of them, let
alone to load shapely. What has more vertices goes there.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.extent import Extent
from qgserver.geo.geometry import MULTIPOLYGON, POLYGON, GeometryArray
from qgserver.geo.wkb import to_shapely

FEW = 64
"""Vertices up to which walking is faster (measured)."""


def meets_box(geometry: GeometryArray, box: Extent) -> NDArray[np.bool_]:
    """bool[n]: the feature meets the box, borders included; polygons with all that is inside of them."""
    if len(geometry.coords) > FEW or geometry.part_types is not None:
        import shapely

        area = shapely.box(*box.as_tuple())
        shapely.prepare(area)
        return np.asarray(shapely.intersects(area, to_shapely(geometry)), dtype=bool)
    return _few(geometry, box)


def _few(geometry: GeometryArray, box: Extent) -> NDArray[np.bool_]:
    """The same, vertex by vertex. A polygon whose border does not meet the box holds all of it or nothing."""
    points = (geometry.coords - box.center).tolist()
    parts, rings, half = geometry.parts.tolist(), geometry.rings.tolist(), (box.width / 2, box.height / 2)

    def meets(part: int, area: bool) -> bool:
        inside = False
        for ring in range(parts[part], parts[part + 1]):
            met, around = _walk(points[rings[ring] : rings[ring + 1]], *half)
            if met:
                return True
            inside ^= around
        return inside and area

    runs = zip(geometry.types.tolist(), pairwise(geometry.features.tolist()), strict=True)
    found = [any(meets(part, kind in (POLYGON, MULTIPOLYGON)) for part in range(*run)) for kind, run in runs]
    return np.array(found, dtype=bool)


def _walk(points: list[list[float]], half_width: float, half_height: float) -> tuple[bool, bool]:
    """Whether a line meets the box around the origin, and whether it crosses the ray from there to the right an odd
    number of times. A segment meets a box when no axis, neither the box's nor its own, parts the two."""
    odd = False
    x1, y1 = points[0] if points else (0.0, 0.0)
    for x2, y2 in points:
        dx, dy, turn = x2 - x1, y2 - y1, x1 * y2 - x2 * y1
        if (
            abs(turn) <= abs(dx) * half_height + abs(dy) * half_width
            and min(x1, x2) <= half_width
            and max(x1, x2) >= -half_width
            and min(y1, y2) <= half_height
            and max(y1, y2) >= -half_height
        ):
            return True, odd
        if (y1 > 0) != (y2 > 0) and (turn > 0) == (y2 > y1):
            odd = not odd
        x1, y1 = x2, y2
    return False, odd
