"""The one place where Qt asks for hinted letters: QGIS's legends measure lines by the height of a hinted ``0``.

FreeType's light hinting scales letters so that lower-case ones end at whole pixels, then moves the tops and feet of
letters to whole pixels. Measured on 24 fonts: exact up to 54 pixels, beyond within one pixel.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from qgserver.draw.fonts import Face, Font

_PIXEL = 64
_ROUND_UP, _ROUND_UP_SMALL = 40, 52
"""What is added to the height of lower-case letters (1/64 pixels) before it is cut to whole pixels: small letters are
rather made larger."""
_SMALL = range(6, 15)
_TALLEST_OVERSHOOT = 48
"""Round letters that reach further beyond flat ones are left as they are."""


class _Zone(NamedTuple):
    """Where flat and where round letters end, in units of the font."""

    flat: int
    round: int


class _Zones(NamedTuple):
    top: _Zone
    foot: _Zone
    lower_case: int
    zero: tuple[int, int]


@lru_cache(maxsize=256)
def digit_height(font: Font) -> int:
    """Pixels from the top to the foot of a ``0``; that of a line where the font has no such letters."""
    zones = _zones(font.face)
    if zones is None:
        return font.ascent
    scale = font.size * _PIXEL / font.face.upem
    wanted = round(zones.lower_case * scale)
    fitted = (wanted + (_ROUND_UP_SMALL if font.size in _SMALL else _ROUND_UP)) // _PIXEL * _PIXEL
    if fitted and wanted:
        scale *= fitted / wanted
    top, foot = (_fit(zone, end, scale) for zone, end in zip(zones[:2], zones.zero, strict=True))
    return math.ceil(top / _PIXEL) - math.floor(foot / _PIXEL)


def _fit(zone: _Zone, end: int, scale: float) -> int:
    """Where round letters end, in 1/64 pixels."""
    overshoot = round((zone.round - zone.flat) * scale)
    if abs(overshoot) > _TALLEST_OVERSHOOT:
        return round(end * scale)
    reach = math.copysign(_PIXEL, overshoot) if abs(overshoot) >= _PIXEL // 2 else 0
    return (round(zone.flat * scale) + _PIXEL // 2) // _PIXEL * _PIXEL + int(reach)


@lru_cache(maxsize=128)
def _zones(face: Face) -> _Zones | None:
    if not all(face.has(letter) for letter in "0THEZLOCQSUroesc"):
        return None

    def ends(letters: str) -> list[tuple[int, int]]:
        boxes = (face.font.get_glyph_extents(face.font.get_nominal_glyph(ord(letter))) for letter in letters)
        return [(box.y_bearing, box.y_bearing + box.height) for box in boxes]

    def middle(letters: str, end: int) -> int:
        return sorted(pair[end] for pair in ends(letters))[len(letters) // 2]

    return _Zones(
        _Zone(middle("THEZ", 0), middle("OCQS", 0)),
        _Zone(middle("HEZL", 1), middle("OCUS", 1)),
        middle("roesc", 0),
        ends("0")[0],
    )
