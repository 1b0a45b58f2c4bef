"""FontMarker: letters of a font as markers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from qgserver.draw.brush import Brush
from qgserver.draw.color import Color, with_alpha
from qgserver.draw.fonts import Font
from qgserver.draw.paths import Paths
from qgserver.draw.pen import Join, Pen
from qgserver.draw.text import layout
from qgserver.symbology.env import Env, Painter
from qgserver.symbology.markers import LARGEST, PLACED, MarkerLayer, Outlines, exact_painter, read_placed
from qgserver.symbology.marks import rotated
from qgserver.symbology.options import Length, Options
from qgserver.symbology.properties import Convert, as_color, as_join, as_length, as_text
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing

DARK: Color = (35 / 255, 35 / 255, 35 / 255, 1.0)
WHITE: Color = (1.0, 1.0, 1.0, 1.0)


@layers.register("FontMarker")
@dataclass(frozen=True, slots=True, kw_only=True)
class FontMarker(MarkerLayer):
    """Attributes are the options of the same names; ``text`` is the option ``chr``."""

    font: str = "DejaVu Sans"
    style: str = ""
    text: str = "A"
    color: Color = DARK
    stroke_color: Color = WHITE
    stroke_width: Length = Length(0.0)
    join: Join = "miter"

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        **PLACED,
        "char": ("text", as_text),
        "fontFamily": ("font", as_text),
        "fontStyle": ("style", as_text),
        "fillColor": ("color", as_color),
        "outlineColor": ("stroke_color", as_color),
        "outlineWidth": ("stroke_width", as_length),
        "joinStyle": ("join", as_join),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            in_sequence=True,
            font=options.text("font", default="DejaVu Sans"),
            style=options.text("font_style"),
            text=options.text("chr", default="A"),
            color=options.color("color", default=DARK),
            stroke_color=options.color("outline_color", default=WHITE),
            stroke_width=options.length("outline_width", default=0.0),
            join=options.join() if options.text("joinstyle") else "miter",
            **read_placed(options, 12.0),
        )

    def selected(self, color: Color) -> SymbolLayer:
        return replace(self, color=color, properties=self.properties.without("fillColor"))

    def painter(self, env: Env) -> Painter:
        """The letters' advance is centred on the point, as is half of the font's ascent (measured)."""
        size = self.size.pixels(env.scale)
        if not 0 < size <= LARGEST:
            return paint_nothing
        font = Font(self.font, float(max(round(size), 1)), style=self.style)
        line = layout(self.text, font)
        glyphs = line.paths(-line.width / 2, font.ascent / 2)
        outline = Paths(rotated(glyphs.coords, self.rotation), glyphs.starts, True)
        width = self.stroke_width.pixels(env.scale)
        pen = Pen(with_alpha(self.stroke_color, env.opacity), width, join=self.join) if width > 0 else None
        brush = Brush(with_alpha(self.color, env.opacity))
        return exact_painter(
            Outlines(outline, outline, winding=True), brush, pen, self.displacement(env.scale, line.width, font.ascent)
        )
