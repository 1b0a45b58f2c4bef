"""GeometryGenerator: an expression's geometry, drawn with a symbol of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.errors import ExpressionError
from qgserver.expression.columns import to_values
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import Call, FieldRef, Node, Variable, used_fields
from qgserver.expression.parser import parse
from qgserver.geo.geometry import GeometryArray, Ints, spans
from qgserver.geo.wkb import decode, take, to_shapely
from qgserver.providers.batch import Column, take_batch
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.options import Options
from qgserver.symbology.paint import paint_symbol
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.rewriting import column_name, parts_of, rewritten
from qgserver.symbology.symbol import Symbol, SymbolLayer, layers, paint_nothing

WHOLE, NUMBER, COUNT = Call("$geometry"), Variable("geometry_part_num"), Variable("geometry_part_count")
PER_PART: frozenset[Node] = frozenset({WHOLE, NUMBER, COUNT})
"""What a generated geometry and its parts are called in the expressions of the symbol that draws it."""


@layers.register("GeometryGenerator")
@dataclass(frozen=True, slots=True, kw_only=True)
class GeometryGenerator(SymbolLayer):
    """``node`` is the option ``geometryModifier``, None when it does not parse; ``symbol`` draws what it gives."""

    EFFECTS_APART: ClassVar[bool] = True

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

    def generates(self, env: Env) -> bool:
        """Whether there is a geometry for any feature of the batch."""
        return self.node is not None and bool(len(generated(self.node, env).coords))

    def painter(self, env: Env) -> Painter:
        node, symbol = self.node, self.symbol
        if node is None or symbol is None:
            return paint_nothing
        if PER_PART & parts_of(symbol):
            return _part_painter(node, symbol, env, self.through_effects)
        through = self.through_effects(_symbol_painter(symbol, env, symbol.in_sequence), env)

        @cache
        def made() -> GeometryArray:
            return env.to_device(generated(node, env))

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            through(canvas, Shapes(take(made(), shapes.rows), shapes.rows))

        return paint


def _symbol_painter(symbol: Symbol, env: Env, together: bool) -> Painter:
    """Paints with a whole symbol, shape by shape or all of them ``together``."""

    def paint(canvas: Canvas, shapes: Shapes) -> None:
        step = max(len(shapes), 1) if together else 1
        for start in range(0, len(shapes), step):
            paint_symbol(canvas, env, symbol, shapes.slice(start, min(start + step, len(shapes))))

    return paint


def _part_painter(node: Node, symbol: Symbol, env: Env, through: Callable[[Painter, Env], Painter]) -> Painter:
    """Paints part by part, with a symbol whose expressions ask for the part or what was generated; ``through`` puts
    effects around that."""

    def change(part: Node) -> Node:
        return FieldRef(column_name(part.name)) if isinstance(part, Call | Variable) and part in PER_PART else part

    asking = rewritten(symbol, lambda _: change)

    @cache
    def made() -> tuple[Painter, GeometryArray, Ints]:
        whole = generated(node, env)
        owners, numbers = _drawing_order(whole)
        inner = _part_environment(env, whole, owners, numbers)
        painter = through(_symbol_painter(asking, inner, len(asking.layers) == 1), inner)
        return painter, env.to_device(_as_features(whole, whole.features[owners] + numbers)), owners

    def paint(canvas: Canvas, shapes: Shapes) -> None:
        painter, geometry, owners = made()
        chosen = spans(np.searchsorted(owners, shapes.rows), np.searchsorted(owners, shapes.rows, side="right"))
        painter(canvas, Shapes(take(geometry, chosen), chosen))

    return paint


def _drawing_order(geometry: GeometryArray) -> tuple[Ints, Ints]:
    """All parts as QGIS draws them: the feature of each, and its number (from 0) within the feature. Those of a feature
    come from the largest box to the smallest."""
    owners = np.repeat(np.arange(len(geometry)), np.diff(geometry.features))
    west, south, east, north = _as_features(geometry, np.arange(len(owners))).boxes().T
    order = np.lexsort(((west - east) * (north - south), owners))
    return owners, order - geometry.features[owners]


def _as_features(geometry: GeometryArray, parts: Ints) -> GeometryArray:
    """These parts as features."""
    kinds = geometry.ring_kinds()[geometry.parts[:-1]] if len(geometry.parts) > 1 else geometry.types[:0]
    steps = np.arange(len(kinds) + 1)
    return take(replace(geometry, types=kinds, features=steps, part_types=None), parts)


def _part_environment(env: Env, whole: GeometryArray, owners: Ints, numbers: Ints) -> Env:
    """The environment in which parts (numbers within their features ``owners``) are features, with what is different
    from part to part as columns."""
    batch = take_batch(env.batch, owners)
    columns = {
        WHOLE.name: Column(to_shapely(whole)[owners]),
        NUMBER.name: Column(numbers + 1),
        COUNT.name: Column(np.diff(whole.features)[owners]),
    }
    named = {column_name(name): column for name, column in columns.items()}
    return replace(env, batch=replace(batch, columns={**batch.columns, **named}), painters={}, values={})


def generated(node: Node, env: Env) -> GeometryArray:
    """What the expression gives for each feature of the batch, in the layer's CRS."""
    import shapely

    try:
        values = to_values(evaluate(node, env.batch, env.context))
    except ExpressionError:
        values = [None] * len(env.batch)
    shapes = [value if isinstance(value, shapely.Geometry) else None for value in values]
    return decode(shapely.to_wkb(np.array(shapes, dtype=object)).tolist())
