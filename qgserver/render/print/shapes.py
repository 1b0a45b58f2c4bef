"""Shapes, lines and arrows on a page."""

from __future__ import annotations

import math

import numpy as np

from qgserver.draw.paths import arc
from qgserver.geo.geometry import Floats
from qgserver.project.model.layouts import NodesItem, ShapeItem
from qgserver.render.print.paper import Paper, rectangle

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
    if item.arrow_start:
        _draw_head(paper, item, points[1], points[0])
    if item.arrow_end:
        _draw_head(paper, item, points[-2], points[-1])


def _draw_head(paper: Paper, item: NodesItem, before: Floats, tip: Floats) -> None:
    """A triangle whose middle is at the end of a line."""
    dx, dy = (tip - before).tolist()
    length = math.hypot(dx, dy)
    if length <= 0:
        return
    along = np.array((dx, dy)) / length
    aside = np.array((-along[1], along[0]))
    half = item.head_width * paper.factor / 2
    ring = np.array((tip + along * half, tip - along * half + aside * half, tip - along * half - aside * half))
    paper.fill(ring, item.head_fill)
    paper.stroke(ring, item.head_stroke)
