"""SimpleFill: a brush and an outline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from qgserver.draw.areas import Look
from qgserver.draw.brush import Brush
from qgserver.draw.color import Color, with_alpha
from qgserver.draw.pen import Join, Pen, pen_dashes
from qgserver.symbology.env import Env, Painter
from qgserver.symbology.looks import LookPainter
from qgserver.symbology.options import Length, Offset, Options
from qgserver.symbology.properties import Convert, as_color, as_join, as_length, as_offset, as_text
from qgserver.symbology.symbol import SymbolLayer, layers


@layers.register("SimpleFill")
@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleFill(SymbolLayer):
    """Attributes are the options of the same names."""

    color: Color = (0.0, 0.0, 1.0, 1.0)
    style: str = "solid"
    stroke_color: Color = (35 / 255, 35 / 255, 35 / 255, 1.0)
    stroke_style: str = "solid"
    stroke_width: Length = Length(0.26)
    join: Join = "bevel"
    offset: Offset = Offset()

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "fillColor": ("color", as_color),
        "fillStyle": ("style", as_text),
        "outlineColor": ("stroke_color", as_color),
        "outlineStyle": ("stroke_style", as_text),
        "outlineWidth": ("stroke_width", as_length),
        "joinStyle": ("join", as_join),
        "offset": ("offset", as_offset),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            in_sequence=True,
            color=options.color("color", default=(0.0, 0.0, 1.0, 1.0)),
            style=options.text("style", default="solid"),
            stroke_color=options.color("outline_color", "color_border", default=(35 / 255, 35 / 255, 35 / 255, 1.0)),
            stroke_style=options.text("outline_style", "style_border", default="solid"),
            stroke_width=options.length("outline_width", "width_border", default=0.26),
            join=options.join(),
            offset=options.offset(),
        )

    def selected(self, color: Color) -> SymbolLayer:
        """Filled all over; the outline keeps no more than its colour (measured)."""
        shown = "no" if self.stroke_style == "no" else "solid"
        properties = self.properties.without("fillColor", "fillStyle", "outlineStyle", "outlineWidth")
        return replace(
            self, color=color, style="solid", stroke_style=shown, stroke_width=Length(0.0), properties=properties
        )

    def painter(self, env: Env) -> Painter:
        dx, dy = self.offset.pixels(env.scale)
        pen = None
        if self.stroke_style != "no":
            width = self.stroke_width.pixels(env.scale)
            dashes = pen_dashes(self.stroke_style, width)
            pen = Pen(with_alpha(self.stroke_color, env.opacity), width, dashes, join=self.join)
        return LookPainter(Look(Brush(with_alpha(self.color, env.opacity), self.style), pen), dx, dy)
