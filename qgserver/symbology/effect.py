"""Paint effects: what happens to a drawing between being painted and reaching the map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from lxml import etree

from qgserver.draw.blend import OVER, Operator, effect_operator
from qgserver.draw.canvas import Canvas
from qgserver.draw.filters import Pixels
from qgserver.draw.units import RenderScale, parse_map_unit_scale
from qgserver.errors import Problems
from qgserver.registry import Registry
from qgserver.symbology.drawn import Drawn, Images
from qgserver.symbology.options import Length, Options, read_options

MODIFIER, RENDER, BOTH = 0, 1, 2
"""``draw_mode``: only the effects below get the result, only the map, or both."""
FURTHEST = 20_000.0
"""Pixels that any length of an effect may have."""
PIXEL = 0.2645
"""Millimetres of a pixel, as QGIS rounds it."""
OLD_LEVEL = 10.0
"""The blur level of effects that do not say any."""
ABSURD = 1e5
"""Numbers from which a style is reported."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far (pixels) a result lies beyond what it is made from: ``spread`` is QGIS's figure, which may be absurd and
    decides about fractions of pixels; ``needed`` is how much of it can be seen."""

    spread: float = 0.0
    needed: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One effect. A class of the family adds its own attributes and

    * ``read(options)``: the attributes from the option map (class method);
    * ``reach(scale)``: how far the result goes beyond its source;
    * ``changed(pixels, scale)``: the result's pixels;

    or ``drawn`` as a whole, when it is more than that."""

    mode: int = BOTH
    opacity: float = 1.0
    operator: Operator = OVER

    @classmethod
    def read(cls, options: Options) -> Self:
        """An effect with the attributes of the option map."""
        return cls()

    def reach(self, scale: RenderScale) -> Reach:
        """How far the result goes beyond its source."""
        return Reach()

    def changed(self, pixels: Pixels, scale: RenderScale) -> Pixels:
        """The result's pixels uint8[n, h, w, 4] from those of the source."""
        return pixels

    def moved(self, scale: RenderScale) -> tuple[float, float]:
        """Pixels to the right and down from the source to the result."""
        return 0.0, 0.0

    @property
    def plain(self) -> bool:
        """True when the drawing is put on the map as it is."""
        return False

    def source(self, original: Drawn, above: Drawn) -> Drawn:
        """What it is made from: the result of the effects above it."""
        return above

    def drawn(self, source: Drawn, scale: RenderScale) -> Drawn:
        """The result."""
        reach = self.reach(scale)
        frame = source.box.frame(reach.spread, reach.needed)
        dx, dy = self.moved(scale)
        made = np.ascontiguousarray(self.changed(source.pixels(frame), scale))
        return Images(made, frame.left + dx, frame.top + dy, source.places, self.operator)


effects: Registry[type[Effect]] = Registry("paint effect")
"""``type`` attribute of ``<effect>`` -> class."""


@dataclass(frozen=True, slots=True)
class EffectStack:
    """Effects from the lowest to the highest. Without any, nothing is drawn."""

    effects: tuple[Effect, ...]

    def reach(self, scale: RenderScale) -> float:
        """Pixels from which paint outside a picture may still show within it."""
        total = 0.0
        for effect in self.effects:
            dx, dy = effect.moved(scale)
            total += effect.reach(scale).needed + max(abs(dx), abs(dy))
        return min(total, FURTHEST)

    def results(self, source: Drawn, scale: RenderScale) -> list[Drawn]:
        """What is to be put on the map, one after the other. The uppermost effect comes first to work and changes what
        those below it are made from (measured)."""
        found: list[Drawn] = []
        above = source
        for effect in reversed(self.effects):
            made = effect.drawn(effect.source(source, above), scale)
            if effect.mode != MODIFIER:
                found.append(made)
            if effect.mode != RENDER:
                above = made
        return found[::-1]

    def paint(self, canvas: Canvas, source: Drawn, scale: RenderScale) -> None:
        """Draw all the source's drawings, with everything that belongs to one before the next."""
        results = self.results(source, scale)
        for number in range(len(source.places)):
            for result in results:
                result.put(canvas, number)


def pixels_of(length: Length, scale: RenderScale) -> float:
    """A length of an effect in pixels, within reason."""
    return min(max(length.pixels(scale), -FURTHEST), FURTHEST)


def size_of(length: Length, scale: RenderScale) -> float:
    """A size in pixels, not negative."""
    return max(pixels_of(length, scale), 0.0)


def blur_pixels(level: Length, scale: RenderScale) -> int:
    """A blur level in whole pixels."""
    return int(size_of(level, scale) + 0.5)


def read_effects(element: etree._Element | None, layer: str, problems: Problems) -> EffectStack | None:
    """The effects of an ``<effect>`` element; None when the drawing is left as it is. Unknown effects are noted in
    ``problems`` and left out."""
    if element is None:
        return None
    if element.get("type") != "effectStack":
        single = _read_effect(element, layer, problems)
        return None if single is None else EffectStack((single,))
    if element.get("enabled", "0") == "0":
        return None
    children = [_read_effect(child, layer, problems) for child in element.iterfind("effect")]
    found = tuple(child for child in children if child is not None)
    return None if len(found) == 1 and found[0].plain else EffectStack(found)


def _read_effect(element: etree._Element, layer: str, problems: Problems) -> Effect | None:
    name = element.get("type", "")
    options = read_options(element)
    if not options.flag("enabled", default=True):
        return None
    kind = effects.get(name)
    if kind is None:
        problems.add(layer, f"effect {name}", "this paint effect is not drawn")
        return None
    if any(map(_absurd, options.values.values())):
        problems.add(layer, f"effect {name}", "it is out of all proportion and drawn as far as can be seen")
    made = kind.read(options)
    clear = options.number("transparency", default=1 - made.opacity)
    operator = made.operator
    if options.text("blend_mode"):
        operator = effect_operator(options.integer("blend_mode"))
    return replace(
        made,
        mode=options.integer("draw_mode", default=BOTH),
        opacity=min(max(options.number("opacity", default=1 - clear), 0.0), 1.0),
        operator=operator,
    )


def _absurd(text: str) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return not abs(number) <= ABSURD


def blur_length(options: Options) -> Length:
    """``blur_level``. Without a unit it is from QGIS 2 and counts pixels, of 96 to the inch."""
    if "blur_unit" in options.values or "blur_level" not in options.values:
        return effect_length(options, "blur_level", "blur", OLD_LEVEL * PIXEL)
    return Length(options.number("blur_level", default=OLD_LEVEL) * PIXEL)


def effect_length(options: Options, key: str, unit: str, default: float) -> Length:
    """The length ``key`` with ``<unit>_unit`` and ``<unit>_unit_scale``."""
    limits = parse_map_unit_scale(options.text(f"{unit}_unit_scale") or None)
    return Length(options.number(key, default=default), options.text(f"{unit}_unit", default="MM"), limits)
