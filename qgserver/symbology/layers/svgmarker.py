"""SvgMarker: a picture with colours put in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.sprites import stamp
from qgserver.draw.svg import Picture
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.markers import LARGEST, PLACED, MarkerLayer, draw_each, read_placed
from qgserver.symbology.options import Length, Options
from qgserver.symbology.properties import Convert, as_length, as_text
from qgserver.symbology.svgcolors import DARK, DEFINED, THIN, colored_picture, read_colors
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing

Pair = tuple[float, float]
MAX_SPRITE = 1000
"""Side in pixels of the largest picture that is drawn once and stamped."""


@layers.register("SvgMarker")
@dataclass(frozen=True, slots=True, kw_only=True)
class SvgMarker(MarkerLayer):
    """Attributes are the options of the same names; ``aspect`` is height by width, 0 = the picture's own."""

    name: str = ""
    color: Color = DARK
    stroke_color: Color = DARK
    stroke_width: Length = THIN
    aspect: float = 0.0
    parameters: tuple[tuple[str, str], ...] = ()

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        **PLACED,
        **DEFINED,
        "name": ("name", as_text),
        "width": ("size", as_length),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            in_sequence=True,
            name=options.text("name"),
            aspect=options.number("fixedAspectRatio"),
            **read_colors(options, fill="fill", stroke="line_color", width="line_width"),
            **read_placed(options, 4.0),
        )

    def selected(self, color: Color) -> SymbolLayer:
        return replace(self, color=color, properties=self.properties.without("fillColor"))

    def painter(self, env: Env) -> Painter:
        width = self.size.pixels(env.scale)
        if not 1 <= width <= LARGEST:
            return paint_nothing
        upright = not self.rotation % 360 and not self.aspect > 0 and not env.vector
        picture = colored_picture(env, self.name, self, width, upright=upright)
        height = width * (self.aspect if self.aspect > 0 else picture.height / picture.width)
        if not height <= LARGEST:
            return paint_nothing
        displacement = self.displacement(env.scale, width, height)
        if self.rotation % 360 or env.vector or max(width, height) > MAX_SPRITE:
            return self._turned_painter(picture, (width, height), displacement, env.opacity)
        return _stamp_painter(picture, (width, height), displacement, env.opacity)

    def _turned_painter(self, picture: Picture, size: Pair, displacement: Pair, opacity: float) -> Painter:
        move, reach = np.array(displacement), math.hypot(*size)

        def draw(canvas: Canvas, x: float, y: float) -> None:
            picture.draw(canvas, (x, y), size, self.rotation, opacity)

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            draw_each(canvas, draw, reach, shapes.geometry.coords + move)

        return paint


def _stamp_painter(picture: Picture, size: Pair, displacement: Pair, opacity: float) -> Painter:
    """Upright pictures are drawn once, and stamped at the whole pixels nearest to their place (measured)."""
    sprite = picture.sprite(size, opacity)
    corner = np.array(displacement) - (sprite.width // 2, sprite.height // 2) + 0.5

    def paint(canvas: Canvas, shapes: Shapes) -> None:
        corners = np.floor(np.clip(shapes.geometry.coords + corner, -1e6, 1e6)).astype(np.int32)
        stamp(canvas, sprite.surface, corners[:, 0], corners[:, 1])

    return paint
