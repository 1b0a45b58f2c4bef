"""Changes of colours after the renderer: brightness, contrast and gamma; hue and saturation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from qgserver.rasters.colors import in_slabs
from qgserver.rasters.hsl import HslColors, hsv_color
from qgserver.rasters.model import ColorFilter, Picture
from qgserver.rasters.options import flag, integer, number

Channels = NDArray[np.float64]
"""float64[n, 3] blue, green, red as pixels of a picture have them, not premultiplied."""
LIGHTNESS, LUMINOSITY, AVERAGE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class BrightnessContrast:
    """``brightness`` -255..255, ``contrast`` -100..100, ``gamma`` above 0."""

    brightness: int = 0
    contrast: int = 0
    gamma: float = 1.0

    def apply(self, picture: Picture) -> Picture:
        """See ``ColorFilter``."""
        return _changed(picture, self._changed, by_channel=True)

    def _changed(self, channels: Channels) -> Channels:
        factor = ((self.contrast + 100) / 100.0) ** 2
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            shares = (((channels / 255.0 - 0.5) * factor + 0.5) * 255 + self.brightness) / 255.0
            return 255.0 * shares ** (1.0 / self.gamma)


@dataclass(frozen=True, slots=True)
class HueSaturation:
    """``saturation`` -100..100, ``grayscale`` 0 (off), 1 lightness, 2 luminosity, 3 average; ``colorize`` is the colour
    (red, green, blue 0..255) whose hue and saturation all colours take, ``strength`` per cent of the way."""

    saturation: int = 0
    grayscale: int = 0
    inverted: bool = False
    colorize: tuple[int, int, int] | None = None
    strength: int = 100

    def apply(self, picture: Picture) -> Picture:
        """See ``ColorFilter``."""
        return _changed(picture, self._changed)

    def _changed(self, channels: Channels) -> Channels:
        """Whole numbers all the way, as QGIS has them (measured)."""
        found = np.trunc(channels)
        if self.inverted:
            found = 255.0 - found
        if self.grayscale:
            found = _GREY.get(self.grayscale, _lightness)(found)
        elif self.saturation:
            colors = HslColors.of(found)
            found = colors.with_saturation(self._saturated(colors.saturation)).channels()
        if self.colorize is not None:
            hue, saturation = hsv_color(self.colorize)
            share = self.strength / 100.0
            toned = HslColors.uniform(hue, saturation, HslColors.of(found).lightness).channels()
            found = np.trunc(toned * share + found * (1.0 - share))
        return found

    def _saturated(self, saturation: Channels) -> Channels:
        scale = self.saturation / 100.0 + 1.0
        if scale < 1:
            return np.trunc(np.minimum(saturation * scale, 255.0))
        return np.trunc(np.minimum(255.0 * (1.0 - (1.0 - saturation / 255.0) ** (scale * scale)), 255.0))


def _lightness(channels: Channels) -> Channels:
    return HslColors.of(channels).without_saturation().channels()


def _luminosity(channels: Channels) -> Channels:
    blue, green, red = channels.T
    return np.repeat(np.trunc(0.21 * red + 0.72 * green + 0.07 * blue)[:, None], 3, axis=1)


def _average(channels: Channels) -> Channels:
    return np.repeat(np.trunc(channels.sum(axis=1) / 3)[:, None], 3, axis=1)


_GREY: dict[int, Callable[[Channels], Channels]] = {
    LIGHTNESS: _lightness,
    LUMINOSITY: _luminosity,
    AVERAGE: _average,
}


def _changed(picture: Picture, change: Callable[[Channels], Channels], by_channel: bool = False) -> Picture:
    """The picture with the colours of what is visible changed. ``by_channel``: what a channel becomes depends on its
    own value only, so opaque pixels find it in a table."""
    flat = np.ascontiguousarray(picture).reshape(-1, 4)
    alpha = flat[:, 3]
    out = flat.copy()
    if by_channel:
        levels = np.arange(256, dtype=np.float64)
        out[:, :3] = _cut(change(levels[:, None])[:, 0])[flat[:, :3]]
        out[alpha == 0] = 0
    else:
        solid = slice(None) if (alpha == 255).all() else np.flatnonzero(alpha == 255)
        out[solid, :3] = in_slabs(flat[solid, :3], lambda some: _cut(change(some.astype(np.float64))))
    partly = np.flatnonzero((alpha > 0) & (alpha < 255))
    if len(partly):
        shares = alpha[partly, None] / 255.0
        plain = np.minimum(flat[partly, :3] / shares, 255.0)
        out[partly, :3] = _cut(np.clip(np.nan_to_num(change(plain)), 0.0, 255.0) * shares)
    return out.reshape(picture.shape)


def _cut(values: Channels) -> NDArray[np.uint8]:
    """Bytes, fractions cut off; what is no number is 0."""
    found: NDArray[np.uint8] = np.clip(np.nan_to_num(values, posinf=255.0, neginf=0.0), 0.0, 255.0).astype(np.uint8)
    return found


def read_filters(pipe: etree._Element) -> tuple[ColorFilter, ...]:
    """The filters of a ``<pipe>`` that change something, in their order."""
    found: list[ColorFilter] = []
    tone = pipe.find("brightnesscontrast")
    brightness = BrightnessContrast(
        integer(tone, "brightness"), integer(tone, "contrast"), max(number(tone, "gamma", 1.0), 0.001)
    )
    if brightness != BrightnessContrast():
        found.append(brightness)
    hue = pipe.find("huesaturation")
    colorize = (integer(hue, "colorizeRed", 255), integer(hue, "colorizeGreen", 128), integer(hue, "colorizeBlue", 128))
    saturation = HueSaturation(
        integer(hue, "saturation"),
        integer(hue, "grayscaleMode"),
        flag(hue, "invertColors"),
        colorize if flag(hue, "colorizeOn") else None,
        min(max(integer(hue, "colorizeStrength", 100), 0), 100),
    )
    if saturation not in (HueSaturation(), HueSaturation(strength=saturation.strength)):
        found.append(saturation)
    return tuple(found)
