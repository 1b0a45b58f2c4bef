"""Stacked bars: one bar split in proportion to the values."""

from __future__ import annotations

from qgserver.diagrams.bars import draw_bar, is_upright
from qgserver.diagrams.model import Diagram, Kind, Pair, kinds
from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale


class StackedBar(Kind):
    """As long as the diagram's size says, as thick as its bars."""

    def size(self, diagram: Diagram, fixed: Pair, scale: RenderScale) -> Pair:
        category = diagram.category
        thick = category.pixels(category.bar_width, scale)
        gaps = category.spacing.pixels(scale) * max(len(category.attributes) - 1, 0)
        if sum(abs(value or 0.0) for value in diagram.values) <= 0:
            return 0.0, 0.0
        return (thick, fixed[1] + gaps) if is_upright(diagram) else (fixed[0] + gaps, thick)

    def draw(self, canvas: Canvas, diagram: Diagram, corner: Pair, scale: RenderScale) -> None:
        category, (x, y), (width, height) = diagram.category, corner, diagram.size
        gap = category.spacing.pixels(scale)
        whole = sum(abs(value or 0.0) for value in diagram.values)
        length = (height if is_upright(diagram) else width) - gap * max(len(category.attributes) - 1, 0)
        at = 0.0
        for value, color in zip(diagram.values, category.fills(), strict=True):
            part = abs(value or 0.0) / whole * length
            box = {
                "Down": (x, y - height + at, width, part),
                "Left": (x + width - at, y - height, -part, height),
                "Right": (x + at, y - height, part, height),
            }.get(category.orientation, (x, y - at, width, -part))
            draw_bar(canvas, diagram, box, color, scale)
            at += part + gap


kinds.register("Stacked", "StackedBar")(StackedBar())
