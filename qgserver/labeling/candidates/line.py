"""Straight labels along lines and outlines, and horizontal ones upon lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Candidates, Flags, boxes, join
from qgserver.labeling.candidates.mapunits import to_map, to_pixels
from qgserver.labeling.candidates.paths import Paths, flatten, march, pieces
from qgserver.labeling.candidates.point import CHEAPEST, sizes
from qgserver.labeling.model import Engine, Item, LineFlags

SHARP = np.pi / 4
"""Where a line turns by more, no label crosses the bend if it can lie elsewhere."""

MOST = 4000
"""No line gets more windows than this: longer ones are tried at wider steps."""


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """The items of a call, as columns."""

    paths: Paths
    width: Floats
    height: Floats
    distance: Floats
    flags: Ints
    anchor: Floats
    strict: Flags
    wanted: Ints
    unit: float
    """Of the map, a pixel long: all lengths are in map units."""


def wanted(length: Floats, engine: Engine, most: Ints | int) -> Ints:
    """int64[n]: how many candidates lines of these lengths shall have, ``most`` at most."""
    count = np.ceil(engine.candidates_line_per_cm * length / (10 * engine.px_per_mm))
    return np.asarray(np.clip(np.nan_to_num(count), 1, np.minimum(most, MOST)), dtype=np.int64)


def along(which: Ints, items: Sequence[Item], engine: Engine, most: int, *, outline: bool) -> Candidates:
    """Labels beside or upon lines: first within their straight parts; where those give too few places, around the
    middle of the whole. ``outline``: the geometries are polygons, whose labels never overrun."""
    lines = _read(items, engine, most)
    overrun = np.array([item.placing.overrun for item in items]) * engine.unit
    need = lines.width - 2 * np.minimum(lines.width, overrun)
    long_enough = (lines.paths.length >= need) | outline
    straight = _straight(lines, long_enough & ~lines.strict)
    count = np.bincount(straight.item, minlength=len(items))
    again = long_enough & (count < lines.wanted)
    middle = _middle(lines, again, np.where(count > 0, 0.01, 0.0))
    found = join([straight, middle])
    return _renumbered(to_pixels(found, engine), which)


def horizontal(which: Ints, items: Sequence[Item], engine: Engine, most: int) -> Candidates:
    """Boxes centred on points of the line; the nearer to the anchor, the cheaper."""
    lines = _read(items, engine, most)
    length, anchor = lines.paths.length, lines.anchor * lines.paths.length
    step = length / (lines.wanted + 1)
    once = lines.strict | (step <= 0)
    start = np.where(lines.strict, np.minimum(anchor, length), 0.0)
    item, distance = march(start, np.where(once, np.inf, step), length)
    size = sizes(items)[item] * engine.unit
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.nan_to_num(np.abs(anchor[item] - distance) / length[item]) / 1000
    found = boxes(item, lines.paths.at(item, distance) - size / 2, size, cost)
    return _renumbered(to_pixels(found, engine), which)


def _renumbered(found: Candidates, which: Ints) -> Candidates:
    found.item[:] = which[found.item]
    return found


def _read(items: Sequence[Item], engine: Engine, most: int) -> _Lines:
    shapes = np.array([item.geometry for item in items], dtype=object)
    size = sizes(items) * engine.unit
    return _Lines(
        paths=flatten(to_map(shapes, engine)),
        width=size[:, 0],
        height=size[:, 1],
        distance=np.array([beside(item) for item in items], dtype=np.float64) * engine.unit,
        flags=np.array([item.placing.line_flags or LineFlags.ON for item in items], dtype=np.int64),
        anchor=np.array([item.placing.anchor for item in items], dtype=np.float64),
        strict=np.array([item.placing.anchor_strict for item in items], dtype=bool),
        wanted=wanted(flatten(shapes).length, engine, most),
        unit=engine.unit,
    )


def beside(item: Item) -> float:
    """The distance from the line: never less than a pixel, to either side."""
    distance = item.placing.distance
    return min(distance, -1.0) if distance < 0 else max(distance, 1.0)


def _straight(lines: _Lines, chosen: Flags) -> Candidates:
    """Windows as long as the label slide along each straight part: ``item`` numbers the lines of the call."""
    paths = lines.paths
    path, start, end, length = pieces(paths, SHARP)
    longest = np.zeros(len(paths))
    np.maximum.at(longest, path, length)
    fits = chosen[path] & (length >= lines.width[path])
    path, start, end = path[fits], start[fits], end[fits]
    piece, at = march(start, _steps(lines)[path], np.nextafter(end, -np.inf), ahead=lines.width[path])
    path, start, end = path[piece], start[piece], end[piece]
    cost, begin, angle = _windows(lines, path, at)
    middle = at + lines.width[path] / 2
    # a label whose anchor is at an end of its line shall go there, whatever the parts are like
    free = (lines.anchor[path] > 0.1) & (lines.anchor[path] < 0.9)
    of_line = 2 * np.abs(middle - lines.anchor[path] * paths.length[path]) / paths.length[path]
    of_part = 2 * np.abs(middle - 0.5 * (end + start)) / (end - start)
    chord = paths.at(path, end) - paths.at(path, start)
    steep = np.mod(np.mod(np.arctan2(chord[:, 1], chord[:, 0]), 2 * np.pi), np.pi)
    # added up in QGIS's order, so that windows which cost the same do so to the last bit, or differ as there
    cost = cost + np.where(free, of_part * 0.0005, 0.0)
    cost = cost + np.where(paths.closed[path], 0.0, of_line * 0.0005)
    cost = cost + np.where(free, (1 - (end - start) / longest[path]) * 0.0005, 0.0)
    cost = cost + np.where(free, (1 - np.abs(steep - np.pi / 2) / (np.pi / 2)) * 0.0001, 0.0)
    return _beside(lines, path, begin, angle, cost)


def _steps(lines: _Lines) -> Floats:
    """How far windows are apart."""
    room = lines.paths.length - lines.width
    step = np.minimum(np.minimum(lines.height, lines.width), room / lines.wanted)
    return np.asarray(np.maximum(np.maximum(step, room / MOST), 1e-6 * lines.unit))


def _middle(lines: _Lines, chosen: Flags, extra: Floats) -> Candidates:
    """Windows along the whole line, the cheaper the nearer they are to the anchor; a line that is shorter than its
    label has one, in the middle. ``extra`` float64[n] is added to the cost."""
    length, width = lines.paths.length, lines.width
    short = length <= width
    start = np.where(short, -(width - length) / 2, 0.0)
    total = np.where(short, width, length)
    anchor = total * np.minimum(0.99, lines.anchor)
    start = np.where(lines.strict, np.minimum(anchor, 0.99 * total - width), start)
    end = np.where(short | lines.strict, start, length - width)
    end[~chosen | (short & lines.paths.closed & ~lines.strict)] = -np.inf
    path, at = march(start, np.where(short | lines.strict, np.inf, _steps(lines)), end)
    cost, begin, angle = _windows(lines, path, at)
    away = np.abs(anchor[path] - (at + width[path] / 2)) / total[path]
    return _beside(lines, path, begin, angle, cost + away / 1000 + extra[path], above_first=True)


def _windows(lines: _Lines, path: Ints, at: Floats) -> tuple[Floats, Floats, Floats]:
    """(cost, start, angle) of windows on paths at distances: bent ones cost more."""
    paths, width = lines.paths, lines.width[path]
    begin, end = paths.at(path, at), paths.at(path, at + width)
    chord = end - begin
    reach = np.sqrt(chord[:, 0] * chord[:, 0] + chord[:, 1] * chord[:, 1])
    beyond = at < 0
    if beyond.any():
        last = paths.coords[paths.offsets[path[beyond] + 1] - 1] - paths.coords[paths.offsets[path[beyond]]]
        reach[beyond] = np.hypot(last[:, 0], last[:, 1])
    share = reach / width
    cost = np.where(share > 0.98, CHEAPEST, (1 - share) / 100)
    return cost, begin, np.arctan2(chord[:, 1], chord[:, 0])


def _beside(
    lines: _Lines, path: Ints, begin: Floats, angle: Floats, cost: Floats, *, above_first: bool = False
) -> Candidates:
    """The windows' boxes below, above and on the line, as far as the settings allow, window by window."""
    flags, height, distance = lines.flags[path], lines.height[path], lines.distance[path]
    leftward = (angle > np.pi / 2) | (angle <= -np.pi / 2)
    swapped = leftward & ((flags & LineFlags.MAP_ORIENTATION) != 0)
    above, below, on = ((flags & flag) != 0 for flag in (LineFlags.ABOVE, LineFlags.BELOW, LineFlags.ON))
    under = (np.where(swapped, above, below), -(distance + height), np.where(swapped, 0.0, 0.001))
    over = (np.where(swapped, below, above), distance, np.where(swapped, 0.001, 0.0))
    upon = (on, -height / 2, np.full(len(path), 0.002))
    sides = (over, under, upon) if above_first else (under, over, upon)
    used, shift, more = (np.stack(columns, axis=1).ravel() for columns in zip(*sides, strict=True))
    window = np.repeat(np.arange(len(path)), len(sides))[used]
    normal = np.stack((-np.sin(angle), np.cos(angle)), axis=-1)[window]
    corner = begin[window] + normal * shift[used][:, None]
    size = np.stack((lines.width[path], height), axis=-1)[window]
    return boxes(path[window], corner, size, cost[window] + more[used], angle=angle[window])
