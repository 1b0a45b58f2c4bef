"""What symbolizers of Symbology Encoding share: lengths in whole pixels of 0.28 mm, as QGIS Server writes them
(measured), colours, and the scales at which a rule holds."""

from __future__ import annotations

import math
from collections.abc import Mapping

from qgserver.draw.color import Color
from qgserver.ows.xmlio import attributes, element, escape
from qgserver.symbology.options import Length

PIXELS: Mapping[str, float] = {"Pixel": 1.0, "Point": 90 / 72, "Inch": 90.0}
"""Unit -> pixels: QGIS counts 90 in an inch (measured: a text of 29 points has 36); every unit that is not here counts
as millimetres."""
NOT_SAID = "<!-- no equivalent in Symbology Encoding -->"
Limits = tuple[float, float]
"""The smallest and the largest scale denominator; 0 = no limit."""
UNLIMITED: Limits = (0.0, 0.0)


def whole_pixels(length: Length) -> float:
    """A length in pixels, one at least; halves go away from zero."""
    pixels = length.value * PIXELS.get(length.unit, 1 / 0.28)
    return math.copysign(max(math.floor(abs(pixels) + 0.5), 1), pixels) if pixels else 0.0


def size(length: Length) -> str:
    """A length in whole pixels as text."""
    return f"{whole_pixels(length):g}"


def parameter(name: str, value: str) -> str:
    """``se:SvgParameter``."""
    return f"<se:SvgParameter{attributes({'name': name})}>{escape(value)}</se:SvgParameter>"


def color_parameters(name: str, color: Color, opacity: float) -> str:
    """``fill`` or ``stroke``, and how much of what is below they cover."""
    red, green, blue = (round(part * 255) for part in color[:3])
    alpha = color[3] * opacity
    return parameter(name, f"#{red:02x}{green:02x}{blue:02x}") + (
        parameter(f"{name}-opacity", f"{alpha:.2g}") if alpha < 1 else ""
    )


def fill(color: Color, opacity: float) -> str:
    """``se:Fill`` with a colour."""
    return f"<se:Fill>{color_parameters('fill', color, opacity)}</se:Fill>"


def displacement(x: str, y: str) -> str:
    """``se:Displacement``, y upwards (SE 1.1.0 clause 11.4.4)."""
    return f"<se:Displacement>{element('se:DisplacementX', x)}{element('se:DisplacementY', y)}</se:Displacement>"


def narrowed(outer: Limits, inner: Limits) -> Limits:
    """The scales at which both hold."""
    return max(outer[0], inner[0]), min(filter(None, (outer[1], inner[1])), default=0.0)


def scale_elements(limits: Limits, of_layer: Limits) -> str:
    """``se:MinScaleDenominator`` and ``se:MaxScaleDenominator`` of a rule; a layer with limits has both (measured)."""
    low, high = narrowed(of_layer, limits)
    smallest = element("se:MinScaleDenominator", f"{low:.15g}") if low or any(of_layer) else ""
    return smallest + (element("se:MaxScaleDenominator", f"{high:.15g}") if high else "")
