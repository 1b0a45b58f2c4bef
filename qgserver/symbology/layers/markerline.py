"""MarkerLine: markers along lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.paint import paint_points
from qgserver.symbology.properties import Convert
from qgserver.symbology.symbol import layers, paint_nothing
from qgserver.symbology.templated import SPACED, TemplatedLine, as_placement


@layers.register("MarkerLine")
@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerLine(TemplatedLine):
    """Attributes are the options of the same names; ``symbol`` is the marker."""

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {**SPACED, "placement": ("placements", as_placement)}

    def painter(self, env: Env) -> Painter:
        symbol = self.symbol
        if symbol is None:
            return paint_nothing

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            found = list(self.places(shapes, env.scale))
            if found:
                points = np.concatenate([places.points for _, places in found])
                angles = np.concatenate([places.angles for _, places in found]) if self.rotate else None
                paint_points(canvas, env, symbol, points, np.concatenate([rows for rows, _ in found]), angles)

        return paint
