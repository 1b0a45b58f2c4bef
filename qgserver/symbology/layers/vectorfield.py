"""VectorField: lines from points, their ends given by attributes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.errors import ExpressionError
from qgserver.expression.columns import to_values
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import FieldRef
from qgserver.geo.geometry import Floats
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.options import Length, Offset, Options
from qgserver.symbology.paint import line_geometry, paint_symbol
from qgserver.symbology.properties import as_number, merge_fields
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing

CARTESIAN, POLAR, HEIGHT = 0, 1, 2
RADIANS = 1
CLOCKWISE_FROM_NORTH = 0


@layers.register("VectorField")
@dataclass(frozen=True, slots=True, kw_only=True)
class VectorField(SymbolLayer):
    """Attributes are the options of the same names; ``x`` and ``y`` name fields, ``unit`` is the length of 1 in them,
    ``symbol`` the line."""

    EFFECTS_APART: ClassVar[bool] = True

    x: str = ""
    y: str = ""
    unit: Length = Length(1.0)
    kind: int = CARTESIAN
    orientation: int = 0
    angle_unit: int = 0
    offset: Offset = Offset()

    @classmethod
    def read(cls, options: Options) -> Self:
        distance = options.length("distance", default=1.0)
        return cls(
            x=options.text("x_attribute"),
            y=options.text("y_attribute"),
            unit=Length(options.number("scale", default=1.0), distance.unit, distance.map_unit_scale),
            kind=options.integer("vector_field_type"),
            orientation=options.integer("angle_orientation"),
            angle_unit=options.integer("angle_units"),
            offset=options.offset(),
        )

    def used_fields(self) -> frozenset[str] | None:
        return merge_fields([SymbolLayer.used_fields(self), frozenset(name for name in (self.x, self.y) if name)])

    def painter(self, env: Env) -> Painter:
        symbol, unit = self.symbol, self.unit.pixels(env.scale)
        if symbol is None:
            return paint_nothing
        move = np.array(self.offset.pixels(env.scale))
        vectors = self._vectors(env) * unit

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            rows = np.repeat(shapes.rows, np.diff(shapes.geometry.vertex_offsets()))
            starts = shapes.geometry.coords + move
            ends = np.stack([starts, starts + vectors[rows]], axis=1)
            paint_symbol(canvas, env, symbol, Shapes(line_geometry(ends), rows))

        return paint

    def _vectors(self, env: Env) -> Floats:
        """float64[n, 2] for all features of the batch, y down, before scaling."""
        x, y = _numbers(env, self.x), _numbers(env, self.y)
        if self.kind == HEIGHT:
            x = np.zeros(len(y))
        elif self.kind == POLAR:
            angle = y if self.angle_unit == RADIANS else np.radians(y)
            if self.orientation == CLOCKWISE_FROM_NORTH:
                angle = math.pi / 2 - angle
            x, y = x * np.cos(angle), x * np.sin(angle)
        return np.column_stack([x, -y])


def _numbers(env: Env, name: str) -> Floats:
    """A column as numbers, 0 for what is none."""
    if not name:
        return np.zeros(len(env.batch))
    try:
        values = to_values(evaluate(FieldRef(name), env.batch, env.context))
    except ExpressionError:
        return np.zeros(len(env.batch))
    return np.array([0.0 if value is None else as_number(value, 0.0) for value in values])
