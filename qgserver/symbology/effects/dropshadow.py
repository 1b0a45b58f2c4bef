"""dropShadow: a blurred copy in one colour beside what throws it."""

from __future__ import annotations

from dataclasses import dataclass

from qgserver.draw.filters import Pixels, faded, smeared, tinted
from qgserver.draw.units import RenderScale
from qgserver.symbology.effect import effects
from qgserver.symbology.shadows import Shadow


@effects.register("dropShadow")
@dataclass(frozen=True, slots=True, kw_only=True)
class DropShadow(Shadow):
    """Attributes are the options of the same names."""

    def moved(self, scale: RenderScale) -> tuple[float, float]:
        return self.offset(scale)

    def changed(self, pixels: Pixels, scale: RenderScale) -> Pixels:
        alpha = smeared(pixels[..., 3:], self.level(scale))
        return tinted(faded(alpha[..., 0], self.opacity), self.color)
