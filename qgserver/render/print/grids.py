"""Grids over maps: lines, a frame of alternating colours, coordinates around."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from qgserver.project.model.layouts import Grid, MapItem
from qgserver.render.print.paper import Paper
from qgserver.render.print.texts import Type, type_of

MOST_LINES = 500
"""Lines of one direction beyond which none is drawn."""

Lines = list[tuple[float, float]]
"""Place in the item (mm) and coordinate of each line."""


def draw_grid(paper: Paper, item: MapItem, grid: Grid) -> None:
    """The grid of an upright map."""
    box = item.extent
    upright = _lines(grid, 0, (box.xmin, box.xmax), (0.0, item.width))
    level = _lines(grid, 1, (box.ymin, box.ymax), (item.height, 0.0))
    if grid.lines:
        for x, _ in upright:
            _draw_line(paper, item, grid, (x, 0.0, x, item.height))
        for y, _ in level:
            _draw_line(paper, item, grid, (0.0, y, item.width, y))
    if grid.zebra > 0:
        _draw_zebra(paper, item, grid, [x for x, _ in upright], [y for y, _ in level])
    kind = None if grid.format is None else type_of(grid.format)
    if kind is not None:
        _draw_numbers(paper, item, grid, kind, (upright, level))


def _lines(grid: Grid, axis: int, span: tuple[float, float], edges: tuple[float, float]) -> Lines:
    """The lines of one direction; none stands on the lower edge (measured)."""
    interval, offset = grid.interval[axis], grid.offset[axis]
    low, high = span
    if interval <= 0 or not 0 < (high - low) / interval <= MOST_LINES:
        return []
    first = math.floor((low - offset) / interval) + 1
    last = math.floor((high - offset) / interval + 1e-9)
    values = [offset + interval * step for step in range(first, last + 1)]
    return [(edges[0] + (value - low) / (high - low) * (edges[1] - edges[0]), value) for value in values]


def _draw_line(paper: Paper, item: MapItem, grid: Grid, ends: tuple[float, float, float, float]) -> None:
    points = paper.points(item, np.array(ends).reshape(2, 2))
    if grid.symbol is not None:
        paper.paint_line(grid.symbol, points)
    else:
        paper.stroke(points, grid.pen, closed=False)


def _draw_zebra(paper: Paper, item: MapItem, grid: Grid, across: list[float], down: list[float]) -> None:
    """Boxes between the lines, from the left and from the top, dark first; the corners are light."""
    wide = grid.zebra
    for stops, length, far in ((across, item.width, item.height), (down, item.height, item.width)):
        bounds = sorted({0.0, length, *stops})
        for place in (-wide, far):
            for i, (start, stop) in enumerate(pairwise(bounds)):
                if stop - start > 1e-6:
                    box = (start, place, stop - start, wide)
                    _draw_box(paper, item, grid, box if stops is across else (place, start, wide, stop - start), i % 2)
    for x in (-wide, item.width):
        for y in (-wide, item.height):
            _draw_box(paper, item, grid, (x, y, wide, wide), 1)


def _draw_box(paper: Paper, item: MapItem, grid: Grid, box: tuple[float, float, float, float], light: int) -> None:
    x, y, width, height = box
    ring = np.array(((x, y), (x + width, y), (x + width, y + height), (x, y + height)))
    points = paper.points(item, ring)
    paper.fill(points, grid.fills[1 - light])
    paper.stroke(points, grid.pen)


def _draw_numbers(paper: Paper, item: MapItem, grid: Grid, kind: Type, lines: tuple[Lines, Lines]) -> None:
    """The coordinate of each line at both its ends, outside of the frame."""
    away = grid.distance + (grid.zebra + grid.pen.width / 2 if grid.zebra > 0 else 0.0)
    tall = kind.digit
    decimals = min(max(grid.decimals, 0), 12)
    for x, value in lines[0]:
        text = f"{value:.{decimals}f}"
        left = x - kind.width(text) / 2
        places = {"top": (left, -away), "bottom": (left, item.height + away + tall)}
        for side in grid.sides & places.keys():
            kind.draw(paper, item, places[side], text)
    for y, value in lines[1]:
        text = f"{value:.{decimals}f}"
        places = {"left": (-away - kind.width(text), y + tall / 2), "right": (item.width + away, y + tall / 2)}
        for side in grid.sides & places.keys():
            kind.draw(paper, item, places[side], text)
