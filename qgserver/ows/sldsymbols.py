"""Symbolizers of SLD 1.0.0 and Symbology Encoding 1.1 as symbol layers.

They are made through the option maps that symbol layers are read from. Sizes are pixels unless ``uom`` says otherwise;
what a symbolizer leaves out is as the standards have it. Nothing is fetched: external graphics are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from lxml import etree

from qgserver.draw.color import parse_color
from qgserver.errors import OwsError
from qgserver.ows.gmlread import local_name
from qgserver.ows.sld import CAPS, DASHES, HATCHES, JOINS
from qgserver.symbology.options import Options
from qgserver.symbology.symbol import Symbol, SymbolLayer, layers

BLACK, GREY, WHITE = "#000000", "#808080", "#ffffff"
MAX_SIZE = 10_000.0
"""Pixels, or units of ``uom``."""
MAX_DASHES = 64
FOOT = 0.3048

_QT_JOINS = {word: join for join, word in JOINS.items()} | {"miter": "miter", "bevel": "bevel", "round": "round"}
_QT_CAPS = {word: cap for cap, word in CAPS.items()} | {"square": "square", "round": "round"}
_QT_DASHES = {text: name for name, text in DASHES.items()}
_BRUSHES = {mark: brush for brush, mark in HATCHES.items()}
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}|[a-zA-Z]{3,30}")
_DASHED = re.compile(r"[\s,]+")


def child(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first element below, by local names: SLD 1.0.0 and 1.1.0 differ in their namespaces."""
    for name in path:
        if element is None:
            return None
        element = next((found for found in element if local_name(found) == name), None)
    return element


def wrong(what: str) -> OwsError:
    """The error for a style that can't be drawn as it stands."""
    return OwsError("InvalidParameterValue", f"SLD_BODY: {what[:200]}.", locator="SLD_BODY")


def symbol_layers(symbolizer: etree._Element, kind: str) -> tuple[SymbolLayer, ...]:
    """What a symbolizer draws on features of a kind (marker, line, fill): nothing where the two do not go together, as
    in QGIS. Raises ``OwsError``."""
    make = _SYMBOLIZERS.get((local_name(symbolizer), kind))
    return () if make is None else tuple(make(symbolizer))


def _polygon(symbolizer: etree._Element) -> Iterator[SymbolLayer]:
    size = _Sizes(symbolizer)
    stroke = child(symbolizer, "Stroke")
    values = _fill(child(symbolizer, "Fill")) | size.offset(symbolizer)
    values |= {"outline_style": "no"} if stroke is None else _stroke(stroke, size, "outline")
    yield _layer("SimpleFill", values)


def _line(symbolizer: etree._Element) -> Iterator[SymbolLayer]:
    size = _Sizes(symbolizer)
    stroke = child(symbolizer, "Stroke")
    if stroke is not None:
        values = _stroke(stroke, size, "line")
        yield _layer("SimpleLine", values | size.length("offset", child(symbolizer, "PerpendicularOffset"), 0.0))


def _point(symbolizer: etree._Element) -> Iterator[SymbolLayer]:
    size, graphic = _Sizes(symbolizer), child(symbolizer, "Graphic")
    mark = child(graphic, "Mark")
    if child(graphic, "ExternalGraphic") is not None and mark is None:
        raise wrong("external graphics are not fetched")
    stroke, alpha = child(mark, "Stroke"), _number(child(graphic, "Opacity"), 1.0, 1.0)
    filled = _fill(child(mark, "Fill"), alpha)
    if filled["style"] == "no":
        filled["color"] = "0,0,0,0"
    name = _text(child(mark, "WellKnownName")) or "square"
    outline = {"outline_style": "no"} if stroke is None else _stroke(stroke, size, "outline", alpha)
    values = filled | outline | {"name": name, "angle": str(_number(child(graphic, "Rotation"), 0.0, 1e6))}
    yield _layer("SimpleMarker", values | size.length("size", child(graphic, "Size"), 6.0) | size.offset(graphic))


def _centroids(symbolizer: etree._Element) -> Iterator[SymbolLayer]:
    yield replace(_layer("CentroidFill", {}), symbol=Symbol("marker", tuple(_point(symbolizer))))


def _middles(symbolizer: etree._Element) -> Iterator[SymbolLayer]:
    markers = Symbol("marker", tuple(_point(symbolizer)))
    yield replace(_layer("MarkerLine", {"placement": "centralpoint", "rotate": "0"}), symbol=markers)


_SYMBOLIZERS: Mapping[tuple[str, str], Callable[[etree._Element], Iterator[SymbolLayer]]] = {
    ("PolygonSymbolizer", "fill"): _polygon,
    ("LineSymbolizer", "fill"): _line,
    ("PointSymbolizer", "fill"): _centroids,
    ("LineSymbolizer", "line"): _line,
    ("PointSymbolizer", "line"): _middles,
    ("PointSymbolizer", "marker"): _point,
}


def _layer(name: str, values: Mapping[str, str]) -> SymbolLayer:
    kind = layers.get(name)
    assert kind is not None
    return kind.read(Options(values))


# -- what symbolizers are made of -----------------------------------------------------------------------------------


class _Sizes:
    """Lengths of one symbolizer, in its unit of measure."""

    def __init__(self, symbolizer: etree._Element) -> None:
        uom = symbolizer.get("uom", "").rpartition("/")[2].lower()
        self._factor = FOOT if uom == "foot" else 1.0
        self.unit = "RenderMetersInMapUnits" if uom in ("metre", "foot") else "Pixel"

    def length(self, key: str, element: etree._Element | None, default: float) -> dict[str, str]:
        """The option ``key`` with its unit."""
        value = _number(element, default, MAX_SIZE) * self._factor
        return {key: repr(value), f"{key}_unit": self.unit}

    def offset(self, element: etree._Element | None) -> dict[str, str]:
        """A ``Displacement``."""
        moved = child(element, "Displacement")
        place = (_number(child(moved, f"Displacement{axis}"), 0.0, MAX_SIZE) * self._factor for axis in "XY")
        return {"offset": ",".join(map(repr, place)), "offset_unit": self.unit}

    def dashes(self, text: str) -> dict[str, str]:
        """``stroke-dasharray``: one of the patterns that QGIS writes, or lengths."""
        words = [word for word in _DASHED.split(text) if word]
        if " ".join(words) in _QT_DASHES:
            return {"style": _QT_DASHES[" ".join(words)]}
        lengths = [_finite(word, MAX_SIZE) * self._factor for word in words[:MAX_DASHES]]
        if len(lengths) % 2:
            lengths *= 2
        pattern = ";".join(map(repr, lengths))
        return {"use_custom_dash": "1", "customdash": pattern, "customdash_unit": self.unit} if any(lengths) else {}


def _fill(element: etree._Element | None, alpha: float = 1.0) -> dict[str, str]:
    """Options ``color`` and ``style`` of a ``Fill``."""
    if element is None:
        return {"style": "no"}
    mark = child(element, "GraphicFill", "Graphic", "Mark")
    if mark is not None:
        name = _text(child(mark, "WellKnownName"))
        brush = _BRUSHES.get(name) or name.removeprefix("brush://")
        paint = child(mark, "Stroke") if name in _BRUSHES else child(mark, "Fill")
        what = "stroke" if name in _BRUSHES else "fill"
        return {"color": _color(_parameters(paint), what, BLACK, alpha), "style": brush}
    if child(element, "GraphicFill") is not None:
        raise wrong("external graphics are not fetched")
    return {"color": _color(_parameters(element), "fill", GREY, alpha), "style": "solid"}


def _stroke(element: etree._Element, size: _Sizes, prefix: str, alpha: float = 1.0) -> dict[str, str]:
    """Options of a pen (``outline_color``, ``line_width``, ...) from a ``Stroke``."""
    parameters = _parameters(element)
    if child(element, "GraphicStroke") is not None:
        raise wrong("graphic strokes are not drawn")
    style = size.dashes(parameters.get("stroke-dasharray", ""))
    width = size.length(f"{prefix}_width", None, _finite(parameters.get("stroke-width", "1"), MAX_SIZE))
    return {
        f"{prefix}_color": _color(parameters, "stroke", BLACK, alpha),
        f"{prefix}_style": style.pop("style", "solid"),
        "joinstyle": _QT_JOINS.get(parameters.get("stroke-linejoin", ""), "bevel"),
        "capstyle": _QT_CAPS.get(parameters.get("stroke-linecap", ""), "flat"),
        **width,
        **style,
    }


def _parameters(element: etree._Element | None) -> dict[str, str]:
    """``SvgParameter`` (``CssParameter`` in 1.0.0) by name."""
    found = () if element is None else element
    return {item.get("name", ""): _text(item) for item in found if local_name(item) in ("SvgParameter", "CssParameter")}


def _text(element: etree._Element | None) -> str:
    """The text of a value, which may be wrapped into literals. Raises ``OwsError`` for anything computed."""
    if element is None:
        return ""
    if any(local_name(item) != "Literal" for item in element):
        raise wrong(f"{local_name(element)} must be a literal")
    return "".join(map(str, element.itertext())).strip()


def _number(element: etree._Element | None, default: float, limit: float) -> float:
    text = _text(element)
    return _finite(text, limit) if text else default


def _finite(text: str, limit: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise wrong(f"{text[:40]!r} is not a number") from None
    if not math.isfinite(value) or abs(value) > limit:
        raise wrong(f"{text[:40]!r} is out of range")
    return value


def _color(parameters: Mapping[str, str], name: str, default: str, alpha: float) -> str:
    """QGIS's ``r,g,b,a`` of the parameters ``name`` and ``name-opacity``."""
    text = parameters.get(name) or default
    found = parse_color(text, (-1.0, 0.0, 0.0, 1.0)) if _COLOR.fullmatch(text) else (-1.0, 0.0, 0.0, 1.0)
    if found[0] < 0:
        raise wrong(f"{text[:40]!r} is not a colour")
    opacity = min(max(_finite(parameters.get(f"{name}-opacity") or "1", 1e6) * alpha, 0.0), 1.0)
    return ",".join(str(round(part * 255)) for part in (*found[:3], opacity))
