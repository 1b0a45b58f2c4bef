"""GeometryGenerator: an expression's geometry, drawn with a symbol of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.errors import ExpressionError
from qgserver.expression.columns import to_values
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import Node, used_fields
from qgserver.expression.parser import parse
from qgserver.geo.geometry import GeometryArray
from qgserver.geo.wkb import decode, take
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.options import Options
from qgserver.symbology.paint import paint_symbol
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing


@layers.register("GeometryGenerator")
@dataclass(frozen=True, slots=True, kw_only=True)
class GeometryGenerator(SymbolLayer):
    """``node`` is the option ``geometryModifier``, None when it does not parse; ``symbol`` draws what it gives."""

    node: Node | None = None
    kind: str = "Fill"

    @classmethod
    def read(cls, options: Options) -> Self:
        try:
            node = parse(options.text("geometryModifier"))
        except ExpressionError:
            node = None
        return cls(node=node, kind=options.text("SymbolType", default="Fill"))

    def used_fields(self) -> frozenset[str] | None:
        own = frozenset[str]() if self.node is None else used_fields(self.node)
        return merge_fields([SymbolLayer.used_fields(self), own])

    def painter(self, env: Env) -> Painter:
        node, symbol = self.node, self.symbol
        if node is None or symbol is None:
            return paint_nothing

        @cache
        def made() -> GeometryArray:
            return env.to_device(generated(node, env))

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            geometry = take(made(), shapes.rows)
            whole = Shapes(geometry, shapes.rows)
            step = max(len(whole), 1) if symbol.in_sequence else 1
            for start in range(0, len(whole), step):
                paint_symbol(canvas, env, symbol, whole.slice(start, start + step))

        return paint


def generated(node: Node, env: Env) -> GeometryArray:
    """What the expression gives for each feature of the batch, in the layer's CRS."""
    import shapely

    try:
        values = to_values(evaluate(node, env.batch, env.context))
    except ExpressionError:
        values = [None] * len(env.batch)
    shapes = [value if isinstance(value, shapely.Geometry) else None for value in values]
    return decode(shapely.to_wkb(np.array(shapes, dtype=object)).tolist())
