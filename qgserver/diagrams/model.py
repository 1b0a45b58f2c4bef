"""What a layer's diagrams are: settings that all kinds share, and the protocol of a kind."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.fonts import Font
from qgserver.draw.pen import Pen
from qgserver.draw.units import RenderScale
from qgserver.expression.nodes import Node, used_fields
from qgserver.labeling.model import LineFlags, Mode
from qgserver.registry import Registry
from qgserver.symbology.options import Length
from qgserver.symbology.properties import Properties, merge_fields

LARGEST = 5000.0
"""Pixels of a diagram that is drawn."""
Value = float | None
Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One part of a diagram: what it shows of a feature and how."""

    node: Node | None
    color: Color
    label: str


@dataclass(frozen=True, slots=True)
class Interpolation:
    """Sizes that depend on a value: (width, height) in the category's unit at the lower and upper value."""

    node: Node
    lower_value: float
    upper_value: float
    lower_size: Pair
    upper_size: Pair

    def size(self, value: float, by_area: bool) -> Pair:
        """Width and height at a value, in proportion to it or to its root."""
        lower, upper = self.lower_value, self.upper_value
        if by_area:
            value, lower, upper = (math.sqrt(max(number, 0.0)) for number in (value, lower, upper))
        share = (value - lower) / (upper - lower) if upper != lower else 1.0
        width, height = (
            high * share + low * (1 - share) for low, high in zip(self.lower_size, self.upper_size, strict=True)
        )
        return width, height

    @property
    def per_value(self) -> float:
        """Length in the category's unit of one unit of the value, for bars."""
        span = self.upper_value - self.lower_value
        return (self.upper_size[1] - self.lower_size[1]) / span if span else 1.0


@dataclass(frozen=True, slots=True)
class Category:
    """``DiagramCategory``. ``rotation`` in degrees clockwise from three o'clock; ``orientation`` Up, Down, Left or
    Right; scales are denominators, 0 = no limit."""

    attributes: tuple[Attribute, ...]
    width: float
    height: float
    unit: Length
    minimum: float = 0.0
    by_area: bool = True
    pen_color: Color = (0.0, 0.0, 0.0, 1.0)
    pen_width: Length = Length(0.0)
    background: Color = (1.0, 1.0, 1.0, 0.0)
    opacity: float = 1.0
    rotation: float = 0.0
    orientation: str = "Up"
    bar_width: float = 5.0
    spacing: Length = Length(0.0)
    font: Font = Font("", 10.0)
    """Its size is in points."""
    at_x_height: bool = False
    scales: Pair = (0.0, 0.0)

    def pixels(self, value: float, scale: RenderScale) -> float:
        """A length in the category's unit."""
        return Length(value, self.unit.unit, self.unit.map_unit_scale).pixels(scale)

    def pen(self, scale: RenderScale) -> Pen | None:
        """The pen around the parts; None when there is none."""
        width = self.pen_width.pixels(scale)
        if not width > 0 or self.pen_color[3] <= 0:
            return None
        return Pen(self.pen_color, width, join="bevel")

    def fills(self) -> tuple[Color, ...]:
        """The colour of each part, which alone the opacity concerns (measured)."""
        return tuple((*one.color[:3], one.color[3] * self.opacity) for one in self.attributes)


@dataclass(frozen=True, slots=True)
class Diagram:
    """One feature's diagram of a ``kind``: ``values`` and ``texts`` of the attributes (None where there is nothing),
    ``size`` of its box in pixels, ``per_value`` length of bars in the category's unit per unit of the values."""

    kind: str
    category: Category
    values: tuple[Value, ...]
    texts: tuple[str, ...]
    size: Pair
    per_value: float = 1.0
    is_fixed: bool = True
    """All diagrams of the layer have the size in its settings."""
    start: float = 0.0
    """Degrees at which a pie begins."""


class Kind(ABC):
    """A kind of diagram."""

    @abstractmethod
    def size(self, diagram: Diagram, fixed: Pair, scale: RenderScale) -> Pair:
        """Pixels of its box; ``fixed`` is the size from the settings (or their interpolation) in pixels. (0, 0) when
        there is nothing to draw."""

    @abstractmethod
    def draw(self, canvas: Canvas, diagram: Diagram, corner: Pair, scale: RenderScale) -> None:
        """Draw it with the lower left corner of its box at ``corner`` (device pixels, y down)."""

    def per_value(self, last: Diagram) -> float | None:
        """What ``Diagram.per_value`` becomes for all of a layer when ``last`` is the last of them; None = as it is."""
        return None


kinds: Registry[Kind] = Registry("diagram")
"""``diagramType`` -> how it is drawn."""


@dataclass(frozen=True, slots=True)
class Diagrams:
    """The diagrams of a layer. ``mode`` and the rest say where they may stand; ``show_all``: even on each other."""

    kind: str
    category: Category
    interpolation: Interpolation | None = None
    mode: Mode = Mode.AROUND_POINT
    line_flags: LineFlags = LineFlags.ABOVE
    distance: float = 0.0
    priority: float = 5.0
    z_index: float = 0.0
    obstacle: bool = False
    show_all: bool = True
    legend: bool = True
    properties: Properties = Properties()

    def used_fields(self) -> frozenset[str] | None:
        """Columns they need, None = maybe all."""
        nodes: Sequence[Node | None] = [one.node for one in self.category.attributes]
        if self.interpolation is not None:
            nodes = [*nodes, self.interpolation.node]
        sets = [used_fields(node) for node in nodes if node is not None]
        return merge_fields([*sets, self.properties.used_fields()])

    def shows(self, denominator: float) -> bool:
        """Whether they are drawn at a scale."""
        low, high = self.category.scales
        return (not low or denominator >= low) and (not high or denominator <= high)
