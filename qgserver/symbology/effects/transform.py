"""transform: moved, turned, sheared, stretched, mirrored around the middle of what is painted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from qgserver.draw.stack import Matrix
from qgserver.draw.units import RenderScale
from qgserver.symbology.drawn import Drawn, Warped
from qgserver.symbology.effect import FURTHEST, Effect, Reach, effect_length, effects, pixels_of
from qgserver.symbology.options import Length, Options

STRONGEST = 1000.0
"""The most that a picture is stretched or sheared."""
Linear = tuple[float, float, float, float]


@effects.register("transform")
@dataclass(frozen=True, slots=True, kw_only=True)
class Transform(Effect):
    """Attributes are the options of the same names; ``rotation`` in degrees clockwise."""

    translate_x: Length = Length(0.0)
    translate_y: Length = Length(0.0)
    scale_x: float = 1.0
    scale_y: float = 1.0
    rotation: float = 0.0
    shear_x: float = 0.0
    shear_y: float = 0.0
    reflect_x: bool = False
    reflect_y: bool = False

    @classmethod
    def read(cls, options: Options) -> Self:
        def factor(key: str, default: float) -> float:
            return min(max(options.number(key, default=default), -STRONGEST), STRONGEST)

        return cls(
            translate_x=effect_length(options, "translate_x", "translate", 0.0),
            translate_y=effect_length(options, "translate_y", "translate", 0.0),
            scale_x=factor("scale_x", 1.0),
            scale_y=factor("scale_y", 1.0),
            rotation=options.number("rotation") % 360,
            shear_x=factor("shear_x", 0.0),
            shear_y=factor("shear_y", 0.0),
            reflect_x=options.flag("reflect_x"),
            reflect_y=options.flag("reflect_y"),
        )

    def reach(self, scale: RenderScale) -> Reach:
        return Reach(0.0, FURTHEST)

    def drawn(self, source: Drawn, scale: RenderScale) -> Drawn:
        frame = source.box.frame(1.0, 1.0)
        move = (pixels_of(self.translate_x, scale), pixels_of(self.translate_y, scale))
        centers = ((source.boxes[:, :2] + source.boxes[:, 2:]) / 2).tolist()
        linear = self._linear()
        if abs(linear[0] * linear[3] - linear[1] * linear[2]) < 1e-9:
            linear = (1e-3, 0.0, 0.0, 1e-3)
        matrices = tuple(_around(linear, x, y, move) for x, y in centers)
        return Warped(source.pixels(frame), frame.left, frame.top, source.places, matrices, source.crisp)

    def _linear(self) -> Linear:
        """xx, yx, xy, yy: first mirrored, then stretched, sheared, turned."""
        sx = -self.scale_x if self.reflect_x else self.scale_x
        sy = -self.scale_y if self.reflect_y else self.scale_y
        xx, xy, yx, yy = sx, self.shear_x * sy, self.shear_y * sx, sy
        cos, sin = math.cos(math.radians(self.rotation)), math.sin(math.radians(self.rotation))
        return cos * xx - sin * yx, sin * xx + cos * yx, cos * xy - sin * yy, sin * xy + cos * yy


def _around(linear: Linear, x: float, y: float, move: tuple[float, float]) -> Matrix:
    xx, yx, xy, yy = linear
    return xx, yx, xy, yy, x + move[0] - xx * x - xy * y, y + move[1] - yx * x - yy * y
