"""Settings of labels ready for a map: lengths in pixels, the font found; one for each set of data-defined values."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from qgserver.draw.units import RenderScale
from qgserver.labeling.block import Block, Typesetter, typesetter
from qgserver.labeling.defined import with_values
from qgserver.labeling.draw import LabelContent
from qgserver.labeling.model import Mode, Placing, PolygonFlags
from qgserver.labeling.settings import QUADRANTS, LabelSettings
from qgserver.labeling.wording import directed

LEAST_DISTANCE = {Mode.LINE: 1.0, Mode.CURVED: 1.0, Mode.PERIMETER_CURVED: 1.0, Mode.OUTSIDE: 2.0}
"""Pixels that labels keep from their line or outline at least, lest they touch it."""
ALONG_LINES = (Mode.LINE, Mode.CURVED, Mode.PERIMETER_CURVED)
CENTRED = (Mode.AROUND_POINT, Mode.OVER_POINT)
TURN_IN, TURN_OUT = (20.0, 60.0), (20.0, 95.0)
"""Degrees between which the greatest turns of curved text are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class DirectedContent(LabelContent):
    """A label that says which way its line runs: ``against`` is its text where it runs against the line."""

    against: Block | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LaidOut:
    """A text ready to be drawn; ``width`` in pixels is that of the wider of its directions."""

    content: LabelContent
    text: str
    width: float


@dataclass(frozen=True, slots=True)
class Aim:
    """What of a feature is labelled: its polygon or line as a whole or the map's part of it, every part or the largest;
    the outline of polygons in modes along lines."""

    along_lines: bool
    whole_polygon: bool
    whole_line: bool
    every_part: bool


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """``settings`` with their data-defined values; ``setter`` None = text too small or too large to be drawn."""

    settings: LabelSettings
    placing: Placing
    setter: Typesetter | None
    aim: Aim
    repeat: float
    """Pixels after which the label of a line comes again, 0 = never."""
    reference_factor: float
    texts: dict[str, LaidOut] = field(default_factory=dict)

    def laid_out(self, text: str) -> LaidOut | None:
        """A text (lines parted by ``\\n``) as it will be drawn, laid out once; None when nothing is."""
        if self.setter is None:
            return None
        if text not in self.texts:
            self.texts[text] = self._lay_out(text, self.setter)
        return self.texts[text]

    def _lay_out(self, text: str, setter: Typesetter) -> LaidOut:
        style, wording, callout = self.settings.format, self.settings.wording, self.settings.callout
        factor = self.reference_factor
        if not wording.directions.draw or not self.aim.along_lines:
            block = setter.block(text)
            return LaidOut(LabelContent(block, style, wording.alignment, callout, factor), text, block.width)
        block, against = (setter.block(directed(text, wording.directions, reverse)) for reverse in (False, True))
        content = DirectedContent(block, style, wording.alignment, callout, factor, against)
        return LaidOut(content, text, max(block.width, against.width))


@dataclass(frozen=True, slots=True)
class Variants:
    """The variants of one source of labels that occurred so far."""

    settings: LabelSettings
    scale: RenderScale
    made: dict[Hashable, Variant] = field(default_factory=dict)

    def of(self, keys: Sequence[str], values: Sequence[object]) -> Variant:
        """The variant for values of data-defined properties; ``keys`` are the same in every call."""
        name: Hashable = tuple(value if isinstance(value, Hashable) else str(value) for value in values)
        if name not in self.made:
            self.made[name] = make_variant(self.settings, dict(zip(keys, values, strict=True)), self.scale)
        return self.made[name]


def make_variant(settings: LabelSettings, values: Mapping[str, object], scale: RenderScale) -> Variant:
    """The settings with data-defined values, in pixels of a map."""
    settings = with_values(settings, values) if values else settings
    repeat = max(settings.placement.repeat.pixels(scale), 0.0)
    font = settings.format.font(scale)
    setter = None if font is None else typesetter(settings.format, font)
    return Variant(settings, placing_of(settings, scale), setter, aim_of(settings), repeat, scale.reference_factor)


def aim_of(settings: LabelSettings) -> Aim:
    """What of features the settings label."""
    placement = settings.placement
    return Aim(
        placement.mode in ALONG_LINES,
        placement.centroid_whole and placement.mode in CENTRED,
        placement.anchor_on_whole_line,
        settings.rendering.per_part,
    )


def placing_of(settings: LabelSettings, scale: RenderScale) -> Placing:
    """Where labels may stand, in pixels."""
    placement = settings.placement
    distance = placement.distance.pixels(scale)
    least = LEAST_DISTANCE.get(placement.mode, 0.0)
    if PolygonFlags.OUTSIDE in placement.polygon_flags:
        least = max(least, LEAST_DISTANCE[Mode.OUTSIDE])
    if abs(distance) < least:
        distance = -least if distance < 0 else least
    right, down = placement.offset.pixels(scale)
    return Placing(
        mode=placement.mode,
        line_flags=placement.line_flags,
        polygon_flags=placement.polygon_flags,
        distance=distance,
        quadrant=QUADRANTS[placement.quadrant],
        fixed_quadrant=placement.fixed_quadrant,
        offset=(right, -down),
        positions=placement.positions,
        centroid_inside=placement.centroid_inside,
        fit_in_polygon=placement.fit_in_polygon,
        overrun=max(placement.overrun.pixels(scale), 0.0),
        anchor=placement.anchor,
        anchor_strict=placement.anchor_strict,
        max_turn_in=min(max(placement.max_turn_in, TURN_IN[0]), TURN_IN[1]),
        max_turn_out=min(max(placement.max_turn_out, TURN_OUT[0]), TURN_OUT[1]),
        upright=settings.rendering.upright,
    )
