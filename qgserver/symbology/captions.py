"""Names beside points that a renderer has set apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from math import floor

import numpy as np
from lxml import etree

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color, parse_color, with_alpha
from qgserver.draw.fonts import NORMAL, Font
from qgserver.draw.text import draw_paths, layout
from qgserver.expression.columns import to_values
from qgserver.expression.nodes import resolve_field
from qgserver.expression.values import to_text
from qgserver.geo.geometry import Floats, Ints
from qgserver.providers.batch import Column
from qgserver.symbology.options import Length, parse_number
from qgserver.symbology.placement import Room
from qgserver.symbology.scene import Scene

BLACK: Color = (0.0, 0.0, 0.0, 1.0)
DEFAULT_SIZE = 12.0
LARGEST = 1000.0
MOST = 5000
"""Captions of different names drawn at most: more are a black spot."""
EXACT = 500
"""Up to so many are drawn exactly."""
FEW_NAMES = 500
"""Names that are so few are kept as pictures, and all captions are drawn."""
WIDEST = 200.0
"""Pixels of a caption up to which a picture of it is kept."""
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


@dataclass(frozen=True, slots=True)
class CaptionPainter:
    """Writes the names of features of a scene. ``stamped``: as pictures made once of each name, which are put to
    quarters of a pixel; else letter by letter, as exactly as QGIS does."""

    scene: Scene
    texts: Mapping[int, str]
    font: Font
    color: Color
    stamped: bool = False

    def draw(self, rows: Ints, room: Room, places: Floats) -> None:
        """Write the names of the features ``rows`` int64[m] at ``places`` float64[m, 2]: leftwards of a place on the
        left of the centre, below one that is below it (measured)."""
        canvas = self.scene.canvas
        shifts = places - np.repeat(room.centers, room.sizes, axis=0)
        near = (np.abs(places) < REACH * max(canvas.width, canvas.height)).all(axis=1)
        for number in np.flatnonzero(near).tolist():
            text = self.texts.get(int(rows[number]), "")
            if not text:
                continue
            line = layout(text, self.font)
            x = float(places[number, 0]) - (line.width if shifts[number, 0] < 0 else 0.0)
            y = float(places[number, 1]) + (self.font.ascent if shifts[number, 1] > 0 else 0.0)
            if self.stamped and line.width < WIDEST:
                self._stamp(text, x, y)
            else:
                draw_paths(canvas, line.snapped_paths(x, y, 1.0), self.color)

    def _stamp(self, text: str, x: float, y: float) -> None:
        quarters = floor(x * 4)
        picture, left, top = _picture(text, self.font, self.color, quarters % 4)
        at = quarters // 4 + left, floor(y + 0.5) + top
        self.scene.canvas.compose(picture, 1.0, self.scene.canvas.operator, at)


@lru_cache(maxsize=4 * FEW_NAMES)
def _picture(text: str, font: Font, color: Color, quarter: int) -> tuple[Canvas, int, int]:
    """A name from a quarter of a pixel on, and where the picture lies against the start of its baseline."""
    paths = layout(text, font).snapped_paths(quarter / 4, 0.0, 1.0)
    if not len(paths.coords):
        return Canvas(1, 1), 0, 0
    low = np.floor(paths.coords.min(axis=0)).astype(np.int64) - 1
    high = np.ceil(paths.coords.max(axis=0)).astype(np.int64) + 1
    picture = Canvas(*(high - low).tolist())
    draw_paths(picture, paths.translate(*(-low).tolist()), color)
    return picture, *low.tolist()


def caption_painter(scene: Scene, captions: Captions | None, rows: Ints) -> CaptionPainter | None:
    """What writes the captions of the features ``rows`` int64[m]; None where none are shown."""
    scale = scene.env.scale
    if captions is None or 0 < captions.max_scale < scale.scale_denominator:
        return None
    batch = scene.env.batch
    name = resolve_field(captions.field, batch.columns)
    if name is None:
        return None
    column = batch.columns[name]
    values = to_values(Column(column.values[rows], None if column.nulls is None else column.nulls[rows]))
    texts = {row: "" if value is None else to_text(value) for row, value in zip(rows.tolist(), values, strict=True)}
    few = len(set(texts.values())) <= FEW_NAMES
    if not few:
        texts = dict(islice(texts.items(), MOST))
    font = replace(captions.font, size=float(max(int(Length(captions.size, "Point").pixels(scale)), 1)))
    return CaptionPainter(scene, texts, font, with_alpha(captions.color, scene.env.opacity), few and len(rows) > EXACT)
