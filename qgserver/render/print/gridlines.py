"""Where the lines of a map's grid run on a page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from qgserver.geo.extent import Extent
from qgserver.geo.geometry import Floats
from qgserver.geo.transform import get_transform
from qgserver.project.model.layouts import Grid, MapItem
from qgserver.render.print.paper import Paper, turning

MOST_LINES = 500
"""Lines of one direction beyond which none is drawn."""
STEPS = 20
"""Straight pieces of a line that another CRS bends (QGIS's)."""
CLOSE = 1e-6
"""Millimetres that count as nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class GridLine:
    """A line of one coordinate: ``axis`` 0 of one x, 1 of one y. ``points`` float64[n, 2] are mm in the item, in which
    the line ends at its edges."""

    axis: int
    value: float
    points: Floats


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where a line meets an edge of the map, ``place`` mm from the edge's left or upper end."""

    line: GridLine
    side: str
    place: float


def grid_lines(paper: Paper, item: MapItem, grid: Grid) -> list[GridLine]:
    """The lines of a grid, cut at the edges of the map."""
    frame = shapely.box(0.0, 0.0, item.width, item.height)
    found = []
    for axis, value, points in _whole_lines(paper, item, grid):
        if np.isfinite(points).all():
            pieces = _pieces(shapely.intersection(shapely.LineString(points), frame))
            found += [GridLine(axis, value, piece) for piece in pieces]
    return found


def _pieces(cut: BaseGeometry) -> Iterator[Floats]:
    for part in shapely.get_parts(shapely.line_merge(cut)):
        if part.geom_type == "LineString" and part.length > CLOSE:
            yield shapely.get_coordinates(part)


def _whole_lines(paper: Paper, item: MapItem, grid: Grid) -> Iterator[tuple[int, float, Floats]]:
    """Axis, coordinate and points of all lines that may show."""
    if grid.unit > 0:
        yield from _paper_lines(item, grid)
        return
    shown = on_map(item, np.array(((0.0, 0.0), (item.width, 0.0), (item.width, item.height), (0.0, item.height))))
    box = Extent(*shown.min(axis=0).tolist(), *shown.max(axis=0).tolist())
    transform = get_transform(grid.crs, paper.request.crs, paper.project.operations)
    area = box if transform is None else transform.inverse.extent(box)
    if area is None or not area.is_finite:
        return
    spans = (area.xmin, area.xmax), (area.ymin, area.ymax)
    count = 2 if transform is None else STEPS + 1
    for axis in (0, 1):
        along = np.linspace(*spans[1 - axis], count)
        for value in _values(grid, axis, spans[axis]):
            level = np.full(count, value)
            points = np.stack((level, along) if axis == 0 else (along, level), axis=1)
            yield axis, value, on_paper(item, points if transform is None else transform.points(points))


def _paper_lines(item: MapItem, grid: Grid) -> Iterator[tuple[int, float, Floats]]:
    """Lines at distances from the corner of the map."""
    for axis, length in enumerate((item.width, item.height)):
        far = item.height if axis == 0 else item.width
        for value in _values(grid, axis, (0.0, length / grid.unit)):
            at = value * grid.unit
            ends = ((at, 0.0), (at, far)) if axis == 0 else ((0.0, at), (far, at))
            yield axis, value, np.array(ends)


def _values(grid: Grid, axis: int, span: tuple[float, float]) -> list[float]:
    """The coordinates of the lines of one direction; none stands on the lower edge (measured)."""
    interval, offset = grid.interval[axis], grid.offset[axis]
    low, high = span
    if interval <= 0 or not 0 < (high - low) / interval <= MOST_LINES:
        return []
    first = math.floor((low - offset) / interval) + 1
    last = math.floor((high - offset) / interval + 1e-9)
    return [offset + interval * step for step in range(first, last + 1)]


def on_map(item: MapItem, places: Floats) -> Floats:
    """Places float64[n, 2] in an item (mm from its corner) as map coordinates."""
    level = (places - (item.width / 2, item.height / 2)) @ turning(-item.map_rotation)
    unit = item.extent.width / item.width
    found: Floats = level * (unit, -unit) + item.extent.center
    return found


def on_paper(item: MapItem, points: Floats) -> Floats:
    """Map coordinates float64[n, 2] as mm from the corner of an item."""
    unit = item.extent.width / item.width
    level = (points - item.extent.center) / (unit, -unit)
    found: Floats = level @ turning(item.map_rotation) + (item.width / 2, item.height / 2)
    return found


def crossings(item: MapItem, lines: Sequence[GridLine]) -> list[Crossing]:
    """Where lines meet the edges."""
    edges = {"left": (0, 0.0), "right": (0, item.width), "top": (1, 0.0), "bottom": (1, item.height)}
    found = []
    for line in lines:
        for end, beside in ((line.points[0], line.points[1]), (line.points[-1], line.points[-2])):
            for side, (axis, place) in edges.items():
                # a line along an edge does not meet it
                if abs(end[axis] - place) < CLOSE < abs(beside[axis] - place):
                    found.append(Crossing(line, side, float(end[1 - axis])))
    return found


def meetings(lines: Sequence[GridLine]) -> Floats:
    """Where lines of both directions cross each other, float64[n, 2] mm in the item."""
    upright = [shapely.LineString(line.points) for line in lines if line.axis == 0]
    level = [shapely.LineString(line.points) for line in lines if line.axis == 1]
    met = shapely.get_parts(shapely.intersection(np.array(upright)[:, None], np.array(level)[None]).ravel())
    return shapely.get_coordinates(met[shapely.get_type_id(met) == 0]) if len(met) else np.empty((0, 2))
