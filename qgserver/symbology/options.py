"""The string maps of symbol layers: ``<Option type="Map">`` or, before 3.18 alone, ``<prop k= v=>``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from qgserver.draw.color import Color, parse_color
from qgserver.draw.pen import Cap, Join
from qgserver.draw.units import MapUnitScale, RenderScale, parse_map_unit_scale, to_pixels

JOINS: dict[str, Join] = {"bevel": "bevel", "miter": "miter", "round": "round"}
MAX_NESTING = 4
"""Maps within maps that are read."""
CAPS: dict[str, Cap] = {"square": "square", "flat": "flat", "round": "round"}


@dataclass(frozen=True, slots=True)
class Length:
    """A size with its unit, as the style gives it."""

    value: float
    unit: str = "MM"
    map_unit_scale: MapUnitScale | None = None

    def pixels(self, scale: RenderScale) -> float:
        """The size in device pixels of a map."""
        return to_pixels(self.value, self.unit, scale, self.map_unit_scale)


@dataclass(frozen=True, slots=True)
class Offset:
    """A displacement, x to the right and y down, with its unit."""

    x: float = 0.0
    y: float = 0.0
    unit: str = "MM"
    map_unit_scale: MapUnitScale | None = None

    def pixels(self, scale: RenderScale) -> tuple[float, float]:
        if not self.x and not self.y:
            return 0.0, 0.0
        return (
            to_pixels(self.x, self.unit, scale, self.map_unit_scale),
            to_pixels(self.y, self.unit, scale, self.map_unit_scale),
        )


@dataclass(frozen=True, slots=True)
class Options:
    """Typed reading of an option map. A value that is absent or does not parse gives the default."""

    values: Mapping[str, str]

    def text(self, *keys: str, default: str = "") -> str:
        """The first of the keys that is there (older names come later in the list)."""
        return next((self.values[key] for key in keys if key in self.values), default)

    def number(self, *keys: str, default: float = 0.0) -> float:
        return parse_number(self.text(*keys), default)

    def integer(self, *keys: str, default: int = 0) -> int:
        return int(self.number(*keys, default=float(default)))

    def flag(self, *keys: str, default: bool = False) -> bool:
        text = self.text(*keys)
        return text.lower() in ("1", "true", "yes") if text else default

    def color(self, *keys: str, default: Color) -> Color:
        return parse_color(self.text(*keys) or None, default)

    def length(self, *keys: str, default: float) -> Length:
        """``key``, ``key_unit`` and ``key_map_unit_scale`` together (``units`` is the older common unit)."""
        units = [f"{key}_unit" for key in keys] + ["units"]
        scales = [f"{key}_map_unit_scale" for key in keys]
        return Length(
            self.number(*keys, default=default),
            self.text(*units, default="MM"),
            parse_map_unit_scale(self.text(*scales) or None),
        )

    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Names and values of the map ``parameters``."""
        found = ((key.removeprefix("parameters/"), value) for key, value in self.values.items())
        return tuple(pair for pair, key in zip(found, self.values, strict=True) if key.startswith("parameters/"))

    def join(self) -> Join:
        """``joinstyle``."""
        return JOINS.get(self.text("joinstyle"), "bevel")

    def cap(self, key: str) -> Cap:
        """A cap style under ``key``."""
        return CAPS.get(self.text(key), "square")

    def offset(self, key: str = "offset") -> Offset:
        """``"x,y"`` with its unit."""
        x, y = parse_pair(self.text(key))
        unit = self.text(f"{key}_unit", "units", default="MM")
        return Offset(x, y, unit, parse_map_unit_scale(self.text(f"{key}_map_unit_scale") or None))


def parse_number(text: str, default: float) -> float:
    """A finite number, or the default."""
    try:
        value = float(text)
    except ValueError:
        return default
    return value if abs(value) < 1e15 else default


def parse_pair(text: str) -> tuple[float, float]:
    """``"x,y"`` as two numbers; 0, 0 when it is none."""
    x, _, y = text.partition(",")
    return parse_number(x, 0.0), parse_number(y, 0.0)


def read_options(element: etree._Element) -> Options:
    """The options of a symbol ``<layer>``: the Option map, the ``<prop>`` list only where there is no map. What is in
    maps and lists within it has names like paths: ``parameters/color``, ``items/0/value``."""
    option_map = element.find("Option[@type='Map']")
    if option_map is not None:
        found = dict(_entries(option_map, ""))
    else:
        found = {child.get("k", ""): child.get("v", "") for child in element.iterfind("prop")}
    return Options({key: value for key, value in found.items() if key})


def _entries(element: etree._Element, path: str) -> Iterator[tuple[str, str]]:
    for number, child in enumerate(element.iterfind("Option")):
        name = path + child.get("name", str(number) if path else "")
        yield name, child.get("value", "")
        if len(child) and name.count("/") < MAX_NESTING:
            yield from _entries(child, f"{name}/")
