"""FilledLine: a symbol of areas over all that a wide line covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.pen import Cap, Join
from qgserver.geo.wkb import decode, to_shapely
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.lines import is_polygonal, offset_lines, offset_polygons
from qgserver.symbology.options import Length, Options
from qgserver.symbology.paint import paint_each
from qgserver.symbology.properties import Convert, as_cap, as_join, as_length
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing

LARGEST = 1e5
CAPS: Mapping[str, Literal["flat", "square", "round"]] = {"flat": "flat", "square": "square", "round": "round"}
JOINS: Mapping[str, Literal["bevel", "mitre", "round"]] = {"bevel": "bevel", "miter": "mitre", "round": "round"}


@layers.register("FilledLine")
@dataclass(frozen=True, slots=True, kw_only=True)
class FilledLine(SymbolLayer):
    """Attributes are the options of the same names; ``symbol`` fills the line."""

    width: Length = Length(2.0)
    cap: Cap = "round"
    join: Join = "round"
    offset: Length = Length(0.0)

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "outlineWidth": ("width", as_length),
        "offset": ("offset", as_length),
        "capStyle": ("cap", as_cap),
        "joinStyle": ("join", as_join),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            width=options.length("line_width", default=2.0),
            cap=options.cap("capstyle"),
            join=options.join(),
            offset=options.length("offset", default=0.0),
        )

    def painter(self, env: Env) -> Painter:
        symbol, width = self.symbol, self.width.pixels(env.scale)
        if symbol is None or not 0 < width <= LARGEST:
            return paint_nothing
        offset = self.offset.pixels(env.scale)
        cap, join = CAPS.get(self.cap, "round"), JOINS.get(self.join, "round")

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            import shapely

            geometry = shapes.geometry.drop_nonfinite()
            polygonal = is_polygonal(geometry)
            if offset:
                geometry = (offset_polygons if polygonal else offset_lines)(geometry, offset)
            lines = np.array(to_shapely(geometry), dtype=object)
            if polygonal:
                lines = shapely.boundary(lines)
            covered = shapely.buffer(lines, width / 2, cap_style=cap, join_style=join)
            paint_each(canvas, env, symbol, Shapes(decode(shapely.to_wkb(covered).tolist()), shapes.rows))

        return paint
