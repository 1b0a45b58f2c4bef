"""Text diagrams: an ellipse in bands, a value in each."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from qgserver.diagrams.model import Diagram, Kind, Pair, kinds
from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import single_path
from qgserver.draw.pen import stroke
from qgserver.draw.text import draw_paths, layout
from qgserver.draw.units import RenderScale

_MM_PER_POINT = 0.376
"""What QGIS takes a point for here."""
_STEPS = 96


class TextDiagram(Kind):
    """Bands below each other."""

    def size(self, diagram: Diagram, fixed: Pair, scale: RenderScale) -> Pair:
        return fixed

    def draw(self, canvas: Canvas, diagram: Diagram, corner: Pair, scale: RenderScale) -> None:
        category, (width, height) = diagram.category, diagram.size
        middle = np.array((corner[0] + width / 2, corner[1] - height / 2))
        angles = np.linspace(0.0, 2 * math.pi, _STEPS, endpoint=False)
        ring = single_path(middle + np.column_stack((np.cos(angles), np.sin(angles))) * (width / 2, height / 2), True)
        fill(canvas, ring, Brush((*category.background[:3], category.background[3] * category.opacity)))
        pen = category.pen(scale)
        bands = len(diagram.texts)
        if pen is not None:
            stroke(canvas, ring, pen)
            for number in range(1, bands):
                y = height * (number / bands - 0.5)
                half = width / 2 * math.sqrt(max(1 - (2 * y / height) ** 2, 0.0))
                line = middle + np.array(((-half, y), (half, y)))
                stroke(canvas, single_path(line, False), pen)
        self._write(canvas, diagram, (float(middle[0]), corner[1] - height), scale)

    def _write(self, canvas: Canvas, diagram: Diagram, top: Pair, scale: RenderScale) -> None:
        category = diagram.category
        size = int(category.font.size * _MM_PER_POINT * scale.px_per_mm)
        if size < 1:
            return
        font = replace(category.font, size=size)
        band = diagram.size[1] / max(len(diagram.texts), 1)
        tall = font.ascent if category.at_x_height else font.ascent + font.descent
        for number, (text, color) in enumerate(zip(diagram.texts, category.fills(), strict=True)):
            line = layout(text, font)
            x, y = top[0] - line.width / 2, top[1] + band * (number + 0.5) + tall / 2
            draw_paths(canvas, line.snapped_paths(x, y, 1.0), color)


kinds.register("Text")(TextDiagram())
