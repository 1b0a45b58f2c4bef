"""What drop and inner shadows share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from qgserver.draw.blend import MULTIPLY, Operator
from qgserver.draw.color import Color
from qgserver.draw.filters import SMEAR_REACH
from qgserver.draw.units import RenderScale
from qgserver.symbology.effect import Effect, Reach, blur_length, blur_pixels, effect_length, pixels_of, size_of
from qgserver.symbology.options import Length, Options

BLUR_ROOM = 10.0
"""Pixels that QGIS adds to twice the blur level around a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow(Effect):
    """``angle`` in degrees clockwise from the top: where the shadow falls, ``distance`` away."""

    operator: Operator = MULTIPLY
    blur: Length = Length(2.645)
    angle: float = 135.0
    distance: Length = Length(2.0)
    color: Color = (0.0, 0.0, 0.0, 1.0)

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            blur=blur_length(options),
            angle=options.number("offset_angle", default=135.0) % 360,
            distance=effect_length(options, "offset_distance", "offset", 2.0),
            color=options.color("color", default=(0.0, 0.0, 0.0, 1.0)),
        )

    def reach(self, scale: RenderScale) -> Reach:
        blur = 2 * size_of(self.blur, scale) + BLUR_ROOM
        return Reach(size_of(self.distance, scale) + blur, min(blur, SMEAR_REACH))

    def level(self, scale: RenderScale) -> int:
        """The blur level in whole pixels."""
        return blur_pixels(self.blur, scale)

    def offset(self, scale: RenderScale) -> tuple[float, float]:
        """Pixels to the right and down."""
        angle, distance = math.radians(self.angle), pixels_of(self.distance, scale)
        return distance * math.sin(angle), -distance * math.cos(angle)
