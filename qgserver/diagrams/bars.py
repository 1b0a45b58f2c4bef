"""Rectangles of diagrams."""

from __future__ import annotations

import numpy as np

from qgserver.diagrams.model import Diagram
from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.paths import single_path
from qgserver.draw.pen import stroke
from qgserver.draw.units import RenderScale


def draw_bar(
    canvas: Canvas, diagram: Diagram, box: tuple[float, float, float, float], color: Color, scale: RenderScale
) -> None:
    """Fill and outline the rectangle (x, y, width, height) in device pixels; negative sizes go the other way."""
    x, y, width, height = box
    ring = np.array(((x, y), (x + width, y), (x + width, y + height), (x, y + height)))
    path = single_path(ring, True)
    fill(canvas, path, Brush(color))
    pen = diagram.category.pen(scale)
    if pen is not None:
        stroke(canvas, path, pen)


def is_upright(diagram: Diagram) -> bool:
    """Whether values are heights, not widths."""
    return diagram.category.orientation in ("Up", "Down")
