"""SVGFill: areas covered with an SVG again and again, outlined with a line symbol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.patterns import fill_with, tiled
from qgserver.symbology.areas import areas, fill_tiled, pattern_corner
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.options import Length, Options
from qgserver.symbology.paint import paint_symbol
from qgserver.symbology.properties import Convert, as_length, as_number, as_text
from qgserver.symbology.svgcolors import DARK, DEFINED, THIN, colored_picture, read_colors
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing

MAX_TILE = 4000


@layers.register("SVGFill")
@dataclass(frozen=True, slots=True, kw_only=True)
class SVGFill(SymbolLayer):
    """Attributes are the options of the same names; ``file`` is ``svgFile`` or the picture itself (``data``)."""

    file: str = ""
    width: Length = Length(20.0)
    color: Color = DARK
    stroke_color: Color = DARK
    stroke_width: Length = THIN
    angle: float = 0.0
    parameters: tuple[tuple[str, str], ...] = ()

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        **DEFINED,
        "file": ("file", as_text),
        "width": ("width", as_length),
        "angle": ("angle", as_number),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            file=options.text("svgFile"),
            width=options.length("width", default=20.0),
            angle=options.number("angle"),
            **read_colors(options, fill="svgFillColor", stroke="svgOutlineColor", width="svgOutlineWidth"),
        )

    def painter(self, env: Env) -> Painter:
        width = self.width.pixels(env.scale)
        if not 1 <= width <= MAX_TILE:
            return paint_nothing
        picture = colored_picture(env, self.file, self, width, upright=True)
        height = width * picture.height / picture.width
        if not height <= MAX_TILE:
            return paint_nothing
        tile = picture.sprite((width, height), env.opacity)

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            if not self.angle % 360:
                fill_tiled(canvas, env, shapes, tile)
            else:
                for _, rings in areas(shapes):
                    fill_with(canvas, rings, tiled(tile, *pattern_corner(rings, env), self.angle))
            if self.symbol is not None:
                paint_symbol(canvas, env, self.symbol, shapes)

        return paint
