"""Symbols as legends show them: drawn by the same code as in maps, on a shape of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from typing import Protocol, runtime_checkable

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale
from qgserver.expression.context import Context
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import LINESTRING, POINT, POLYGON, Floats, GeometryArray
from qgserver.project.model import Layer, Project, VectorLayer
from qgserver.providers.batch import Batch, Column
from qgserver.render.context import layer_context, project_context
from qgserver.symbology.assets import Assets
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.options import Length
from qgserver.symbology.paint import paint_symbol
from qgserver.symbology.symbol import Symbol


@runtime_checkable
class Sized(Protocol):
    """A symbol layer of markers."""

    size: Length


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
    fields = tuple(field.name for field in layer.fields) if isinstance(layer, VectorLayer) else ()
    return SwatchPainter(scale, layer_context(project_context(project), layer), fields, project.assets)


def marker_size(symbol: Symbol, scale: RenderScale) -> float:
    """Pixels across the largest layer of a marker symbol, 0 for symbols of other kinds."""
    if symbol.kind != "marker":
        return 0.0
    return max((layer.size.pixels(scale) for layer in symbol.layers if isinstance(layer, Sized)), default=0.0)


@dataclass(frozen=True, slots=True)
class SwatchPainter:
    """Draws symbols of a layer; ``context`` and ``fields`` (names) are the layer's, ``scale`` holds the sizes,
    ``assets`` are the files that symbols name."""

    scale: RenderScale
    context: Context
    fields: tuple[str, ...] = ()
    assets: Assets = Assets()

    def draw(self, canvas: Canvas, symbol: Symbol, box: Box, opacity: float = 1.0) -> None:
        """Draw a symbol: a marker in the middle of ``box``, a line along it, an area that fills it. A translucent one
        is cut to the box (as QGIS does)."""
        if opacity >= 1:
            self._draw(canvas, symbol, box)
        elif box.width > 0 and box.height > 0:
            alone = Canvas(box.width, box.height)
            self._draw(alone, symbol, Box(0.0, 0.0, box.width, box.height))
            canvas.stamp(alone, floor(box.x + 0.5), floor(box.y + 0.5), opacity)

    def _draw(self, canvas: Canvas, symbol: Symbol, box: Box) -> None:
        shape = _SHAPES.get(symbol.kind)
        if shape is None:
            return
        kind, make = shape
        points = make(box.width, box.height) * box.unit + np.array((box.x, box.y))
        one = np.array([0, 1], dtype=np.int64)
        geometry = GeometryArray(np.array([kind], dtype=np.uint8), points, one * len(points), one, one)
        view = Extent(0.0, 0.0, float(canvas.width), float(canvas.height))
        env = Env(self.scale, self.context, self._nothing(symbol), view, exact=True, assets=self.assets)
        paint_symbol(canvas, env, symbol, Shapes(geometry, np.zeros(1, dtype=np.int64)))

    def _nothing(self, symbol: Symbol) -> Batch:
        """A feature without values: what data-defined properties are evaluated on."""
        used = symbol.used_fields()
        names = self.fields if used is None else sorted(used)
        null = Column(np.array([None], dtype=object), np.ones(1, dtype=bool))
        return Batch(np.zeros(1, dtype=np.int64), dict.fromkeys(names, null), None)


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
