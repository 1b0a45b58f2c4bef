"""EllipseMarker: a shape with a width and a height of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from qgserver.draw.brush import Brush
from qgserver.draw.color import Color, with_alpha
from qgserver.draw.pen import Cap, Join, Pen, pen_dashes
from qgserver.symbology.env import Env, Painter
from qgserver.symbology.markers import PLACED, MarkerLayer, exact_painter, outlines
from qgserver.symbology.marks import mark
from qgserver.symbology.options import Length, Options
from qgserver.symbology.properties import CENTER, Convert, as_cap, as_color, as_join, as_length, as_text
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing

DARK: Color = (35 / 255, 35 / 255, 35 / 255, 1.0)
WHITE: Color = (1.0, 1.0, 1.0, 1.0)


@layers.register("EllipseMarker")
@dataclass(frozen=True, slots=True, kw_only=True)
class EllipseMarker(MarkerLayer):
    """Attributes are the options of the same names, ``width`` and ``height`` those of the symbol."""

    name: str = "circle"
    width: Length = Length(4.0)
    height: Length = Length(3.0)
    color: Color = WHITE
    stroke_color: Color = DARK
    stroke_style: str = "solid"
    stroke_width: Length = Length(0.0)
    join: Join = "miter"
    cap: Cap = "square"

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        **PLACED,
        "name": ("name", as_text),
        "width": ("width", as_length),
        "height": ("height", as_length),
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
            name=options.text("symbol_name", default="circle"),
            width=options.length("symbol_width", default=4.0),
            height=options.length("symbol_height", default=3.0),
            color=options.color("color", "fill_color", default=WHITE),
            stroke_color=options.color("outline_color", "line_color", default=DARK),
            stroke_style=options.text("outline_style", "line_style", default="solid"),
            stroke_width=options.length("outline_width", "line_width", default=0.0),
            join=options.join() if options.text("joinstyle") else "miter",
            cap=options.cap("cap_style"),
            size=options.length("size", default=4.0),
            angle=options.number("angle"),
            offset=options.offset(),
            horizontal_anchor=options.integer("horizontal_anchor_point", default=CENTER),
            vertical_anchor=options.integer("vertical_anchor_point", default=CENTER),
        )

    def selected(self, color: Color) -> SymbolLayer:
        if mark(self.name).filled:
            return replace(self, color=color, properties=self.properties.without("fillColor"))
        return replace(self, stroke_color=color, properties=self.properties.without("outlineColor"))

    def painter(self, env: Env) -> Painter:
        width, height = self.width.pixels(env.scale), self.height.pixels(env.scale)
        if not (width > 0 and height > 0):
            return paint_nothing
        shape = mark(self.name)
        pen = None
        if self.stroke_style != "no":
            stroke_width = self.stroke_width.pixels(env.scale)
            dashes = pen_dashes(self.stroke_style, stroke_width)
            color = with_alpha(self.stroke_color, env.opacity)
            pen = Pen(color, stroke_width, dashes, cap=self.cap, join=self.join)
        brush = Brush(with_alpha(self.color, env.opacity)) if shape.filled else None
        outline = outlines(shape, (width, height), self.rotation, pen)
        return exact_painter(outline, brush, pen, self.displacement(env.scale, width, height))
