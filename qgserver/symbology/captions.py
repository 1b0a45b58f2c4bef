"""Names beside points that a renderer has set apart."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from lxml import etree

from qgserver.draw.color import Color, parse_color, with_alpha
from qgserver.draw.fonts import NORMAL, Font
from qgserver.draw.text import draw_paths, layout
from qgserver.expression.columns import to_values
from qgserver.expression.nodes import resolve_field
from qgserver.expression.values import to_text
from qgserver.geo.geometry import Floats
from qgserver.providers.batch import Column
from qgserver.symbology.groups import Groups
from qgserver.symbology.options import Length, parse_number
from qgserver.symbology.placement import Room
from qgserver.symbology.scene import Scene

BLACK: Color = (0.0, 0.0, 0.0, 1.0)
DEFAULT_SIZE = 12.0
LARGEST = 1000.0
MOST = 5000
"""Captions drawn at most: more are a black spot."""
REACH = 2
"""Captions further from the picture than so many times its size are not looked at."""


@dataclass(frozen=True, slots=True)
class Captions:
    """``field`` names the attribute; ``size`` in points; ``distance`` beyond the symbols as a share of their diagonal.
    None are drawn at denominators above ``max_scale`` (0 = always)."""

    field: str
    font: Font
    size: float
    color: Color
    distance: float = 0.5
    max_scale: float = 0.0


def read_captions(element: etree._Element) -> Captions | None:
    """The labels of a ``pointDisplacement`` element; None when it has none."""
    name = element.get("labelAttributeName", "")
    if not name:
        return None
    properties = element.find("labelFontProperties")
    # QFont::toString: family, size in points, size in pixels, style hint, weight, italic, ...
    parts = ("" if properties is None else properties.get("description", "")).split(",")
    numbers = [parse_number(part, -1.0) for part in parts[1:]] + [-1.0] * 6
    size = numbers[0] if numbers[0] > 0 else DEFAULT_SIZE
    weight = int(numbers[3]) if numbers[3] > 0 else NORMAL
    style = "" if properties is None else properties.get("style", "")
    font = Font(parts[0], 1.0, weight, italic=numbers[4] > 0, style=style)
    return Captions(
        name,
        font,
        min(size, LARGEST),
        parse_color(element.get("labelColor"), BLACK),
        parse_number(element.get("labelDistanceFactor", "0.5"), 0.5),
        max(parse_number(element.get("maxLabelScaleDenominator", "-1"), 0.0), 0.0),
    )


def draw_captions(scene: Scene, captions: Captions, groups: Groups, room: Room, places: Floats) -> None:
    """Draw the names at ``places`` float64[m, 2]: leftwards of a place on the left of the centre, below one that is
    below it (measured)."""
    scale = scene.env.scale
    if captions.max_scale and scale.scale_denominator > captions.max_scale:
        return
    batch = scene.env.batch
    name = resolve_field(captions.field, batch.columns)
    if name is None:
        return
    font = replace(captions.font, size=float(max(int(Length(captions.size, "Point").pixels(scale)), 1)))
    canvas, color = scene.canvas, with_alpha(captions.color, scene.env.opacity)
    shifts = places - np.repeat(room.centers, room.sizes, axis=0)
    near = (np.abs(places) < REACH * max(canvas.width, canvas.height)).all(axis=1)
    chosen = np.flatnonzero(near)[:MOST]
    whole, rows = batch.columns[name], groups.rows[chosen]
    column = Column(whole.values[rows], None if whole.nulls is None else whole.nulls[rows])
    for number, value in zip(chosen.tolist(), to_values(column), strict=True):
        text = "" if value is None else to_text(value)
        if not text:
            continue
        line = layout(text, font)
        x = places[number, 0] - (line.width if shifts[number, 0] < 0 else 0.0)
        y = places[number, 1] + (font.ascent if shifts[number, 1] > 0 else 0.0)
        draw_paths(canvas, line.snapped_paths(x, y, 1.0), color)
