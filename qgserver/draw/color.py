"""Colours as QGIS writes them."""

from __future__ import annotations

Color = tuple[float, float, float, float]
"""Red, green, blue, alpha, each 0..1, not premultiplied."""


def parse_color(text: str | None, default: Color) -> Color:
    """Read ``r,g,b``, ``r,g,b,a``, ``r,g,b,a,rgb:..``, ``#rgb``, ``#rrggbb``, ``#aarrggbb`` or a colour's name."""
    raise NotImplementedError


def with_alpha(color: Color, factor: float) -> Color:
    """The colour with its alpha multiplied by ``factor`` (0..1)."""
    raise NotImplementedError
