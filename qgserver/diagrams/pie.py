"""Pies: sectors in proportion to the values."""

from __future__ import annotations

import math

import numpy as np

from qgserver.diagrams.model import Diagram, Kind, Pair, kinds
from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import Paths, single_path
from qgserver.draw.pen import stroke
from qgserver.draw.units import RenderScale
from qgserver.geo.geometry import Floats

_STEP = math.radians(3)


class Pie(Kind):
    """Sectors follow each other counter-clockwise, whatever ``direction`` says (measured on 3.22)."""

    def size(self, diagram: Diagram, fixed: Pair, scale: RenderScale) -> Pair:
        return fixed if sum(_parts(diagram)) > 0 else (0.0, 0.0)

    def draw(self, canvas: Canvas, diagram: Diagram, corner: Pair, scale: RenderScale) -> None:
        width, height = diagram.size
        center = np.array((corner[0] + width / 2, corner[1] - height / 2))
        parts, pen = _parts(diagram), diagram.category.pen(scale)
        whole = sum(parts)
        at = math.radians(-diagram.start)
        for part, color in zip(parts, diagram.category.fills(), strict=True):
            if part <= 0:
                continue
            span = part / whole * 2 * math.pi
            path = _sector(center, (width / 2, height / 2), at, span)
            fill(canvas, path, Brush(color))
            if pen is not None:
                stroke(canvas, path, pen)
            at += span


def _parts(diagram: Diagram) -> tuple[float, ...]:
    return tuple(max(value or 0.0, 0.0) for value in diagram.values)


def _sector(center: Floats, radii: Pair, start: float, span: float) -> Paths:
    """A sector from ``start`` on by ``span`` radians, counter-clockwise as seen; a whole turn is an ellipse."""
    full = span >= 2 * math.pi - 1e-9
    angles = start + np.linspace(0.0, span, max(math.ceil(span / _STEP), 2) + 1)
    arc = center + np.column_stack((np.cos(angles), -np.sin(angles))) * radii
    return single_path(arc[:-1] if full else np.concatenate((arc, center[None])), True)


kinds.register("Pie")(Pie())
