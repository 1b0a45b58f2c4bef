"""The colour that stands for a symbol."""

from __future__ import annotations

from qgserver.draw.color import Color
from qgserver.symbology.symbol import Symbol


def symbol_color(symbol: Symbol) -> Color | None:
    """``@symbol_color``: the colour of the lowest layer that has one, itself or by the symbol in it."""
    for layer in symbol.layers:
        color: Color | None = getattr(layer, "color", None)
        if color is None and layer.symbol is not None:
            color = symbol_color(layer.symbol)
        if color is not None:
            return color
    return None


def color_text(color: Color | None) -> str | None:
    """A colour as expressions write it."""
    return None if color is None else ",".join(str(round(part * 255)) for part in color)
