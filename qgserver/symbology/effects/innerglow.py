"""innerGlow: colour from the edges of what is painted inwards."""

from __future__ import annotations

from dataclasses import dataclass

from qgserver.draw.filters import Pixels, distances_inside, faded, masked, smeared
from qgserver.draw.units import RenderScale
from qgserver.symbology.effect import effects
from qgserver.symbology.glows import Glow


@effects.register("innerGlow")
@dataclass(frozen=True, slots=True, kw_only=True)
class InnerGlow(Glow):
    """Attributes are the options of the same names."""

    def changed(self, pixels: Pixels, scale: RenderScale) -> Pixels:
        width = self.width(scale)
        glow = self.shaded(distances_inside(pixels[..., 3], width), width)
        return masked(faded(smeared(glow, self.level(scale)), self.opacity), pixels[..., 3])
