"""Project-wide settings of labels. This module loads nothing heavy: every project has it."""

from __future__ import annotations

from dataclasses import dataclass

from qgserver.draw.color import Color


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """``properties/PAL``: how a project's labels are placed. Candidates per cm of line and per cm2 of area;
    ``partials``: labels may be cut at the picture's edge; ``show_all``: also where they overlap; ``version`` of the
    placement engine. ``unplaced`` is the colour in which labels that found no room are drawn, None = not at all."""

    candidates_line_per_cm: float = 5.0
    candidates_polygon_per_cm2: float = 2.5
    partials: bool = True
    show_all: bool = False
    version: int = 1
    unplaced: Color | None = None
    plain_text: bool = False
    """Text is drawn as text, not as outlines."""
