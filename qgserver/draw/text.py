"""Text as Qt draws it: shaped by HarfBuzz, mixed directions put in order, filled outlines without hinting."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby, pairwise
from math import floor

import numpy as np
import uharfbuzz as hb

from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.fonts import SIXTYFOURTHS, Face, Font, Outline
from qgserver.draw.halo import glyph_halo
from qgserver.draw.paths import Paths
from qgserver.draw.pen import Join
from qgserver.geo.geometry import Floats, Ints

LONGEST = 4096
"""Characters of a line; what follows is not drawn."""
_SUBPIXELS = 4
_LARGE = 64.0
"""Pixels per em from which Qt draws plain text as outlines."""


_Glyph = tuple[Face, int, int, float, float, float]
"""Face, glyph, number of the character, advance and offset (x, y) in pixels."""


@dataclass(frozen=True, eq=False)
class Line:
    """A line of text, laid out from its left end on the baseline: ``shaped`` are its glyphs from left to right as they
    are seen. Most lines are only measured: what drawing needs is computed when it is asked for. All arrays hold one
    item per glyph."""

    width: float
    size: float
    shaped: Sequence[_Glyph]

    @cached_property
    def faces(self) -> tuple[Face, ...]:
        return tuple(glyph[0] for glyph in self.shaped)

    @cached_property
    def glyphs(self) -> tuple[int, ...]:
        return tuple(glyph[1] for glyph in self.shaped)

    @cached_property
    def clusters(self) -> Ints:
        """int64[n]: the number of the character that a glyph stands for."""
        return np.array([glyph[2] for glyph in self.shaped], dtype=np.int64)

    @cached_property
    def positions(self) -> Floats:
        """float64[n, 2] in pixels, y down."""
        table = np.array([glyph[3:] for glyph in self.shaped], dtype=np.float64).reshape(-1, 3)
        found: Floats = table[:, 1:].copy()
        found[:, 0] += np.cumsum(table[:, 0]) - table[:, 0]
        return found

    def letters(self) -> Iterator[Line]:
        """Each letter with its marks as a line of its own, from left to right."""
        for _, members in groupby(self.shaped, key=lambda glyph: glyph[2]):
            letter = tuple(members)
            yield Line(sum(glyph[3] for glyph in letter), self.size, letter)

    def halo(self, x: float, y: float, width: float, join: Join) -> Paths:
        """What a pen of ``width`` pixels covers that goes along all outlines, to be filled by the winding rule."""
        halos = [
            glyph_halo(face, glyph, self.size, width, join) for face, glyph in zip(self.faces, self.glyphs, strict=True)
        ]
        if not halos:
            return _rings(np.empty((0, 2)), ())
        coords = np.concatenate([halo.coords for halo in halos])
        coords += np.repeat(self.positions + np.array((x, y)), [len(halo.coords) for halo in halos], axis=0)
        return _rings(coords, [count for halo in halos for count in halo.counts])

    def paths(self, x: float, y: float) -> Paths:
        """All outlines with the left end of the baseline at (x, y): as QGIS draws labels."""
        return self._placed(self.positions + np.array((x, y)), 1.0)

    def snapped_paths(self, x: float, y: float, scale: float) -> Paths:
        """The line ``scale`` times as large where Qt puts plain text (legends, unlike labels): the baseline at a whole
        pixel, each glyph at a quarter of one; large letters anywhere."""
        positions = self.positions * scale + np.array((x, y))
        if self.size * scale >= _LARGE:
            return self._placed(positions, scale)
        positions[:, 0] = np.floor(positions[:, 0] * _SUBPIXELS) / _SUBPIXELS
        positions[:, 1] = np.floor(positions[:, 1] + 0.5)
        return self._placed(positions, scale)

    def _placed(self, positions: Floats, scale: float) -> Paths:
        size = self.size * scale
        outlines: list[Outline] = []
        for face, glyphs in self._by_face():
            outlines += face.outlines(glyphs, size)
        if not outlines:
            return _rings(np.empty((0, 2)), ())
        coords = np.concatenate([outline.coords for outline in outlines]) * size
        coords += np.repeat(positions, [len(outline.coords) for outline in outlines], axis=0)
        return _rings(coords, [count for outline in outlines for count in outline.counts])

    def _by_face(self) -> Iterator[tuple[Face, tuple[int, ...]]]:
        """The glyphs in groups of neighbours of one face."""
        start = 0
        for face, group in groupby(self.faces):
            stop = start + sum(1 for _ in group)
            yield face, self.glyphs[start:stop]
            start = stop


def _rings(coords: Floats, counts: Sequence[int]) -> Paths:
    return Paths(coords, np.cumsum([0, *counts], dtype=np.int64), True)


def draw_text(canvas: Canvas, x: float, baseline: float, text: str, font: Font, color: Color) -> None:
    """Draw one line of text from (x, baseline), as QGIS draws labels."""
    draw_paths(canvas, layout(text, font).paths(x, baseline), color)


def draw_paths(canvas: Canvas, outlines: Paths, color: Color) -> None:
    """Fill the outlines of a line."""
    fill(canvas, outlines, Brush(color), winding=True)


@lru_cache(maxsize=8192)
def layout(text: str, font: Font) -> Line:
    """One line of text; tabs and line breaks in it are blanks."""
    text = text[:LONGEST].translate(_BLANKS)
    runs = _visual_runs(text, font)
    shaped = [glyph for run in runs for glyph in _shape(text, run, font)]
    return Line(sum([glyph[3] for glyph in shaped]), font.size, shaped)


_BLANKS = {ord(character): " " for character in "\t\n\v\f\r\x85\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class _Run:
    """Characters ``start`` to ``stop`` of one face, script and direction (odd ``level`` = right to left)."""

    start: int
    stop: int
    face: Face
    level: int


def _shape(text: str, run: _Run, font: Font) -> Iterator[_Glyph]:
    """The glyphs of a run from left to right."""
    buffer = hb.Buffer()
    # the characters around are given too: they decide how letters join
    buffer.add_str(text, run.start, run.stop - run.start)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if run.level % 2 else "ltr"
    face = run.face
    hb.shape(face.font, buffer, None if font.kerning else {"kern": False})
    unit = font.size / face.upem * SIXTYFOURTHS
    advances = face.advances(font.size)
    for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        units, advance = advances[info.codepoint]
        across, dx, dy = place.x_advance, place.x_offset, place.y_offset
        if not across:  # a mark above or below its letter
            advance = 0.0
        else:
            if across != units:
                advance += floor((across - units) * unit + 0.5) / SIXTYFOURTHS
            advance += font.letter_spacing
            if font.word_spacing and text[info.cluster] == " ":
                advance += font.word_spacing
        x, y = (dx and floor(dx * unit + 0.5) / SIXTYFOURTHS), (dy and -floor(dy * unit + 0.5) / SIXTYFOURTHS)
        yield face, info.codepoint, info.cluster, advance, x, y


def _visual_runs(text: str, font: Font) -> list[_Run]:
    """The text in runs, from left to right as they are seen."""
    face = font.face
    if not text:
        return []
    if text.isascii() and face.has_all(text):
        return [_Run(0, len(text), face, 0)]
    levels = bidi_levels(text)
    faces = list(_faces(text, font))
    scripts = list(_scripts(text))
    edges = [
        i
        for i in range(1, len(text))
        if (levels[i], faces[i], scripts[i]) != (levels[i - 1], faces[i - 1], scripts[i - 1])
    ]
    bounds = [0, *edges, len(text)]
    runs = [_Run(start, stop, faces[start], levels[start]) for start, stop in pairwise(bounds)]
    return _reordered(runs)


def _reordered(runs: list[_Run]) -> list[_Run]:
    """Rule L2 of the bidirectional algorithm: from the highest level down to the lowest odd one, reverse every sequence
    of runs at that level or above."""
    for level in range(max(run.level for run in runs), 0, -1):
        start = 0
        while start < len(runs):
            stop = start
            while stop < len(runs) and runs[stop].level >= level:
                stop += 1
            runs[start:stop] = runs[start:stop][::-1]
            start = max(stop, start + 1)
    return runs


_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI"})


def bidi_levels(text: str) -> Sequence[int]:
    """The embedding level of each character, the direction of the line being that of its first strong one."""
    if not any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text):
        return [0] * len(text)
    from bidi import algorithm

    storage = algorithm.get_empty_storage()
    base = algorithm.get_base_level(text)
    storage["base_level"] = base
    storage["base_dir"] = ("L", "R")[base]
    algorithm.get_embedding_levels(text, storage)
    for number, character in enumerate(storage["chars"]):
        character["number"] = number
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage)
    algorithm.resolve_neutral_types(storage, False)
    algorithm.resolve_implicit_levels(storage, False)
    levels = [base] * len(text)
    for character in storage["chars"]:
        levels[character["number"]] = character["level"]
    return levels


def _faces(text: str, font: Font) -> Iterator[Face]:
    """The face of each character: the font's own where it can; marks and joiners stay with their letter."""
    own = font.face
    before = own
    for character in text:
        follows = unicodedata.category(character) in _FOLLOWING
        if follows and (before.has(character) or unicodedata.category(character) == "Cf"):
            face = before
        else:
            face = own if own.has(character) else font.fallback(character)
        yield face
        before = face


_FOLLOWING = frozenset({"Mn", "Mc", "Me", "Cf"})


def _scripts(text: str) -> Iterator[str]:
    """The script of each character; signs common to all take that of the letter before (at the start: after)."""
    found = [_script(character) for character in text]
    current = next((script for script in found if script), "")
    for script in found:
        current = script or current
        yield current


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    buffer = hb.Buffer()
    buffer.add_str(character)
    buffer.guess_segment_properties()
    return buffer.script or ""
