"""Ramps in legends: their texts and how they lie, as a style's ``rampLegendSettings`` say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal

from lxml import etree

from qgserver.draw.color import Color
from qgserver.rasters.model import LegendEntry, LegendRamp
from qgserver.rasters.options import flag, integer
from qgserver.symbology.ramp import ColorRamp

MOST_DECIMALS = 20
HORIZONTAL = "1"
DESCENDING_UP = "1"


def is_continuous(settings: etree._Element | None) -> bool:
    """Whether an interpolated shader is shown as one bar; otherwise item by item."""
    return flag(settings, "useContinuousLegend", True)


def ramp_entry(settings: etree._Element | None, ramp: ColorRamp, low: float, high: float) -> LegendEntry:
    """The bar of a ramp with the texts of its ends."""
    given = _attributes(settings)
    form = None if settings is None else settings.find("numericFormat")
    texts = (
        given.get(name) or given.get("prefix", "") + format_number(form, value) + given.get("suffix", "")
        for name, value in (("minimumLabel", low), ("maximumLabel", high))
    )
    low_text, high_text = texts
    upright = given.get("orientation") != HORIZONTAL
    return LegendEntry("", ramp=LegendRamp(ramp, low_text, high_text, upright, given.get("direction") != DESCENDING_UP))


def format_number(form: etree._Element | None, value: float) -> str:
    """A number as a ``<numericFormat>`` writes it (QGIS's basic kind is what the others begin with)."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    options = {} if form is None else {one.get("name", ""): one for one in form.iterfind("Option/Option")}
    kind = "basic" if form is None else form.get("id", "basic")
    return _FORMS.get(kind, _basic)(options, value)


def _basic(options: dict[str, etree._Element], value: float) -> str:
    point = _text(options, "decimal_separator") or "."
    group = _text(options, "thousand_separator") or ","
    digits = min(max(integer(options.get("decimals"), "value", 6), 0), MOST_DECIMALS)
    if integer(options.get("rounding_type"), "value") == 1 and value:
        digits = max(digits - math.floor(math.log10(abs(value))) - 1, 0)
    rounded = (
        Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) if abs(value) < 1e20 else Decimal(value)
    )
    whole, _, fraction = f"{abs(rounded):f}".partition(".")
    if not flag(options.get("show_trailing_zeros"), "value"):
        fraction = fraction.rstrip("0")
    if flag(options.get("show_thousand_separator"), "value", True):
        whole = f"{int(whole):,}".replace(",", group)
    plus = "+" if flag(options.get("show_plus"), "value") and value >= 0 else ""
    sign = "-" if rounded < 0 else plus
    return sign + whole + (point + fraction if fraction else "")


def _default(options: dict[str, etree._Element], value: float) -> str:
    return f"{value:g}"


def _percentage(options: dict[str, etree._Element], value: float) -> str:
    scaled = value * 100 if integer(options.get("input_values"), "value") == 1 else value
    return f"{_basic(options, scaled)}%"


_FORMS: dict[str, Callable[[dict[str, etree._Element], float], str]] = {
    "basic": _basic,
    "default": _default,
    "percentage": _percentage,
}


def _text(options: dict[str, etree._Element], name: str) -> str:
    element = options.get(name)
    return "" if element is None else element.get("value", "")


def _attributes(element: etree._Element | None) -> Mapping[str, str]:
    return {} if element is None else {str(name): str(value) for name, value in element.attrib.items()}


def grey_ramp(low: Color, high: Color) -> ColorRamp:
    """A ramp of two colours."""
    return ColorRamp(((0.0, low), (1.0, high)))
