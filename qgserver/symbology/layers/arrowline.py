"""ArrowLine: lines drawn as arrows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.geo.geometry import Floats
from qgserver.symbology.arrows import DOUBLE, LEFT_HALF, PLAIN, REVERSED, RIGHT_HALF, SINGLE, Arrow
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.lines import filtered_rings
from qgserver.symbology.looks import paths_of
from qgserver.symbology.options import Length, Options
from qgserver.symbology.paint import paint_each, ring_geometry
from qgserver.symbology.properties import Convert, as_choice, as_length
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing

KINDS = {"plain": PLAIN, "left": LEFT_HALF, "lefthalf": LEFT_HALF, "right": RIGHT_HALF, "righthalf": RIGHT_HALF}
HEADS = {"single": SINGLE, "reversed": REVERSED, "double": DOUBLE}


@layers.register("ArrowLine")
@dataclass(frozen=True, slots=True, kw_only=True)
class ArrowLine(SymbolLayer):
    """Attributes are the options of the same names; ``symbol`` fills the arrow."""

    width: Length = Length(1.0)
    start_width: Length = Length(1.0)
    head_length: Length = Length(1.5)
    head_thickness: Length = Length(1.5)
    head: int = SINGLE
    kind: int = PLAIN
    curved: bool = True
    repeated: bool = True
    offset: Length = Length(0.0)
    ring_filter: int = 0

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "arrowWidth": ("width", as_length),
        "arrowStartWidth": ("start_width", as_length),
        "arrowHeadLength": ("head_length", as_length),
        "arrowHeadThickness": ("head_thickness", as_length),
        "arrowHeadType": ("head", as_choice(HEADS)),
        "arrowType": ("kind", as_choice(KINDS)),
        "offset": ("offset", as_length),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            width=options.length("arrow_width", default=1.0),
            start_width=options.length("arrow_start_width", default=1.0),
            head_length=options.length("head_length", default=1.5),
            head_thickness=options.length("head_thickness", default=1.5),
            head=options.integer("head_type"),
            kind=options.integer("arrow_type"),
            curved=options.flag("is_curved", default=True),
            repeated=options.flag("is_repeated", default=True),
            offset=options.length("offset", default=0.0),
            ring_filter=options.integer("ring_filter"),
        )

    def painter(self, env: Env) -> Painter:
        symbol = self.symbol
        if symbol is None:
            return paint_nothing
        arrow = Arrow(
            max(self.start_width.pixels(env.scale), 0.0),
            max(self.width.pixels(env.scale), 0.0),
            max(self.head_length.pixels(env.scale), 0.0),
            max(self.head_thickness.pixels(env.scale), 0.0),
            self.head,
            self.kind,
            self.offset.pixels(env.scale),
        )

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            for paths, features in paths_of(filtered_rings(shapes.geometry, self.ring_filter)):
                owners = np.repeat(shapes.rows, np.diff(features)).tolist()
                outlines: list[Floats] = []
                rows: list[int] = []
                for number, row in enumerate(owners):
                    line = paths.coords[paths.starts[number] : paths.starts[number + 1]]
                    outlines += self._outlines(arrow, line)
                    rows += [row] * (len(outlines) - len(rows))
                arrows = Shapes(ring_geometry(outlines), np.array(rows, dtype=np.int64))
                paint_each(canvas, env, symbol, arrows)

        return paint

    def _outlines(self, arrow: Arrow, line: Floats) -> Iterator[Floats]:
        for points in self._pieces(line):
            outline = arrow.curved(*points) if len(points) == 3 else arrow.straight(points[0], points[-1])
            if outline is not None:
                yield outline

    def _pieces(self, line: Floats) -> Iterator[Floats]:
        """The two or three points of each arrow."""
        if not self.repeated:
            middle = line[len(line) // 2]
            yield np.array([line[0], middle, line[-1]]) if self.curved and len(line) > 2 else line[[0, -1]]
            return
        step = 2 if self.curved else 1
        for start in range(0, len(line) - 1, step):
            yield line[start : start + step + 1]
