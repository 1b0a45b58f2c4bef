"""Grids over maps: lines, crosses or markers, a frame around, coordinates at its sides."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from qgserver.draw.clipping import clipped_to
from qgserver.draw.paths import single_path
from qgserver.geo.geometry import Floats
from qgserver.project.model.layouts import Grid, MapItem
from qgserver.render.print.gridlines import CLOSE, Crossing, GridLine, crossings, grid_lines, meetings
from qgserver.render.print.gridnumbers import draw_number
from qgserver.render.print.paper import Paper, rectangle
from qgserver.render.print.texts import type_of

_ENDS = {"left": (0.0, 0.0, -1.0, 0.0), "right": (1.0, 0.0, 1.0, 0.0), "top": (0.0, 0.0, 0.0, -1.0),
         "bottom": (0.0, 1.0, 0.0, 1.0)}  # fmt: skip
"""Of each side: where its left or upper end is (in widths and heights of the map), and the way outwards."""


def draw_grid(paper: Paper, item: MapItem, grid: Grid) -> None:
    """The grid of a map."""
    lines = grid_lines(paper, item, grid)
    with clipped_to(paper.canvas, single_path(paper.points(item, rectangle(item)), True)):
        if grid.style == "lines":
            for line in lines:
                _draw_line(paper, item, grid, line.points)
        elif grid.style:
            _draw_meetings(paper, item, grid, lines)
    met = crossings(item, lines)
    if grid.frame.kind == "zebra":
        _draw_zebra(paper, item, grid, met)
    elif grid.frame.kind == "line":
        _draw_border(paper, item, grid)
    elif grid.frame.kind:
        _draw_ticks(paper, item, grid, met)
    kind = None if grid.format is None else type_of(grid.format)
    if kind is not None:
        for crossing in met:
            draw_number(paper, item, grid, kind, crossing)


def _draw_line(paper: Paper, item: MapItem, grid: Grid, places: Floats) -> None:
    points = paper.points(item, places)
    if grid.symbol is not None:
        paper.paint_line(grid.symbol, points)
    else:
        paper.stroke(points, grid.frame.pen, closed=False)


def _draw_meetings(paper: Paper, item: MapItem, grid: Grid, lines: Sequence[GridLine]) -> None:
    """Crosses or markers where the lines meet."""
    places = meetings(lines)
    if grid.style == "markers":
        if grid.marker is not None:
            paper.paint_points(grid.marker, paper.points(item, places))
        return
    edge = np.array((item.width, item.height))
    for place in places:
        for arm in np.array(((grid.cross, 0.0), (0.0, grid.cross))):
            _draw_line(paper, item, grid, np.clip(np.array((place - arm, place + arm)), 0.0, edge))


def _on_edge(item: MapItem, side: str, place: float, outwards: float) -> tuple[float, float]:
    """A place so many mm along a side and outwards from it."""
    across, down, right, below = _ENDS[side]
    x, y = across * item.width + right * outwards, down * item.height + below * outwards
    return (x, y + place) if right else (x + place, y)


def _draw_ticks(paper: Paper, item: MapItem, grid: Grid, met: Sequence[Crossing]) -> None:
    frame = grid.frame
    inner = frame.width if frame.kind in ("inside", "both") else 0.0
    outer = frame.width if frame.kind in ("outside", "both") else 0.0
    for crossing in met:
        if crossing.side in frame.sides:
            ends = [_on_edge(item, crossing.side, crossing.place, frame.margin + way) for way in (-inner, outer)]
            paper.stroke(paper.points(item, np.array(ends)), frame.pen, closed=False)


def _draw_border(paper: Paper, item: MapItem, grid: Grid) -> None:
    """A line around the map."""
    margin = grid.frame.margin
    for side in sorted(grid.frame.sides):
        length = item.height if side in ("left", "right") else item.width
        ends = [_on_edge(item, side, place, margin) for place in (-margin, length + margin)]
        paper.stroke(paper.points(item, np.array(ends)), grid.frame.pen, closed=False)


def _draw_zebra(paper: Paper, item: MapItem, grid: Grid, met: Sequence[Crossing]) -> None:
    """Boxes between the ends of lines, from the left and from the top, dark first; the corners are light."""
    wide, margin, sides = grid.frame.width, grid.frame.margin, grid.frame.sides
    for side in sorted(sides):
        length = item.height if side in ("left", "right") else item.width
        # a line in the corner makes a first box without length, which counts (measured)
        bounds = [0.0, *sorted({length, *(crossing.place for crossing in met if crossing.side == side)})]
        for number, (start, stop) in enumerate(pairwise(bounds)):
            if stop - start < CLOSE:
                continue
            ends = [_on_edge(item, side, at, way) for way in (margin, margin + wide) for at in (start, stop)]
            _draw_box(paper, item, grid, ends, light=number % 2)
    for upright, level in (("left", "top"), ("right", "top"), ("left", "bottom"), ("right", "bottom")):
        if {upright, level} <= sides:
            x, y = (item.width if upright == "right" else 0.0), (item.height if level == "bottom" else 0.0)
            right, down = _ENDS[upright][2], _ENDS[level][3]
            ends = [(x + right * i, y + down * j) for j in (margin, margin + wide) for i in (margin, margin + wide)]
            _draw_box(paper, item, grid, ends, light=1)


def _draw_box(paper: Paper, item: MapItem, grid: Grid, ends: Sequence[tuple[float, float]], *, light: int) -> None:
    """A box of four corners, row by row."""
    points = paper.points(item, np.array(ends)[[0, 1, 3, 2]])
    paper.fill(points, grid.frame.fills[1 - light])
    paper.stroke(points, grid.frame.pen)
