"""What labels avoid, and what it costs to lie on it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Candidates, Flags, Shapes, parts
from qgserver.labeling.model import Engine, Item, Obstacle, ObstacleKind

HARD_SINCE = 2
"""From this version of the engine on, an obstacle with more weight than a label keeps it away altogether."""


_CROSSED = 6
_COVERED = 12


@dataclass(frozen=True, slots=True, eq=False)
class _Hindrances:
    """Obstacles as columns. ``owner`` int64[o] numbers the features; a ``hole`` is in the way of its own feature's
    label only, anything else of those of all others."""

    geometry: Shapes
    owner: Ints
    hole: Flags
    factor: Floats
    kind: Ints

    def __len__(self) -> int:
        return len(self.owner)


def penalties(
    found: Candidates, items: Sequence[Item], obstacles: Sequence[Obstacle], engine: Engine
) -> tuple[Floats, Flags]:
    """(what each candidate's cost grows by, whether an obstacle keeps it away), float64[n] and bool[n].

    A feature is no obstacle for its own label, but the holes of its polygon are, and for no other.
    """
    cost, hard = np.zeros(len(found)), np.zeros(len(found), dtype=bool)
    names: dict[tuple[str, Hashable], int] = {}
    owners = np.array([names.setdefault((i.layer, i.feature), len(names)) for i in items], dtype=np.int64)
    hindrances = _read(items, obstacles, names)
    if not len(hindrances) or not len(found):
        return cost, hard
    box, first, corner = parts(found)
    shape: Shapes = np.asarray(shapely.polygons(corner), dtype=object)
    if len(found.glyphs):
        shape = _together(shape, box, first)
    which, candidate = shapely.STRtree(shape).query(hindrances.geometry, predicate="intersects")
    own = hindrances.owner[which] == owners[found.item[candidate]]
    met = own == hindrances.hole[which]
    which, candidate = which[met], candidate[met]
    points = _points(hindrances, which, shape[candidate], corner[first[candidate]])
    np.add.at(cost, candidate, points * hindrances.factor[which])
    if engine.version >= HARD_SINCE:
        # twice the priority as a share, on the scale of the factors
        weight = np.array([2.4 if item.always_show else item.priority / 5 for item in items])[found.item]
        barred = (points > 0) & (weight[candidate] < hindrances.factor[which])
        hard[candidate[barred]] = True
    return cost, hard


def _read(items: Sequence[Item], obstacles: Sequence[Obstacle], names: dict[tuple[str, Hashable], int]) -> _Hindrances:
    """The obstacles and the holes of the items' polygons; a hole weighs as its feature does."""
    solid = [o for o in obstacles if not shapely.is_empty(o.geometry)]
    geometries = [o.geometry for o in solid]
    owners = [names.get((o.layer, o.feature), -1) for o in solid]
    factors, kinds = [o.factor for o in solid], [int(o.kind) for o in solid]
    settings = {(o.layer, o.feature): (o.factor, int(o.kind)) for o in solid}
    shapes = np.array([item.geometry for item in items], dtype=object)
    for row in np.flatnonzero(shapely.get_num_interior_rings(shapes) > 0).tolist():
        name = (items[row].layer, items[row].feature)
        factor, kind = settings.get(name, (1.0, int(ObstacleKind.BOUNDARY)))
        for ring in shapely.get_rings(items[row].geometry)[1:].tolist():
            geometries.append(shapely.Polygon(ring))
            owners.append(names[name])
            factors.append(factor)
            kinds.append(kind)
    hole = np.arange(len(geometries)) >= len(solid)
    shape = np.empty(len(geometries), dtype=object)
    shape[:] = geometries
    return _Hindrances(
        shape, np.array(owners, dtype=np.int64), hole, np.array(factors), np.array(kinds, dtype=np.int64)
    )


def _together(shape: Shapes, owner: Ints, first: Ints) -> Shapes:
    """The glyphs of each candidate as one geometry."""
    several = np.diff(first) > 1
    whole = shape[first[:-1]]
    glyphs = several[owner]
    whole[several] = shapely.multipolygons(shape[glyphs], indices=(np.cumsum(several) - 1)[owner[glyphs]])
    return whole


def _points(hindrances: _Hindrances, which: Ints, shape: Shapes, corner: Floats) -> Floats:
    """float64[p]: how badly candidates lie that meet these obstacles. Lines count 1. Polygons count 12 whole; their
    boundary counts 6, for labels that are not within; their interior counts by the corners, middles of sides and
    (fourfold) the centre that it covers."""
    geometry, kind = hindrances.geometry[which], hindrances.kind[which]
    dimension = shapely.get_dimensions(geometry)
    area = dimension == 2
    points = np.where(dimension == 1, 1.0, np.where(area, float(_COVERED), 2.0))
    edge = np.flatnonzero(area & (kind == ObstacleKind.BOUNDARY))
    points[edge] = np.where(shapely.contains(geometry[edge], shape[edge]), 0.0, _CROSSED)
    inner = np.flatnonzero(area & (kind == ObstacleKind.INTERIOR))
    box = corner[inner]
    middle = (box + np.roll(box, -1, axis=1)) / 2
    probes = np.concatenate((box, middle, box.mean(axis=1, keepdims=True)), axis=1)
    inside = shapely.contains_xy(geometry[inner][:, None], probes[:, :, 0], probes[:, :, 1])
    points[inner] = inside @ np.array([1.0] * 8 + [4.0])
    return points
