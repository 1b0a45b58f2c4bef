"""Straight labels along lines and outlines, and horizontal ones upon lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.candidates.columns import Candidates, Flags, boxes, expand, join
from qgserver.labeling.candidates.paths import Paths, flatten, pieces
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


def wanted(length: Floats, engine: Engine, most: Ints | int) -> Ints:
    """int64[n]: how many candidates lines of these lengths shall have, ``most`` at most."""
    count = np.ceil(engine.candidates_line_per_cm * length / (10 * engine.px_per_mm))
    return np.asarray(np.clip(np.nan_to_num(count), 1, np.minimum(most, MOST)), dtype=np.int64)


def along(which: Ints, items: Sequence[Item], engine: Engine, most: int, *, outline: bool) -> Candidates:
    """Labels beside or upon lines: first within their straight parts; where those give too few places, around the
    middle of the whole. ``outline``: the geometries are polygons, whose labels never overrun."""
    lines = _read(items, engine, most)
    need = lines.width - 2 * np.minimum(lines.width, [item.placing.overrun for item in items])
    long_enough = (lines.paths.length >= need) | outline
    straight = _straight(lines, long_enough & ~lines.strict)
    count = np.bincount(straight.item, minlength=len(items))
    again = long_enough & (count < lines.wanted)
    middle = _middle(lines, again, np.where(count > 0, 0.01, 0.0))
    found = join([straight, middle])
    return _renumbered(found, which)


def horizontal(which: Ints, items: Sequence[Item], engine: Engine, most: int) -> Candidates:
    """Boxes centred on points of the line; the nearer to the anchor, the cheaper."""
    lines = _read(items, engine, most)
    length, anchor = lines.paths.length, lines.anchor * lines.paths.length
    step = length / (lines.wanted + 1)
    count = np.where(lines.strict | (step <= 0), 1, lines.wanted + 1)
    item, rank = expand(np.zeros_like(count), count)
    distance = np.where(lines.strict[item], anchor[item], rank * step[item])
    distance = np.minimum(distance, length[item])
    size = sizes(items)[item]
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.nan_to_num(np.abs(anchor[item] - distance) / length[item]) / 1000
    found = boxes(item, lines.paths.at(item, distance) - size / 2, size, cost)
    return _renumbered(found, which)


def _renumbered(found: Candidates, which: Ints) -> Candidates:
    found.item[:] = which[found.item]
    return found


def _read(items: Sequence[Item], engine: Engine, most: int) -> _Lines:
    paths = flatten([item.geometry for item in items])
    return _Lines(
        paths=paths,
        width=np.array([item.width for item in items], dtype=np.float64),
        height=np.array([item.height for item in items], dtype=np.float64),
        distance=np.array([beside(item) for item in items], dtype=np.float64),
        flags=np.array([item.placing.line_flags or LineFlags.ON for item in items], dtype=np.int64),
        anchor=np.array([item.placing.anchor for item in items], dtype=np.float64),
        strict=np.array([item.placing.anchor_strict for item in items], dtype=bool),
        wanted=wanted(paths.length, engine, most),
    )


def beside(item: Item) -> float:
    """The distance from the line: never less than a pixel, to either side."""
    distance = item.placing.distance
    return min(distance, -1.0) if distance < 0 else max(distance, 1.0)


def _straight(lines: _Lines, chosen: Flags) -> Candidates:
    """Windows as long as the label slide along each straight part: ``item`` numbers the lines of the call."""
    paths = lines.paths
    path, start, end = pieces(paths, SHARP)
    longest = np.zeros(len(paths))
    np.maximum.at(longest, path, end - start)
    fits = chosen[path] & (end - start > lines.width[path])
    path, start, end = path[fits], start[fits], end[fits]
    step = _steps(lines)[path]
    count = np.ceil((end - start - lines.width[path]) / step).astype(np.int64)
    piece, rank = expand(np.zeros_like(count), count)
    path, start, end = path[piece], start[piece], end[piece]
    at = start + rank * step[piece]
    cost, begin, angle = _windows(lines, path, at)
    length, middle = paths.length[path], at + lines.width[path] / 2
    # a label whose anchor is at an end of its line shall go there, whatever the parts are like
    free = (lines.anchor[path] > 0.1) & (lines.anchor[path] < 0.9)
    of_part = 0.0005 * 2 * np.abs(middle - (start + end) / 2) / (end - start)
    of_part += 0.0005 * (1 - (end - start) / longest[path])
    chord = paths.at(path, end) - paths.at(path, start)
    steep = np.mod(np.arctan2(chord[:, 1], chord[:, 0]), np.pi)
    of_part += 0.0001 * (1 - np.abs(steep - np.pi / 2) / (np.pi / 2))
    of_line = 0.0005 * 2 * np.abs(middle - lines.anchor[path] * length) / length
    # windows on either side of the middle cost the same: the first one is taken, not the one that rounding favours
    cost = cost + np.where(free, of_part, 0.0) + np.where(paths.closed[path], 0.0, of_line + 1e-12 * at)
    return _beside(lines, path, begin, angle, cost)


def _steps(lines: _Lines) -> Floats:
    """How far windows are apart."""
    room = lines.paths.length - lines.width
    step = np.minimum(np.minimum(lines.height, lines.width), room / lines.wanted)
    return np.asarray(np.maximum(np.maximum(step, room / MOST), 1e-6))


def _middle(lines: _Lines, chosen: Flags, extra: Floats) -> Candidates:
    """Windows along the whole line, the cheaper the nearer they are to the anchor; a line that is shorter than its
    label has one, in the middle. ``extra`` float64[n] is added to the cost."""
    length, width = lines.paths.length, lines.width
    short = length <= width
    start = np.where(short, -(width - length) / 2, 0.0)
    total = np.where(short, width, length)
    anchor = total * np.minimum(0.99, lines.anchor)
    start = np.where(lines.strict, np.minimum(anchor, 0.99 * total - width), start)
    with np.errstate(divide="ignore", invalid="ignore"):
        count = np.floor((length - width) / _steps(lines) + 1e-9).astype(np.int64) + 1
    count = np.where(short | lines.strict, 1, count)
    count[~chosen | (short & lines.paths.closed & ~lines.strict)] = 0
    path, rank = expand(np.zeros_like(count), count)
    at = start[path] + rank * _steps(lines)[path]
    cost, begin, angle = _windows(lines, path, at)
    away = np.abs(anchor[path] - (at + width[path] / 2)) / total[path]
    return _beside(lines, path, begin, angle, cost + away / 1000 + extra[path])


def _windows(lines: _Lines, path: Ints, at: Floats) -> tuple[Floats, Floats, Floats]:
    """(cost, start, angle) of windows on paths at distances: bent ones cost more."""
    paths, width = lines.paths, lines.width[path]
    begin, end = paths.at(path, at), paths.at(path, at + width)
    chord = end - begin
    reach = np.hypot(chord[:, 0], chord[:, 1])
    beyond = at < 0
    if beyond.any():
        last = paths.coords[paths.offsets[path[beyond] + 1] - 1] - paths.coords[paths.offsets[path[beyond]]]
        reach[beyond] = np.hypot(last[:, 0], last[:, 1])
    share = reach / width
    cost = np.where(share > 0.98, CHEAPEST, (1 - share) / 100)
    return cost, begin, np.arctan2(chord[:, 1], chord[:, 0])


def _beside(lines: _Lines, path: Ints, begin: Floats, angle: Floats, cost: Floats) -> Candidates:
    """The windows' boxes below, above and on the line, as far as the settings allow."""
    flags, height, distance = lines.flags[path], lines.height[path], lines.distance[path]
    leftward = (angle > np.pi / 2) | (angle <= -np.pi / 2)
    swapped = leftward & ((flags & LineFlags.MAP_ORIENTATION) != 0)
    above, below, on = ((flags & flag) != 0 for flag in (LineFlags.ABOVE, LineFlags.BELOW, LineFlags.ON))
    sides = (
        (np.where(swapped, above, below), -(distance + height), np.where(swapped, 0.0, 0.001)),
        (np.where(swapped, below, above), distance, np.where(swapped, 0.001, 0.0)),
        (on, -height / 2, np.full(len(path), 0.002)),
    )
    normal = np.stack((-np.sin(angle), np.cos(angle)), axis=-1)
    size = np.stack((lines.width[path], height), axis=-1)
    return join(
        [
            boxes(path[use], (begin + normal * shift[:, None])[use], size[use], (cost + more)[use], angle=angle[use])
            for use, shift, more in sides
        ]
    )
