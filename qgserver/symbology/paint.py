"""Painting with a whole symbol: all its layers, as they are for each feature."""

from __future__ import annotations

from collections.abc import Iterator

from qgserver.draw.canvas import Canvas
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.properties import as_number
from qgserver.symbology.symbol import Symbol


def paint_symbol(canvas: Canvas, env: Env, symbol: Symbol, shapes: Shapes) -> None:
    """Paint shapes with every layer of a symbol, the lowest layer first. What ``env`` has of opacity (a symbol layer's
    own symbol has that of the symbol around it) counts too."""
    for opacity, part in _by_opacity(env, symbol, shapes):
        inner = env.with_opacity(env.opacity * opacity)
        for layer in symbol.layers:
            if not layer.properties:
                inner.painter(layer)(canvas, part)
                continue
            for variant, some in layer.variants(inner, part):
                variant.painter(inner)(canvas, some)


def _by_opacity(env: Env, symbol: Symbol, shapes: Shapes) -> Iterator[tuple[float, Shapes]]:
    """The symbol's opacity, which may be data-defined (0-100), for each shape."""
    item = symbol.properties.items.get("alpha")
    if item is None:
        yield symbol.opacity, shapes
        return
    values = env.defined(item)
    for i in range(len(shapes)):
        value = values[shapes.rows[i]]
        opacity = symbol.opacity if value is None else as_number(value, symbol.opacity * 100) / 100
        yield min(max(opacity, 0.0), 1.0), shapes.slice(i, i + 1)
