"""``properties/PAL``: the project-wide settings of labels."""

from __future__ import annotations

from qgserver.draw.color import parse_color
from qgserver.labeling.projectwide import EngineSettings
from qgserver.project.reading.entries import Entries

RED = (1.0, 0.0, 0.0, 1.0)
MOST_CANDIDATES = 100.0
"""Candidates per cm or cm2 that a project may ask for at most."""


def read_engine(entries: Entries) -> EngineSettings:
    """The settings; what a project does not say is as QGIS has it.

    Projects count the versions of the engine from 0, and one that does not say was made for the first (measured);
    before 3.12 the numbers of candidates meant something else and are not read.
    """
    unplaced = parse_color(entries.text("PAL/UnplacedColor") or None, RED)
    return EngineSettings(
        _candidates(entries, "PAL/CandidatesLinePerCM", 5.0),
        _candidates(entries, "PAL/CandidatesPolygonPerCM", 2.5),
        entries.flag("PAL/ShowingPartialsLabels", True),
        entries.flag("PAL/ShowingAllLabels"),
        entries.integer("PAL/PlacementEngineVersion", 0) + 1,
        unplaced if entries.flag("PAL/DrawUnplaced") else None,
        entries.integer("PAL/TextFormat", 0 if entries.flag("PAL/DrawOutlineLabels", True) else 1) == 1,
    )


def _candidates(entries: Entries, key: str, default: float) -> float:
    value = entries.number(key, default)
    return min(value, MOST_CANDIDATES) if value > 0 else default
