"""Labels within polygons: a grid over the oriented boxes of their convex parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Candidates, Shapes, boxes, expand
from qgserver.labeling.candidates.limits import UNLIMITED
from qgserver.labeling.candidates.point import CHEAPEST, sizes
from qgserver.labeling.candidates.split import convex_parts
from qgserver.labeling.model import Engine, Item, Mode

MOST = 4000
"""No polygon gets more points of a grid than this: larger ones have a wider grid."""

FINEST = 10
"""So often is the spacing halved where a polygon has too few points."""


@dataclass(frozen=True, slots=True, eq=False)
class _Frames:
    """Oriented boxes around parts of polygons: ``item`` int64[b], ``middle`` float64[b, 2], ``angle`` float64[b] of
    the first side, ``first`` and ``second`` float64[b] the lengths of the sides."""

    item: Ints
    middle: Floats
    angle: Floats
    first: Floats
    second: Floats


def within(which: Ints, items: Sequence[Item], engine: Engine, most: int) -> Candidates:
    """Horizontal and free labels: their middles lie on the grid and inside the polygon; with ``fit_in_polygon`` the
    whole box does (the caller sees to that)."""
    polygons = np.array([item.geometry for item in items], dtype=object)
    size = sizes(items)
    part, owner = convex_parts(polygons, size[:, 0] * size[:, 1])
    frames = _frames(part, owner)
    angle = _angles(items, polygons, size, frames)
    cm2 = (10 * engine.px_per_mm) ** 2 / max(engine.candidates_polygon_per_cm2, 1e-3)
    wanted = np.minimum(np.ceil(shapely.area(polygons) / cm2), most)
    box, points = _inside(polygons, frames, float(np.sqrt(cm2)), wanted if most < UNLIMITED else None)
    item, turned = frames.item[box], angle[box]
    half = size[item] / 2
    corner = points - np.stack(
        (
            half[:, 0] * np.cos(turned) - half[:, 1] * np.sin(turned),
            half[:, 0] * np.sin(turned) + half[:, 1] * np.cos(turned),
        ),
        axis=-1,
    )
    return boxes(which[item], corner, size[item], np.full(len(item), CHEAPEST), angle=turned)


def _inside(polygons: Shapes, frames: _Frames, spacing: float, wanted: Floats | None) -> tuple[Ints, Floats]:
    """The points of grids that lie in their polygons, (frame, points float64[n, 2]). If only a number of them is
    ``wanted``, the grid starts as wide as that suggests, and finer and finer grids follow until there are enough."""
    shapely.prepare(polygons)
    chosen = np.arange(len(frames.item))
    wide = np.full(len(chosen), spacing)
    if wanted is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            wide = np.maximum(spacing, np.nan_to_num(0.8 * np.sqrt(shapely.area(polygons) / wanted))[frames.item])
    found: list[tuple[Ints, Floats]] = []
    count = np.zeros(len(polygons), dtype=np.int64)
    for step in range(FINEST):
        box, points = _grid(frames, chosen, wide if step == 0 else np.full(len(chosen), spacing / 2**step))
        item = frames.item[box]
        inside = np.asarray(shapely.contains_xy(polygons[item], points[:, 0], points[:, 1]), dtype=bool)
        found.append((box[inside], points[inside]))
        count += np.bincount(item[inside], minlength=len(polygons))
        if wanted is None:
            break
        chosen = chosen[(count < wanted)[frames.item[chosen]]]
        if not len(chosen):
            break
    return np.concatenate([box for box, _ in found]), np.concatenate([points for _, points in found])


def _grid(frames: _Frames, chosen: Ints, spacing: Floats) -> tuple[Ints, Floats]:
    """Points every ``spacing`` float64[c] pixels, symmetric about the middles of the chosen frames int64[c]: (frame,
    float64[n, 2])."""
    first_side, second_side = frames.first[chosen], frames.second[chosen]
    with np.errstate(over="ignore"):
        share = np.sqrt((first_side / spacing + 1) * (second_side / spacing + 1) / MOST)
    wide = spacing * np.maximum(share, 1.0)
    columns = np.ceil(first_side / 2 / wide).astype(np.int64)
    rows = np.ceil(second_side / 2 / wide).astype(np.int64)
    across = columns + np.floor(first_side / 2 / wide).astype(np.int64) + 1
    upward = rows + np.floor(second_side / 2 / wide).astype(np.int64) + 1
    box, number = expand(np.zeros_like(across), across * upward)
    first = (number // upward[box] - columns[box]) * wide[box]
    second = (number % upward[box] - rows[box]) * wide[box]
    box = chosen[box]
    cos, sin = np.cos(frames.angle[box]), np.sin(frames.angle[box])
    # the second side points to the right of the first
    shift = np.stack((first * cos + second * sin, first * sin - second * cos), axis=-1)
    return box, frames.middle[box] + shift


def _frames(parts: list[Floats], owner: Ints) -> _Frames:
    """The smallest boxes around the parts (vertices float64[k, 2]), over turns by whole degrees."""
    count = np.array([len(part) for part in parts], dtype=np.int64)
    coords = np.concatenate(parts) if parts else np.empty((0, 2))
    starts = np.concatenate(([0], np.cumsum(count)))[:-1].astype(np.int64)
    turns = np.radians(np.arange(90.0))
    best = np.full(len(parts), np.inf)
    columns = [np.zeros(len(parts)) for _ in range(5)]
    if parts:
        for turn in turns.tolist():
            cos, sin = np.cos(turn), np.sin(turn)
            u, v = coords[:, 0] * cos + coords[:, 1] * sin, -coords[:, 0] * sin + coords[:, 1] * cos
            low_u, high_u = np.minimum.reduceat(u, starts), np.maximum.reduceat(u, starts)
            low_v, high_v = np.minimum.reduceat(v, starts), np.maximum.reduceat(v, starts)
            area = (high_u - low_u) * (high_v - low_v)
            better = area < best * (1 - 1e-9)
            best[better] = area[better]
            middle_u, middle_v = (low_u + high_u) / 2, (low_v + high_v) / 2
            new = (
                middle_u * cos - middle_v * sin,
                middle_u * sin + middle_v * cos,
                turn,
                high_u - low_u,
                high_v - low_v,
            )
            for column, value in zip(columns, new, strict=True):
                column[better] = value if np.isscalar(value) else np.asarray(value)[better]
    x, y, angle, first, second = columns
    return _Frames(owner, np.stack((x, y), axis=-1), angle, first, second)


def _angles(items: Sequence[Item], polygons: Shapes, size: Floats, frames: _Frames) -> Floats:
    """float64[b]: horizontal labels stay so; free ones lie along the box unless there is plenty of room."""
    free = np.array([items[i].placing.mode == Mode.FREE for i in frames.item.tolist()], dtype=bool)
    angle = np.zeros(len(frames.item))
    if not free.any():
        return angle
    width = size[frames.item, 0]
    roomy = (frames.first > 1.5 * width) & (frames.second > 1.5 * width)
    tilted = np.where(frames.angle <= np.pi / 4, frames.angle, frames.angle - np.pi / 2)
    lengthwise = np.where(frames.second > frames.first, frames.angle - np.pi / 2, frames.angle)
    # room for a box of twice the size, level around the middle of the frame: the label stays level
    wide = np.ones(len(free), dtype=bool)
    for x, y in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        corner = frames.middle + size[frames.item] * (x, y)
        wide &= shapely.contains_xy(polygons[frames.item], corner[:, 0], corner[:, 1])
    angle[free] = np.where(wide, 0.0, np.where(roomy, tilted, lengthwise))[free]
    return angle
