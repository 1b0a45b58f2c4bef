"""What makes places dear beyond their own geometry: obstacles hit, distance from the outline, a small feature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Candidates, Shapes, corners
from qgserver.labeling.model import Engine, Item, Mode
from qgserver.labeling.sorting import cheapest_first

POLYGON = 3
LINE = 1


def final(found: Candidates, items: Sequence[Item], engine: Engine) -> tuple[Candidates, Ints]:
    """The candidates worth a try, sorted by item and cost, and int64[n] where they were.

    Whole numbers in a cost come from obstacles: only the candidates of the lowest whole number stay, and if that is
    not 0 they count alike.
    """
    order = cheapest_first(found.item, found.cost)
    found = found.take(order)
    lowest = np.full(len(items), np.inf)
    np.minimum.at(lowest, found.item, np.floor(found.cost))
    kept = found.cost < lowest[found.item] + 1
    found, order = found.take(kept), order[kept]
    cost: Floats = np.where(lowest[found.item] >= 1, 0.0021, found.cost)
    geometries = np.array([item.geometry for item in items], dtype=object)
    kinds = shapely.get_type_id(geometries)
    gridded = np.array([item.placing.mode in (Mode.HORIZONTAL, Mode.FREE) for item in items]) & (kinds == POLYGON)
    rows = np.flatnonzero(gridded[found.item])
    if len(rows):
        cost[rows] += _central(found.take(rows), geometries, engine)
    cost += _small(geometries, kinds, engine)[found.item]
    again = cheapest_first(found.item, cost)
    return found.with_cost(cost).take(again), order[again]


def _central(found: Candidates, geometries: Shapes, engine: Engine) -> Floats:
    """Far from the outline, the holes and the frame of the map is good, and so is near the centre."""
    x, y = corners(found.x, found.y, found.width, found.height, found.angle).mean(axis=1).T
    middle = shapely.points(x, y)
    used, row = np.unique(found.item, return_inverse=True)
    outlines = shapely.boundary(geometries[used])
    inside = np.asarray(shapely.distance(outlines[row], middle)) ** 2
    dx, dy = np.minimum(x, engine.width - x), np.minimum(y, engine.height - y)
    outer_x, outer_y = np.maximum(-dx, 0), np.maximum(-dy, 0)
    edge = np.where(np.minimum(dx, dy) >= 0, np.minimum(dx, dy), np.hypot(outer_x, outer_y)) ** 2
    ring = np.minimum(inside, edge)
    centres = shapely.get_coordinates(shapely.centroid(geometries[used]))[row]
    away = np.hypot(x - centres[:, 0], y - centres[:, 1])
    return 0.002 * _share(-ring, row, len(used)) + 0.001 * _share(away, row, len(used))


def _share(value: Floats, group: Ints, count: int) -> Floats:
    """Where a value lies between the least (0) and the greatest (1) of its group; 0 where all are alike."""
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, group, value)
    np.maximum.at(high, group, value)
    span = (high - low)[group]
    return np.where(span > 1e-9, (value - low[group]) / np.where(span > 1e-9, span, 1.0), 0.0)


def _small(geometries: Shapes, kinds: NDArray[np.int32], engine: Engine) -> Floats:
    """float64[n]: lines shorter than a quarter of the map and polygons smaller than a sixteenth rank behind."""
    length, area = shapely.length(geometries), shapely.area(geometries)
    of_line = 1 - length / (max(engine.width, engine.height) / 4)
    of_area = 1 - area / (engine.width * engine.height / 16)
    share = np.select([(kinds == LINE) & (length > 0), (kinds == POLYGON) & (area > 0)], [of_line, of_area], 0.0)
    return np.asarray(np.maximum(share, 0.0) / 100)
