"""Reading ``<text-style>``: the look of labels."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from qgserver.draw.color import Color, parse_color
from qgserver.draw.fonts import NORMAL
from qgserver.draw.pen import Join
from qgserver.draw.units import parse_map_unit_scale
from qgserver.errors import Problems
from qgserver.labeling.textformat import (
    BLACK,
    HORIZONTAL,
    LARGEST,
    WHITE,
    Background,
    Buffer,
    Mask,
    Shadow,
    TextFormat,
)
from qgserver.symbology.options import Length, Offset, parse_number
from qgserver.symbology.symbol import Symbol, read_symbol

_JOINS: Mapping[int, Join] = {0: "miter", 64: "bevel", 128: "round"}
_UNITS = ("MM", "MapUnit", "Pixel", "Percentage", "Point", "Inch")
"""2.x wrote units as numbers."""


class Attributes:
    """Typed reading of an element's attributes; one that is absent or does not parse gives the default."""

    def __init__(self, element: etree._Element | None) -> None:
        self._values: Mapping[str, str] = {} if element is None else dict(element.attrib.items())  # type: ignore[arg-type]

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(name, default)

    def number(self, name: str, default: float = 0.0) -> float:
        return parse_number(self._values.get(name, ""), default)

    def integer(self, name: str, default: int = 0) -> int:
        return int(self.number(name, default))

    def flag(self, name: str, default: bool = False) -> bool:
        text = self._values.get(name, "").lower()
        return text in ("1", "true") if text else default

    def share(self, name: str, transparency: str, default: float = 1.0) -> float:
        """An opacity 0..1, or from 2.x a transparency 0..100."""
        if name not in self._values and transparency in self._values:
            return min(max(1 - self.number(transparency) / 100, 0.0), 1.0)
        return min(max(self.number(name, default), 0.0), 1.0)

    def color(self, name: str, default: Color) -> Color:
        return parse_color(self._values.get(name), default)

    def unit(self, name: str, default: str = "MM") -> str:
        """A unit's name, or its number in 2.x."""
        text = self._values.get(name, default)
        return _UNITS[int(text)] if text.isdecimal() and int(text) < len(_UNITS) else text

    def length(self, name: str, unit: str, scale: str, default: float) -> Length:
        """A number, the unit under ``unit`` and the map unit scale under ``scale``."""
        limits = parse_map_unit_scale(self._values.get(scale))
        return Length(self.number(name, default), self.unit(unit), limits)

    def join(self, name: str, default: Join) -> Join:
        return _JOINS.get(self.integer(name, -1), default)


def read_text_format(settings: etree._Element, layer: str, problems: Problems) -> TextFormat:
    """The look in ``<settings>``; ``layer`` is the layer's name, for the list of problems."""
    element = settings.find("text-style")
    at = Attributes(element)
    rendering = Attributes(settings.find("rendering"))
    limits = rendering.number("fontMinPixelSize", 0.0), rendering.number("fontMaxPixelSize", 10000.0)
    size = at.length("fontSize", "fontSizeUnit", "fontSizeMapUnitScale", 10.0)
    if element is not None and "fontSizeUnit" not in element.attrib:
        size = Length(size.value, "MapUnit" if at.flag("fontSizeInMapUnits") else "Point", size.map_unit_scale)
    child = {tag: None if element is None else element.find(tag) for tag in _PARTS}
    return TextFormat(
        at.text("fontFamily"),
        at.text("namedStyle"),
        size,
        min(max(at.integer("fontWeight", NORMAL), 0), 99),
        at.flag("fontItalic"),
        at.flag("fontUnderline"),
        at.flag("fontStrikeout"),
        at.flag("fontKerning", True),
        at.number("fontLetterSpacing"),
        at.number("fontWordSpacing"),
        at.color("textColor", BLACK),
        at.share("textOpacity", "textTransp"),
        at.integer("blendMode"),
        at.integer("capitalization", at.integer("fontCapitals")),
        at.number("multilineHeight", 1.0),
        at.text("textOrientation", HORIZONTAL),
        at.flag("allowHtml"),
        limits if rendering.flag("fontLimitPixelSize") else None,
        _buffer(Attributes(child["text-buffer"])),
        _background(child["background"], layer, problems),
        _shadow(Attributes(child["shadow"])),
        _mask(Attributes(child["text-mask"])),
    )


_PARTS = ("text-buffer", "background", "shadow", "text-mask")


def _buffer(at: Attributes) -> Buffer:
    return Buffer(
        at.flag("bufferDraw"),
        at.length("bufferSize", "bufferSizeUnits", "bufferSizeMapUnitScale", 1.0),
        at.color("bufferColor", WHITE),
        at.share("bufferOpacity", "bufferTransp"),
        not at.flag("bufferNoFill", True),
        at.join("bufferJoinStyle", "round"),
        at.integer("bufferBlendMode"),
    )


def _background(element: etree._Element | None, layer: str, problems: Problems) -> Background:
    at = Attributes(element)
    symbols: dict[str, Symbol] = {}
    if element is not None:
        for child in element.iterfind("symbol"):
            symbols[child.get("name", "")] = read_symbol(child, layer, problems)
    return Background(
        at.flag("shapeDraw"),
        at.integer("shapeType"),
        at.integer("shapeSizeType"),
        at.length("shapeSizeX", "shapeSizeUnit", "shapeSizeMapUnitScale", 0.0),
        at.length("shapeSizeY", "shapeSizeUnit", "shapeSizeMapUnitScale", 0.0),
        at.integer("shapeRotationType"),
        at.number("shapeRotation"),
        _offset(at, "shapeOffset"),
        _offset(at, "shapeRadii"),
        at.color("shapeFillColor", WHITE),
        at.color("shapeBorderColor", (0.5, 0.5, 0.5, 1.0)),
        at.length("shapeBorderWidth", "shapeBorderWidthUnit", "shapeBorderWidthMapUnitScale", 0.0),
        at.join("shapeJoinStyle", "bevel"),
        at.share("shapeOpacity", "shapeTransparency"),
        at.integer("shapeBlendMode"),
        at.text("shapeSVGFile"),
        symbols.get("fillSymbol"),
        symbols.get("markerSymbol"),
    )


def _offset(at: Attributes, name: str) -> Offset:
    limits = parse_map_unit_scale(at.text(f"{name}MapUnitScale") or None)
    return Offset(at.number(f"{name}X"), at.number(f"{name}Y"), at.unit(f"{name}Unit"), limits)


def _shadow(at: Attributes) -> Shadow:
    return Shadow(
        at.flag("shadowDraw"),
        at.integer("shadowUnder"),
        at.number("shadowOffsetAngle", 135.0),
        at.length("shadowOffsetDist", "shadowOffsetUnit", "shadowOffsetMapUnitScale", 1.0),
        at.flag("shadowOffsetGlobal", True),
        at.length("shadowRadius", "shadowRadiusUnit", "shadowRadiusMapUnitScale", 1.5),
        at.flag("shadowRadiusAlphaOnly"),
        at.share("shadowOpacity", "shadowTransparency", 0.7),
        min(max(at.number("shadowScale", 100.0), 0.0), LARGEST) / 100,
        at.color("shadowColor", BLACK),
        at.integer("shadowBlendMode", 6),
    )


def _mask(at: Attributes) -> Mask:
    return Mask(
        at.flag("maskEnabled"),
        at.length("maskSize", "maskSizeUnits", "maskSizeMapUnitScale", 1.5),
        at.share("maskOpacity", ""),
        at.join("maskJoinStyle", "round"),
        tuple(part for part in at.text("maskedSymbolLayers").split(";") if part),
    )
