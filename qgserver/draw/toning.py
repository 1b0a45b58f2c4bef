"""Other colours for the same picture. Colours are float32[k, 3]: R, G, B 0..255, whole numbers, not premultiplied."""

from __future__ import annotations

import colorsys

import numpy as np

from qgserver.draw.color import Color
from qgserver.draw.filters import Light

LIGHTNESS, LUMINOSITY, AVERAGE, COLORED = range(4)
"""Kinds of grey as QGIS counts them (measured)."""


def brightened(colors: Light, brightness: float, contrast: float) -> Light:
    """``contrast`` is the factor by which colours lie apart from the middle, ``brightness`` is added."""
    if not brightness and contrast == 1:
        return colors
    changed: Light = np.trunc((colors - np.float32(127.5)) * np.float32(contrast) + np.float32(127.5 + brightness))
    return np.clip(changed, 0, 255)


def grayed(colors: Light, mode: int) -> Light:
    """Shades of grey of one of the three kinds."""
    if mode == LIGHTNESS:
        gray = (colors.max(axis=1) + colors.min(axis=1)) / 2
    elif mode == LUMINOSITY:
        gray = colors @ np.array((0.21, 0.72, 0.07), dtype=np.float32)
    elif mode == AVERAGE:
        gray = colors.mean(axis=1)
    else:
        return colors
    return np.repeat(np.floor(gray)[:, None], 3, axis=1)


def hue_and_saturation(color: Color) -> tuple[float, float]:
    """Hue 0..1 and saturation 0..1: that of HSV, though it is used as one of HSL (measured)."""
    hue, saturation, _ = colorsys.rgb_to_hsv(*color[:3])
    return hue, saturation


def saturated(colors: Light, saturation: float, tone: tuple[float, float] | None, strength: float) -> Light:
    """``saturation`` below 1 is a factor, above 1 a curve that never reaches the end; ``tone`` (hue, saturation 0..1)
    takes their place as far as ``strength`` 0..1 says."""
    if saturation == 1 and tone is None:
        return colors
    largest, smallest = colors.max(axis=1) / 255, colors.min(axis=1) / 255
    light, span = (largest + smallest) / 2, largest - smallest
    if tone is not None:
        toned = _from_hsl(np.float32(tone[0]), np.float32(tone[1]), light)
        return toned if strength >= 1 else np.floor(toned * np.float32(strength) + colors * np.float32(1 - strength))
    room = 1 - np.abs(2 * light - 1)
    old = np.divide(span, room, out=np.zeros_like(span), where=room > 0)
    new = old * saturation if saturation < 1 else 1 - (1 - np.minimum(old, 1)) ** (saturation**2)
    factor = np.divide(new, old, out=np.zeros_like(old), where=old > 0)[:, None]
    middle = light[:, None] * 255
    changed: Light = np.rint(middle + (colors - middle) * factor)
    return np.clip(changed, 0, 255)


def _from_hsl(hue: np.float32, saturation: np.float32, light: Light) -> Light:
    """A hue and a saturation for all, a lightness float32[k] each."""
    chroma = (1 - np.abs(2 * light - 1)) * saturation
    low = light - chroma / 2
    turns = (float(hue) * 6 + np.array((0.0, 4.0, 2.0))) % 6
    shares = np.clip(np.abs(turns - 3) - 1, 0, 1).astype(np.float32)
    toned: Light = np.rint((low[:, None] + chroma[:, None] * shares) * 255)
    return toned
