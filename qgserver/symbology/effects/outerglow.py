"""outerGlow: colour around what is painted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qgserver.draw.filters import Pixels, distances_outside, faded, smeared
from qgserver.draw.units import RenderScale
from qgserver.symbology.effect import effects
from qgserver.symbology.glows import Glow


@effects.register("outerGlow")
@dataclass(frozen=True, slots=True, kw_only=True)
class OuterGlow(Glow):
    """Attributes are the options of the same names."""

    def room(self, scale: RenderScale) -> float:
        return self.width(scale)

    def changed(self, pixels: Pixels, scale: RenderScale) -> Pixels:
        width = self.width(scale)
        distances = distances_outside(pixels[..., 3], width)
        glow = self.shaded(distances, width)
        rim = np.flatnonzero((distances > width - 1) & np.isfinite(distances))  # its last pixel fades away
        flat = glow.reshape(-1, 4)
        flat[rim] = flat[rim] * (width - distances.reshape(-1)[rim])[:, None]
        return faded(smeared(glow, self.level(scale)), self.opacity)
