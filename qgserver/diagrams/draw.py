"""Drawing placed diagrams."""

from __future__ import annotations

from qgserver.diagrams.model import Diagram, kinds
from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale
from qgserver.labeling.model import Placed


def draw_diagram(canvas: Canvas, placed: Placed, diagram: Diagram, scale: RenderScale) -> None:
    """Draw a diagram where it found its place."""
    kinds[diagram.kind].draw(canvas, diagram, (placed.x, canvas.height - placed.y), scale)
