"""Lines: pens and stroking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.paths import Paths

Cap = Literal["flat", "square", "round"]
Join = Literal["bevel", "miter", "round"]


@dataclass(frozen=True, slots=True)
class Pen:
    """How a line looks. ``width`` and ``dashes`` (on, off, ...; empty = solid) in pixels; width 0 draws 1 px wide."""

    color: Color
    width: float
    dashes: tuple[float, ...] = ()
    dash_offset: float = 0.0
    cap: Cap = "square"
    join: Join = "bevel"


def pen_dashes(style: str, width: float) -> tuple[float, ...]:
    """Dashes in pixels of a named pen style (``solid``, ``dash``, ``dot``, ``dash dot``, ``dash dot dot``) at ``width`` pixels."""
    raise NotImplementedError


def stroke(canvas: Canvas, paths: Paths, pen: Pen) -> None:
    """Draw all paths in one go (overlaps of one call show once when the pen is wider than a pixel)."""
    raise NotImplementedError
