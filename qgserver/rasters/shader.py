"""Colours by value: what a style's ``colorrampshader`` says."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from lxml import etree

from qgserver.draw.color import parse_color
from qgserver.rasters.colors import Rgba, Words, packed
from qgserver.rasters.model import Values
from qgserver.rasters.options import flag, integer, number

Kind = str
INTERPOLATED, DISCRETE, EXACT = "INTERPOLATED", "DISCRETE", "EXACT"
NEAR = 4 * np.finfo(np.float64).eps
"""The relative difference up to which a value is an item's."""


@dataclass(frozen=True, slots=True)
class Item:
    """A value with its colour and the text that legends show."""

    value: float
    color: Rgba
    label: str = ""


@dataclass(frozen=True, slots=True)
class RampShader:
    """``items`` ascend by value. ``clipped``: beyond the first and last of interpolated ones there is no colour."""

    items: tuple[Item, ...]
    kind: Kind = INTERPOLATED
    clipped: bool = False

    def spread(self, old: tuple[float, float], new: tuple[float, float]) -> RampShader:
        """The shader with the colours of the range ``old`` spread over ``new``."""
        if not old[1] > old[0]:
            return self
        factor = (new[1] - new[0]) / (old[1] - old[0])
        items = (replace(item, value=new[0] + (item.value - old[0]) * factor) for item in self.items)
        return replace(self, items=tuple(items))

    def words(self, values: Values) -> Words:
        """The pixels of values; transparent where they have no colour."""
        if not self.items:
            return np.zeros(values.shape, dtype=np.uint32)
        stops = np.array([item.value for item in self.items])
        numbers = values.astype(np.float64)
        if self.kind == INTERPOLATED:
            return self._interpolated(numbers, stops)
        if self.kind == EXACT:
            return self._exact(numbers, stops)
        found = np.searchsorted(stops, numbers, side="left")
        return np.append(self._item_words(), np.uint32(0))[found]

    def _item_words(self) -> Words:
        colors = np.array([item.color for item in self.items], dtype=np.int64).reshape(-1, 4)
        return premultiplied(colors)

    def _exact(self, numbers: Values, stops: Values) -> Words:
        after = np.clip(np.searchsorted(stops, numbers, side="left"), 0, len(stops) - 1)
        before = np.maximum(after - 1, 0)
        words = self._item_words()
        found = np.zeros(numbers.shape, dtype=np.uint32)
        with np.errstate(invalid="ignore"):
            for place in (before, after):
                near = np.isclose(numbers, stops[place], rtol=NEAR, atol=0.0)
                found[near] = words[place[near]]
        return found

    def _interpolated(self, numbers: Values, stops: Values) -> Words:
        """Each channel goes from item to item in whole numbers, fractions cut off (measured)."""
        colors = np.array([item.color for item in self.items], dtype=np.float64)
        if len(stops) == 1:
            stops, colors = np.repeat(stops, 2), np.repeat(colors, 2, axis=0)
        at = np.clip(np.searchsorted(stops, numbers, side="left") - 1, 0, len(stops) - 2)
        spans = np.diff(stops)
        with np.errstate(invalid="ignore", over="ignore"):
            shares = (numbers - stops[at]) / np.where(spans > 0, spans, np.inf)[at]
        shares = np.clip(np.nan_to_num(shares), 0.0, 1.0)
        # Items that share a value: what lies beyond has the colour of the last.
        shares[numbers > stops[-1]] = 1.0
        steps = np.diff(colors, axis=0)
        red, green, blue, alpha = (
            np.uint32(colors[0, channel])
            if not steps[:, channel].any()
            else (colors[at, channel] + np.trunc(steps[at, channel] * shares)).astype(np.uint32)
            for channel in range(4)
        )
        if (colors[:, 3] < 255).any():
            red, green, blue = (channel * alpha // np.uint32(255) for channel in (red, green, blue))
        words: Words = np.broadcast_to(packed(red, green, blue, alpha), numbers.shape).copy()
        if self.clipped:
            words[(numbers < stops[0]) | (numbers > stops[-1])] = 0
        return words


def premultiplied(colors: Values) -> Words:
    """Colours int[..., 4] (red, green, blue, alpha) as pixels; fractions are cut off (measured)."""
    alpha = colors[..., 3]
    red, green, blue = ((colors[..., i] * alpha) // 255 for i in range(3))
    return packed(red, green, blue, alpha)


def read_color(element: etree._Element) -> Rgba:
    """``color`` and ``alpha`` of an item."""
    red, green, blue, alpha = parse_color(element.get("color"), (0.0, 0.0, 0.0, 1.0))
    shown = min(max(integer(element, "alpha", round(alpha * 255)), 0), 255)
    return round(red * 255), round(green * 255), round(blue * 255), shown


def read_items(elements: list[etree._Element]) -> tuple[Item, ...]:
    """Items ``value color alpha label``, by value; those without a number are left out."""
    found = []
    for element in elements:
        try:
            value = float(element.get("value", ""))
        except ValueError:
            continue
        if not math.isnan(value):
            found.append(Item(value, read_color(element), element.get("label", "")))
    return tuple(sorted(found, key=lambda item: item.value))


def read_shader(element: etree._Element | None) -> RampShader:
    """A ``<colorrampshader>``."""
    if element is None:
        return RampShader(())
    kind = element.get("colorRampType", INTERPOLATED).upper()
    return RampShader(read_items(element.findall("item")), kind, flag(element, "clip"))


def limits(element: etree._Element, shader: RampShader) -> tuple[float, float]:
    """The values at the ends of the legend's ramp: those of the ``<rasterrenderer>``, else of its shader."""
    first, last = (shader.items[0].value, shader.items[-1].value) if shader.items else (0.0, 0.0)
    inner = element.find("rastershader/colorrampshader")
    low, high = number(inner, "minimumValue", first), number(inner, "maximumValue", last)
    return number(element, "classificationMin", low), number(element, "classificationMax", high)
