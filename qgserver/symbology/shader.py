"""Colours and widths by a number: how the style of an interpolated line turns values into what is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from qgserver.draw.color import Color
from qgserver.symbology.options import Options, parse_number
from qgserver.symbology.ramp import ColorRamp

INTERPOLATED, DISCRETE, EXACT = 0, 1, 2
MOST_ITEMS = 1000
Stops = tuple[tuple[float, Color], ...]


@dataclass(frozen=True, slots=True)
class ColorShader:
    """``items`` are (value, colour), sorted, at least one. ``kind``: colours between values are mixed (0), an item's
    colour holds up to its value (1), or only at it (2). ``clipped``: values beyond the items have no colour."""

    items: tuple[tuple[float, Color], ...]
    kind: int = INTERPOLATED
    clipped: bool = False

    @property
    def limits(self) -> tuple[float, float]:
        """The values that have a colour."""
        if not self.clipped or self.kind != INTERPOLATED:
            return -math.inf, math.inf
        return self.items[0][0], self.items[-1][0]

    def color(self, value: float) -> Color:
        """The colour of a value; the nearest item's where there is none."""
        if self.kind == INTERPOLATED:
            return self._mixed(value)
        return next((color for at, color in self.items if value <= at), self.items[-1][1])

    def _mixed(self, value: float) -> Color:
        low, high = self.items[0][0], self.items[-1][0]
        if not high > low:
            return self.items[0][1]
        ramp = ColorRamp(tuple(((at - low) / (high - low), color) for at, color in self.items))
        return ramp.color((value - low) / (high - low))

    def stops(self, first: float, last: float) -> Stops:
        """The colours on the way from one value to another, by the share of the way; two at one place where the
        colour changes at once."""
        if first == last:
            return ((0.0, self.color(first)),)
        found: list[tuple[float, Color]] = [(0.0, self.color(first))]
        inside = [item for item in self.items if min(first, last) <= item[0] <= max(first, last)]
        for at, color in inside if first < last else inside[::-1]:
            share = (at - first) / (last - first)
            if self.kind == INTERPOLATED:
                found.append((share, color))
            else:
                after = next((other for value, other in self.items if value > at), color)
                found += [(share, pair) for pair in ((color, after) if first < last else (after, color))]
        return (*found, (1.0, self.color(last)))

    def places(self, first: float, last: float) -> Iterator[tuple[float, float, Color]]:
        """Where on the way from one value to another (0..1) an item's own value is met, the value and its colour."""
        for at, color in self.items:
            if min(first, last) <= at <= max(first, last):
                yield ((at - first) / (last - first) if first != last else 0.0), at, color


def read_shader(options: Options, color: Color, path: str = "color_ramp_shader") -> ColorShader:
    """The shader of a style, in its maps called ``path``; ``color`` where it has none."""
    items: list[tuple[float, Color]] = []
    for number in range(MOST_ITEMS):
        item = f"{path}/{path}_items_list/{number}"
        if f"{item}/value" not in options.values:
            break
        value = parse_number(options.text(f"{item}/value"), math.nan)
        if not math.isnan(value):
            items.append((value, options.color(f"{item}/color", default=color)))
    return ColorShader(
        tuple(sorted(items, key=lambda item: item[0])) or ((0.0, color),),
        options.integer(f"{path}/{path}_type"),
        options.text(f"{path}/{path}_value_out_of_range") == "1",
    )


@dataclass(frozen=True, slots=True)
class WidthScale:
    """Widths (in the style's unit) by a number: from ``min_width`` at ``min_value`` to ``max_width``. ``ignored``:
    what lies beyond is not drawn; ``absolute``: the sign does not count."""

    min_value: float = 0.0
    max_value: float = 10.0
    min_width: float = 0.26
    max_width: float = 3.0
    absolute: bool = False
    ignored: bool = False

    def is_ignored(self, value: float) -> bool:
        """Whether nothing is drawn at a value."""
        value = abs(value) if self.absolute else value
        return self.ignored and not self.min_value <= value <= self.max_value

    def width(self, value: float) -> float:
        """The width at a value."""
        if self.absolute:
            value = abs(value)
        span = self.max_value - self.min_value
        share = (value - self.min_value) / span if span > 0 else 1.0
        return self.min_width + min(max(share, 0.0), 1.0) * (self.max_width - self.min_width)


def read_width_scale(options: Options) -> WidthScale:
    """The options that begin with ``width_varying_``."""
    prefix = "width_varying_"
    return WidthScale(
        options.number(f"{prefix}minimum_value"),
        options.number(f"{prefix}maximum_value", default=10.0),
        options.number(f"{prefix}minimum_width", default=0.26),
        options.number(f"{prefix}maximum_width", default=3.0),
        options.flag(f"{prefix}use_absolute_value"),
        options.flag(f"{prefix}ignore_out_of_range"),
    )
