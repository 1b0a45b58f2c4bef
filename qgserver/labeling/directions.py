"""Symbols that say which way a line runs: which one a label has is known when it has its place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import shapely

from qgserver.labeling.model import Placed
from qgserver.labeling.variants import DirectedContent


def with_directions(placed: Sequence[Placed]) -> list[Placed]:
    """The labels, those that run against their line with the other symbol."""
    return [_turned(label) if isinstance(label.item.content, DirectedContent) else label for label in placed]


def _turned(label: Placed) -> Placed:
    content = label.item.content
    if not isinstance(content, DirectedContent) or content.against is None or not _runs_against(label):
        return label
    return replace(label, item=replace(label.item, content=replace(content, block=content.against)))


def _runs_against(label: Placed) -> bool:
    """Whether a label reads in the other direction than its line runs beside it."""
    line = label.item.geometry
    if not isinstance(line, shapely.LineString) or not line.length:
        return False
    cos, sin = math.cos(label.angle), math.sin(label.angle)
    half, up = label.item.width / 2, label.item.height / 2
    start = shapely.Point(label.x - up * sin, label.y + up * cos)
    end = shapely.Point(label.x + 2 * half * cos - up * sin, label.y + 2 * half * sin + up * cos)
    if label.glyphs is not None:
        start, end = (shapely.Point(*glyph[:2]) for glyph in label.glyphs[[0, -1]])
    return bool(shapely.line_locate_point(line, end) < shapely.line_locate_point(line, start))
