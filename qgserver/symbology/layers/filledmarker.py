"""FilledMarker: the shapes of SimpleMarker, filled with a symbol of areas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.markers import LARGEST, PLACED, MarkerLayer, read_placed
from qgserver.symbology.marks import mark
from qgserver.symbology.options import Options
from qgserver.symbology.paint import paint_each, ring_geometry
from qgserver.symbology.properties import Convert, as_text
from qgserver.symbology.symbol import layers, paint_nothing


@layers.register("FilledMarker")
@dataclass(frozen=True, slots=True, kw_only=True)
class FilledMarker(MarkerLayer):
    """Attributes are the options of the same names; ``symbol`` fills the shape."""

    name: str = "circle"

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {**PLACED, "name": ("name", as_text)}

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            name=options.text("name", default="circle"),
            **read_placed(options),
        )

    def painter(self, env: Env) -> Painter:
        symbol, size, shape = self.symbol, self.size.pixels(env.scale), mark(self.name)
        if symbol is None or not 0 < size <= LARGEST or not shape.filled:
            return paint_nothing
        outline = shape.outline(size, size, self.rotation)
        displacement = np.array(self.displacement(env.scale, size, size))

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            rows = np.repeat(shapes.rows, np.diff(shapes.geometry.vertex_offsets()))
            rings = [outline.coords + point for point in shapes.geometry.coords + displacement]
            paint_each(canvas, env, symbol, Shapes(ring_geometry(rings), rows))

        return paint
