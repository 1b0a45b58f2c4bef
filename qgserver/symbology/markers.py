"""What all marker symbol layers share: size, rotation, and where the marker lies around its point."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import Paths
from qgserver.draw.pen import Pen, stroke
from qgserver.draw.units import RenderScale
from qgserver.geo.geometry import Floats
from qgserver.symbology.env import Painter, Shapes
from qgserver.symbology.options import Length, Offset
from qgserver.symbology.properties import CENTER, Convert, as_anchor, as_length, as_number, as_offset
from qgserver.symbology.symbol import SymbolLayer

LARGEST = 10_000.0
"""Pixels across beyond which QGIS does not draw markers made of pictures."""

PLACED: Mapping[str, tuple[str, Convert]] = {
    "size": ("size", as_length),
    "angle": ("angle", as_number),
    "offset": ("offset", as_offset),
    "hAnchor": ("horizontal_anchor", as_anchor),
    "vAnchor": ("vertical_anchor", as_anchor),
}
"""What may be data-defined of every marker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerLayer(SymbolLayer):
    """Attributes are the options of the same names; ``angle`` in degrees clockwise. ``line_angle``: degrees by which
    the line it stands on turns it, None where no line does."""

    size: Length = Length(2.0)
    angle: float = 0.0
    line_angle: float | None = None
    offset: Offset = Offset()
    scale_by_area: bool = False
    horizontal_anchor: int = CENTER
    vertical_anchor: int = CENTER

    @property
    def rotation(self) -> float:
        """Degrees clockwise, all told."""
        return self.angle + (self.line_angle or 0.0)

    def turned(self, degrees: float) -> SymbolLayer:
        return replace(self, line_angle=degrees)

    def _with(self, values: Mapping[str, object]) -> SymbolLayer:
        layer = SymbolLayer._with(self, values)
        if self.scale_by_area and values.get("size") is not None and isinstance(layer, MarkerLayer):
            return replace(layer, size=replace(layer.size, value=math.sqrt(max(layer.size.value, 0.0))))
        return layer

    def displacement(self, scale: RenderScale, width: float, height: float) -> tuple[float, float]:
        """Pixels from the point to the marker's centre: offset and anchor, turned with the marker."""
        dx, dy = self.offset.pixels(scale)
        dx += (CENTER - self.horizontal_anchor) * width / 2
        dy += (CENTER - self.vertical_anchor) * height / 2
        angle = math.radians(self.rotation)
        return dx * math.cos(angle) - dy * math.sin(angle), dx * math.sin(angle) + dy * math.cos(angle)


def rotated(coords: Floats, degrees: float) -> Floats:
    """Points turned clockwise (y down) around the origin."""
    if not degrees:
        return coords
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    turned: Floats = coords @ np.array([[cos, sin], [-sin, cos]])
    return turned


def shaped(paths: Paths, width: float, height: float, degrees: float) -> Paths:
    """A shape of the box -1..1 at a size in pixels, turned around its centre."""
    return Paths(rotated(paths.coords * (width / 2, height / 2), degrees), paths.starts, paths.closed)


def exact_painter(
    outline: Paths, brush: Brush | None, pen: Pen | None, displacement: tuple[float, float], *, winding: bool = False
) -> Painter:
    """Paints an outline around the origin at each point, exactly where it is."""
    move = np.array(displacement)

    def paint(canvas: Canvas, shapes: Shapes) -> None:
        for x, y in (shapes.geometry.coords + move).tolist():
            placed = outline.translate(x, y)
            if brush is not None:
                fill(canvas, placed, brush, winding=winding)
            if pen is not None:
                stroke(canvas, placed, pen)

    return paint
