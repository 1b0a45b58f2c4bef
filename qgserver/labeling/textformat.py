"""How the text of labels looks, and which of that a feature's data may define."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from qgserver.draw.color import Color
from qgserver.draw.fonts import BOLD, NORMAL, Font
from qgserver.draw.pen import Join
from qgserver.draw.units import RenderScale
from qgserver.symbology.options import JOINS, Length, Offset
from qgserver.symbology.properties import (
    Convert,
    as_choice,
    as_color,
    as_flag,
    as_length,
    as_number,
    as_offset,
    as_share,
    as_text,
)
from qgserver.symbology.symbol import Symbol

BLACK: Color = (0.0, 0.0, 0.0, 1.0)
WHITE: Color = (1.0, 1.0, 1.0, 1.0)
LARGEST = 2000
"""Pixels per em up to which text is drawn; what is larger covers every map and is left out."""

RECTANGLE, SQUARE, ELLIPSE, CIRCLE, SVG, MARKER = range(6)
"""``background/@shapeType``."""
GROWN, FIXED, PERCENT = range(3)
"""``background/@shapeSizeType``: around the text, a size of its own, a share of the font's size."""
TURNED_WITH_LABEL, TURNED_FROM_LABEL, TURNED_ALONE = range(3)
"""``background/@shapeRotationType``."""
UNDER_ALL, UNDER_TEXT, UNDER_BUFFER, UNDER_SHAPE = range(4)
"""``shadow/@shadowUnder``."""
AS_IS, UPPER, LOWER, SMALL_CAPS, FIRST_UPPER, SMALL_CAPITALS = range(6)
"""``text-style/@capitalization``; 5 is the newer number of small capitals."""
TITLE, CAMEL = 1004, 1005
HORIZONTAL, VERTICAL, BY_ROTATION = "horizontal", "vertical", "rotation-based"
"""``text-style/@textOrientation``."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """The halo: ``size`` is the width of the pen that follows the outlines, so that half of it is seen (measured)."""

    draw: bool = False
    size: Length = Length(1.0)
    color: Color = WHITE
    opacity: float = 1.0
    filled: bool = False
    join: Join = "round"
    blend_mode: int = 0


@dataclass(frozen=True, slots=True)
class Background:
    """The shape behind a label. A ``fill`` symbol goes before the plain colours."""

    draw: bool = False
    kind: int = RECTANGLE
    size_type: int = GROWN
    width: Length = Length(0.0)
    height: Length = Length(0.0)
    rotation_type: int = TURNED_WITH_LABEL
    rotation: float = 0.0
    offset: Offset = Offset()
    radii: Offset = Offset()
    color: Color = WHITE
    stroke_color: Color = (0.5, 0.5, 0.5, 1.0)
    stroke_width: Length = Length(0.0)
    join: Join = "bevel"
    opacity: float = 1.0
    blend_mode: int = 0
    svg: str = ""
    fill: Symbol | None = None
    marker: Symbol | None = None


@dataclass(frozen=True, slots=True)
class Shadow:
    """``angle`` degrees clockwise from north, with the label unless ``from_north``; ``scale`` 1 = as large as what
    throws it."""

    draw: bool = False
    under: int = UNDER_ALL
    angle: float = 135.0
    distance: Length = Length(1.0)
    from_north: bool = True
    radius: Length = Length(1.5)
    alpha_only: bool = False
    opacity: float = 0.7
    scale: float = 1.0
    color: Color = BLACK
    blend_mode: int = 6


@dataclass(frozen=True, slots=True)
class Mask:
    """What labels clear of symbol layers around them: ids of those are in ``symbol_layers``."""

    enabled: bool = False
    size: Length = Length(1.5)
    opacity: float = 1.0
    join: Join = "round"
    symbol_layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextFormat:
    """The look of a text. Letter and word spacing are in the unit of ``size``; ``line_height`` is in lines."""

    family: str = ""
    style: str = ""
    size: Length = Length(10.0, "Point")
    weight: int = NORMAL
    italic: bool = False
    underline: bool = False
    strikeout: bool = False
    kerning: bool = True
    letter_spacing: float = 0.0
    word_spacing: float = 0.0
    color: Color = BLACK
    opacity: float = 1.0
    blend_mode: int = 0
    capitalization: int = AS_IS
    line_height: float = 1.0
    orientation: str = HORIZONTAL
    html: bool = False
    pixel_limits: tuple[float, float] | None = None
    buffer: Buffer = Buffer()
    background: Background = Background()
    shadow: Shadow = Shadow()
    mask: Mask = Mask()

    def font(self, scale: RenderScale) -> Font | None:
        """The font of a map, whole pixels large (measured); None where text is too small or too large to draw."""
        size = self.size.pixels(scale)
        pixels = int(size + 0.5) if 0 < size < LARGEST else 0
        if pixels < 1:
            return None
        if self.pixel_limits is not None and self.size.unit == "MapUnit":
            smallest, largest = self.pixel_limits
            if not smallest <= size <= largest:
                return None
        letter, word = (
            replace(self.size, value=spacing).pixels(scale) if spacing else 0.0
            for spacing in (self.letter_spacing, self.word_spacing)
        )
        return Font(self.family, pixels, self.weight, self.italic, self.style, letter, word, self.kerning)

    def with_values(self, values: Mapping[str, object]) -> TextFormat:
        """The format with what data define: keys of ``FORMAT_DEFINED``; None leaves what is there."""
        changed = self
        for key, value in values.items():
            if value is not None:
                changed = FORMAT_DEFINED[key](changed, value)
        return changed


Change = Callable[[TextFormat, object], TextFormat]


def _own(name: str, convert: Convert) -> Change:
    """Changes an attribute of the format itself."""

    def change(style: TextFormat, value: object) -> TextFormat:
        changes: dict[str, Any] = {name: convert(value, getattr(style, name))}
        return replace(style, **changes)

    return change


def _inner(group: str, name: str, convert: Convert) -> Change:
    """Changes an attribute of the format's ``buffer``, ``background``, ``shadow`` or ``mask``."""

    def change(style: TextFormat, value: object) -> TextFormat:
        inner: Any = getattr(style, group)
        changes: dict[str, Any] = {name: convert(value, getattr(inner, name))}
        grouped: dict[str, Any] = {group: replace(inner, **changes)}
        return replace(style, **grouped)

    return change


_UNITS = {
    "mm": "MM", "millimeter": "MM", "millimeters": "MM",
    "mapunit": "MapUnit", "mapunits": "MapUnit", "metersinmapunits": "RenderMetersInMapUnits",
    "rendermetersinmapunits": "RenderMetersInMapUnits",
    "point": "Point", "points": "Point", "pixel": "Pixel", "pixels": "Pixel",
    "inch": "Inch", "inches": "Inch", "percent": "Percentage", "percentage": "Percentage",
}  # fmt: skip
_CASES = {
    "nochange": AS_IS, "mixed": AS_IS, "upper": UPPER, "lower": LOWER, "capital": FIRST_UPPER, "title": TITLE,
    "smallcaps": SMALL_CAPS, "allsmallcaps": SMALL_CAPS, "camelcase": CAMEL, "uppercamelcase": CAMEL,
}  # fmt: skip
_SHAPES = {
    "rectangle": RECTANGLE, "square": SQUARE, "ellipse": ELLIPSE, "circle": CIRCLE, "svg": SVG, "marker": MARKER,
}  # fmt: skip


def _as_unit(value: object, static: Length) -> Length:
    unit = _UNITS.get(str(value).strip().lower())
    return static if unit is None else replace(static, unit=unit)


def _as_offset_unit(value: object, static: Offset) -> Offset:
    unit = _UNITS.get(str(value).strip().lower())
    return static if unit is None else replace(static, unit=unit)


def _as_weight(value: object, static: int) -> int:
    return BOLD if as_flag(value, static >= BOLD) else min(static, NORMAL)


def _as_join(value: object, static: Join) -> Join:
    return JOINS.get(str(value).strip().lower(), static)


def _as_orientation(value: object, static: str) -> str:
    text = str(value).strip().lower()
    return text if text in (HORIZONTAL, VERTICAL, BY_ROTATION) else static


_BLENDS = {
    "normal": 0, "lighten": 1, "screen": 2, "dodge": 3, "addition": 4, "darken": 5, "multiply": 6, "burn": 7,
    "overlay": 8, "soft_light": 9, "hard_light": 10, "difference": 11, "subtract": 12,
}  # fmt: skip
_as_blend = as_choice(_BLENDS)
_as_case = as_choice(_CASES)
_as_shape = as_choice(_SHAPES)
_as_size_type = as_choice({"buffer": GROWN, "fixed": FIXED, "percent": PERCENT})
_as_rotation_type = as_choice({"sync": TURNED_WITH_LABEL, "offset": TURNED_FROM_LABEL, "fixed": TURNED_ALONE})
_as_under = as_choice({"lowest": UNDER_ALL, "text": UNDER_TEXT, "buffer": UNDER_BUFFER, "svg": UNDER_SHAPE,
                       "background": UNDER_SHAPE})  # fmt: skip


def _limit(number: int) -> Change:
    def change(style: TextFormat, value: object) -> TextFormat:
        limits = list(style.pixel_limits or (0.0, 10000.0))
        limits[number] = as_number(value, limits[number])
        return replace(style, pixel_limits=(limits[0], limits[1]))

    return change


def _limited(style: TextFormat, value: object) -> TextFormat:
    if not as_flag(value, style.pixel_limits is not None):
        return replace(style, pixel_limits=None)
    return replace(style, pixel_limits=style.pixel_limits or (0.0, 10000.0))


def _both_units(style: TextFormat, value: object) -> TextFormat:
    shape = style.background
    width, height = _as_unit(value, shape.width), _as_unit(value, shape.height)
    return replace(style, background=replace(shape, width=width, height=height))


FORMAT_DEFINED: Mapping[str, Change] = {
    "Size": _own("size", as_length),
    "FontSizeUnit": _own("size", _as_unit),
    "FontLimitPixel": _limited,
    "FontMinPixel": _limit(0),
    "FontMaxPixel": _limit(1),
    "Bold": _own("weight", _as_weight),
    "Italic": _own("italic", as_flag),
    "Underline": _own("underline", as_flag),
    "Strikeout": _own("strikeout", as_flag),
    "Color": _own("color", as_color),
    "FontOpacity": _own("opacity", as_share),
    "Family": _own("family", as_text),
    "FontStyle": _own("style", as_text),
    "FontCase": _own("capitalization", _as_case),
    "FontLetterSpacing": _own("letter_spacing", as_number),
    "FontWordSpacing": _own("word_spacing", as_number),
    "FontBlendMode": _own("blend_mode", _as_blend),
    "MultiLineHeight": _own("line_height", as_number),
    "TextOrientation": _own("orientation", _as_orientation),
    "BufferDraw": _inner("buffer", "draw", as_flag),
    "BufferSize": _inner("buffer", "size", as_length),
    "BufferUnit": _inner("buffer", "size", _as_unit),
    "BufferColor": _inner("buffer", "color", as_color),
    "BufferOpacity": _inner("buffer", "opacity", as_share),
    "BufferJoinStyle": _inner("buffer", "join", _as_join),
    "BufferBlendMode": _inner("buffer", "blend_mode", _as_blend),
    "MaskEnabled": _inner("mask", "enabled", as_flag),
    "MaskBufferSize": _inner("mask", "size", as_length),
    "MaskBufferUnit": _inner("mask", "size", _as_unit),
    "MaskOpacity": _inner("mask", "opacity", as_share),
    "MaskJoinStyle": _inner("mask", "join", _as_join),
    "ShapeDraw": _inner("background", "draw", as_flag),
    "ShapeKind": _inner("background", "kind", _as_shape),
    "ShapeSVGFile": _inner("background", "svg", as_text),
    "ShapeSizeType": _inner("background", "size_type", _as_size_type),
    "ShapeSizeX": _inner("background", "width", as_length),
    "ShapeSizeY": _inner("background", "height", as_length),
    "ShapeSizeUnits": _both_units,
    "ShapeRotationType": _inner("background", "rotation_type", _as_rotation_type),
    "ShapeRotation": _inner("background", "rotation", as_number),
    "ShapeOffset": _inner("background", "offset", as_offset),
    "ShapeOffsetUnits": _inner("background", "offset", _as_offset_unit),
    "ShapeRadii": _inner("background", "radii", as_offset),
    "ShapeRadiiUnits": _inner("background", "radii", _as_offset_unit),
    "ShapeOpacity": _inner("background", "opacity", as_share),
    "ShapeBlendMode": _inner("background", "blend_mode", _as_blend),
    "ShapeFillColor": _inner("background", "color", as_color),
    "ShapeStrokeColor": _inner("background", "stroke_color", as_color),
    "ShapeStrokeWidth": _inner("background", "stroke_width", as_length),
    "ShapeStrokeWidthUnits": _inner("background", "stroke_width", _as_unit),
    "ShapeJoinStyle": _inner("background", "join", _as_join),
    "ShadowDraw": _inner("shadow", "draw", as_flag),
    "ShadowUnder": _inner("shadow", "under", _as_under),
    "ShadowOffsetAngle": _inner("shadow", "angle", as_number),
    "ShadowOffsetDist": _inner("shadow", "distance", as_length),
    "ShadowOffsetUnits": _inner("shadow", "distance", _as_unit),
    "ShadowRadius": _inner("shadow", "radius", as_length),
    "ShadowRadiusUnits": _inner("shadow", "radius", _as_unit),
    "ShadowOpacity": _inner("shadow", "opacity", as_share),
    "ShadowScale": _inner("shadow", "scale", as_share),
    "ShadowColor": _inner("shadow", "color", as_color),
    "ShadowBlendMode": _inner("shadow", "blend_mode", _as_blend),
}
"""What of the look data may define: key in ``dd_properties`` -> (format, value) -> format."""
