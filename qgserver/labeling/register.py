"""Features become labels to place and obstacles: a batch at a time, for one source of labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from qgserver.draw.units import RenderScale
from qgserver.errors import ExpressionError
from qgserver.expression.columns import to_values
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import FieldRef, Node
from qgserver.expression.values import Value
from qgserver.geo.geometry import Floats, Ints
from qgserver.labeling.defined import NOTHING_OWN, OWN_KEYS, VARIANT_KEYS, Own, own_of
from qgserver.labeling.labels import Label, aligned_corner, label_angle, limited, merged
from qgserver.labeling.markerboxes import Sides, boxes_at
from qgserver.labeling.model import Item, Mode, Obstacle, ObstacleKind, Placing
from qgserver.labeling.parts import Shapes, aimed, clipped, labelled_parts, large_enough, repaired
from qgserver.labeling.settings import LabelSettings
from qgserver.labeling.variants import Aim, Variant, Variants
from qgserver.labeling.wording import label_text
from qgserver.symbology.env import Env

MOST_LABELS = 50_000
"""Labels of a source that are looked at, lest a layer of millions take all memory; more would only hide each other."""
SCALE_KEYS = ("ScaleVisibility", "MinimumScale", "MaximumScale")
OBSTACLE_FACTOR_SCALE = 5.0
"""Data-defined obstacle factors go from 0 to 10, those of the settings from 0 to 2."""


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Features of a batch (``env.batch``) that one source may label. ``rows`` int64[n] in drawing order. For rows,
    ``shapes`` gives the geometry in engine space, cut a little outside of the picture, ``whole`` all of it,
    ``generated`` that of an expression; ``points`` brings float64[n, 2] of the layer's CRS to engine space.
    ``markers``: the boxes of
    the markers at points, by row."""

    env: Env
    rows: Ints
    shapes: Callable[[Ints], Shapes]
    whole: Callable[[Ints], Shapes]
    generated: Callable[[Node, Ints], Shapes]
    points: Callable[[Floats], Floats]
    markers: Mapping[int, Sides]


@dataclass(frozen=True, slots=True, eq=False)
class _Feature:
    """One feature that will be registered, the ``number``-th of its batch to be drawn."""

    number: int
    row: int
    variant: Variant
    own: Own
    text: str


@dataclass(slots=True, eq=False)
class Source:
    """The labels of a layer or of one of its rules, gathered over its batches. ``number`` counts the sources of the
    map from the bottom; ``width`` x ``height`` is the picture."""

    number: int
    layer: str
    variants: Variants
    width: float
    height: float
    labels: list[Label] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)

    @property
    def settings(self) -> LabelSettings:
        return self.variants.settings

    @property
    def can_show(self) -> bool:
        """False when the settings hide all labels at this scale, whatever data say."""
        rendering = self.settings.rendering
        if any(key in self.settings.properties.items for key in SCALE_KEYS):
            return True
        return not rendering.limit_scales or rendering.scales.contains(self.scale.scale_denominator)

    @property
    def never_unplaced(self) -> bool:
        """True when its labels without room stay hidden even where the project shows such labels."""
        return self.settings.rendering.never_unplaced

    @property
    def scale(self) -> RenderScale:
        return self.variants.scale

    @property
    def frame(self) -> shapely.Polygon:
        return shapely.box(0.0, 0.0, self.width, self.height)

    def add(self, features: Features) -> None:
        """Register features, unless there are far too many already."""
        if len(self.labels) >= MOST_LABELS:
            return
        by_aim: dict[Aim, list[_Feature]] = {}
        for feature in self._features(features):
            by_aim.setdefault(feature.variant.aim, []).append(feature)
        labels: list[tuple[_Feature, Label]] = []
        obstacles: list[tuple[_Feature, Obstacle]] = []
        for aim, group in by_aim.items():
            group, shapes, marked = self._on_map(features, aim, group)
            if group:
                obstacles += self._obstacles(features, group, shapes, marked)
                labels += self._labels(features, aim, group, shapes)
        if len(by_aim) > 1:
            labels.sort(key=_order)
            obstacles.sort(key=_order)
        self.labels += [label for _, label in labels]
        self.obstacles += [obstacle for _, obstacle in obstacles]

    def finish(self) -> list[Item]:
        """The labels to place, once the last feature is there: those within the limit, lines joined and cut."""
        labels = limited(self.labels, self.settings.rendering.limit)
        if self.settings.rendering.merge_lines:
            labels = merged(labels)
        return [item for label in labels for item in label.repeated()]

    # -- what each feature's data say ----------------------------------------------------------------------------

    def _features(self, features: Features) -> Iterator[_Feature]:
        """The features that show, with their texts."""
        rows = features.rows.tolist()
        properties, defined = self.settings.properties.items, features.env.defined
        keys = [key for key in properties if key in VARIANT_KEYS]
        columns = [defined(properties[key]) for key in keys]
        own_columns = {key: defined(item) for key, item in properties.items() if key in OWN_KEYS}
        texts = self._texts(features.env)
        variants: Iterable[Variant] = repeat(self.variants.of((), ()), len(rows))
        if keys:
            variants = (self.variants.of(keys, [column[row] for column in columns]) for row in rows)
        for number, (row, variant) in enumerate(zip(rows, variants, strict=True)):
            own = own_of({key: column[row] for key, column in own_columns.items()}) if own_columns else NOTHING_OWN
            if self._shows(variant, own):
                value = None if texts is None else texts[row]
                text = "" if value is None else label_text(value, variant.settings.wording)
                yield _Feature(number, row, variant, own, text)

    def _shows(self, variant: Variant, own: Own) -> bool:
        """False for features that neither have labels nor are in the way."""
        rendering = variant.settings.rendering
        if rendering.limit_scales and not rendering.scales.contains(self.scale.scale_denominator):
            return False
        return not rendering.draw or (own.show and variant.setter is not None)

    def _texts(self, env: Env) -> list[Value] | None:
        node = self.settings.wording.node
        if node is None or not self.settings.rendering.draw:
            return None
        if isinstance(node, FieldRef) and node.name in env.batch.columns:
            return to_values(env.batch.columns[node.name])
        try:
            return to_values(evaluate(node, env.batch, env.context))
        except ExpressionError:
            return None

    # -- geometry ------------------------------------------------------------------------------------------------

    def _on_map(self, features: Features, aim: Aim, group: Sequence[_Feature]) -> tuple[list[_Feature], Shapes, Shapes]:
        """Those of the features of which enough lies on the map; what of them is labelled, and where their markers
        stand."""
        rows = np.array([feature.row for feature in group], dtype=np.int64)
        generator = self.settings.placement.generator
        if generator is not None:
            shapes = features.generated(generator.node, rows)
        elif aim.whole_polygon or aim.whole_line:
            shapes = features.whole(rows)
        else:
            shapes = features.shapes(rows)
        shapes = aimed(repaired(shapes), aim, self.frame)
        marked = shapes if generator is None else clipped(features.shapes(rows), self.frame)
        enough = large_enough(shapes, self.settings.rendering.smallest_feature * self.scale.px_per_mm)
        usable = np.flatnonzero(enough & ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes))
        return [group[number] for number in usable.tolist()], shapes[usable], marked[usable]

    def _obstacles(
        self, features: Features, group: Sequence[_Feature], shapes: Shapes, marked: Shapes
    ) -> Iterator[tuple[_Feature, Obstacle]]:
        """What features are in the way with: their markers (at the points ``marked``) or the ``shapes`` labelled."""
        kind = group[0].variant.settings.rendering.obstacle_kind
        factors = [_obstacle_factor(feature) for feature in group]
        sides = [features.markers.get(feature.row) for feature in group]
        pointed = shapely.get_dimensions(marked) == 0
        at_markers: list[int] = []
        for number, (feature, factor) in enumerate(zip(group, factors, strict=True)):
            if factor is None:
                continue
            if sides[number] is not None and pointed[number]:
                at_markers.append(number)
            else:
                name = feature_name(features, feature.row)
                for part in shapely.get_parts(shapes[number]):  # each counts by itself (measured)
                    yield feature, Obstacle(self.layer, name, part, factor, kind)
        if not at_markers:
            return
        points, owners = shapely.get_coordinates(marked[at_markers], return_index=True)
        around = np.array([sides[number] for number in at_markers], dtype=np.float64)
        boxes = np.asarray(shapely.box(*boxes_at(points, around[owners], self.height).T), dtype=object)
        boxes = clipped(boxes, self.frame)  # what of a marker lies beyond the map is in nobody's way (measured)
        solid = np.flatnonzero(shapely.area(boxes) > 0)
        for owner, box in zip(owners[solid].tolist(), boxes[solid].tolist(), strict=True):
            feature, factor = group[at_markers[owner]], factors[at_markers[owner]] or 0.0
            yield feature, Obstacle(self.layer, feature_name(features, feature.row), box, factor, ObstacleKind.WHOLE)

    # -- labels --------------------------------------------------------------------------------------------------

    def _labels(
        self, features: Features, aim: Aim, group: Sequence[_Feature], shapes: Shapes
    ) -> Iterator[tuple[_Feature, Label]]:
        """The labels of features that have a text, one for each labelled part."""
        named = [number for number, feature in enumerate(group) if feature.text]
        parts = labelled_parts(shapes[named], aim.every_part)
        pins = self._pins(features, [group[number] for number in named])
        for owner, shape in zip(parts.owners.tolist(), parts.shapes, strict=True):
            feature = group[named[owner]]
            label = self._label(features, feature, shape, pins.get(feature.row))
            if label is not None:
                yield feature, label

    def _pins(self, features: Features, group: Sequence[_Feature]) -> dict[int, tuple[float, float]]:
        """Where data put labels, in engine space, by row."""
        pinned = [(feature.row, feature.own.position) for feature in group if feature.own.position is not None]
        if not pinned:
            return {}
        points = features.points(np.array([position for _, position in pinned], dtype=np.float64))
        return {
            row: (x, y)
            for (row, _), (x, y) in zip(pinned, points.tolist(), strict=True)
            if math.isfinite(x) and math.isfinite(y)
        }

    def _label(
        self, features: Features, feature: _Feature, shape: BaseGeometry, pin: tuple[float, float] | None
    ) -> Label | None:
        variant, own = feature.variant, feature.own
        laid_out = variant.laid_out(feature.text)
        if laid_out is None:
            return None
        block, rendering = laid_out.content.block, variant.settings.rendering
        angle = label_angle(variant.settings.placement, own)
        if pin is not None:
            pin = aligned_corner(pin, block, own, angle or 0.0)
        curved = variant.placing.mode in (Mode.CURVED, Mode.PERIMETER_CURVED)
        item = Item(
            source=self.number,
            layer=self.layer,
            feature=feature_name(features, feature.row),
            geometry=shape,
            width=laid_out.width,
            height=block.height,
            placing=self._placing(variant, shape, features.markers.get(feature.row)),
            content=laid_out.content,
            whole=shape if variant.aim.whole_polygon and isinstance(shape, shapely.Polygon) else None,
            priority=rendering.priority if own.priority is None else min(max(own.priority, 0.0), 10.0),
            z_index=rendering.z_index if own.z_index is None else own.z_index,
            always_show=own.always,
            pinned=pin,
            angle=angle,
            margins=block.margins,
            advances=block.advances if curved else None,
            show_unplaced=rendering.show_all,
        )
        return Label(item, feature.text, variant.repeat)

    def _placing(self, variant: Variant, shape: BaseGeometry, sides: Sides | None) -> Placing:
        """The variant's, with the size of the marker's part in the picture (measured) where distances begin at its
        edge."""
        if sides is None or not isinstance(shape, shapely.Point) or not variant.settings.placement.from_symbol:
            return variant.placing
        ((left, bottom, right, top),) = boxes_at(
            shapely.get_coordinates(shape), np.array([sides]), self.height
        ).tolist()
        across, up = min(right, self.width) - max(left, 0.0), min(top, self.height) - max(bottom, 0.0)
        return replace(variant.placing, symbol=(max(across, 0.0) / 2, max(up, 0.0) / 2))


def _order(pair: tuple[_Feature, object]) -> int:
    return pair[0].number


def feature_name(features: Features, row: int) -> Hashable:
    """What names the feature in its layer."""
    name: Hashable = features.env.batch.fids[row]
    return name


def _obstacle_factor(feature: _Feature) -> float | None:
    """How much a feature is in the way, 0..2; None when it is not."""
    rendering, own = feature.variant.settings.rendering, feature.own
    if not (rendering.obstacle if own.obstacle is None else own.obstacle):
        return None
    if own.obstacle_factor is not None and 0 < own.obstacle_factor <= 10:
        return own.obstacle_factor / OBSTACLE_FACTOR_SCALE
    return rendering.obstacle_factor
