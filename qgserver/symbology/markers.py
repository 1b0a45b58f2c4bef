"""What all marker symbol layers share: size, rotation, and where the marker lies around its point."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypedDict, runtime_checkable

import numpy as np

from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import THIN_TOLERANCE, Paths
from qgserver.draw.pen import Pen, stroke
from qgserver.draw.pieces import stroke_pieces
from qgserver.draw.sprites import stamp
from qgserver.draw.units import RenderScale
from qgserver.geo.geometry import Floats
from qgserver.symbology.env import Painter, Shapes
from qgserver.symbology.marks import Mark
from qgserver.symbology.options import Length, Offset, Options
from qgserver.symbology.properties import CENTER, Convert, as_anchor, as_length, as_number, as_offset
from qgserver.symbology.symbol import Symbol, SymbolLayer

LARGEST = 10_000.0
"""Pixels across beyond which QGIS does not draw markers made of pictures."""

Draw = Callable[[Canvas, float, float], None]
"""Draws one marker around a place."""
Place = tuple[float, float]
MANY = 16
"""Markers of one look in a crowded map from which drawing them as a few stamps is quicker."""
MAX_STAMP = 200.0

PLACED: Mapping[str, tuple[str, Convert]] = {
    "size": ("size", as_length),
    "angle": ("angle", as_number),
    "offset": ("offset", as_offset),
    "hAnchor": ("horizontal_anchor", as_anchor),
    "vAnchor": ("vertical_anchor", as_anchor),
}
"""What may be data-defined of every marker."""


class Placed(TypedDict):
    """The attributes of the same names."""

    size: Length
    angle: float
    offset: Offset
    scale_by_area: bool
    horizontal_anchor: int
    vertical_anchor: int


def read_placed(options: Options, size: float = 2.0) -> Placed:
    """How large a marker is and how it stands at its place; ``size`` is what it is without one, in mm."""
    return Placed(
        size=options.length("size", default=size),
        angle=options.number("angle"),
        offset=options.offset(),
        scale_by_area=options.text("scale_method", default="diameter") == "area",
        horizontal_anchor=options.integer("horizontal_anchor_point", default=CENTER),
        vertical_anchor=options.integer("vertical_anchor_point", default=CENTER),
    )


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


@runtime_checkable
class Sized(Protocol):
    """A symbol layer of markers."""

    size: Length


def marker_size(symbol: Symbol, scale: RenderScale) -> float:
    """Pixels across the largest layer of a marker symbol, 0 for symbols of other kinds."""
    if symbol.kind != "marker":
        return 0.0
    return max((layer.size.pixels(scale) for layer in symbol.layers if isinstance(layer, Sized)), default=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """What is filled of a marker around the origin (``winding``: its rings overlap), and what is stroked (``straight``:
    it has no curves)."""

    filled: Paths
    stroked: Paths
    winding: bool = False
    straight: bool = False


def outlines(shape: Mark, size: tuple[float, float], degrees: float, pen: Pen | None) -> Outlines:
    """What is filled of a shape ``size`` pixels wide and high, and what is stroked: thin pens have coarser curves."""
    filled = shape.outline(*size, degrees)
    thin = pen is not None and pen.width <= 1
    stroked = shape.outline(*size, degrees, THIN_TOLERANCE) if thin else filled
    return Outlines(filled, stroked, straight=shape.is_straight)


def draw_marker(
    canvas: Canvas, outline: Outlines, brush: Brush | None, pen: Pen | None, at: tuple[float, float]
) -> None:
    """Fill and stroke a marker at a place."""
    if brush is not None:
        fill(canvas, outline.filled.translate(*at), brush, winding=outline.winding)
    if pen is not None:
        draw = stroke_pieces if outline.straight else stroke
        draw(canvas, outline.stroked.translate(*at), pen)


def exact_painter(
    outline: Outlines, brush: Brush | None, pen: Pen | None, displacement: tuple[float, float]
) -> Painter:
    """Paints a marker at each point, exactly where it is."""
    move = np.array(displacement)
    outline = replace(outline, straight=False)  # drawn anew each time: corners cost more than they show

    def draw(canvas: Canvas, x: float, y: float) -> None:
        draw_marker(canvas, outline, brush, pen, (x, y))

    reach = float(np.abs(outline.filled.coords).max(initial=0.0)) + 2 * (pen.width if pen else 0.0) + 2

    def paint(canvas: Canvas, shapes: Shapes) -> None:
        draw_each(canvas, draw, reach, shapes.geometry.coords + move)

    return paint


def draw_each(canvas: Canvas, draw: Draw, reach: float, points: Floats) -> None:
    """Draw a marker that is up to ``reach`` pixels away from its place at each of ``points`` float64[n, 2]; in crowded
    maps nearly there."""
    points = points[(np.abs(points) < max(canvas.width, canvas.height) * 2 + reach).all(axis=1)]
    if canvas.antialias == "fast" and len(points) >= MANY and reach < MAX_STAMP:
        _stamp_many(canvas, draw, math.ceil(reach), points)
        return
    for x, y in points.tolist():
        draw(canvas, x, y)


def _stamp_many(canvas: Canvas, draw: Draw, reach: int, points: Floats) -> None:
    """Many markers of a crowded map: drawn four times, for the halves of a pixel they may stand in, then stamped."""
    halves = np.floor(points * 2).astype(np.int64)
    phases = halves[:, 0] % 2 + 2 * (halves[:, 1] % 2)
    for phase in np.unique(phases).tolist():
        sprite = Canvas(2 * reach + 1, 2 * reach + 1)
        draw(sprite, reach + 0.25 + phase % 2 / 2, reach + 0.25 + phase // 2 / 2)
        corners = (halves[phases == phase] // 2 - reach).astype(np.int32)
        stamp(canvas, sprite.surface, corners[:, 0], corners[:, 1])
