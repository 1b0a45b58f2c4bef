"""What symbol layers that show an SVG have in common: the colours and parameters put into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypedDict

from qgserver.draw.color import Color
from qgserver.draw.svg import Picture, SvgColors
from qgserver.symbology.env import Env
from qgserver.symbology.options import Length, Options
from qgserver.symbology.pictures import svg_picture
from qgserver.symbology.properties import Convert, as_color, as_length

DARK: Color = (35 / 255, 35 / 255, 35 / 255, 1.0)
THIN = Length(0.2)

DEFINED: Mapping[str, tuple[str, Convert]] = {
    "fillColor": ("color", as_color),
    "outlineColor": ("stroke_color", as_color),
    "outlineWidth": ("stroke_width", as_length),
}
"""Data-defined properties of every such layer."""


class Colors(TypedDict):
    """The attributes of the same names."""

    color: Color
    stroke_color: Color
    stroke_width: Length
    parameters: tuple[tuple[str, str], ...]


class Colored(Protocol):
    """A symbol layer with these attributes."""

    @property
    def color(self) -> Color: ...
    @property
    def stroke_color(self) -> Color: ...
    @property
    def stroke_width(self) -> Length: ...
    @property
    def parameters(self) -> tuple[tuple[str, str], ...]: ...


def read_colors(options: Options, *, fill: str, stroke: str, width: str) -> Colors:
    """The colours; ``fill``, ``stroke`` and ``width`` are what the layer called them in QGIS 2."""
    return Colors(
        color=options.color("color", fill, default=DARK),
        stroke_color=options.color("outline_color", stroke, default=DARK),
        stroke_width=options.length("outline_width", width, default=THIN.value),
        parameters=options.parameters(),
    )


def colored_picture(env: Env, file: str, layer: Colored, width: float, *, upright: bool) -> Picture:
    """The SVG ``file`` in the layer's colours, to be drawn ``width`` pixels wide."""
    stroke_width = layer.stroke_width.pixels(env.scale)
    colors = SvgColors(layer.color, layer.stroke_color, stroke_width, width, layer.parameters, upright)
    return svg_picture(env.assets, file, colors)
