"""Labels of projects that want their text as text, not as outlines: Qt puts it at whole pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import floor

from qgserver.labeling.draw import LabelContent
from qgserver.labeling.model import Placed

SUBPIXELS = 4
"""Places within a pixel where Qt begins a text."""


def at_pixels(placed: Sequence[Placed], height: float) -> list[Placed]:
    """The labels of a picture of ``height`` pixels, upright ones moved so that their last baseline lies between two
    rows of pixels and their left end at a quarter of a pixel (measured)."""
    return [_moved(label, height) for label in placed]


def _moved(label: Placed, height: float) -> Placed:
    content = label.item.content
    if not isinstance(content, LabelContent) or label.glyphs is not None or label.angle or not content.block.baselines:
        return label
    above = content.block.baselines[-1]
    baseline = floor(height - label.y - above + 0.5)
    return replace(label, x=floor(label.x * SUBPIXELS) / SUBPIXELS, y=height - baseline - above)
