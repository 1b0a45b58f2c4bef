"""Fonts: which file draws a family and style, its glyph outlines, and its metrics as Qt gives them."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import fontconfig
import numpy as np
import uharfbuzz as hb

from qgserver.errors import QgServerError
from qgserver.geo.geometry import Floats

log = logging.getLogger("qgserver")

NORMAL, BOLD = 50, 75
_WEIGHTS = ((0, 0), (12, 40), (25, 50), (50, 80), (57, 100), (63, 180), (75, 200), (81, 205), (87, 210))
"""Weights of Qt 5 (0..99, as QGIS writes them) and what fontconfig calls them."""
_SLANTED = 100
_SYNTHETIC_SLANT = 0.2
"""How far letters lean over when a family has no italic ones (fontconfig's value; measured on Qt)."""
_LONGEST_NAME = 100
_GENERIC = frozenset({"", "sans", "sans-serif", "sans serif", "serif", "monospace"})
"""Families that always mean another one."""


@dataclass(frozen=True, slots=True)
class Font:
    """What text shall look like. ``size`` in pixels; ``weight`` on Qt 5's scale (50 normal, 75 bold); ``style``
    is a named style ("Condensed Bold") that goes over weight and italic where the family has it; spacings in pixels.
    """

    family: str
    size: float
    weight: int = NORMAL
    italic: bool = False
    style: str = ""
    letter_spacing: float = 0.0
    word_spacing: float = 0.0
    kerning: bool = True

    @property
    def face(self) -> Face:
        """The face that draws it. Instead of a family that is not installed another one does; that is logged once."""
        return find_face(self.family[:_LONGEST_NAME], self.weight, self.italic, self.style[:_LONGEST_NAME])

    @property
    def ascent(self) -> int:
        """Pixels from the baseline to the top of a line."""
        return math.ceil(self.face.ascender * self.size)

    @property
    def descent(self) -> int:
        """Pixels from the baseline to the bottom of a line."""
        return math.ceil(self.face.descender * self.size)

    @property
    def max_advance(self) -> int:
        """Pixels of the widest letter that there is."""
        return math.floor(self.face.widest * self.size + 0.5)

    @property
    def underline(self) -> tuple[float, float]:
        """Pixels from the baseline down to the top of the line under a text, and the thickness of such lines."""
        below, thickness = self.face.underline
        return below * self.size, max(thickness * self.size, 1.0)

    def fallback(self, character: str) -> Face:
        """The face for a character that the font lacks; the font's own when no other has it either."""
        return _fallback(self.family[:_LONGEST_NAME], self.weight, self.italic, character) or self.face


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Closed rings, one behind the other: ``coords`` float64[n, 2], ``counts`` the number of vertices of each."""

    coords: Floats
    counts: tuple[int, ...]


class Face:
    """One face of a font file. ``slant`` is x per y by which its letters are leant over. ``underline``: how far below
    the baseline the line under a text begins, and how thick it is. ``widest``: the largest advance. Lengths are in ems.
    """

    __slots__ = (
        "_advances",
        "_known",
        "_outlines",
        "ascender",
        "descender",
        "font",
        "slant",
        "underline",
        "upem",
        "widest",
    )

    def __init__(self, file: str, index: int, slant: float) -> None:
        face = hb.Face(hb.Blob.from_file_path(file), index & 0xFFFF)
        self.font = hb.Font(face)
        if index >> 16:  # an instance of a variable font
            self.font.var_named_instance = (index >> 16) - 1
        self.slant = slant
        self.upem: int = face.upem
        extents = self.font.get_font_extents("ltr")
        self.ascender: float = extents.ascender / self.upem
        self.descender: float = -extents.descender / self.upem
        position, thickness = (
            self.font.get_metric_position_with_fallback(tag) / self.upem
            for tag in (hb.OTMetricsTag.UNDERLINE_OFFSET, hb.OTMetricsTag.UNDERLINE_SIZE)
        )
        self.underline: tuple[float, float] = -position + thickness / 2, thickness
        header = bytes(face.reference_table("hhea").data or b"")
        self.widest: float = int.from_bytes(header[_WIDEST], "big") / self.upem if len(header) >= _WIDEST.stop else 1.0
        self._known: set[str] = set()
        self._advances: dict[float, Advances] = {}
        self._outlines: list[dict[int, Outline]] = [{} for _ in range(_LEVELS + 1)]

    def has(self, character: str) -> bool:
        """Whether there is a glyph for the character."""
        return self.font.get_nominal_glyph(ord(character)) is not None

    def has_all(self, text: str) -> bool:
        """Whether there is a glyph for every (ASCII) character."""
        unknown = set(text) - self._known
        if unknown:
            self._known |= {character for character in unknown if self.has(character)}
        return not unknown or unknown <= self._known

    def advances(self, size: float) -> Advances:
        """Advances of the glyphs at ``size`` pixels to the em."""
        found = self._advances.get(size)
        if found is None:
            if len(self._advances) >= _MOST_SIZES:
                self._advances.clear()
            found = self._advances[size] = Advances(self, size)
        return found

    def outlines(self, glyphs: Iterable[int], size: float) -> list[Outline]:
        """Glyphs around their origin (ems, y down), smooth when drawn with ``size`` pixels to the em."""
        level = min(max(math.ceil(math.log2(max(size, 1.0) / _SMALLEST)), 0), _LEVELS)
        known = self._outlines[level]
        found = []
        for glyph in glyphs:
            outline = known.get(glyph)
            if outline is None:
                if len(known) >= _MOST_OUTLINES:
                    known.clear()
                outline = known[glyph] = self._flattened(glyph, _SMALLEST * 2**level)
            found.append(outline)
        return found

    def _flattened(self, glyph: int, size: float) -> Outline:
        rings = list(_rings(self.font, glyph, _TOLERANCE * self.upem / size))
        coords = np.concatenate(rings) / self.upem if rings else np.empty((0, 2))
        coords[:, 0] += self.slant * coords[:, 1]
        coords[:, 1] *= -1
        return Outline(coords, tuple(len(ring) for ring in rings))


class Advances(dict[int, tuple[int, float]]):
    """Glyph -> (advance in units of the font, pixels floored to 1/64: FreeType's rule), filled when asked."""

    __slots__ = ("_face", "_scale")

    def __init__(self, face: Face, size: float) -> None:
        super().__init__()
        self._face = face
        self._scale = size / face.upem * SIXTYFOURTHS

    def __missing__(self, glyph: int) -> tuple[int, float]:
        units = self._face.font.get_glyph_h_advance(glyph)
        found = self[glyph] = units, math.floor(units * self._scale) / SIXTYFOURTHS
        return found


_WIDEST = slice(10, 12)
"""Where advanceWidthMax is in a font's horizontal header."""
SIXTYFOURTHS = 64
"""FreeType's unit: the pen stands at whole numbers of it."""
_MOST_SIZES = 256
_TOLERANCE = 0.03
"""How far, in pixels, outlines may leave their curves."""
_SMALLEST, _LEVELS = 32.0, 6
"""Outlines are kept for letters of up to 32, 64, 128, ... pixels; the last of these serve whatever is larger."""
_MOST_OUTLINES = 4096


class _Pen:
    """Collects contours: a point, then each further piece as a flat tuple of its points."""

    def __init__(self) -> None:
        self.contours: list[list[tuple[float, ...]]] = []

    def moveTo(self, point: tuple[float, float]) -> None:
        self.contours.append([point])

    def lineTo(self, *points: tuple[float, float]) -> None:
        self.contours[-1].append(tuple(value for point in points for value in point))

    qCurveTo = curveTo = lineTo

    def closePath(self) -> None:
        """All contours are closed."""

    endPath = closePath


def _rings(font: hb.Font, glyph: int, tolerance: float) -> Iterator[Floats]:
    """The contours of a glyph as float64[n, 2] in units of the font, y up."""
    pen = _Pen()
    font.draw_glyph_with_pen(glyph, pen)
    for contour in pen.contours:
        pieces = [np.array([contour[0]], dtype=np.float64)]
        for before, piece in pairwise(contour):
            pieces.append(_flat(np.array((*before[-2:], *piece), dtype=np.float64).reshape(-1, 2), tolerance))
        yield np.concatenate(pieces)


def _flat(points: Floats, tolerance: float) -> Floats:
    """A line, quadratic or cubic curve (by the number of ``points``) as a polyline without its first point."""
    degree = len(points) - 1
    if degree == 1:
        return points[1:]
    bend = float(np.abs(np.diff(points, n=2, axis=0)).max())
    # n chords of a curve are off by at most degree * (degree - 1) / 8 * bend / n^2
    count = max(math.ceil(math.sqrt(degree * (degree - 1) / 8 * bend / tolerance)), 1)
    t = (np.arange(1, count + 1) / count)[:, None]
    line = [np.broadcast_to(point, (count, 2)) for point in points]
    while len(line) > 1:
        line = [a + (b - a) * t for a, b in pairwise(line)]
    return line[0]


@lru_cache(maxsize=256)
def find_face(family: str, weight: int, italic: bool, style: str) -> Face:
    """The installed face that comes nearest. Raises ``QgServerError`` where no font is installed at all."""
    named = fontconfig.list(properties={"family": family, "style": style}, select=_WANTED) if style else []
    # "Bold" is also a style of the condensed faces: nearest to the normal width, which is 100
    found = min(named, key=lambda one: abs(one.get("width", 100) - 100), default=None)
    if found is None:
        found = fontconfig.match(properties=_pattern(family, weight, italic), select=_WANTED)
    if found is None:
        raise QgServerError("Text cannot be drawn: no font is installed on this server.")
    if not named and family.lower() not in _GENERIC and not _is_installed(family):
        log.warning("font %r is not installed: text is drawn with %s", family, found["family"])
    return _open(found, slanted=italic and not named)


def _is_installed(family: str) -> bool:
    return bool(fontconfig.list(properties={"family": family}, select=("family",)))


_WANTED = ("family", "file", "index", "slant", "width")


def _pattern(family: str, weight: int, italic: bool) -> dict[str, object]:
    nearest = min(_WEIGHTS, key=lambda pair: abs(pair[0] - weight))
    return {
        "family": family or "sans-serif",
        "weight": nearest[1],
        "slant": _SLANTED if italic else 0,
        "scalable": True,
    }


@lru_cache(maxsize=4096)
def _fallback(family: str, weight: int, italic: bool, character: str) -> Face | None:
    wanted = {"charset": fontconfig.CharSet.from_string(character)}
    found = fontconfig.match(properties=_pattern(family, weight, italic) | wanted, select=_WANTED)
    if found is None:
        return None
    face = _open(found, slanted=italic)
    return face if face.has(character) else None


def _open(found: dict[str, object], *, slanted: bool) -> Face:
    upright = not found.get("slant")
    index = found.get("index")
    return _face(str(found["file"]), index if isinstance(index, int) else 0, slanted and upright)


@lru_cache(maxsize=128)
def _face(file: str, index: int, lean: bool) -> Face:
    return Face(file, index, _SYNTHETIC_SLANT if lean else 0.0)
