"""innerShadow: the shadow of all that is not painted, seen on what is."""

from __future__ import annotations

from dataclasses import dataclass

from qgserver.draw.filters import Pixels, faded, masked, moved, smeared, tinted
from qgserver.draw.units import RenderScale
from qgserver.symbology.effect import effects
from qgserver.symbology.shadows import Shadow


@effects.register("innerShadow")
@dataclass(frozen=True, slots=True, kw_only=True)
class InnerShadow(Shadow):
    """Attributes are the options of the same names."""

    def changed(self, pixels: Pixels, scale: RenderScale) -> Pixels:
        covered = 255 - smeared(255 - pixels[..., 3:], self.level(scale))
        dx, dy = self.offset(scale)
        shadow = 255 - moved(covered, int(dx), int(dy))[..., 0]
        return tinted(masked(faded(shadow, self.opacity)[..., None], pixels[..., 3])[..., 0], self.color)
