"""Labels outside of polygons: boxes at points of an outline around them, on the side that looks away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Candidates, Flags, boxes, corners, join
from qgserver.labeling.candidates.mapunits import to_map, to_pixels
from qgserver.labeling.candidates.paths import flatten, march
from qgserver.labeling.candidates.point import sizes
from qgserver.labeling.model import Engine, Item

FEWEST, MOST = 16, 2000
"""So many points of an outline are tried."""

NEAREST = 2.0
"""No label is closer to its polygon than this many pixels."""

_LEVEL = np.radians(5.0)
"""Where an outline is level or upright within this angle, boxes also lie centred beside it."""


def around(which: Ints, items: Sequence[Item], engine: Engine, most: int) -> Candidates:
    """Candidates that do not touch their polygon, the cheaper the nearer they are to its centre."""
    polygons = to_map(np.array([item.geometry for item in items], dtype=object), engine)
    distance = np.maximum([item.placing.distance for item in items], NEAREST) * engine.unit
    rings = shapely.buffer(polygons, distance / 2, quad_segs=1)
    single = shapely.get_type_id(rings) == 3
    rows = np.flatnonzero(single & ~shapely.is_empty(rings))
    if not len(rows):
        return join([])
    paths = flatten(rings[rows])
    # as many points as a circle of that circumference has candidates
    density = engine.candidates_polygon_per_cm2 / (10 * engine.px_per_mm) ** 2
    count = np.clip(
        np.minimum(np.ceil(density * (paths.length / engine.unit) ** 2 / (4 * np.pi)), most), FEWEST, MOST
    ).astype(np.int64)
    step = paths.length / count
    path, at = march(step, step, paths.length)
    points, segment = paths.at(path, at), paths.segment(path, at)
    # the last point, if rounding lets it be reached, is the first vertex again, at the end of the last segment
    segment = np.where(at >= paths.length[path], paths.offsets[path + 1] - 2, segment)
    way = paths.coords[segment + 1] - paths.coords[segment]
    clockwise = ~shapely.is_ccw(shapely.get_exterior_ring(rings[rows]))
    outward = np.arctan2(-way[:, 0], way[:, 1]) + np.where(clockwise[path], np.pi, 0.0)
    row = rows[path]
    size, away = sizes(items)[row] * engine.unit, (distance / 2)[row]
    margins = np.array([item.margins for item in items], dtype=np.float64).reshape(-1, 2)[row] * engine.unit
    found = join(
        [_corner(row, points, outward, (size, away, margins)), _level(row, points, outward, (size, away, margins))]
    )
    shape = shapely.polygons(corners(found.x, found.y, found.width, found.height, found.angle))
    shapely.prepare(rings)
    free = ~shapely.intersects(rings[found.item], shape)
    found = found.take(free)
    middle = shapely.centroid(polygons)
    reach = np.asarray(shapely.distance(middle[found.item], np.asarray(shape, dtype=object)[free]))
    bounds, centre = shapely.bounds(polygons), shapely.get_coordinates(middle)
    widest = np.maximum(bounds[:, 2:] - centre, centre - bounds[:, :2]) + distance[:, None]
    found = found.with_cost(reach / np.hypot(*widest.T)[found.item])
    found = to_pixels(found, engine)
    found.item[:] = which[found.item]
    return found


_Measures = tuple[Floats, Floats, Floats]
"""Sizes float64[n, 2], distances float64[n] and margins float64[n, 2] (top, bottom) of boxes."""


def _corner(row: Ints, points: Floats, outward: Floats, measures: _Measures) -> Candidates:
    """A corner of the box faces the point."""
    size, away, (top, bottom) = measures[0], measures[1] * np.sqrt(0.5), measures[2].T
    degrees = np.round(np.degrees(np.mod(outward, 2 * np.pi)), 6)
    left = (degrees >= 90) & (degrees <= 270)
    upper = (degrees > 0) & (degrees <= 180)
    x = points[:, 0] + np.where(left, -away - size[:, 0], away)
    y = points[:, 1] + np.where(upper, away - bottom, -away - size[:, 1] + top)
    return boxes(row, np.stack((x, y), axis=-1), size, np.zeros(len(row)))


def _level(row: Ints, points: Floats, outward: Floats, measures: _Measures) -> Candidates:
    """The middle of a side of the box faces the point."""
    size, away, (top, bottom) = measures[0], measures[1], measures[2].T
    quarter = np.round(outward / (np.pi / 2)).astype(np.int64)
    chosen: Flags = np.abs(outward - quarter * (np.pi / 2)) <= _LEVEL + 1e-9
    side = np.mod(quarter, 4)
    width, height = size[:, 0], size[:, 1]
    x = np.choose(side, (away, -width / 2, -away - width, -width / 2))
    y = np.choose(side, (-height / 2, away - bottom, -height / 2, -away - height + top))
    corner = points + np.stack((x, y), axis=-1)
    return boxes(row[chosen], corner[chosen], size[chosen], np.zeros(int(chosen.sum())))
