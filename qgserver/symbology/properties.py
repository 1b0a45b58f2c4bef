"""Data-defined properties: values of a symbol layer that come from fields or expressions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from qgserver.draw.color import Color, parse_color
from qgserver.draw.pen import Cap, Join
from qgserver.errors import ExpressionError, Problems
from qgserver.expression.nodes import FieldRef, Literal, Node, used_fields
from qgserver.expression.parser import parse
from qgserver.symbology.options import CAPS, JOINS, Length, Offset, parse_number, parse_pair
from qgserver.symbology.ramp import ColorRamp, read_ramp

STATIC, FIELD, EXPRESSION = "1", "2", "3"
SIZE_EXPONENTS = {0: 1.0, 1: 0.5, 2: 0.57}
"""Size-scale transformer: linear, area, Flannery; 3 = exponential takes its own exponent."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A transfer curve of a transformer: control points in 0..1, joined by straight pieces."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]

    def at(self, value: float) -> float:
        if value <= self.xs[0]:
            return self.ys[0]
        for i in range(1, len(self.xs)):
            if value <= self.xs[i]:
                span = self.xs[i] - self.xs[i - 1]
                share = (value - self.xs[i - 1]) / span if span else 1.0
                return self.ys[i - 1] + share * (self.ys[i] - self.ys[i - 1])
        return self.ys[-1]


@dataclass(frozen=True, slots=True)
class Transformer:
    """From a number to an output: kind 0 generic, 1 size scale, 2 colour ramp."""

    kind: int
    min_value: float
    max_value: float
    min_output: float = 0.0
    max_output: float = 1.0
    null_output: float | str = 0.0
    exponent: float = 1.0
    ramp: ColorRamp | None = None
    curve: Curve | None = None

    def apply(self, value: object) -> object:
        """The output for a value; ``null_output`` for NULL, the value itself when it is no number."""
        if value is None:
            return self.null_output
        number = parse_number(str(value), math.nan)
        if math.isnan(number):
            return value
        span = self.max_value - self.min_value
        share = min(max((number - self.min_value) / span, 0.0), 1.0) if span else 1.0
        if self.curve:
            share = self.curve.at(share)
        if self.ramp is not None:
            return self.ramp.color(share)
        return self.min_output + share**self.exponent * (self.max_output - self.min_output)


@dataclass(frozen=True, slots=True)
class Property:
    """One active property."""

    node: Node
    transformer: Transformer | None = None

    def transformed(self, value: object) -> object:
        return self.transformer.apply(value) if self.transformer else value


@dataclass(frozen=True, slots=True)
class Properties:
    """The active properties of a symbol layer or symbol, by key (``size``, ``fillColor``, ...)."""

    items: Mapping[str, Property] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.items)

    def without(self, *keys: str) -> Properties:
        """The properties but for some."""
        return Properties({key: item for key, item in self.items.items() if key not in keys})

    def used_fields(self) -> frozenset[str] | None:
        """Columns the expressions need, None = maybe all."""
        return merge_fields(used_fields(item.node) for item in self.items.values())


def merge_fields(sets: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """Union of column sets of which any may be None (= all)."""
    out: set[str] = set()
    for names in sets:
        if names is None:
            return None
        out |= names
    return frozenset(out)


def read_properties(element: etree._Element | None, layer: str, problems: Problems) -> Properties:
    """Read ``<data_defined_properties>``. Properties that are off are left out; one that does not parse is a problem
    and leaves the static value (as QGIS does)."""
    if element is None:
        return Properties()
    items: dict[str, Property] = {}
    for option in element.iterfind("Option/Option[@name='properties']/Option"):
        parts = {child.get("name", ""): child for child in option.iterfind("Option")}
        if _value(parts, "active") not in ("true", "1"):
            continue
        key = option.get("name", "")
        try:
            node = _property_node(parts)
        except ExpressionError as error:
            problems.add(layer, f"data-defined {key}", error.message)
            continue
        if node is not None:
            items[key] = Property(node, _read_transformer(parts.get("transformer")))
    return Properties(items)


def _value(parts: Mapping[str, etree._Element], name: str) -> str:
    return parts[name].get("value", "") if name in parts else ""


def _property_node(parts: Mapping[str, etree._Element]) -> Node | None:
    kind = _value(parts, "type")
    if kind == FIELD:
        name = _value(parts, "field")
        return FieldRef(name) if name else None
    if kind == EXPRESSION:
        text = _value(parts, "expression")
        return parse(text) if text.strip() else None
    if kind == STATIC:
        return Literal(_value(parts, "val"))
    return None


def _read_transformer(element: etree._Element | None) -> Transformer | None:
    if element is None:
        return None
    parts = {child.get("name", ""): child for child in element.iterfind("Option")}
    kind = int(parse_number(_value(parts, "t"), -1))
    details = parts.get("d")
    if kind not in (0, 1, 2) or details is None:
        return None
    data = {child.get("name", ""): child for child in details.iterfind("Option")}

    def number(name: str, default: float) -> float:
        return parse_number(_value(data, name), default)

    low, high = number("minValue", 0), number("maxValue", 1)
    curve = _read_curve(data.get("curve"))
    if kind == 2:
        ramp = read_ramp(details.find("Option[@name='colorramp']"), details.find("colorramp"))
        return Transformer(2, low, high, null_output=_value(data, "nullColor"), ramp=ramp, curve=curve)
    names = ("minSize", "maxSize", "nullSize") if kind == 1 else ("minOutput", "maxOutput", "nullOutput")
    outputs = [number(name, default) for name, default in zip(names, (0.0, 1.0, 0.0), strict=True)]
    scale_type = int(number("scaleType", 0))
    exponent = SIZE_EXPONENTS.get(scale_type, number("exponent", 1)) if kind == 1 else number("exponent", 1)
    return Transformer(kind, low, high, outputs[0], outputs[1], outputs[2], exponent, curve=curve)


def _read_curve(element: etree._Element | None) -> Curve | None:
    if element is None:
        return None
    parts = {child.get("name", ""): child.get("value", "") for child in element.iterfind("Option")}
    xs = tuple(parse_number(v, 0.0) for v in parts.get("x", "").split(",") if v)
    ys = tuple(parse_number(v, 0.0) for v in parts.get("y", "").split(",") if v)
    return Curve(xs, ys) if len(xs) == len(ys) >= 2 else None


Convert = Callable[[object, Any], Any]
"""(value of the property, static value of the attribute) -> what the attribute becomes."""

LEFT, CENTER, RIGHT = 0, 1, 2
ANCHORS = {"left": LEFT, "top": LEFT, "center": CENTER, "right": RIGHT, "bottom": RIGHT}


def as_number(value: object, static: float) -> float:
    """A number; the static value when it is none."""
    number = parse_number(str(value), math.nan)
    return static if math.isnan(number) else number


def as_color(value: object, static: Color) -> Color:
    """A colour text, or the colour a ramp gave."""
    if isinstance(value, tuple) and len(value) == 4:
        return value
    return parse_color(str(value), static)


def as_flag(value: object, static: bool) -> bool:
    """A truth value, as number or text."""
    if isinstance(value, str):
        return value.strip().lower() in ("1", "true", "yes")
    return value if isinstance(value, bool) else bool(as_number(value, float(static)))


def as_choice(names: Mapping[str, int]) -> Convert:
    """Makes a converter to the number of a name; any other text leaves the static value."""

    def convert(value: object, static: int) -> int:
        return names.get(str(value).strip().lower(), static)

    return convert


def as_integer(value: object, static: int) -> int:
    """A whole number, whatever follows it cut off."""
    return int(as_number(value, float(static)))


def as_share(value: object, static: float) -> float:
    """Percent as a share 0..1."""
    return min(max(as_number(value, static * 100) / 100, 0.0), 1.0)


def as_join(value: object, static: Join) -> Join:
    """The name of a join; any other text leaves the static one."""
    return JOINS.get(str(value).strip().lower(), static)


def as_cap(value: object, static: Cap) -> Cap:
    """The name of a cap; any other text leaves the static one."""
    return CAPS.get(str(value).strip().lower(), static)


def as_text(value: object, static: str) -> str:
    return str(value)


def as_length(value: object, static: Length) -> Length:
    """A number in the unit of the static length."""
    return replace(static, value=as_number(value, static.value))


def as_offset(value: object, static: Offset) -> Offset:
    """``"x,y"`` or an array of two numbers, in the unit of the static offset."""
    if isinstance(value, list | tuple) and len(value) >= 2:
        return replace(static, x=as_number(value[0], 0.0), y=as_number(value[1], 0.0))
    x, y = parse_pair(str(value))
    return replace(static, x=x, y=y)


def as_anchor(value: object, static: int) -> int:
    """``left``, ``center``, ``bottom``, ..."""
    return ANCHORS.get(str(value).lower(), static)
