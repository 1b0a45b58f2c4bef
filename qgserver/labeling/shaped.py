"""The outlines of a label's text around its own corner, and those of its buffer: made once for all maps with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qgserver.draw.brush import Stencil, make_stencil
from qgserver.draw.color import Color
from qgserver.draw.halo import ring_halo
from qgserver.draw.paths import Paths, joined, single_path
from qgserver.draw.pen import Join
from qgserver.draw.text import Line
from qgserver.labeling.block import Alignment, Block, BlockLine

_KEPT = 1024
"""Labels whose outlines are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A line of glyphs whose baseline begins at (x, y), pixels right of and below the label's lower left corner, and
    the lines under or through it (tops below the baseline, thicknesses)."""

    line: Line
    x: float
    y: float
    color: Color | None = None
    rules: tuple[tuple[float, float], ...] = ()

    def rectangles(self) -> Iterator[Paths]:
        """The lines under, through and over the text."""
        x0, x1 = self.x, self.x + self.line.width
        for top, thickness in self.rules:
            y0, y1 = self.y + top, self.y + top + thickness
            yield single_path(np.array(((x0, y0), (x0, y1), (x1, y1), (x1, y0))), True)

    def outlines(self) -> Iterator[Paths]:
        """The letters, and the rectangles turning the same way, so that both are filled by the winding rule."""
        letters = self.line.paths(self.x, self.y)
        yield letters
        backwards = _area(letters) > 0
        for rectangle in self.rectangles():
            yield single_path(rectangle.coords[::-1], True) if backwards else rectangle

    def halos(self, width: float, join: Join) -> Iterator[Paths]:
        """What a pen along the outlines covers."""
        yield self.line.halo(self.x, self.y, width, join)
        for rectangle in self.rectangles():
            yield ring_halo(rectangle, width, join)


def _area(rings: Paths) -> float:
    """Twice what rings enclose; of most letters it is positive where outer rings go right, then down."""
    following = np.arange(1, len(rings.coords) + 1)
    filled = rings.starts[1:] > rings.starts[:-1]
    following[rings.starts[1:][filled] - 1] = rings.starts[:-1][filled]
    x, y = rings.coords[:, 0], rings.coords[:, 1]
    return float((x * y[following] - x[following] * y).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Shaped:
    """The text of a label, or one letter of it."""

    runs: tuple[Run, ...]


@lru_cache(maxsize=_KEPT)
def outlines_of(shaped: Shaped) -> tuple[tuple[Color | None, Stencil], ...]:
    """The outlines, those of one colour (None = the format's) together."""
    by_color: dict[Color | None, list[Paths]] = {}
    for run in shaped.runs:
        by_color.setdefault(run.color, []).extend(run.outlines())
    return tuple((color, make_stencil(joined(paths))) for color, paths in by_color.items())


@lru_cache(maxsize=_KEPT)
def halo_of(shaped: Shaped, width: float, join: Join) -> Stencil:
    """What a pen of ``width`` pixels along all outlines covers."""
    return make_stencil(joined([paths for run in shaped.runs for paths in run.halos(width, join)]))


@lru_cache(maxsize=_KEPT)
def shaped_block(block: Block, alignment: Alignment, side: int) -> Shaped:
    """A whole label; ``side`` of its point on which it stands (-1, 0, 1) decides where lines begin that follow it."""
    runs: list[Run] = []
    for row, baseline in zip(block.lines, block.baselines, strict=True):
        row, shift = _aligned(block, row, alignment, side)
        runs += (Run(piece.line, piece.x + shift, -baseline, piece.color, piece.lines) for piece in row.pieces)
    return Shaped(tuple(runs))


@lru_cache(maxsize=_KEPT)
def shaped_letters(block: Block) -> tuple[Shaped, ...]:
    """The letters (with their marks) of a label of one line, each around the corner of its own box."""
    if not block.lines:
        return ()
    return tuple(
        Shaped((Run(letter, 0.0, -block.baselines[0], piece.color, piece.lines),)) for piece, letter in block.letters()
    )


def _aligned(block: Block, row: BlockLine, alignment: Alignment, side: int) -> tuple[BlockLine, float]:
    """A line and where it begins in the box. Single lines fill theirs."""
    free = block.width - row.width
    if block.vertical or len(block.lines) < 2 or free <= 0:
        return row, 0.0
    if alignment == Alignment.FOLLOW:
        alignment = {-1: Alignment.RIGHT, 1: Alignment.LEFT}.get(side, Alignment.CENTER)
    match alignment:
        case Alignment.CENTER:
            return row, free / 2
        case Alignment.RIGHT:
            return row, free
        case Alignment.JUSTIFY if row is not block.lines[-1]:
            return row.stretched(free), 0.0
    return row, 0.0
