"""Colours: texts like ``255,0,0,128``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from qgserver.errors import ExpressionError
from qgserver.expression.colors import (
    FULL,
    Cmyk,
    Hsl,
    Hsv,
    Rgb,
    darker,
    from_cmyk,
    from_hsl,
    from_hsv,
    lighter,
    read_color,
    scaled,
    to_cmyk,
    to_hsl,
    to_hsv,
)
from qgserver.expression.context import Frame
from qgserver.expression.function import Group
from qgserver.expression.ramps import Ramp
from qgserver.expression.values import Value, text_argument, to_double

function = Group("Color")


def _color(text: str) -> Rgb:
    color = read_color(text)
    if color is None:
        raise ExpressionError(f"Cannot convert '{text[:50]}' to color")
    return color


def _bytes(*parts: int) -> Rgb:
    if not all(0 <= part < 256 for part in parts):
        raise ExpressionError(f"Cannot convert '{':'.join(map(str, parts))}' to color")
    return Rgb.of_bytes(*parts)


def _share(value: float, whole: float) -> float:
    if not 0 <= value <= whole:
        raise ExpressionError(f"A colour component of {value:g} is not between 0 and {whole:g}")
    return value / whole


def _percent(value: float) -> int:
    return scaled(_share(value, 100))


def _hue(value: float) -> int:
    return scaled(_share(value, 360), 36000)


def _alpha(value: int) -> int:
    return scaled(_share(value, 255))


@function("color_rgb")
def color_rgb(red: int, green: int, blue: int) -> str:
    """A colour of red, green and blue (0 to 255)."""
    return _bytes(red, green, blue).text(alpha=False)


@function("color_rgba")
def color_rgba(red: int, green: int, blue: int, alpha: int) -> str:
    """A colour of red, green, blue and alpha (0 to 255)."""
    return _bytes(red, green, blue, alpha).text()


@function("color_hsl")
def color_hsl(hue: int, saturation: int, lightness: int) -> str:
    """A colour of hue (0 to 360), saturation and lightness (0 to 100)."""
    return from_hsl(Hsl(_hue(hue), _percent(saturation), _percent(lightness))).text(alpha=False)


@function("color_hsla")
def color_hsla(hue: int, saturation: int, lightness: int, alpha: int) -> str:
    """As ``color_hsl``, with alpha (0 to 255)."""
    return from_hsl(Hsl(_hue(hue), _percent(saturation), _percent(lightness), _alpha(alpha))).text()


@function("color_hsv")
def color_hsv(hue: int, saturation: int, value: int) -> str:
    """A colour of hue (0 to 360), saturation and value (0 to 100)."""
    return from_hsv(Hsv(_hue(hue), _percent(saturation), _percent(value))).text(alpha=False)


@function("color_hsva")
def color_hsva(hue: int, saturation: int, value: int, alpha: int) -> str:
    """As ``color_hsv``, with alpha (0 to 255)."""
    return from_hsv(Hsv(_hue(hue), _percent(saturation), _percent(value), _alpha(alpha))).text()


@function("color_cmyk")
def color_cmyk(cyan: int, magenta: int, yellow: int, black: int) -> str:
    """A colour of cyan, magenta, yellow and black (0 to 100)."""
    inks = (_percent(cyan), _percent(magenta), _percent(yellow), _percent(black))
    return from_cmyk(Cmyk(*inks)).text(alpha=False)


@function("color_cmyka")
def color_cmyka(cyan: int, magenta: int, yellow: int, black: int, alpha: int) -> str:
    """As ``color_cmyk``, with alpha (0 to 255)."""
    inks = (_percent(cyan), _percent(magenta), _percent(yellow), _percent(black))
    return from_cmyk(Cmyk(*inks, _alpha(alpha))).text()


@function("color_grayscale_average")
def color_grayscale_average(color: str) -> str:
    """Grey of the mean of red, green and blue."""
    red, green, blue, alpha = (read_color(color) or Rgb(0, 0, 0)).to_bytes()
    gray = (red + green + blue) // 3
    return Rgb.of_bytes(gray, gray, gray, alpha).text()


@function("color_mix_rgb")
def color_mix_rgb(color1: str, color2: str, ratio: float) -> str:
    """Between two colours: 0 the first, 1 the second."""
    share = max(0.0, min(1.0, ratio))
    pair = [(read_color(text) or Rgb(0, 0, 0)).to_bytes() for text in (color1, color2)]
    return Rgb.of_bytes(*(int(a * (1 - share) + b * share) for a, b in zip(*pair, strict=True))).text()


@function("darker")
def darker_(color: str, factor: int) -> str:
    """Darker by a factor in percent."""
    return darker(_color(color), factor).text()


@function("lighter")
def lighter_(color: str, factor: int) -> str:
    """Lighter by a factor in percent."""
    return lighter(_color(color), factor).text()


# -- parts ----------------------------------------------------------------------------------------------------------

_READ: dict[str, Callable[[Rgb], int | float]] = {
    "red": lambda c: c.to_bytes()[0],
    "green": lambda c: c.to_bytes()[1],
    "blue": lambda c: c.to_bytes()[2],
    "alpha": lambda c: c.to_bytes()[3],
    "hue": lambda c: _degrees(to_hsv(c).hue),
    "saturation": lambda c: to_hsv(c).saturation / FULL * 100,
    "value": lambda c: to_hsv(c).value / FULL * 100,
    "hsl_hue": lambda c: _degrees(to_hsl(c).hue),
    "hsl_saturation": lambda c: to_hsl(c).saturation / FULL * 100,
    "lightness": lambda c: to_hsl(c).lightness / FULL * 100,
    "cyan": lambda c: to_cmyk(c).cyan / FULL * 100,
    "magenta": lambda c: to_cmyk(c).magenta / FULL * 100,
    "yellow": lambda c: to_cmyk(c).yellow / FULL * 100,
    "black": lambda c: to_cmyk(c).black / FULL * 100,
}


def _degrees(hue: int) -> float:
    return -360.0 if hue < 0 else hue / 36000 * 360


def _byte(value: float) -> int:
    return max(0, min(255, int(value))) * 257


def _clamped(value: float, whole: float, top: int = FULL) -> int:
    return scaled(max(0.0, min(1.0, value / whole)), top)


_WRITE: dict[str, Callable[[Rgb, float], Rgb]] = {
    "red": lambda c, v: replace(c, red=_byte(v)),
    "green": lambda c, v: replace(c, green=_byte(v)),
    "blue": lambda c, v: replace(c, blue=_byte(v)),
    "alpha": lambda c, v: replace(c, alpha=_byte(v)),
    "hue": lambda c, v: from_hsv(replace(to_hsv(c), hue=_clamped(v, 360, 36000))),
    "saturation": lambda c, v: from_hsv(replace(to_hsv(c), saturation=_clamped(v, 100))),
    "value": lambda c, v: from_hsv(replace(to_hsv(c), value=_clamped(v, 100))),
    "hsl_hue": lambda c, v: from_hsl(replace(to_hsl(c), hue=_clamped(v, 360, 36000))),
    "hsl_saturation": lambda c, v: from_hsl(replace(to_hsl(c), saturation=_clamped(v, 100))),
    "lightness": lambda c, v: from_hsl(replace(to_hsl(c), lightness=_clamped(v, 100))),
    "cyan": lambda c, v: from_cmyk(replace(to_cmyk(c), cyan=_clamped(v, 100))),
    "magenta": lambda c, v: from_cmyk(replace(to_cmyk(c), magenta=_clamped(v, 100))),
    "yellow": lambda c, v: from_cmyk(replace(to_cmyk(c), yellow=_clamped(v, 100))),
    "black": lambda c, v: from_cmyk(replace(to_cmyk(c), black=_clamped(v, 100))),
}


@function("color_part")
def color_part(color: str, component: str) -> int | float:
    """One component of a colour: red, green, blue, alpha, hue, saturation, value, hsl_hue, hsl_saturation, lightness,
    cyan, magenta, yellow or black."""
    known = _color(color)
    if component.lower() not in _READ:
        raise ExpressionError(f"Unknown color component '{component[:50]}'")
    return _READ[component.lower()](known)


@function("set_color_part")
def set_color_part(color: str, component: str, value: float) -> str:
    """A colour with one component changed."""
    known = _color(color)
    name = component.lower()
    if name not in _WRITE:
        raise ExpressionError(f"Unknown color component '{component[:50]}'")
    if name not in ("red", "green", "blue", "alpha") and not 0 <= value <= (360 if "hue" in name else 100):
        return known.text()
    return _WRITE[name](known, value).text()


# -- ramps ----------------------------------------------------------------------------------------------------------


@function("create_ramp")
def create_ramp(map: Value, discrete: Value = False) -> Ramp:
    """A ramp of positions (0 to 1) and colours; ``discrete`` jumps from colour to colour."""
    if not isinstance(map, dict) or len(map) < 2:
        raise ExpressionError("A minimum of two colors is required to create a ramp")
    stops = [(to_double(place), _color(text_argument(color)).to_bytes()) for place, color in map.items()]
    return Ramp(tuple(sorted(stops)), bool(discrete))


@function("ramp_color")
def ramp_color(frame: Frame, ramp_name: Value, value: float) -> str:
    """The colour of a ramp (by name, or made by ``create_ramp``) at a position from 0 to 1."""
    ramp = ramp_name if isinstance(ramp_name, Ramp) else _named(frame, text_argument(ramp_name))
    return ",".join(map(str, ramp.color(value)))


@function("ramp_color_object", since="3.36")
def ramp_color_object(frame: Frame, ramp_name: Value, value: float) -> str:
    """As ``ramp_color``."""
    return ramp_color(frame, ramp_name, value)


def _named(frame: Frame, name: str) -> Ramp:
    from qgserver.expression.named_ramps import named_ramp

    stops = frame.context.project.ramps.get(name)
    ramp = Ramp(tuple(stops)) if stops else named_ramp(name)
    if ramp is None:
        raise ExpressionError(f"'{name[:50]}' is not a valid color ramp")
    return ramp


@function("project_color", pure=False)
def project_color(frame: Frame, name: str) -> str | None:
    """A colour of the project's palette."""
    return frame.context.project.colors.get(name.lower())
