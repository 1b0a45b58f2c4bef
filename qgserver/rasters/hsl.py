"""Hue, saturation and lightness as Qt computes them: in whole numbers of 16 bits, rounded to 8 where they are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST = 65535.0
NO_HUE = -1.0


@dataclass(frozen=True, slots=True)
class HslColors:
    """n colours: ``hue`` in whole degrees (``NO_HUE``: grey), ``saturation`` and ``lightness`` 0..255, float64[n]."""

    hue: Floats
    saturation: Floats
    lightness: Floats

    @classmethod
    def of(cls, channels: Floats) -> HslColors:
        """The colours of float64[n, 3] blue, green, red, whole numbers 0..255."""
        blue, green, red = np.ascontiguousarray(channels.T) / 255.0
        high, low = np.maximum(np.maximum(blue, green), red), np.minimum(np.minimum(blue, green), red)
        delta, both = high - low, high + low
        lightness = np.floor(0.5 * both * MOST + 0.5)
        grey = delta < 0.00001
        with np.errstate(invalid="ignore", divide="ignore"):
            saturation = np.floor(delta / np.where(0.5 * both < 0.5, both, 2.0 - both) * MOST + 0.5)
            by_green = np.where(green == high, 2.0 + (blue - red) / delta, 4.0 + (red - green) / delta)
            turn = np.where(red == high, (green - blue) / delta, by_green)
        degrees = np.floor(np.where(turn < 0, turn + 6.0, turn) * 6000.0 + 0.5)
        return cls(
            np.where(grey, NO_HUE, np.floor(degrees / 100)),
            np.where(grey, 0.0, _byte(saturation)),
            _byte(lightness),
        )

    @classmethod
    def uniform(cls, hue: float, saturation: float, lightness: Floats) -> HslColors:
        """Colours that differ in their lightness only."""
        return cls(np.full_like(lightness, hue), np.full_like(lightness, saturation), lightness)

    def with_saturation(self, saturation: Floats) -> HslColors:
        return replace(self, saturation=saturation)

    def without_saturation(self) -> HslColors:
        return replace(self, saturation=np.zeros_like(self.saturation))

    def channels(self) -> Floats:
        """float64[n, 3] blue, green, red, whole numbers 0..255."""
        light, share = self.lightness * 257.0 / MOST, self.saturation * 257.0 / MOST
        upper = np.where(light < 0.5, light * (1.0 + share), light + share - light * share)
        lower = 2.0 * light - upper
        turn = (self.hue % 360) / 360.0
        grey = (self.saturation == 0) | (self.hue == NO_HUE)
        found = [np.where(grey, self.lightness, _channel(turn + shift, lower, upper)) for shift in (-1 / 3, 0.0, 1 / 3)]
        return np.stack(found, axis=1)


def _channel(turn: Floats, lower: Floats, upper: Floats) -> Floats:
    turn = np.where(turn < 0, turn + 1.0, np.where(turn > 1, turn - 1.0, turn))
    span = upper - lower
    falling = np.where(turn * 3.0 < 2.0, lower + span * (2.0 / 3.0 - turn) * 6.0, lower)
    shares = np.where(turn * 6.0 < 1.0, lower + span * turn * 6.0, np.where(turn * 2.0 < 1.0, upper, falling))
    return _byte(np.floor(shares * MOST + 0.5))


def hsv_color(color: tuple[int, int, int]) -> tuple[float, float]:
    """Hue (whole degrees, ``NO_HUE``) and the saturation 0..255 that goes with a colour's value, not its lightness."""
    high, low = max(color), min(color)
    if high == low:
        return NO_HUE, 0.0
    hue = float(HslColors.of(np.array([color[::-1]], dtype=np.float64)).hue[0])
    share = (high / 255.0 - low / 255.0) / (high / 255.0)
    return hue, float(_byte(np.floor(np.float64(share * MOST + 0.5))))


def _byte(values: Floats) -> Floats:
    """16 bits as 8."""
    return np.asarray(np.floor((values + 128) / 257))
