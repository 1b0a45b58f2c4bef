"""SimpleLine: a pen along lines, or along the rings of polygons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.areas import Look
from qgserver.draw.canvas import Canvas
from qgserver.draw.clipping import clipped_to
from qgserver.draw.color import Color, with_alpha
from qgserver.draw.paths import Paths
from qgserver.draw.pen import Cap, Join, Pen, pen_dashes, stroke
from qgserver.draw.units import RenderScale, to_pixels
from qgserver.geo.geometry import GeometryArray
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.lines import (
    aligned_dashes,
    filtered_rings,
    is_polygonal,
    offset_lines,
    offset_polygons,
    trim_lines,
)
from qgserver.symbology.looks import LookPainter, paths_of
from qgserver.symbology.options import Length, Options, parse_number
from qgserver.symbology.properties import Convert, as_cap, as_color, as_join, as_length, as_text
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing


def as_dashes(value: object, static: tuple[float, ...]) -> tuple[float, ...]:
    """``"5;2"``."""
    return read_dashes(str(value))


def read_dashes(text: str) -> tuple[float, ...]:
    """Lengths of a custom dash, an odd last one left out."""
    values = [max(parse_number(part, 0.0), 0.0) for part in text.replace(",", ";").split(";") if part.strip()]
    return tuple(values[: len(values) // 2 * 2])


@layers.register("SimpleLine")
@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleLine(SymbolLayer):
    """Attributes are the options of the same names. ``dashes`` (custom) in ``dash_unit``; ``offset`` > 0 lies to the
    right of a line and inside a polygon."""

    color: Color = (35 / 255, 35 / 255, 35 / 255, 1.0)
    width: Length = Length(0.26)
    style: str = "solid"
    join: Join = "bevel"
    cap: Cap = "square"
    offset: Length = Length(0.0)
    custom_dash: bool = False
    dashes: tuple[float, ...] = ()
    dash_length: Length = Length(1.0)
    """Unit of the dashes, as the length of 1."""
    dash_offset: Length = Length(0.0)
    align_dashes: bool = False
    trim_start: Length = Length(0.0)
    trim_end: Length = Length(0.0)
    inside_polygon: bool = False
    ring_filter: int = 0

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "outlineColor": ("color", as_color),
        "outlineWidth": ("width", as_length),
        "outlineStyle": ("style", as_text),
        "joinStyle": ("join", as_join),
        "capStyle": ("cap", as_cap),
        "offset": ("offset", as_length),
        "customDash": ("dashes", as_dashes),
        "dashPatternOffset": ("dash_offset", as_length),
        "trimStart": ("trim_start", as_length),
        "trimEnd": ("trim_end", as_length),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        unit = options.length("customdash", default=1.0)
        return cls(
            in_sequence=True,
            color=options.color("line_color", "outline_color", "color", default=(35 / 255, 35 / 255, 35 / 255, 1.0)),
            width=options.length("line_width", "outline_width", "width", default=0.26),
            style=options.text("line_style", "outline_style", "penstyle", default="solid"),
            join=options.join(),
            cap=options.cap("capstyle"),
            offset=options.length("offset", default=0.0),
            custom_dash=options.flag("use_custom_dash"),
            dashes=read_dashes(options.text("customdash", default="5;2")),
            dash_length=replace(unit, value=1.0),
            dash_offset=options.length("dash_pattern_offset", default=0.0),
            align_dashes=options.flag("align_dash_pattern"),
            trim_start=options.length("trim_distance_start", default=0.0),
            trim_end=options.length("trim_distance_end", default=0.0),
            inside_polygon=options.flag("draw_inside_polygon"),
            ring_filter=options.integer("ring_filter"),
        )

    def _with(self, values: Mapping[str, object]) -> SymbolLayer:
        layer = SymbolLayer._with(self, values)
        if isinstance(layer, SimpleLine) and values.get("customDash") is not None:
            return replace(layer, custom_dash=True)
        return layer

    def selected(self, color: Color) -> SymbolLayer:
        return replace(self, color=color, properties=self.properties.without("outlineColor"))

    def painter(self, env: Env) -> Painter:
        pen = self._pen(env)
        if pen is None:
            return paint_nothing
        special = self.offset.value or self.trim_start.value or self.trim_end.value or self.inside_polygon
        if not (special or self.ring_filter or (self.align_dashes and pen.dashes)):
            return LookPainter(Look(pen=pen))

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            self._paint_special(canvas, shapes.geometry, pen, env.scale)

        return paint

    def _pen(self, env: Env) -> Pen | None:
        width = self.width.pixels(env.scale)
        dashes: tuple[float, ...] = ()
        if self.custom_dash and self.dashes:
            unit = self.dash_length.pixels(env.scale)
            dashes = tuple(value * unit for value in self.dashes)
            if not any(dashes):
                return None
        elif self.style == "no":
            return None
        else:
            dashes = pen_dashes(self.style, width)
        offset = self.dash_offset.pixels(env.scale)
        return Pen(with_alpha(self.color, env.opacity), width, dashes, offset, self.cap, self.join)

    def _paint_special(self, canvas: Canvas, geometry: GeometryArray, pen: Pen, scale: RenderScale) -> None:
        offset = self.offset.pixels(scale)
        is_polygon = is_polygonal(geometry)
        original = Paths(geometry.coords, geometry.rings, True) if is_polygon and self.inside_polygon else None
        if offset:
            geometry = offset_polygons(geometry, offset) if is_polygon else offset_lines(geometry, offset)
        geometry = filtered_rings(geometry, self.ring_filter)
        if self.inside_polygon and original is not None:
            with clipped_to(canvas, original):
                self._stroke_each(canvas, geometry, pen, scale)
        else:
            self._stroke_each(canvas, geometry, pen, scale)

    def _stroke_each(self, canvas: Canvas, geometry: GeometryArray, pen: Pen, scale: RenderScale) -> None:
        for paths, _ in paths_of(geometry):
            if self.trim_start.value or self.trim_end.value:
                paths = trim_lines(paths, self._trim(self.trim_start, scale), self._trim(self.trim_end, scale))
            if self.align_dashes and pen.dashes:
                for i in range(len(paths)):
                    line = paths.take(np.array([i]))
                    stroke(canvas, line, replace(pen, dashes=aligned_dashes(line, pen.dashes)))
            else:
                stroke(canvas, paths, pen)

    def _trim(self, length: Length, scale: RenderScale) -> tuple[float, bool]:
        """A trim distance in pixels, or (share of the line, True) when it is a percentage."""
        if length.unit == "Percentage":
            return length.value / 100, True
        return to_pixels(length.value, length.unit, scale, length.map_unit_scale), False
