"""Areas one by one: what fills need that begin anew in each of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qgserver.draw.paths import Paths
from qgserver.draw.patterns import box_of
from qgserver.geo.geometry import POLYGON, Floats
from qgserver.symbology.env import Env, Shapes


def areas(shapes: Shapes, dx: float = 0.0, dy: float = 0.0) -> Iterator[tuple[int, Paths]]:
    """(number among the shapes, rings) for each polygon, the outer ring first, moved by (dx, dy) pixels."""
    geometry = shapes.geometry
    if not len(geometry.coords):
        return
    kinds = geometry.ring_kinds()
    owners = np.repeat(np.arange(len(shapes)), np.diff(geometry.features)).tolist()
    bounds = geometry.parts.tolist()
    move = np.array((dx, dy))
    for part, owner in enumerate(owners):
        first, last = bounds[part], bounds[part + 1]
        if first == last or kinds[first] != POLYGON:
            continue
        start, stop = geometry.rings[first], geometry.rings[last]
        coords = geometry.coords[start:stop]
        if len(coords) > 2 and np.isfinite(coords).all():
            yield owner, Paths(coords + move, geometry.rings[first : last + 1] - start, True)


def pattern_corner(rings: Paths, env: Env) -> tuple[int, int]:
    """The pixel where a pattern begins: the area's left bottom corner, in legends the left upper one (measured)."""
    x, y, _, height = box_of(rings).tolist()
    return round(x), round(y if env.exact else y + height)


def centroid(rings: Paths) -> Floats:
    """The centre of gravity float64[2] of the area within the rings."""
    import shapely

    outer, *holes = (rings.coords[a:b] for a, b in zip(rings.starts[:-1], rings.starts[1:], strict=True))
    found: Floats = shapely.get_coordinates(shapely.centroid(shapely.Polygon(outer, [h for h in holes if len(h) > 2])))
    center: Floats = found[0] if len(found) else outer.mean(axis=0)
    return center
