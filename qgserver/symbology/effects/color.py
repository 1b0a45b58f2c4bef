"""color: other colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from qgserver.draw.color import Color
from qgserver.draw.filters import Pixels, faded, plain_colors, with_colors
from qgserver.draw.toning import COLORED, brightened, grayed, hue_and_saturation, saturated
from qgserver.draw.units import RenderScale
from qgserver.symbology.effect import Effect, effects
from qgserver.symbology.options import Options


@effects.register("color")
@dataclass(frozen=True, slots=True, kw_only=True)
class ColorEffect(Effect):
    """Attributes are the options of the same names, ``contrast`` as a factor, ``strength`` as a share. ``colorize`` is
    None when it is off."""

    brightness: float = 0.0
    contrast: float = 1.0
    saturation: float = 1.0
    grayscale_mode: int = COLORED
    colorize: Color | None = None
    strength: float = 1.0

    @classmethod
    def read(cls, options: Options) -> Self:
        color = options.color("colorize_color", default=(1.0, 128 / 255, 128 / 255, 1.0))
        return cls(
            brightness=float(options.integer("brightness")),
            contrast=options.integer("contrast") / 100 + 1,
            saturation=max(options.number("saturation", default=1.0), 0.0),
            grayscale_mode=options.integer("grayscale_mode"),
            colorize=color if options.flag("colorize") else None,
            strength=min(max(options.number("colorize_strength", default=100.0) / 100, 0.0), 1.0),
        )

    def changed(self, pixels: Pixels, scale: RenderScale) -> Pixels:
        seen = pixels[..., 3] > 0
        colors = brightened(plain_colors(pixels[seen]), self.brightness, self.contrast)
        colors = grayed(colors, self.grayscale_mode)
        tone = None if self.colorize is None else hue_and_saturation(self.colorize)
        out = pixels.copy()
        out[seen] = with_colors(pixels[seen], saturated(colors, self.saturation, tone, self.strength))
        return faded(out, self.opacity)
