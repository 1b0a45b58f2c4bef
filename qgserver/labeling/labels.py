"""What happens to single labels between their features and the engine: angles, pinned corners, joining, repeating."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import shapely

from qgserver.draw.fonts import Font
from qgserver.draw.text import layout
from qgserver.labeling.block import Block
from qgserver.labeling.defined import Own, degrees
from qgserver.labeling.lines import joined, pieces
from qgserver.labeling.model import Item
from qgserver.labeling.settings import Placement


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """A label to place; ``repeat``: pixels after which it comes again on its line, 0 = never."""

    item: Item
    text: str
    repeat: float = 0.0

    def repeated(self) -> Iterator[Item]:
        """The label once for each piece of its line."""
        if self.repeat <= 0 or self.item.pinned is not None:
            yield self.item
            return
        for piece in pieces(self.item.geometry, self.repeat, self.item.width):
            yield self.item if piece is self.item.geometry else replace(self.item, geometry=piece)


def label_angle(placement: Placement, own: Own) -> float | None:
    """The angle that all candidates have, in radians counter-clockwise; None when the placement decides."""
    if own.rotation is not None:
        return -math.radians(degrees(own.rotation, placement.rotation_unit)) % math.tau
    if placement.rotation:
        return -math.radians(placement.rotation) % math.tau
    return None


def aligned_corner(pin: tuple[float, float], block: Block, own: Own, angle: float) -> tuple[float, float]:
    """The lower left corner of a label that data pin at a point: ``Hali`` and ``Vali`` say which point of the label it
    is; without them it is the corner itself."""
    right = {"center": -block.width / 2, "right": -block.width}.get(own.horizontal, 0.0)
    up = -block.height * _share_below(own.vertical, block.font)
    cos, sin = math.cos(angle), math.sin(angle)
    return pin[0] + right * cos - up * sin, pin[1] + right * sin + up * cos


def _share_below(vertical: str, font: Font) -> float:
    """Which share of a label's height lies below the point it is aligned at."""
    if vertical == "top":
        return 1.0
    height = max(font.ascent + font.descent, 1)
    base = font.descent / height
    if vertical == "base":
        return base
    if vertical not in ("cap", "half"):
        return 0.0
    outline = layout("H", font).paths(0.0, 0.0).coords
    tall = float(outline[:, 1].max() - outline[:, 1].min()) if len(outline) else font.ascent
    cap = (tall + 1 + font.descent) / height
    return cap if vertical == "cap" else cap - (cap - base) / 2


def limited(labels: list[Label], limit: int | None) -> list[Label]:
    """The labels of the first ``limit`` features (QGIS meant to spread them evenly, but does not: measured)."""
    if limit is None or len(labels) <= limit:
        return labels
    seen = dict.fromkeys(label.item.feature for label in labels)
    shown = set(list(seen)[:limit])
    return [label for label in labels if label.item.feature in shown]


def merged(labels: Sequence[Label]) -> list[Label]:
    """Lines with the same text joined where they meet; what is no line stays as it is."""
    groups: dict[str, list[int]] = {}
    for number, label in enumerate(labels):
        if label.item.pinned is None and shapely.get_type_id(label.item.geometry) == shapely.GeometryType.LINESTRING:
            groups.setdefault(label.text, []).append(number)
    out: list[Label | None] = list(labels)
    for numbers in groups.values():
        if len(numbers) < 2:
            continue
        for number in numbers:
            out[number] = None
        for at, line in joined([labels[number].item.geometry for number in numbers]):
            label = labels[numbers[at]]
            out[numbers[at]] = replace(label, item=replace(label.item, geometry=line))
    return [label for label in out if label is not None]
