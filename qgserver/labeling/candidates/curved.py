"""Text that follows its line, glyph by glyph: all glyphs of one rank of all candidates in a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Candidates, Flags, Shapes, boxes, join, running, turns
from qgserver.labeling.candidates.line import beside, wanted
from qgserver.labeling.candidates.mapunits import to_map, to_pixels
from qgserver.labeling.candidates.paths import Paths, flatten, march
from qgserver.labeling.candidates.point import CHEAPEST
from qgserver.labeling.model import Engine, Item, LineFlags

MOST = 1000
"""No line gets more candidates than this on each of its sides."""

BELOW = 0.45
"""The boxes of glyphs begin this share of their height below the path."""


@dataclass(frozen=True, slots=True, eq=False)
class _Text:
    """What the glyphs of the items of a call are like, as columns over the items; ``advances`` of item i begin at
    ``start[i]`` and are ``count[i]`` many."""

    advances: Floats
    start: Ints
    count: Ints
    height: Floats
    width: Floats
    left: Floats
    right: Floats
    upright: Flags


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Glyphs laid along paths: ``corner`` float64[c, g, 2], ``angle`` float64[c, g] for candidates c and the ranks g
    of their glyphs; ``used`` bool[c, g]; ``good`` bool[c]: the text found room and bends no more than allowed."""

    corner: Floats
    angle: Floats
    width: Floats
    used: Flags
    good: Flags


def along(which: Ints, items: Sequence[Item], engine: Engine, most: int) -> Candidates:
    """Candidates above, on and below lines (polygons give their outlines, upon which text never overruns)."""
    text = _read(items, engine.unit)
    shapes = np.array([item.geometry for item in items], dtype=object)
    outline = shapely.get_type_id(shapes) == 3
    shapes[outline] = shapely.get_exterior_ring(shapes[outline])
    lines = to_map(shapes, engine)
    length = shapely.length(lines)
    strict = np.array([item.placing.anchor_strict for item in items], dtype=bool)
    overrun = np.array([item.placing.overrun for item in items], dtype=np.float64) * engine.unit
    overrun = np.where(strict, np.maximum(overrun, 0.0), np.minimum(overrun, text.width))
    overrun[outline] = 0.0
    # the last vertex of a path is reached only up to rounding
    fits = (text.width <= length + 2 * overrun) & (text.count > 0)
    rows = np.flatnonzero(fits)
    if not len(rows):
        return join([])
    anchor = np.array([item.placing.anchor for item in items], dtype=np.float64)
    anchors = shapely.line_interpolate_point(lines, length * anchor)
    lines[rows] = _extended(lines[rows], overrun[rows])
    count = wanted(shapely.length(shapes), engine, most)
    found = []
    for side in (1, 0, -1):
        chosen, paths = _side(lines, items, rows, (side, engine.unit))
        if len(chosen):
            job = _Job(items, text, chosen, paths, side, anchor[chosen], count[chosen], engine.unit)
            found.append(_candidates(job, anchors[chosen]))
    together = to_pixels(join(found), engine)
    together.item[:] = which[together.item]
    return together


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """The lines of one side: ``chosen`` numbers their items."""

    items: Sequence[Item]
    text: _Text
    chosen: Ints
    paths: Paths
    side: int
    anchor: Floats
    count: Ints
    unit: float


def _read(items: Sequence[Item], unit: float) -> _Text:
    glyphs = [np.empty(0) if item.advances is None else item.advances[item.advances > 0] * unit for item in items]
    count = np.array([len(g) for g in glyphs], dtype=np.int64)
    return _Text(
        advances=np.concatenate(glyphs),
        start=running(count)[:-1],
        count=count,
        height=np.array([item.height for item in items], dtype=np.float64) * unit,
        width=np.array([g.sum() for g in glyphs], dtype=np.float64),
        left=np.radians([abs(item.placing.max_turn_in) for item in items]),
        right=np.radians([abs(item.placing.max_turn_out) for item in items]),
        upright=np.array([turns(item) for item in items], dtype=bool),
    )


def _extended(lines: Shapes, by: Floats) -> Shapes:
    """The lines made longer at both ends, straight on."""
    out = lines.copy()
    for row in np.flatnonzero(by > 0).tolist():
        coords = shapely.get_coordinates(lines[row])
        ends = []
        for end, before in ((coords[0], coords[1:]), (coords[-1], coords[-2::-1])):
            step = end - before[np.argmax((before != end).any(axis=1))]
            ends.append(end + step / np.hypot(*step) * by[row])
        out[row] = shapely.linestrings(np.concatenate((ends[:1], coords, ends[1:])))
    return out


def _side(lines: Shapes, items: Sequence[Item], rows: Ints, where: tuple[int, float]) -> tuple[Ints, Paths]:
    """The lines moved to one side (1 left, -1 right, 0 where they are; map units per pixel), for the items that may
    lie there."""
    side, unit = where
    flags = np.array([items[row].placing.line_flags or LineFlags.ON for row in rows.tolist()], dtype=np.int64)
    beyond = (flags & (LineFlags.ABOVE | LineFlags.BELOW)) != 0
    mapped = (flags & LineFlags.MAP_ORIENTATION) != 0
    wish = {1: LineFlags.ABOVE, 0: LineFlags.ON, -1: LineFlags.BELOW}[side]
    chosen = rows[((flags & wish) != 0) | (beyond & mapped & (side != 0))]
    moved = lines[chosen]
    if side and len(chosen):
        away = np.array([beside(items[row]) + items[row].height / 2 for row in chosen.tolist()]) * unit
        moved = shapely.offset_curve(moved, side * away, join_style="mitre", mitre_limit=2.0)
        single = shapely.get_type_id(moved) == 1
        chosen, moved = chosen[single], moved[single]
        filled = ~shapely.is_empty(moved)
        chosen, moved = chosen[filled], moved[filled]
    return chosen, flatten(moved)


def _candidates(job: _Job, anchors: Shapes) -> Candidates:
    """All starts along the paths of one side, glyphs laid from there."""
    text, paths, chosen = job.text, job.paths, job.chosen
    total, width = paths.length, text.width[chosen]
    anchor = total * job.anchor
    if job.side:
        curves = shapely.linestrings(paths.coords, indices=np.repeat(np.arange(len(paths)), np.diff(paths.offsets)))
        anchor = np.asarray(shapely.line_locate_point(curves, anchors))
    step = np.maximum(np.maximum(text.height[chosen] / 6, total / job.count), total / MOST)
    strict = np.array([job.items[row].placing.anchor_strict for row in chosen.tolist()], dtype=bool)
    fixed = np.maximum(np.minimum(anchor - width / 2, 0.99 * total - width), 0.0)
    # the last vertex of a path is reached only up to rounding: whether text ends there is found out when it is laid
    slack = 1e-9 * (1.0 + total)
    last = np.where(total >= width - slack, np.where(strict, fixed, total - width + slack), -np.inf)
    line, at = march(np.where(strict, fixed, 0.0), np.where(strict, np.inf, step), last)
    laid, flipped, leftward = _lay(job, line, at, strict[line])
    flags = np.array([job.items[row].placing.line_flags for row in chosen.tolist()], dtype=np.int64)[line]
    good, cost = _prices(job.side, flags, leftward, laid)
    # the middle of the text as it is set straight, with kerning
    middle = at + np.array([job.items[row].width for row in chosen.tolist()])[line] * job.unit / 2
    away = np.abs(anchor[line] - middle) / total[line]
    free = ~strict[line] & (job.anchor[line] > 0.1) & (job.anchor[line] < 0.9)
    cost = cost + away / np.where(free, 100.0, 10.0)
    return _columns(laid, flipped, good, cost, (chosen[line], text))


def _lay(job: _Job, line: Ints, at: Floats, strict: Flags) -> tuple[_Runs, Flags, Flags]:
    """Glyphs laid along the line; text that finds room but would mostly stand on its head is laid again from its last
    glyph on, and must find room again.
    (runs, which were flipped, which lie upon a stretch that runs from right to left)."""
    text, chosen = job.text, job.chosen
    laid = _run(job, line, at, strict, np.zeros(len(line), dtype=bool))
    inverted = (laid.angle > np.pi / 2) & (laid.angle < 3 * np.pi / 2) & laid.used
    upright = text.upright[chosen[line]]
    again = upright & laid.good & (inverted.sum(axis=1) >= laid.used.sum(axis=1) / 2)
    way = job.paths.at(line, at + text.width[chosen[line]]) - job.paths.at(line, at)
    leftward = np.where(upright, again, way[:, 0] < 0)
    rows = np.flatnonzero(again)
    if len(rows):
        turned = _run(job, line[rows], at[rows], strict[rows], np.ones(len(rows), dtype=bool))
        for name in ("corner", "angle", "width", "used", "good"):
            getattr(laid, name)[rows] = getattr(turned, name)
    return laid, again, leftward


def _run(job: _Job, line: Ints, at: Floats, strict: Flags, flipped: Flags) -> _Runs:
    """One glyph after the other: each is a chord of the path as long as its advance."""
    text, paths = job.text, job.paths
    item = job.chosen[line]
    count, most = text.count[item], int(text.count[job.chosen].max(initial=0))
    shape = (len(line), most)
    runs = _Runs(np.zeros((*shape, 2)), np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool), count > 0)
    here, vertex = paths.at(line, at), paths.segment(line, at)
    last = paths.offsets[line + 1] - 1
    way = paths.coords[vertex + 1] - paths.coords[vertex]
    before = np.arctan2(way[:, 1], way[:, 0])
    for rank in range(most):
        live = np.flatnonzero(runs.good & (rank < count))
        if not len(live):
            break
        glyph = np.where(flipped[live], count[live] - 1 - rank, rank)
        advance = text.advances[text.start[item[live]] + glyph]
        there, reached, met = _next(paths.coords, (here[live], vertex[live], last[live]), advance)
        chord = there - here[live]
        angle = np.arctan2(chord[:, 1], chord[:, 0])
        bend = np.mod(angle - before[live] + np.pi, 2 * np.pi) - np.pi
        limit = np.where(bend > 0, text.left[item[live]], text.right[item[live]])
        runs.good[live] = met & (strict[live] | (np.abs(bend) <= limit))
        runs.corner[live, rank], runs.angle[live, rank] = here[live], angle
        runs.width[live, rank], runs.used[live, rank] = advance, True
        here[live], vertex[live], before[live] = there, reached, angle
    runs.angle[:] = np.mod(runs.angle, 2 * np.pi)
    return runs


def _next(coords: Floats, state: tuple[Floats, Ints, Ints], reach: Floats) -> tuple[Floats, Ints, Flags]:
    """From points on paths to the next ones at a straight distance: (point, segment, whether there is one). ``state``:
    the points float64[n, 2], the vertices before them and the last vertices of their paths."""
    here, vertex, last = state
    vertex = vertex.copy()
    while True:
        end = coords[np.minimum(vertex + 1, last)]
        short = (vertex < last) & (np.hypot(*(end - here).T) < reach)
        if not short.any():
            break
        vertex[short] += 1
    met = vertex < last
    start, end = coords[np.minimum(vertex, last)], coords[np.minimum(vertex + 1, last)]
    way, off = end - start, start - here
    a = np.maximum((way**2).sum(axis=1), 1e-30)
    b, c = (way * off).sum(axis=1), (off**2).sum(axis=1) - reach**2
    share = (-b + np.sqrt(np.maximum(b**2 - a * c, 0.0))) / a
    return start + way * share[:, None], vertex, met


def _prices(side: int, flags: Ints, leftward: Flags, laid: _Runs) -> tuple[Flags, Floats]:
    """(which candidates stand, what their bends and their side cost)."""
    mapped = (flags & LineFlags.MAP_ORIENTATION) != 0
    above = np.where(mapped, leftward == (side < 0), side > 0)
    allowed = np.where(above, flags & LineFlags.ABOVE, flags & LineFlags.BELOW) != 0
    good = laid.good & (allowed if side else True)
    bend = np.abs(np.diff(laid.angle, axis=1))
    bend = np.where(laid.used[:, 1:], np.minimum(bend, 2 * np.pi - bend), 0.0).sum(axis=1)
    mean = bend / np.maximum(laid.used.sum(axis=1) - 1, 1)
    cost = np.maximum(mean / 100, CHEAPEST)
    # of equal sides of a line that knows no map, the right one is taken
    more = np.where(mapped, np.where(above, 0.0, 0.001), 0.0 if side < 0 else 1e-9) if side else 0.002
    return good, cost + more


def _columns(laid: _Runs, flipped: Flags, good: Flags, cost: Floats, owner: tuple[Ints, _Text]) -> Candidates:
    """The candidates that stand, their glyphs as boxes in reading order."""
    item, text = owner[0][good], owner[1]
    corner, angle = laid.corner[good], laid.angle[good]
    width, used = laid.width[good], laid.used[good]
    turned = flipped[good]
    height = text.height[item]
    down = np.where(turned, -1.0, 1.0)[:, None] * (BELOW * height[:, None])
    corner = corner + np.stack((np.sin(angle), -np.cos(angle)), axis=-1) * down[:, :, None]
    over = turned[:, None] & used
    corner = corner + np.where(over, width, 0.0)[:, :, None] * np.stack((np.cos(angle), np.sin(angle)), axis=-1)
    angle = np.mod(np.where(over, angle + np.pi, angle), 2 * np.pi)
    columns = np.concatenate(
        (corner, width[:, :, None], np.broadcast_to(height[:, None, None], (*width.shape, 1)), angle[:, :, None]),
        axis=2,
    )
    # flipped text was laid from its end: turn it round, then its empty places are in front
    columns[turned], used[turned] = columns[turned][:, ::-1], used[turned][:, ::-1]
    glyphs = columns[used]
    runs = running(used.sum(axis=1))
    first = glyphs[runs[:-1]] if len(item) else np.empty((0, 5))
    size = np.stack((text.width[item], height), axis=-1)
    plain = boxes(item, first[:, :2], size, cost[good], angle=first[:, 4])
    return Candidates(
        plain.item, plain.x, plain.y, plain.width, plain.height, plain.angle, plain.cost, plain.quadrant, glyphs, runs
    )
