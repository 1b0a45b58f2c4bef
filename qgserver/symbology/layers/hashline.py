"""HashLine: short lines across a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.geo.geometry import Floats
from qgserver.symbology.along import Places
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.options import Length, Options
from qgserver.symbology.paint import line_geometry, paint_symbol
from qgserver.symbology.properties import Convert, as_length, as_number
from qgserver.symbology.symbol import layers, paint_nothing
from qgserver.symbology.templated import SPACED, TemplatedLine, as_placement


@layers.register("HashLine")
@dataclass(frozen=True, slots=True, kw_only=True)
class HashLine(TemplatedLine):
    """Attributes are the options of the same names; ``symbol`` is the line that is drawn at each place,
    ``hash_angle`` in degrees clockwise."""

    hash_length: Length = Length(3.0)
    hash_angle: float = 0.0

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        **SPACED,
        "placement": ("placements", as_placement),
        "lineDistance": ("hash_length", as_length),
        "lineAngle": ("hash_angle", as_number),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return replace(
            super(HashLine, cls).read(options),
            hash_length=options.length("hash_length", default=3.0),
            hash_angle=options.number("hash_angle"),
        )

    def painter(self, env: Env) -> Painter:
        symbol, half = self.symbol, self.hash_length.pixels(env.scale) / 2
        if symbol is None or not half > 0:
            return paint_nothing

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            for rows, places in self.places(shapes, env.scale):
                paint_symbol(canvas, env, symbol, Shapes(line_geometry(self._ends(places, half)), rows))

        return paint

    def _ends(self, places: Places, half: float) -> Floats:
        """Both ends float64[n, 2, 2] of each hatch."""
        turned = places.angles if self.rotate else np.zeros(len(places))
        angles = np.radians(turned + self.hash_angle - 90)
        reach = half * np.column_stack([np.cos(angles), np.sin(angles)])
        return np.stack([places.points - reach, places.points + reach], axis=1)
