"""What a legend is asked for, once all protocol words are settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qgserver.draw.color import Color
from qgserver.draw.fonts import BOLD, NORMAL, Font
from qgserver.render.request import MapLayer
from qgserver.render.view import View

TEXT_SCALE = 10.0
"""Text is measured and laid out this many times as large as it is in millimetres, in whole pixels (as QGIS does)."""
MM_PER_INCH = 25.4
MM_PER_POINT = MM_PER_INCH / 72

Labels = Literal["all", "none", "classes"]
"""Which symbols get their label; ``classes``: not the one of a layer that has but one symbol."""


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How a kind of text looks; ``points`` is its size."""

    family: str = ""
    points: float = 12.0
    bold: bool = False
    italic: bool = False
    color: Color = (0.0, 0.0, 0.0, 1.0)

    @property
    def font(self) -> Font:
        """The font at ``TEXT_SCALE`` pixels per millimetre."""
        size = int(self.points * MM_PER_POINT * TEXT_SCALE + 0.5)
        return Font(self.family, max(size, 1), BOLD if self.bold else NORMAL, self.italic)


@dataclass(frozen=True, slots=True)
class LegendStyle:
    """Spaces, sizes (mm) and texts: around everything, above a layer but the first, below its title, above a symbol,
    between it and its label."""

    box_space: float = 2.0
    layer_space: float = 3.0
    title_space: float = 3.0
    symbol_space: float = 2.0
    label_space: float = 2.0
    symbol_width: float = 7.0
    symbol_height: float = 4.0
    title_text: TextStyle = TextStyle()
    item_text: TextStyle = TextStyle()
    titles: bool = True
    labels: Labels = "all"


@dataclass(frozen=True, slots=True)
class LegendGroup:
    """Layers under a common heading, top first."""

    title: str
    members: tuple[LegendGroup | MapLayer, ...]


@dataclass(frozen=True, slots=True)
class LegendRequest:
    """``entries`` are shown top first. ``scale`` (0 = any) leaves out what does not show at this denominator,
    ``content`` what has no features in view. ``counts``: labels tell how many features there are."""

    entries: tuple[LegendGroup | MapLayer, ...]
    style: LegendStyle = LegendStyle()
    dpi: float = 25.4 / 0.28
    scale: float = 0.0
    content: View | None = None
    counts: bool = False
