"""drawSource: the drawing itself, whatever other effects made of it."""

from __future__ import annotations

from dataclasses import dataclass

from qgserver.draw.blend import OVER
from qgserver.draw.filters import Pixels, faded
from qgserver.draw.units import RenderScale
from qgserver.symbology.drawn import Drawn
from qgserver.symbology.effect import MODIFIER, Effect, effects


@effects.register("drawSource")
@dataclass(frozen=True, slots=True, kw_only=True)
class DrawSource(Effect):
    """Opaque and not blended it is painted straight on the map."""

    @property
    def untouched(self) -> bool:
        """True when it needs no picture."""
        return self.opacity >= 1 and self.operator == OVER

    @property
    def plain(self) -> bool:
        return self.untouched and self.mode != MODIFIER

    def source(self, original: Drawn, above: Drawn) -> Drawn:
        return original

    def drawn(self, source: Drawn, scale: RenderScale) -> Drawn:
        return source if self.untouched else Effect.drawn(self, source, scale)

    def changed(self, pixels: Pixels, scale: RenderScale) -> Pixels:
        return faded(pixels, self.opacity)
