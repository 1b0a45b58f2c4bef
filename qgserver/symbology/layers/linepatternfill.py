"""LinePatternFill: areas hatched with parallel lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.patterns import middle
from qgserver.symbology.areas import areas, fill_tiled
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.grids import cut, parallels
from qgserver.symbology.options import Length, Options
from qgserver.symbology.paint import line_geometry, paint_symbol
from qgserver.symbology.properties import Convert, as_length, as_number
from qgserver.symbology.symbol import Symbol, SymbolLayer, layers, paint_nothing

DURING, BEFORE = "during_render", "before_render"
MAX_TILE = 1500
"""Side in pixels of the largest tile; wider patterns show next to nothing."""


@dataclass(frozen=True, slots=True)
class Hatch:
    """The tile of QGIS 3.22, whole pixels wide and high: its lines run ``degrees`` counter-clockwise from +x,
    ``distance`` pixels apart, moved by ``offset`` pixels."""

    width: int
    height: int
    degrees: float
    distance: float
    offset: float


def hatch(degrees: float, distance: float, offset: float) -> Hatch:
    """The tile that comes next to the pattern asked for: rounding changes the angle and the distance a little."""
    degrees %= 360
    radians = math.radians(degrees)
    side = max(int(distance), 1)
    # measured: some offsets are taken from the next line, before anything is rounded
    if abs(math.sin(radians)) < 1e-6 or abs(math.cos(radians)) < 1e-6:
        return Hatch(side, side, round(degrees), side, -(offset + distance if offset < 0 else offset))
    height, width = int(distance / math.cos(radians)), int(distance / math.sin(radians))
    height, width = height or 1, width or 1
    turned = math.degrees(math.atan2(height, width))
    cos = math.cos(math.radians(turned))
    offset = offset - distance if offset > distance / 2 else offset
    moved = round(offset / cos) * cos if abs(cos) > 1e-6 else offset
    return Hatch(min(abs(width), MAX_TILE), min(abs(height), MAX_TILE), turned, abs(height * cos), moved)


@layers.register("LinePatternFill")
@dataclass(frozen=True, slots=True, kw_only=True)
class LinePatternFill(SymbolLayer):
    """Attributes are the options of the same names; ``angle`` in degrees counter-clockwise, ``symbol`` is the line;
    ``clip``: whether what is drawn is cut off at the edge, or the line before it is drawn, or nothing."""

    angle: float = 45.0
    distance: Length = Length(5.0)
    offset: Length = Length(0.0)
    clip: str = DURING

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "lineAngle": ("angle", as_number),
        "lineDistance": ("distance", as_length),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            angle=options.number("angle", "lineangle", default=45.0),
            distance=options.length("distance", default=5.0),
            offset=options.length("offset", default=0.0),
            clip=options.text("clip_mode", default=DURING),
        )

    def painter(self, env: Env) -> Painter:
        symbol, distance = self.symbol, self.distance.pixels(env.scale)
        if symbol is None or not 0.5 <= distance <= MAX_TILE:
            return paint_nothing
        share = self.offset.unit == "Percentage"
        offset = self.offset.value / 100 * distance if share else self.offset.pixels(env.scale)
        if self.clip != DURING:
            return self._line_painter(env, symbol, distance, offset)
        shape = hatch(self.angle, distance, math.fmod(offset, distance))
        varied = bool(symbol.properties) or any(layer.properties for layer in symbol.layers)
        tile = None if varied else _tile(shape, symbol, env, 0)

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            if tile is not None:
                fill_tiled(canvas, env, shapes, tile)
                return
            for number, row in enumerate(shapes.rows.tolist()):
                fill_tiled(canvas, env, shapes.slice(number, number + 1), _tile(shape, symbol, env, row))

        return paint

    def _line_painter(self, env: Env, symbol: Symbol, distance: float, offset: float) -> Painter:
        """Draws line by line (since QGIS 3.24)."""

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            found = areas(shapes)
            for (owner, rings), box in zip(found, found.boxes, strict=True):
                lines = parallels(box, self.angle, distance, offset)
                pieces = cut(rings, lines) if self.clip == BEFORE else list(lines)
                straight = np.array([piece[[0, -1]] for piece in pieces]).reshape(-1, 2, 2)
                rows = np.full(len(straight), int(shapes.rows[owner]))
                paint_symbol(canvas, env, symbol, Shapes(line_geometry(straight), rows))

        return paint


def _tile(shape: Hatch, symbol: Symbol, env: Env, row: int) -> Canvas:
    """The tile, cut from the middle of a picture of nine that its lines cross from end to end."""
    wide, high = shape.width, shape.height
    picture = Canvas(3 * wide, 3 * high)
    angle = math.radians(shape.degrees)
    along, across = np.array((math.cos(angle), -math.sin(angle))), np.array((math.sin(angle), math.cos(angle)))
    reach = 3 * math.hypot(wide, high)
    count = math.ceil(reach / shape.distance) + 1
    corner = np.array((wide, high), dtype=np.float64)
    steps = np.arange(-count, count + 1)[:, None] * shape.distance - shape.offset
    starts = corner + steps * across
    ends = np.stack([starts - reach * along, starts + reach * along], axis=1)
    paint_symbol(picture, env, symbol, Shapes(line_geometry(ends), np.full(len(ends), row)))
    return middle(picture, wide, high, wide, high)
