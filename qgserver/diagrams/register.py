"""From a batch of features to the diagrams that want a place on the map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from qgserver.diagrams.model import LARGEST, Category, Diagram, Diagrams, Value, kinds
from qgserver.draw.units import RenderScale
from qgserver.errors import ExpressionError
from qgserver.expression.columns import to_values
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import Node
from qgserver.labeling.model import Item, Obstacle, Placing
from qgserver.labeling.parts import Shapes, clipped, labelled_parts, repaired
from qgserver.labeling.register import Features, feature_name
from qgserver.symbology.env import Env
from qgserver.symbology.properties import as_color, as_flag, as_number


@dataclass(slots=True, eq=False)
class DiagramSource:
    """The diagrams of a layer, gathered over its batches like labels (``labeling.register.Source``). ``number`` counts
    the sources of the map from the bottom; ``width`` x ``height`` is the picture."""

    number: int
    layer: str
    diagrams: Diagrams
    scale: RenderScale
    width: float
    height: float
    items: list[Item] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)

    @property
    def can_show(self) -> bool:
        """False when there are none at this scale."""
        return self.diagrams.shows(self.scale.scale_denominator)

    def finish(self) -> list[Item]:
        """The diagrams to place, once the last feature is there."""
        last = self.items[-1].content if self.items else None
        per_value = kinds[self.diagrams.kind].per_value(last) if isinstance(last, Diagram) else None
        if per_value is None:
            return self.items
        return [
            replace(item, content=replace(item.content, per_value=per_value))
            for item in self.items
            if isinstance(item.content, Diagram)
        ]

    def add(self, features: Features) -> None:
        """Register features. Those without values, and those whose data say so, have no diagram."""
        shapes = clipped(repaired(features.shapes(features.rows)), shapely.box(0.0, 0.0, self.width, self.height))
        self._add_obstacles(features, shapes)
        parts = labelled_parts(shapes, False)
        env = features.env
        defined = {key: env.defined(item) for key, item in self.diagrams.properties.items.items()}
        attributes = [_values(one.node, env) for one in self.diagrams.category.attributes]
        growing = self.diagrams.interpolation
        measures = None if growing is None else _values(growing.node, env)
        for owner, shape in zip(parts.owners.tolist(), parts.shapes.tolist(), strict=True):
            row = int(features.rows[owner])
            own = {key: values[row] for key, values in defined.items() if values[row] is not None}
            if not as_flag(own.get("show", True), True):
                continue
            measure = None if measures is None else _number(measures[row])
            diagram = _diagram(self.diagrams, [column[row] for column in attributes], measure, own, self.scale)
            if diagram is not None:
                self.items.append(self._item(features, diagram, (row, shape), own))

    def _add_obstacles(self, features: Features, shapes: Shapes) -> None:
        """Features that labels shall keep away from."""
        if self.diagrams.obstacle:
            for row, shape in zip(features.rows.tolist(), shapes.tolist(), strict=True):
                if shape is not None and not shape.is_empty and shapely.get_dimensions(shape) > 0:
                    self.obstacles.append(Obstacle(self.layer, feature_name(features, row), shape))

    def _item(
        self, features: Features, diagram: Diagram, place: tuple[int, BaseGeometry], own: dict[str, object]
    ) -> Item:
        diagrams, (row, shape) = self.diagrams, place
        # pixels, whatever the resolution (measured)
        distance = as_number(own.get("distance", diagrams.distance), diagrams.distance)
        width, height = diagram.size
        return Item(
            self.number,
            self.layer,
            feature_name(features, row),
            shape,
            width,
            height,
            Placing(diagrams.mode, diagrams.line_flags, distance=distance),
            diagram,
            priority=as_number(own.get("priority", diagrams.priority), diagrams.priority),
            z_index=as_number(own.get("zIndex", diagrams.z_index), diagrams.z_index),
            always_show=as_flag(own.get("alwaysShow", False), False),
            pinned=_pin(features, own, diagram),
            show_unplaced=diagrams.show_all,
        )


def _pin(features: Features, own: dict[str, object], diagram: Diagram) -> tuple[float, float] | None:
    """The lower left corner where data put the middle of a diagram; None where they do not."""
    position = [_number(own.get(key)) for key in ("positionX", "positionY")]
    if None in position:
        return None
    x, y = features.points(np.array([position], dtype=np.float64))[0].tolist()
    return (x - diagram.size[0] / 2, y - diagram.size[1] / 2) if math.isfinite(x) and math.isfinite(y) else None


def _values(node: Node | None, env: Env) -> Sequence[object]:
    """The values for all features of the batch, None where there is none."""
    if node is not None:
        try:
            return to_values(evaluate(node, env.batch, env.context))
        except ExpressionError:
            pass
    return [None] * len(env.batch)


def _number(value: object) -> Value:
    number = as_number(value, math.nan)
    return None if math.isnan(number) else number


def _text(value: object) -> str:
    return "" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)


def _diagram(
    diagrams: Diagrams, found: Sequence[object], measure: Value, own: dict[str, object], scale: RenderScale
) -> Diagram | None:
    """One feature's diagram in its size; None when there is nothing to draw."""
    category, growing = _styled(diagrams.category, own), diagrams.interpolation
    width, height = category.width, category.height
    if growing is not None:
        if measure is None:
            return None
        width, height = growing.size(measure, category.by_area)
        if max(width, height) < category.minimum:
            width = height = category.minimum
    start = category.rotation + as_number(own.get("startAngle", 0.0), 0.0)
    per_value = 1.0 if growing is None else growing.per_value
    values = tuple(_number(value) for value in found)
    texts = tuple(_text(value) for value in found)
    diagram = Diagram(diagrams.kind, category, values, texts, (0.0, 0.0), per_value, growing is None, start)
    fixed = category.pixels(width, scale), category.pixels(height, scale)
    size = kinds[diagrams.kind].size(diagram, fixed, scale)
    if not all(0 < length <= LARGEST for length in size):
        return None
    return replace(diagram, size=size)


def _styled(category: Category, own: dict[str, object]) -> Category:
    """The category with the colours and the pen that data define."""
    if not own.keys() & {"backgroundColor", "strokeColor", "strokeWidth"}:
        return category
    width = as_number(own.get("strokeWidth"), category.pen_width.value)
    return replace(
        category,
        background=as_color(own.get("backgroundColor", ""), category.background),
        pen_color=as_color(own.get("strokeColor", ""), category.pen_color),
        pen_width=replace(category.pen_width, value=width),
    )
