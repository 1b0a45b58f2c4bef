"""What a layer's labels are and where they may stand, and which of that a feature's data may define."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from qgserver.expression.nodes import Node, used_fields
from qgserver.labeling.block import Alignment
from qgserver.labeling.callouts import Callout
from qgserver.labeling.model import LineFlags, Mode, ObstacleKind, PolygonFlags, Upright
from qgserver.labeling.textformat import TextFormat
from qgserver.symbology.options import Length, Offset
from qgserver.symbology.properties import Properties, merge_fields

OVER = 4
"""``placement/@quadOffset``: 0..8 row by row from above left."""
DEFAULT_ORDER = ("TR", "TL", "BR", "BL", "R", "L", "TSR", "BSR")
POSITIONS = frozenset(("TL", "TSL", "T", "TSR", "TR", "L", "R", "BL", "BSL", "B", "BSR", "BR"))
BESIDE, ABOVE, BELOW = range(3)
"""``text-format/@placeDirectionSymbol``."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """``substitutions/replacement``: a text that labels show instead of another."""

    match: str
    replace: str
    case_sensitive: bool = False
    whole_word: bool = False


@dataclass(frozen=True, slots=True)
class DirectionSymbols:
    """Which way a line runs, beside its label: ``where`` is BESIDE, ABOVE
    or BELOW the text."""

    draw: bool = False
    left: str = "<"
    right: str = ">"
    where: int = BESIDE
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Wording:
    """From the value of ``node`` (None = no text: labels of this source are obstacles alone) to the text shown."""

    node: Node | None = None
    replacements: tuple[Replacement, ...] = ()
    format_numbers: bool = False
    decimals: int = 3
    plus_sign: bool = False
    wrap_character: str = ""
    wrap_length: int = 0
    wrap_at_most: bool = True
    alignment: Alignment = Alignment.FOLLOW
    directions: DirectionSymbols = DirectionSymbols()


@dataclass(frozen=True, slots=True)
class Generator:
    """The geometry that is labelled instead of the feature's."""

    node: Node
    kind: str = "PointGeometry"


@dataclass(frozen=True, slots=True)
class Placement:
    """``<placement>``. ``quadrant`` is 0..8, ``fixed_quadrant`` when data chose it; ``rotation`` in degrees clockwise;
    ``offset`` x right, y down. QGIS Server turns labels that are not pinned, too, whatever ``preserveRotation`` says
    (measured)."""

    mode: Mode = Mode.AROUND_POINT
    line_flags: LineFlags = LineFlags.ABOVE | LineFlags.MAP_ORIENTATION
    polygon_flags: PolygonFlags = PolygonFlags.INSIDE
    distance: Length = Length(0.0)
    quadrant: int = OVER
    fixed_quadrant: bool = False
    offset: Offset = Offset()
    positions: tuple[str, ...] = DEFAULT_ORDER
    from_symbol: bool = False
    centroid_whole: bool = False
    centroid_inside: bool = False
    fit_in_polygon: bool = False
    repeat: Length = Length(0.0)
    overrun: Length = Length(0.0)
    anchor: float = 0.5
    anchor_strict: bool = False
    anchor_on_whole_line: bool = False
    max_turn_in: float = 25.0
    max_turn_out: float = 25.0
    rotation: float = 0.0
    rotation_unit: str = "AngleDegrees"
    generator: Generator | None = None


@dataclass(frozen=True, slots=True)
class ScaleLimits:
    """Denominators between which labels show, both ends inclusive (measured); 0 = no limit."""

    smallest: float = 0.0
    largest: float = 0.0

    def contains(self, denominator: float) -> bool:
        return (not self.smallest or denominator >= self.smallest) and (not self.largest or denominator <= self.largest)


@dataclass(frozen=True, slots=True)
class Rendering:
    """``<rendering>``. ``scales`` holds when ``limit_scales``; ``limit`` None = label all; ``smallest_feature`` in
    mm on the map; ``priority`` 0..10; ``never_unplaced``: labels that found no room do not show, even in projects that
    show them."""

    draw: bool = True
    limit_scales: bool = False
    scales: ScaleLimits = ScaleLimits()
    limit: int | None = None
    smallest_feature: float = 0.0
    priority: float = 5.0
    z_index: float = 0.0
    show_all: bool = False
    never_unplaced: bool = False
    upright: Upright = Upright.TURNED
    per_part: bool = False
    merge_lines: bool = False
    obstacle: bool = True
    obstacle_factor: float = 1.0
    obstacle_kind: ObstacleKind = ObstacleKind.BOUNDARY


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """One ``<settings>``. ``properties`` are the data-defined ones, those of the look among them."""

    wording: Wording = Wording()
    format: TextFormat = TextFormat()
    placement: Placement = Placement()
    rendering: Rendering = Rendering()
    properties: Properties = Properties()
    callout: Callout | None = None

    def used_fields(self) -> frozenset[str] | None:
        """Columns that text, data-defined properties and generator need; None = maybe all."""
        nodes = [self.wording.node, self.placement.generator.node if self.placement.generator else None]
        own = merge_fields(used_fields(node) for node in nodes if node is not None)
        callout = frozenset[str]() if self.callout is None else self.callout.properties.used_fields()
        return merge_fields([own, self.properties.used_fields(), callout])


@dataclass(frozen=True, slots=True)
class LabelRule:
    """A rule of rule-based labels; ``settings`` None = a rule that only groups."""

    settings: LabelSettings | None = None
    children: tuple[LabelRule, ...] = ()
    filter: Node | None = None
    is_else: bool = False
    scales: ScaleLimits = ScaleLimits()
    active: bool = True

    def walk(self) -> Iterator[LabelRule]:
        """This rule and all below, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Labeling:
    """The labels of a layer: a tree of rules, of which simple labels are one without conditions."""

    root: LabelRule

    def used_fields(self) -> frozenset[str] | None:
        """Columns that rules and labels need; None = maybe all."""
        rules = list(self.root.walk())
        filters = merge_fields(used_fields(rule.filter) for rule in rules if rule.filter is not None)
        return merge_fields([filters, *(rule.settings.used_fields() for rule in rules if rule.settings is not None)])


NO_LABELS = Labeling(LabelRule())
"""What is left of labels that can't be read."""

QUADRANTS: Mapping[int, tuple[int, int]] = {number: (number % 3 - 1, 1 - number // 3) for number in range(9)}
"""``quadOffset`` -> (right, up) as -1, 0 or 1."""
