"""Text on a page: one line of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from qgserver.draw.color import with_alpha
from qgserver.draw.fonts import Font
from qgserver.draw.hinted import digit_height
from qgserver.draw.text import Line, draw_paths, layout
from qgserver.draw.units import RenderScale
from qgserver.labeling.textformat import TextFormat
from qgserver.project.model.layouts import LayoutItem
from qgserver.render.legend.request import TEXT_SCALE
from qgserver.render.print.paper import Paper, turning

LONGEST = 20_000
"""Characters of a label that are drawn."""
_PAPER = RenderScale(TEXT_SCALE, 1 / TEXT_SCALE, 0.0)


@dataclass(frozen=True, slots=True)
class Type:
    """A text's look on paper; all lengths in mm."""

    font: Font
    format: TextFormat

    @property
    def ascent(self) -> float:
        return self.font.ascent / TEXT_SCALE

    @property
    def em(self) -> float:
        """The font's size."""
        return self.font.size / TEXT_SCALE

    @property
    def digit(self) -> float:
        """The height of digits."""
        return digit_height(self.font) / TEXT_SCALE

    @property
    def exact(self) -> tuple[float, float]:
        """How far letters reach above and below the baseline, not rounded."""
        size = self.font.size / TEXT_SCALE
        return self.font.face.ascender * size, self.font.face.descender * size

    @property
    def line(self) -> float:
        """From one baseline to the next."""
        return (self.font.ascent + self.font.descent) / TEXT_SCALE * self.format.line_height

    def width(self, text: str) -> float:
        return self._laid(text).width / TEXT_SCALE

    def draw(self, paper: Paper, item: LayoutItem, place: tuple[float, float], text: str, degrees: float = 0.0) -> None:
        """Draw one line with the left end of its baseline at ``place`` in the item, turned clockwise around that."""
        scale = paper.factor / TEXT_SCALE
        color = with_alpha(self.format.color, self.format.opacity)
        if item.rotation % 360 or degrees:
            flat = self._laid(text).snapped_paths(0.0, 0.0, scale)
            coords = flat.coords / paper.factor @ turning(degrees) + np.array(place)
            outlines = replace(flat, coords=paper.points(item, coords))
        else:
            x, y = paper.points(item, np.array((place,)))[0].tolist()
            outlines = self._laid(text).snapped_paths(x, y, scale)
        draw_paths(paper.canvas, outlines, color)

    def _laid(self, text: str) -> Line:
        return layout(text, self.font)


def type_of(style: TextFormat) -> Type | None:
    """The look of texts in this format; None where it is too small or too large to draw."""
    font = style.font(_PAPER)
    return None if font is None else Type(font, style)
