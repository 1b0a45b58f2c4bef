"""Shapes, lines, arrows and markers on a page."""

from __future__ import annotations

import math

import numpy as np

from qgserver.draw.paths import arc
from qgserver.draw.svg import SvgColors
from qgserver.geo.geometry import Floats
from qgserver.project.model.layouts import ARROW, MarkerItem, NodesItem, ShapeItem
from qgserver.render.print.norths import north_angle
from qgserver.render.print.paper import Paper, rectangle
from qgserver.symbology.pictures import svg_picture

SMOOTH = 0.01
"""Millimetres that a curve made of lines may differ."""


def draw_shape(paper: Paper, item: ShapeItem) -> None:
    """A rectangle, ellipse or triangle in its symbol."""
    if item.symbol is not None and item.width > 0 and item.height > 0:
        paper.paint_area(item.symbol, paper.points(item, _outline(item)))


def _outline(item: ShapeItem) -> Floats:
    """The outline in the item, float64[n, 2]."""
    width, height = item.width, item.height
    if item.shape == "ellipse":
        return arc((0.0, 0.0, width, height), 0.0, 360.0, SMOOTH)
    if item.shape == "triangle":
        return np.array(((0.0, height), (width, height), (width / 2, 0.0)))
    radius = min(item.radius, width / 2, height / 2)
    if radius <= 0:
        return rectangle(item)
    side = 2 * radius
    boxes = (
        ((width - side, 0.0, side, side), 0.0),
        ((0.0, 0.0, side, side), 90.0),
        ((0.0, height - side, side, side), 180.0),
        ((width - side, height - side, side, side), 270.0),
    )
    return np.concatenate([arc(box, start, 90.0, SMOOTH) for box, start in boxes])


def draw_nodes(paper: Paper, item: NodesItem) -> None:
    """A polygon, or a line with its arrow heads."""
    points = paper.points(item, item.nodes)
    if item.symbol is None or len(points) < 2:
        return
    if item.closed:
        paper.paint_area(item.symbol, points)
        return
    paper.paint_line(item.symbol, points)
    half = item.head_width * paper.factor / 2
    begin, end = _direction(points[0], points[1]), _direction(points[-2], points[-1])
    # both point along the line: the first one's tip is at its end, the last one's middle (measured)
    if item.start == ARROW and begin is not None:
        _draw_head(paper, item, points[0] - begin * half, begin)
    elif item.start and begin is not None:
        _draw_svg(paper, item, item.start, points[0], begin)
    if item.end == ARROW and end is not None:
        _draw_head(paper, item, points[-1], end)
    elif item.end and end is not None:
        _draw_svg(paper, item, item.end, points[-1], end)


def _direction(first: Floats, second: Floats) -> Floats | None:
    """The unit vector from a point to another, None where they are one."""
    step = second - first
    length = float(np.hypot(*step))
    return None if length <= 0 else step / length


def _draw_head(paper: Paper, item: NodesItem, middle: Floats, along: Floats) -> None:
    """A triangle that points along a line."""
    aside = np.array((-along[1], along[0]))
    half = item.head_width * paper.factor / 2
    ring = np.array((middle + along * half, middle + (aside - along) * half, middle - (aside + along) * half))
    paper.fill(ring, item.head_fill)
    paper.stroke(ring, item.head_stroke)


def _draw_svg(paper: Paper, item: NodesItem, file: str, middle: Floats, along: Floats) -> None:
    """A picture whose top points along a line."""
    if paper.project.assets.svg(file) is None:
        return
    wide = item.head_width * paper.factor
    outline = item.head_stroke
    picture = svg_picture(
        paper.project.assets, file, SvgColors(item.head_fill, outline.color, outline.width * paper.factor, wide)
    )
    degrees = math.degrees(math.atan2(along[1], along[0])) + 90
    size = wide, wide * picture.height / picture.width
    if min(size) >= 1:
        picture.draw(paper.canvas, (float(middle[0]), float(middle[1])), size, degrees, 1.0)


def draw_marker(paper: Paper, item: MarkerItem) -> None:
    """A marker in the middle of its item."""
    if item.symbol is not None:
        degrees = north_angle(paper, item.north, item.turn) + item.rotation
        place = paper.place(item, item.width / 2, item.height / 2)
        paper.paint_points(item.symbol, np.array((place,)), degrees)
