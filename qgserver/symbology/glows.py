"""What inner and outer glows share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from qgserver.draw.color import Color
from qgserver.draw.filters import SMEAR_REACH, Light, Pixels
from qgserver.draw.units import RenderScale
from qgserver.symbology.effect import Effect, Reach, blur_length, blur_pixels, effect_length, size_of
from qgserver.symbology.options import Length, Options
from qgserver.symbology.ramp import ColorRamp, ramp_from_options
from qgserver.symbology.shadows import BLUR_ROOM

MAX_SPREAD = 400.0
"""Pixels that a glow may be wide."""
COLORS = 512
"""Steps between the two ends of a glow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glow(Effect):
    """``ramp``: colours from the edge to ``spread`` away from it."""

    opacity: float = 0.5
    spread: Length = Length(2.0)
    blur: Length = Length(2.645)
    ramp: ColorRamp

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            spread=effect_length(options, "spread", "spread", 2.0),
            blur=blur_length(options),
            ramp=_ramp(options),
        )

    def reach(self, scale: RenderScale) -> Reach:
        blur = 2 * size_of(self.blur, scale) + BLUR_ROOM
        return Reach(size_of(self.spread, scale) + blur, self.room(scale) + min(blur, SMEAR_REACH))

    def room(self, scale: RenderScale) -> float:
        """Pixels around the source that are coloured, but for the blur."""
        return 0.0

    def width(self, scale: RenderScale) -> float:
        """Pixels from the edge to where the glow ends."""
        return min(size_of(self.spread, scale), MAX_SPREAD)

    def level(self, scale: RenderScale) -> int:
        """The blur level in whole pixels."""
        return blur_pixels(self.blur, scale)

    def shaded(self, distances: Light, width: float) -> Pixels:
        """uint8[n, h, w, 4]: colours for distances float32[n, h, w] from the edge; infinite ones are not coloured."""
        table = _table(self.ramp)
        last = len(table) - 2
        if width <= 0:
            position = np.full_like(distances, last)
        else:
            position = np.minimum(distances * np.float32(last / width), last + 1)
        colors: Pixels = table[np.rint(position).astype(np.int64)]
        return colors


@lru_cache(maxsize=32)
def _table(ramp: ColorRamp) -> Pixels:
    """uint8[n + 2, 4]: the colours from 0 to 1, mixed as they are and premultiplied afterwards; then nothing."""
    colors = np.array([ramp.color(number / COLORS) for number in range(COLORS + 1)])
    shades = np.column_stack([colors[:, 2::-1] * colors[:, 3:], colors[:, 3]])
    return np.concatenate([np.rint(shades * 255), np.zeros((1, 4))]).astype(np.uint8)


def _ramp(options: Options) -> ColorRamp:
    if options.integer("color_type") == 1 and {"color1", "color2"} <= options.values.keys():
        return ramp_from_options(dict(options.values))
    color: Color = options.color("single_color", default=(1.0, 1.0, 1.0, 1.0))
    return ColorRamp(((0.0, color), (1.0, (*color[:3], 0.0))))
