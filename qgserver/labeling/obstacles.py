"""What labels avoid, and what it costs to lie on it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Candidates, Flags, Shapes, expand, parts, running
from qgserver.labeling.model import Engine, Item, Obstacle, ObstacleKind

HARD_SINCE = 2
"""From this version of the engine on, an obstacle with more weight than a label keeps it away altogether."""


CHUNK = 4096
"""Geometries that are asked for at a time."""
_CROSSED = 6
_COVERED = 12


@dataclass(frozen=True, slots=True, eq=False)
class _Hindrances:
    """Obstacles as columns. ``owner`` int64[o] numbers the features."""

    geometry: Shapes
    owner: Ints
    factor: Floats
    kind: Ints

    def __len__(self) -> int:
        return len(self.owner)

    def take(self, chosen: Flags) -> _Hindrances:
        """Those under a mask."""
        return _Hindrances(self.geometry[chosen], self.owner[chosen], self.factor[chosen], self.kind[chosen])


def penalties(
    found: Candidates, items: Sequence[Item], obstacles: Sequence[Obstacle], engine: Engine
) -> tuple[Floats, Flags]:
    """(what each candidate's cost grows by, whether an obstacle keeps it away), float64[n] and bool[n].

    A feature is no obstacle for its own label; nor are the holes of its polygon, except for their part in what
    ``costs`` makes of the distance from the outline (measured).
    """
    cost, hard = np.zeros(len(found)), np.zeros(len(found), dtype=bool)
    names: dict[tuple[str, Hashable], int] = {}
    owners = np.array([names.setdefault((i.layer, i.feature), len(names)) for i in items], dtype=np.int64)
    hindrances = _read(obstacles, names)
    if not len(hindrances) or not len(found):
        return cost, hard
    # twice the priority as a share, on the scale of the factors
    weight = np.array([2.4 if item.always_show else item.priority / 5 for item in items])[found.item]
    straight = (found.angle == 0) & (np.diff(found.runs) == 0)
    plain = _plain(hindrances)
    line = shapely.get_dimensions(hindrances.geometry) == 1
    for chosen, against, meetings in (
        (straight, plain, _box_meetings),
        (np.ones(len(found), dtype=bool), line, _line_meetings),
        (straight, ~plain & ~line, _meetings),
        (~straight, ~line, _meetings),
    ):
        if not chosen.any() or not against.any():
            continue
        rows, some = np.flatnonzero(chosen), hindrances.take(against)
        for candidate, which, points in meetings(found.take(rows), some):
            met = (some.owner[which] != owners[found.item[rows[candidate]]]) & (points > 0)
            candidate, factor, points = rows[candidate[met]], some.factor[which[met]], points[met]
            cost += np.bincount(candidate, weights=points * factor, minlength=len(found))
            if engine.version >= HARD_SINCE:
                hard[candidate[weight[candidate] < factor]] = True
    return cost, hard


Meetings = Iterator[tuple[Ints, Ints, Floats]]
"""(candidate, obstacle, how badly the one lies on the other), some at a time."""


def _plain(hindrances: _Hindrances) -> Flags:
    """bool[o]: upright boxes that are avoided as a whole, such as those of markers."""
    bounds = shapely.bounds(hindrances.geometry)
    area = (bounds[:, 2] - bounds[:, 0]) * (bounds[:, 3] - bounds[:, 1])
    box: Flags = np.abs(shapely.area(hindrances.geometry) - area) <= 1e-9 * area
    plain: Flags = box & (area > 0) & (hindrances.kind == ObstacleKind.WHOLE)
    return plain


def _box_meetings(found: Candidates, hindrances: _Hindrances) -> Meetings:
    """Straight labels and plain boxes meet where their bounds do."""
    tree = shapely.STRtree(hindrances.geometry)
    for start in range(0, len(found), CHUNK):
        some = slice(start, start + CHUNK)
        x, y = found.x[some], found.y[some]
        boxes = shapely.box(x, y, x + found.width[some], y + found.height[some])
        candidate, which = tree.query(boxes)
        yield candidate + start, which, np.full(len(which), float(_COVERED))


def _line_meetings(found: Candidates, hindrances: _Hindrances) -> Meetings:
    """All meetings with lines, segment by segment: the bounds of a long line hold half of the map."""
    box, _, corner = parts(found)
    low, high = corner.min(axis=1), corner.max(axis=1)
    tree = shapely.STRtree(shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1]))
    segments, owner = _segments(hindrances.geometry)
    for start in range(0, len(segments), CHUNK):
        some = segments[start : start + CHUNK]
        piece, hit = tree.query(shapely.linestrings(some))
        met = _crosses(some[piece], corner[hit])
        pairs = np.unique(owner[start + piece[met]] * len(found) + box[hit[met]])
        yield pairs % len(found), pairs // len(found), np.ones(len(pairs))


def _segments(lines: Shapes) -> tuple[Floats, Ints]:
    """float64[s, 2, 2]: the segments of lines, and int64[s] whose they are."""
    single, first = shapely.get_parts(lines, return_index=True)
    coords, line = shapely.get_coordinates(single, return_index=True)
    same = line[1:] == line[:-1]
    return np.stack((coords[:-1][same], coords[1:][same]), axis=1), first[line[1:][same]]


def _crosses(segment: Floats, corner: Floats) -> Flags:
    """bool[n]: segments float64[n, 2, 2] that meet rectangles float64[n, 4, 2] whose bounds they meet: neither a side
    of the rectangle nor the segment itself parts them."""
    x, y = (segment[:, 0] - corner[:, 0]).T
    along_x, along_y = (segment[:, 1] - segment[:, 0]).T
    sides = [(corner[:, side] - corner[:, 0]).T for side in (1, 3)]
    meet = np.ones(len(segment), dtype=bool)
    first = along_y * x - along_x * y  # of the corner, across the segment
    low, high = first.copy(), first
    for side_x, side_y in sides:
        across = along_x * side_y - along_y * side_x
        low, high = low + np.minimum(across, 0.0), high + np.maximum(across, 0.0)
        begin = x * side_x + y * side_y
        end = begin + along_x * side_x + along_y * side_y
        meet &= (np.maximum(begin, end) >= 0) & (np.minimum(begin, end) <= side_x * side_x + side_y * side_y)
    meet &= (low <= 0) & (high >= 0)
    return meet


def _meetings(found: Candidates, hindrances: _Hindrances) -> Meetings:
    """All meetings with areas, by the shapes themselves."""
    box, first, corner = parts(found)
    shape: Shapes = np.asarray(shapely.polygons(corner), dtype=object)
    whole = _together(shape, box, first) if len(found.glyphs) else shape
    tree = shapely.STRtree(whole)
    for start in range(0, len(hindrances), CHUNK):
        which, candidate = tree.query(hindrances.geometry[start : start + CHUNK], predicate="intersects")
        which = which + start
        area = shapely.get_dimensions(hindrances.geometry[which]) == 2
        points = np.where(area, float(_COVERED), 2.0)
        for kind, badness in ((ObstacleKind.BOUNDARY, _across), (ObstacleKind.INTERIOR, _covered)):
            rows = np.flatnonzero(area & (hindrances.kind[which] == kind))
            count = np.diff(first)[candidate[rows]]
            pair, part = expand(first[candidate[rows]], count)
            geometry = hindrances.geometry[which[rows[pair]]]
            points[rows] = badness(geometry, shape[part], corner[part], running(count))
        yield candidate, which, points


def _read(obstacles: Sequence[Obstacle], names: dict[tuple[str, Hashable], int]) -> _Hindrances:
    solid = [o for o in obstacles if not shapely.is_empty(o.geometry)]
    shape = np.empty(len(solid), dtype=object)
    shape[:] = [o.geometry for o in solid]
    return _Hindrances(
        shape,
        np.array([names.get((o.layer, o.feature), -1) for o in solid], dtype=np.int64),
        np.array([o.factor for o in solid]),
        np.array([int(o.kind) for o in solid], dtype=np.int64),
    )


def _together(shape: Shapes, owner: Ints, first: Ints) -> Shapes:
    """The glyphs of each candidate as one geometry."""
    several = np.diff(first) > 1
    whole = shape[first[:-1]]
    glyphs = several[owner]
    whole[several] = shapely.multipolygons(shape[glyphs], indices=(np.cumsum(several) - 1)[owner[glyphs]])
    return whole


def _across(geometry: Shapes, shape: Shapes, corner: Floats, runs: Ints) -> Floats:
    """float64[r]: 6 for each run of parts (boxes of labels) of which one lies across its polygon's boundary."""
    crossing = shapely.intersects(geometry, shape) & ~shapely.contains(geometry, shape)
    return np.where(_sums(crossing.astype(np.float64), runs) > 0, float(_CROSSED), 0.0)


def _covered(geometry: Shapes, shape: Shapes, corner: Floats, runs: Ints) -> Floats:
    """float64[r]: 1 to 12 for each run of parts, by the corners, middles of sides and (fourfold) the centres that lie
    in their polygon: the mean of the parts."""
    middle = (corner + np.roll(corner, -1, axis=1)) / 2
    probes = np.concatenate((corner, middle, corner.mean(axis=1, keepdims=True)), axis=1)
    inside: Flags = shapely.contains_xy(geometry[:, None], probes[:, :, 0], probes[:, :, 1])
    met = np.where(shapely.intersects(geometry, shape), 1.0 + inside @ np.array([1.0] * 8 + [4.0]), 0.0)
    return np.asarray(np.ceil(_sums(12.0 * met / 13.0, runs) / np.diff(runs)))


def _sums(values: Floats, runs: Ints) -> Floats:
    return np.asarray(np.add.reduceat(values, runs[:-1])) if len(values) else values
