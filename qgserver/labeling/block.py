"""A label's text laid out: its lines, and the box around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from itertools import groupby

import numpy as np

from qgserver.draw.color import Color
from qgserver.draw.fonts import Font
from qgserver.draw.text import Line, layout
from qgserver.geo.geometry import Floats
from qgserver.labeling.markup import Fragment, read_markup
from qgserver.labeling.textformat import (
    CAMEL,
    FIRST_UPPER,
    LOWER,
    SMALL_CAPITALS,
    SMALL_CAPS,
    TITLE,
    UPPER,
    VERTICAL,
    Background,
    Buffer,
    Mask,
    Shadow,
    TextFormat,
)

MOST_LINES = 200
"""Lines of a label that are drawn."""
_SMALL = 0.7
"""Size of small capitals beside that of the font (Qt's)."""
_LIFT = 0.25
"""Share of the ascent between the bottom of a label's box and its last baseline (measured)."""


class Alignment(IntEnum):
    """``text-format/@multilineAlign``; FOLLOW: towards the point that is labelled."""

    LEFT = 0
    CENTER = 1
    RIGHT = 2
    FOLLOW = 3
    JUSTIFY = 4


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Text of one font and style; ``x`` from the left end of its line. ``lines``: tops and thicknesses of the lines
    under, through or over it, pixels below the baseline."""

    x: float
    text: str
    line: Line
    font: Font
    color: Color | None = None
    lines: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class BlockLine:
    """A line of a label."""

    pieces: tuple[Piece, ...]
    width: float

    def stretched(self, by: float) -> BlockLine:
        """The line ``by`` pixels wider, its blanks taking them up."""
        blanks = sum(piece.text.count(" ") for piece in self.pieces)
        if not blanks:
            return self
        more, x, pieces = by / blanks, 0.0, []
        for piece in self.pieces:
            font = replace(piece.font, word_spacing=piece.font.word_spacing + more)
            line = layout(piece.text, font)
            pieces.append(replace(piece, x=x, line=line, font=font))
            x += line.width
        return BlockLine(tuple(pieces), x)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A laid-out text in pixels. ``baselines``: how far each line's baseline is above the bottom of the box.
    ``font`` is that of most of it; ``vertical`` when letters stand below each other (each is a line then, centred)."""

    lines: tuple[BlockLine, ...]
    width: float
    height: float
    baselines: tuple[float, ...]
    font: Font
    vertical: bool = False

    @property
    def margins(self) -> tuple[float, float]:
        """Empty pixels at the top and bottom of the box that ordered positions do not count (measured)."""
        return _LIFT * self.font.ascent, 1.0 + self.font.descent

    def letters(self) -> Iterator[tuple[Piece, Line]]:
        """What stands as one sign along a curved line, from left to right: the letters of the first line with their
        marks, as wide as they are by themselves, not kerned (measured)."""
        for piece in self.lines[0].pieces if self.lines else ():
            for letter in layout(piece.text, replace(piece.font, kerning=False)).letters():
                yield piece, letter

    @property
    def advances(self) -> Floats:
        """float64[n]: the widths of ``letters``."""
        return np.array([letter.width for _, letter in self.letters()], dtype=np.float64)


def capitalized(text: str, mode: int) -> str:
    """The text in upper or lower case as the format's ``capitalization`` says."""
    change = _CASES.get(mode)
    return text if change is None else change(text)


def _first_upper(text: str) -> str:
    return "".join(a.upper() if not before.isalnum() else a for before, a in zip(" " + text[:-1], text, strict=True))


def _camel(text: str) -> str:
    return "".join(word[:1].upper() + word[1:].lower() for word in text.split())


_LITTLE_WORDS = frozenset(
    {"a", "an", "and", "at", "by", "for", "in", "into", "is", "of", "on", "or", "over", "per", "than", "the", "to"}
    | {"with", "via", "vs", "but", "as", "from", "nor", "so", "up", "yet"}
)


def _title(text: str) -> str:
    """Words with a first capital, but for the little ones inside."""
    words = text.split(" ")
    last = len(words) - 1
    return " ".join(
        word if word.lower() in _LITTLE_WORDS and 0 < number < last else word[:1].upper() + word[1:]
        for number, word in enumerate(words)
    )


_CASES: Mapping[int, Callable[[str], str]] = {
    UPPER: str.upper,
    LOWER: str.lower,
    FIRST_UPPER: _first_upper,
    TITLE: _title,
    CAMEL: _camel,
}


def wrapped(text: str, wrap_character: str, length: int = 0, longest: bool = True) -> str:
    """The text with line breaks: at each ``wrap_character`` (which goes), and between words so that lines have at most
    (``longest``) or at least ``length`` characters; 0 = where they are."""
    if wrap_character:
        text = text.replace(wrap_character, "\n")
    if length <= 0:
        return text
    return "\n".join(_broken(line, length, longest) for line in text.split("\n"))


def _broken(line: str, length: int, longest: bool) -> str:
    lines: list[str] = []
    for word in line.split(" "):
        fits = lines and (len(lines[-1]) + 1 + len(word) <= length if longest else len(lines[-1]) < length)
        if fits:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return "\n".join(lines)


class Typesetter:
    """Lays out the texts of one look, each once."""

    __slots__ = ("_blocks", "_font", "_style")

    def __init__(self, style: TextFormat, font: Font) -> None:
        self._style = style
        self._font = font
        self._blocks: dict[str, Block] = {}

    def block(self, text: str) -> Block:
        """``text`` (lines parted by ``\\n``) in its box."""
        found = self._blocks.get(text)
        if found is None:
            if len(self._blocks) >= _MOST_BLOCKS:
                self._blocks.clear()
            found = self._blocks[text] = _make_block(text, self._style, self._font)
        return found


_MOST_BLOCKS = 8192


def typesetter(style: TextFormat, font: Font) -> Typesetter:
    """The typesetter for a look, which remembers its texts from map to map."""
    # what lies around the text does not change its layout
    return _typesetter(replace(style, buffer=Buffer(), background=Background(), shadow=Shadow(), mask=Mask()), font)


@lru_cache(maxsize=32)
def _typesetter(style: TextFormat, font: Font) -> Typesetter:
    return Typesetter(style, font)


def _make_block(text: str, style: TextFormat, font: Font) -> Block:
    lines = read_markup(text) if style.html else [[Fragment(line)] for line in text.split("\n")]
    if style.orientation == VERTICAL:
        return _vertical(lines, style, font)
    rows = tuple(_line(fragments, style, font) for fragments in lines[:MOST_LINES])
    ascent, descent = font.ascent, font.descent
    step = (ascent + descent) * style.line_height
    count = len(rows)
    return Block(
        rows,
        max((row.width for row in rows), default=0.0),
        ascent + descent + (count - 1) * step,
        tuple(_LIFT * ascent + (count - 1 - number) * step for number in range(count)),
        font,
    )


def _line(fragments: Sequence[Fragment], style: TextFormat, font: Font) -> BlockLine:
    pieces: list[Piece] = []
    x = 0.0
    for fragment in fragments:
        text = capitalized(fragment.text, style.capitalization)
        for part, size in _sized(text, style.capitalization, font):
            line = layout(part, size)
            pieces.append(Piece(x, part, line, size, fragment.color, _rules(fragment, style, font)))
            x += line.width
    return BlockLine(tuple(pieces), x)


def _sized(text: str, mode: int, font: Font) -> Iterator[tuple[str, Font]]:
    """Small capitals: the text in pieces of two sizes."""
    if mode not in (SMALL_CAPS, SMALL_CAPITALS):
        yield text, font
        return
    small = replace(font, size=font.size * _SMALL)
    for is_lower, run in groupby(text, key=lambda character: character != character.upper()):
        part = "".join(run)
        yield (part.upper(), small) if is_lower else (part, font)


def _rules(fragment: Fragment, style: TextFormat, font: Font) -> tuple[tuple[float, float], ...]:
    """Lines under, through and over a text, where Qt draws them."""
    under = style.underline if fragment.underline is None else fragment.underline
    through = style.strikeout if fragment.strikeout is None else fragment.strikeout
    if not (under or through or fragment.overline):
        return ()
    below, thickness = font.underline
    tops = [below] if under else []
    if through:
        tops.append(-font.ascent / 3)
    if fragment.overline:
        tops.append(-font.ascent - 1.0)
    return tuple((top, thickness) for top in tops)


def _vertical(lines: Sequence[Sequence[Fragment]], style: TextFormat, font: Font) -> Block:
    """Letters below each other, an ascent apart; lines become columns from left to right, each as wide as the widest
    letter of the font (measured)."""
    columns = [
        [_line([replace(fragment, text=letter)], style, font) for fragment in fragments for letter in fragment.text]
        for fragments in lines[:MOST_LINES]
    ]
    width = font.max_advance
    step = width * style.line_height
    longest = max((len(column) for column in columns), default=0)
    height = longest * font.ascent + max(longest - 1, 0) * font.letter_spacing
    rows: list[BlockLine] = []
    baselines: list[float] = []
    for position, column in enumerate(columns):
        for number, row in enumerate(column):
            shift = position * step + (width - row.width) / 2
            rows.append(BlockLine(tuple(replace(piece, x=piece.x + shift) for piece in row.pieces), row.width))
            baselines.append(height - font.ascent - number * (font.ascent + font.letter_spacing))
    return Block(tuple(rows), width + (len(columns) - 1) * step, height, tuple(baselines), font, True)
