"""Symbols as legends show them: drawn by the same code as in maps, on a shape of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil, floor

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale
from qgserver.expression.context import Context
from qgserver.expression.nodes import used_fields
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import LINESTRING, POINT, POLYGON, Floats, GeometryArray
from qgserver.project.model import Layer, Project
from qgserver.providers.batch import Batch
from qgserver.render.context import layer_context, project_context
from qgserver.symbology.assets import Assets
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.layers.geometrygenerator import GeometryGenerator
from qgserver.symbology.paint import paint_symbol
from qgserver.symbology.symbol import Symbol

OVERHANG = 20.0
MOST_OVERHANG = 64
"""Millimetres that areas and translucent symbols may reach beyond their place, and the most patterns that is."""
PATTERN = 8
"""Pixels after which the patterns of brushes repeat."""
ASIDE = 1 / 64
"""Pixels by which a symbol that is not antialiased is moved: Qt rounds right and down what lies between two pixels."""
NO_FEATURE = Batch(np.zeros(1, dtype=np.int64), {}, None)


@dataclass(frozen=True, slots=True)
class Box:
    """Where a symbol is drawn: the left upper corner, and its size in whole units of so many pixels."""

    x: float
    y: float
    width: int
    height: int
    unit: float = 1.0


def layer_painter(project: Project, layer: Layer, scale: RenderScale) -> SwatchPainter:
    """A painter for the symbols of a layer."""
    return SwatchPainter(scale, layer_context(project_context(project), layer), project.assets)


@dataclass(frozen=True, slots=True)
class SwatchPainter:
    """Draws symbols of a layer; ``context`` is the layer's, ``scale`` holds the sizes, ``assets`` are the files that
    symbols name."""

    scale: RenderScale
    context: Context
    assets: Assets = Assets()

    def draw(self, canvas: Canvas, symbol: Symbol, box: Box, opacity: float = 1.0) -> None:
        """Draw a symbol: a marker in the middle of ``box``, a line along it, an area that fills it. A translucent one
        is put at whole pixels (as QGIS does)."""
        if opacity >= 1 and symbol.kind != "fill":
            self._draw(canvas, symbol, box)
            return
        # Patterns begin at the corner of the symbol: on a canvas of its own it lies where they begin.
        margin = min(ceil(OVERHANG * self.scale.px_per_mm / PATTERN), MOST_OVERHANG) * PATTERN
        x, y = floor(box.x + 0.5) - margin, floor(box.y + 0.5) - margin
        corner = (margin, margin) if opacity < 1 else (box.x - x, box.y - y)
        width, height = (ceil(side * box.unit) + 2 * margin for side in (box.width, box.height))
        alone = canvas.sized(width, height)
        self._draw(alone, symbol, replace(box, x=corner[0], y=corner[1]))
        canvas.compose(alone, opacity, at=(x, y))

    def _draw(self, canvas: Canvas, symbol: Symbol, box: Box) -> None:
        """What generates a geometry begins with the symbol's shape, in pixels from its corner; where that leads to
        nothing, its symbol is drawn as it is (measured)."""
        shape = _SHAPES.get(symbol.kind)
        if shape is None:
            return
        kind, make = shape
        points = make(box.width, box.height) * box.unit
        one = np.array([0, 1], dtype=np.int64)
        geometry = GeometryArray(np.array([kind], dtype=np.uint8), points, one * len(points), one, one)
        corner = np.array((box.x, box.y)) + (ASIDE if canvas.antialias == "none" else 0.0)

        def placed(shape: GeometryArray) -> GeometryArray:
            return replace(shape, coords=shape.coords + corner)

        view = Extent(0.0, 0.0, float(canvas.width), float(canvas.height))
        env = Env(self.scale, self.context, NO_FEATURE, view, exact=True, assets=self.assets, to_device=placed)
        env = replace(env, vector=canvas.vector)
        env.values.update(_values(symbol, env))
        env = replace(env, batch=replace(NO_FEATURE, geometry=geometry))
        shapes = Shapes(placed(geometry), np.zeros(1, dtype=np.int64))
        for layer in symbol.layers:
            if isinstance(layer, GeometryGenerator) and layer.symbol is not None and not layer.generates(env):
                self._draw(canvas, layer.symbol, box)
            else:
                paint_symbol(canvas, env, replace(symbol, layers=(layer,)), shapes)


def _values(symbol: Symbol, env: Env) -> dict[int, list[object]]:
    """What ``Env.values`` knows beforehand: data-defined properties where there is no feature; those that read one have
    their static value."""
    found: dict[int, list[object]] = {}
    for properties in (symbol.properties, *(layer.properties for layer in symbol.layers)):
        for item in properties.items.values():
            reads = used_fields(item.node) != frozenset()
            found[id(item)] = [item.transformed(None)] if reads else env.defined(item)
    for layer in symbol.layers:
        if layer.symbol is not None:
            found |= _values(layer.symbol, env)
    return found


def _marker(width: int, height: int) -> Floats:
    return np.array([(width // 2, height // 2)], dtype=np.float64)


def _line(width: int, height: int) -> Floats:
    return np.array([(0, height / 2), (width, height / 2)], dtype=np.float64)


def _area(width: int, height: int) -> Floats:
    return np.array([(0, 0), (width, 0), (width, height), (0, height), (0, 0)], dtype=np.float64)


_SHAPES: dict[str, tuple[int, Callable[[int, int], Floats]]] = {
    "marker": (POINT, _marker),
    "line": (LINESTRING, _line),
    "fill": (POLYGON, _area),
}
