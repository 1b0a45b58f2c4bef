"""Colours as QGIS writes them."""

from __future__ import annotations

import re
from functools import lru_cache

Color = tuple[float, float, float, float]
"""Red, green, blue, alpha, each 0..1, not premultiplied."""

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)


def _bytes_to_color(red: int, green: int, blue: int, alpha: int) -> Color:
    return (red / 255, green / 255, blue / 255, alpha / 255)


def _from_hex(digits: str) -> Color:
    """``rgb``, ``rrggbb`` or (Qt's order) ``aarrggbb``."""
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    value = int(digits.rjust(8, "f"), 16)
    return _bytes_to_color(value >> 16 & 255, value >> 8 & 255, value & 255, value >> 24)


def _from_numbers(parts: list[str]) -> Color | None:
    """The first four of ``r,g,b,a[,rgb:..]``; what 3.34+ writes behind them repeats the colour with more digits."""
    try:
        values = [max(0, min(255, int(part))) for part in parts[:4]]
    except ValueError:
        return None
    if len(values) < 3:
        return None
    return _bytes_to_color(values[0], values[1], values[2], values[3] if len(values) > 3 else 255)


def _from_name(name: str) -> Color | None:
    from PIL import ImageColor  # the table of SVG names, which are Qt's too

    if name == "transparent":
        return (0.0, 0.0, 0.0, 0.0)
    code = ImageColor.colormap.get(name)
    return _from_hex(code[1:]) if isinstance(code, str) else None


@lru_cache(maxsize=4096)
def _parse(text: str) -> Color | None:
    if "," in text:
        return _from_numbers(text.split(","))
    if _HEX.fullmatch(text):
        return _from_hex(text[1:])
    return _from_name(text.lower().replace(" ", ""))


def parse_color(text: str | None, default: Color) -> Color:
    """Read ``r,g,b``, ``r,g,b,a``, ``r,g,b,a,rgb:..``, ``#rgb``, ``#rrggbb``, ``#aarrggbb`` or a colour's name.

    Anything else gives ``default``.
    """
    found = _parse(text.strip()) if text else None
    return default if found is None else found


def with_alpha(color: Color, factor: float) -> Color:
    """The colour with its alpha multiplied by ``factor`` (0..1)."""
    return (color[0], color[1], color[2], color[3] * max(0.0, min(1.0, factor)))
