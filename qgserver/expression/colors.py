"""Colours as QGIS's expressions see them: texts, and components with the 16 bits Qt keeps of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

FULL = 65535


def scaled(value: float, top: int = FULL) -> int:
    """0..1 as an integer up to ``top``, halves up."""
    return int(value * top + 0.5)


@dataclass(frozen=True, slots=True)
class Rgb:
    """Red, green, blue, alpha, each 0..65535."""

    red: int
    green: int
    blue: int
    alpha: int = FULL

    @classmethod
    def of_bytes(cls, red: int, green: int, blue: int, alpha: int = 255) -> Rgb:
        """From components 0..255."""
        return cls(red * 257, green * 257, blue * 257, alpha * 257)

    def to_bytes(self) -> tuple[int, int, int, int]:
        """Components 0..255."""
        red, green, blue, alpha = ((part + 128) // 257 for part in (self.red, self.green, self.blue, self.alpha))
        return red, green, blue, alpha

    def text(self, alpha: bool = True) -> str:
        """``r,g,b[,a]``"""
        return ",".join(map(str, self.to_bytes()[: 4 if alpha else 3]))


@dataclass(frozen=True, slots=True)
class Hsv:
    """Hue in hundredths of a degree (-1 = grey), saturation and value 0..65535."""

    hue: int
    saturation: int
    value: int
    alpha: int = FULL


@dataclass(frozen=True, slots=True)
class Hsl:
    """Hue in hundredths of a degree (-1 = grey), saturation and lightness 0..65535."""

    hue: int
    saturation: int
    lightness: int
    alpha: int = FULL


@dataclass(frozen=True, slots=True)
class Cmyk:
    """Cyan, magenta, yellow and black 0..65535."""

    cyan: int
    magenta: int
    yellow: int
    black: int
    alpha: int = FULL


def _hue(red: float, green: float, blue: float, top: float, delta: float) -> int:
    if red == top:
        hue = (green - blue) / delta
    elif green == top:
        hue = 2 + (blue - red) / delta
    else:
        hue = 4 + (red - green) / delta
    hue *= 60
    return int((hue + 360 if hue < 0 else hue) * 100 + 0.5)


def to_hsv(color: Rgb) -> Hsv:
    """Hue, saturation and value of a colour."""
    red, green, blue = color.red / FULL, color.green / FULL, color.blue / FULL
    top, low = max(red, green, blue), min(red, green, blue)
    delta = top - low
    if delta < 1e-12:
        return Hsv(-1, 0, scaled(top), color.alpha)
    return Hsv(_hue(red, green, blue, top, delta), scaled(delta / top), scaled(top), color.alpha)


def to_hsl(color: Rgb) -> Hsl:
    """Hue, saturation and lightness of a colour."""
    red, green, blue = color.red / FULL, color.green / FULL, color.blue / FULL
    top, low = max(red, green, blue), min(red, green, blue)
    delta, lightness = top - low, (top + low) / 2
    if delta < 1e-12:
        return Hsl(-1, 0, scaled(lightness), color.alpha)
    saturation = delta / (top + low) if lightness < 0.5 else delta / (2 - top - low)
    return Hsl(_hue(red, green, blue, top, delta), scaled(saturation), scaled(lightness), color.alpha)


def to_cmyk(color: Rgb) -> Cmyk:
    """Cyan, magenta, yellow and black of a colour."""
    parts = [1 - component / FULL for component in (color.red, color.green, color.blue)]
    black = min(parts)
    if black >= 1:
        return Cmyk(0, 0, 0, FULL, color.alpha)
    cyan, magenta, yellow = (scaled((part - black) / (1 - black)) for part in parts)
    return Cmyk(cyan, magenta, yellow, scaled(black), color.alpha)


def from_hsv(color: Hsv) -> Rgb:
    """The colour of hue, saturation and value."""
    if color.saturation == 0 or color.hue < 0:
        return Rgb(color.value, color.value, color.value, color.alpha)
    hue = 0.0 if color.hue == 36000 else color.hue / 6000
    saturation, value = color.saturation / FULL, color.value / FULL
    sector = int(hue)
    fraction = hue - sector
    low = value * (1 - saturation)
    falling, rising = value * (1 - saturation * fraction), value * (1 - saturation * (1 - fraction))
    parts = (
        (value, rising, low), (falling, value, low), (low, value, rising),
        (low, falling, value), (rising, low, value), (value, low, falling),
    )[sector % 6]  # fmt: skip
    red, green, blue = (scaled(part) for part in parts)
    return Rgb(red, green, blue, color.alpha)


def from_hsl(color: Hsl) -> Rgb:
    """The colour of hue, saturation and lightness."""
    if color.saturation == 0 or color.hue < 0:
        return Rgb(color.lightness, color.lightness, color.lightness, color.alpha)
    if color.lightness == 0:
        return Rgb(0, 0, 0, color.alpha)
    hue = 0.0 if color.hue == 36000 else color.hue / 36000
    saturation, lightness = color.saturation / FULL, color.lightness / FULL
    if lightness < 0.5:
        high = lightness * (1 + saturation)
    else:
        high = lightness + saturation - lightness * saturation
    low = 2 * lightness - high

    def part(place: float) -> int:
        place %= 1.0
        if place * 6 < 1:
            return scaled(low + (high - low) * place * 6)
        if place * 2 < 1:
            return scaled(high)
        return scaled(low + (high - low) * (2 / 3 - place) * 6) if place * 3 < 2 else scaled(low)

    return Rgb(part(hue + 1 / 3), part(hue), part(hue - 1 / 3), color.alpha)


def from_cmyk(color: Cmyk) -> Rgb:
    """The colour of cyan, magenta, yellow and black."""
    black = color.black / FULL
    inks = (color.cyan / FULL, color.magenta / FULL, color.yellow / FULL)
    red, green, blue = (scaled(1 - (ink * (1 - black) + black)) for ink in inks)
    return Rgb(red, green, blue, color.alpha)


def darker(color: Rgb, factor: int) -> Rgb:
    """Value divided by ``factor`` percent."""
    if factor <= 0:
        return color
    if factor < 100:
        return lighter(color, 10000 // factor)
    hsv = to_hsv(color)
    return from_hsv(replace(hsv, value=hsv.value * 100 // factor))


def lighter(color: Rgb, factor: int) -> Rgb:
    """Value multiplied by ``factor`` percent; what is beyond white comes off the saturation."""
    if factor <= 0:
        return color
    if factor < 100:
        return darker(color, 10000 // factor)
    hsv = to_hsv(color)
    value = hsv.value * factor // 100
    saturation = max(0, hsv.saturation - max(0, value - FULL))
    return from_hsv(replace(hsv, value=min(value, FULL), saturation=saturation))


_NUMBERS = re.compile(r"\s*\d+(\s*,\s*\d+){2,3}\s*", re.ASCII)
_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8}|[0-9a-f]{9}|[0-9a-f]{12})", re.IGNORECASE)


@lru_cache(maxsize=256)
def read_color(text: str) -> Rgb | None:
    """The colour a text spells: ``r,g,b[,a]``, ``#rgb``, ``#rrggbb``, ``#aarrggbb`` or an SVG name; None
    when it spells none."""
    if _NUMBERS.fullmatch(text):
        parts = [int(part) for part in text.split(",")]
        return Rgb.of_bytes(*parts) if all(part < 256 for part in parts) else None
    name = text.strip().lower()
    if name == "transparent":
        return Rgb(0, 0, 0, 0)
    if not _HEX.fullmatch(name):
        from PIL import ImageColor

        name = str(ImageColor.colormap.get(name.replace(" ", ""), ""))
        if not name:
            return None
    digits = name[1:]
    alpha = FULL
    if len(digits) == 8:
        alpha, digits = int(digits[:2], 16) * 257, digits[2:]
    size = len(digits) // 3
    top = 16**size - 1
    red, green, blue = (int(digits[at * size : (at + 1) * size], 16) * FULL // top for at in range(3))
    return Rgb(red, green, blue, alpha)
