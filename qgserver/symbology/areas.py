"""Areas one by one: what fills need that begin anew in each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import Paths
from qgserver.draw.patterns import box_of, fill_each, tiled
from qgserver.geo.geometry import POLYGON, Floats, Ints, offsets, spans
from qgserver.symbology.env import Env, Shapes


@dataclass(frozen=True, slots=True, eq=False)
class Areas:
    """n polygons: those rings ``bounds[i]`` to ``bounds[i+1]`` of ``rings`` are the i-th, the outer one first.
    ``owners`` int64[n] are their numbers among the shapes, ``boxes`` float64[n, 4] x, y, width and height."""

    rings: Paths
    bounds: Ints
    owners: Ints
    boxes: Floats

    def __iter__(self) -> Iterator[tuple[int, Paths]]:
        """(number among the shapes, rings) of each."""
        bounds, starts = self.bounds.tolist(), self.rings.starts
        for owner, first, last in zip(self.owners.tolist(), bounds[:-1], bounds[1:], strict=True):
            start, stop = starts[first], starts[last]
            yield owner, Paths(self.rings.coords[start:stop], starts[first : last + 1] - start, True)


def areas(shapes: Shapes, dx: float = 0.0, dy: float = 0.0) -> Areas:
    """The polygons among the shapes, moved by (dx, dy) pixels."""
    geometry = shapes.geometry.drop_nonfinite()
    owners = np.repeat(np.arange(len(shapes)), np.diff(geometry.features))
    counts = np.diff(geometry.parts)
    sizes = np.diff(geometry.rings[geometry.parts])
    drawn = (counts > 0) & (sizes > 2)
    drawn[drawn] = geometry.ring_kinds()[geometry.parts[:-1][drawn]] == POLYGON
    rings = Paths(geometry.coords, geometry.rings, True)
    if not drawn.all():
        rings = rings.take(spans(geometry.parts[:-1][drawn], geometry.parts[1:][drawn]))
        counts, owners = counts[drawn], owners[drawn]
    bounds = offsets(counts)
    if not len(owners):
        return Areas(rings, bounds, owners, np.empty((0, 4)))
    rings = rings.translate(dx, dy) if dx or dy else rings
    firsts = rings.starts[bounds[:-1]]
    low, high = np.minimum.reduceat(rings.coords, firsts), np.maximum.reduceat(rings.coords, firsts)
    return Areas(rings, bounds, owners, np.concatenate([low, high - low], axis=1))


def fill_tiled(canvas: Canvas, env: Env, shapes: Shapes, tile: Canvas) -> None:
    """Fill areas with a picture again and again, that begins at each one's left bottom corner, in legends at the left
    upper one (measured)."""
    found = areas(shapes)
    corners = found.boxes[:, :2] if env.exact else found.boxes[:, :2] + found.boxes[:, 3:] * (0, 1)
    places = np.ones((len(corners), 4))
    places[:, :2] = np.rint(corners) % (tile.width, tile.height)
    fill_each(canvas, found.rings, found.bounds, tiled(tile, 0.0, 0.0), places)


def pattern_corner(rings: Paths, env: Env) -> tuple[int, int]:
    """The pixel where a pattern that is turned begins, as in ``fill_tiled``."""
    x, y, _, height = box_of(rings).tolist()
    return round(x), round(y if env.exact else y + height)


def centroid(rings: Paths) -> Floats:
    """The centre of gravity float64[2] of the area within the rings."""
    import shapely

    outer, *holes = (rings.coords[a:b] for a, b in zip(rings.starts[:-1], rings.starts[1:], strict=True))
    found: Floats = shapely.get_coordinates(shapely.centroid(shapely.Polygon(outer, [h for h in holes if len(h) > 2])))
    center: Floats = found[0] if len(found) else outer.mean(axis=0)
    return center
