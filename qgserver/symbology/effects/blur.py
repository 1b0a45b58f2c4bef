"""blur: unsharp in one of two ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from qgserver.draw.filters import MAX_RADIUS, SMEAR_REACH, Pixels, faded, gaussian, smeared
from qgserver.draw.units import RenderScale
from qgserver.symbology.effect import Effect, Reach, blur_length, blur_pixels, effects, size_of
from qgserver.symbology.options import Length, Options
from qgserver.symbology.shadows import BLUR_ROOM


@effects.register("blur")
@dataclass(frozen=True, slots=True, kw_only=True)
class Blur(Effect):
    """``level`` is the option ``blur_level``; ``bell``: ``blur_method`` 1, a Gaussian."""

    level: Length = Length(2.645)
    bell: bool = False

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            level=blur_length(options),
            bell=options.integer("blur_method") == 1,
        )

    def reach(self, scale: RenderScale) -> Reach:
        spread = 2 * size_of(self.level, scale) + BLUR_ROOM
        return Reach(spread, min(spread, MAX_RADIUS if self.bell else SMEAR_REACH))

    def changed(self, pixels: Pixels, scale: RenderScale) -> Pixels:
        filtered = gaussian if self.bell else smeared
        return faded(filtered(pixels, blur_pixels(self.level, scale)), self.opacity)
