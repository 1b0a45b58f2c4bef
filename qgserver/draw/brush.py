"""Areas: brushes and filling."""

from __future__ import annotations

from dataclasses import dataclass

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.paths import Paths


@dataclass(frozen=True, slots=True)
class Brush:
    """A fill: ``style`` is ``solid``, ``no`` or the name of one of QGIS's 8x8 patterns (``dense4``, ``cross``, ...)."""

    color: Color
    style: str = "solid"


def fill(canvas: Canvas, paths: Paths, brush: Brush) -> None:
    """Fill the rings of ``paths`` as one area by the odd-even rule."""
    raise NotImplementedError
