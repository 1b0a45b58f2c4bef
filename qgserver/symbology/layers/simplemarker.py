"""SimpleMarker: a filled and stroked shape at each point."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.brush import Brush
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color, with_alpha
from qgserver.draw.pen import Cap, Join, Pen, pen_dashes
from qgserver.draw.sprites import Sprite, sprite_of, stamp
from qgserver.geo.geometry import Floats
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.framed import Bounds
from qgserver.symbology.markers import PLACED, MarkerLayer, draw_marker, exact_painter, outlines, read_placed
from qgserver.symbology.marks import mark
from qgserver.symbology.options import Length, Options
from qgserver.symbology.properties import Convert, as_cap, as_color, as_join, as_length, as_text
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing

Pixels = NDArray[np.int32]
MAX_SPRITE = 3000
"""Side in pixels of the largest marker that is kept as a picture; larger ones are drawn directly."""
MAX_KEPT = 64
"""Side in pixels of the largest marker whose picture is kept for other maps."""
UNSNAPPED_BY = frozenset(
    ("size", "angle", "name", "fillColor", "outlineColor", "outlineWidth", "outlineStyle", "joinStyle", "capStyle")
)
"""Data-defined properties that make QGIS draw the marker at its exact place instead of at whole pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampPainter:
    """Paints one sprite at the whole pixels nearest to each point, as QGIS's cached markers land
    (top left = floor(point + offset - side/2 + 0.5))."""

    sprite: Sprite
    side: int
    dx: float
    dy: float

    def bounds(self) -> Bounds:
        """Where the sprite lies around its point."""
        half = self.side / 2
        return Bounds(self.dx - half, self.dy - half, self.dx + half, self.dy + half, crisp=True)

    def positions(self, points: Floats) -> tuple[Pixels, Pixels]:
        """Top-left pixels for points float64[n, 2]."""
        half = 0.5 - self.side / 2
        corners = np.floor(np.clip(points + np.array((self.dx + half, self.dy + half)), -1e6, 1e6))
        return corners[:, 0].astype(np.int32), corners[:, 1].astype(np.int32)

    def __call__(self, canvas: Canvas, shapes: Shapes) -> None:
        xs, ys = self.positions(shapes.geometry.coords)
        stamp(canvas, self.sprite, xs, ys)


@dataclass(frozen=True, slots=True)
class _Recipe:
    """All that a sprite depends on."""

    name: str
    size: float
    degrees: float
    brush: Brush | None
    pen: Pen | None
    side: int

    def sprite(self) -> Sprite:
        """The picture. Small ones are drawn once; each map has a surface of its own, as cairo's are not for several
        threads at once."""
        if self.side > MAX_KEPT:
            return self.drawn().surface
        return sprite_of(_pixels(self), self.side, self.side)

    def drawn(self) -> Canvas:
        canvas = Canvas(self.side, self.side)
        outline = outlines(mark(self.name), (self.size, self.size), self.degrees, self.pen)
        draw_marker(canvas, outline, self.brush, self.pen, (self.side / 2, self.side / 2))
        return canvas


@lru_cache(maxsize=512)
def _pixels(recipe: _Recipe) -> bytes:
    return recipe.drawn().pixels().tobytes()


@layers.register("SimpleMarker")
@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleMarker(MarkerLayer):
    """Attributes are the options of the same names; ``angle`` in degrees clockwise."""

    name: str = "circle"
    color: Color = (1.0, 0.0, 0.0, 1.0)
    stroke_color: Color = (35 / 255, 35 / 255, 35 / 255, 1.0)
    stroke_style: str = "solid"
    stroke_width: Length = Length(0.0)
    join: Join = "bevel"
    cap: Cap = "square"
    snapped: bool = True

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        **PLACED,
        "name": ("name", as_text),
        "fillColor": ("color", as_color),
        "outlineColor": ("stroke_color", as_color),
        "outlineWidth": ("stroke_width", as_length),
        "outlineStyle": ("stroke_style", as_text),
        "joinStyle": ("join", as_join),
        "capStyle": ("cap", as_cap),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            in_sequence=True,
            name=options.text("name", default="circle"),
            color=options.color("color", default=(1.0, 0.0, 0.0, 1.0)),
            stroke_color=options.color("outline_color", "color_border", default=(35 / 255, 35 / 255, 35 / 255, 1.0)),
            stroke_style=options.text("outline_style", default="solid"),
            stroke_width=options.length("outline_width", default=0.0),
            join=options.join(),
            cap=options.cap("cap_style"),
            **read_placed(options),
        )

    def _with(self, values: Mapping[str, object]) -> SymbolLayer:
        layer = MarkerLayer._with(self, values)
        if not isinstance(layer, SimpleMarker):
            return layer
        return replace(layer, snapped=self.snapped and not UNSNAPPED_BY & self.properties.items.keys())

    def turned(self, degrees: float) -> SymbolLayer:
        return replace(self, line_angle=degrees, snapped=False)

    def selected(self, color: Color) -> SymbolLayer:
        """Shapes without an area have their lines in the colour (measured)."""
        if mark(self.name).filled:
            return replace(self, color=color, properties=self.properties.without("fillColor"))
        return replace(self, stroke_color=color, properties=self.properties.without("outlineColor"))

    def painter(self, env: Env) -> Painter:
        size = self.size.pixels(env.scale)
        if not size > 0:
            return paint_nothing
        shape = mark(self.name)
        pen = self.pen(env)
        brush = Brush(with_alpha(self.color, env.opacity))
        dx, dy = self.displacement(env.scale, size, size)
        angle = math.radians(self.rotation)
        width = pen.width if pen else 0.0
        margin = 2 * (round((4 * width if width else 1) + 1) // 2)
        side = int(size * (abs(math.sin(angle)) + abs(math.cos(angle)))) + margin + 1
        filling = brush if shape.filled else None
        if not self.snapped or env.exact or env.vector or side > MAX_SPRITE:
            return exact_painter(outlines(shape, (size, size), self.rotation, pen), filling, pen, (dx, dy))
        sprite = _Recipe(self.name, size, self.rotation, filling, pen, side).sprite()
        return StampPainter(sprite=sprite, side=side, dx=dx, dy=dy)

    def pen(self, env: Env) -> Pen | None:
        """The outline's pen, None when there is none."""
        if self.stroke_style == "no":
            return None
        width = max(self.stroke_width.pixels(env.scale), 0.0)
        return Pen(
            with_alpha(self.stroke_color, env.opacity),
            width,
            pen_dashes(self.stroke_style, width),
            0.0,
            self.cap,
            self.join,
        )
