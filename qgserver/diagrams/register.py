"""From a batch of features to the diagrams that want a place on the map."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from qgserver.diagrams.model import LARGEST, Category, Diagram, Diagrams, Pair, Value, kinds
from qgserver.draw.units import RenderScale
from qgserver.errors import ExpressionError
from qgserver.expression.columns import to_values
from qgserver.expression.context import Context
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import Node
from qgserver.geo.geometry import Ints
from qgserver.labeling.model import Item, Placing
from qgserver.providers.batch import Batch
from qgserver.symbology.options import Length
from qgserver.symbology.properties import as_color, as_flag, as_number

Pin = Callable[[float, float], Pair]
"""From a position in the layer's CRS to engine space."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a layer's diagrams are registered: ``source`` as in ``Item``, the layer's id, the sizes of the map and how
    positions in its CRS come to the picture."""

    source: int
    layer: str
    scale: RenderScale
    pin: Pin


def diagram_items(
    diagrams: Diagrams, batch: Batch, shapes: NDArray[np.object_], rows: Ints, context: Context, site: Site
) -> Iterator[Item]:
    """The diagrams of a batch. ``shapes`` object[k] (shapely, engine space) are the geometries of the features ``rows``
    int64[k]. Features without values, and those whose data say so, have none."""
    table = _Table(batch, context)
    defined = {key: table.values(item.node) for key, item in diagrams.properties.items.items()}
    attributes = [table.values(one.node) for one in diagrams.category.attributes]
    sizes = None if diagrams.interpolation is None else table.values(diagrams.interpolation.node)
    for shape, row in zip(shapes.tolist(), rows.tolist(), strict=True):
        own = {key: values[row] for key, values in defined.items() if values[row] is not None}
        if not as_flag(own.get("show", True), True):
            continue
        measure = None if sizes is None else _number(sizes[row])
        diagram = _diagram(diagrams, [column[row] for column in attributes], measure, own, site.scale)
        if diagram is not None:
            yield _item(diagrams, diagram, shape, batch.fids[row], own, site)


@dataclass(frozen=True, slots=True)
class _Table:
    """The features of a batch, for expressions."""

    batch: Batch
    context: Context

    def values(self, node: Node | None) -> Sequence[object]:
        """The values for all features, None where there is none."""
        if node is not None:
            try:
                return to_values(evaluate(node, self.batch, self.context))
            except ExpressionError:
                pass
        return [None] * len(self.batch)


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
    diagram = Diagram(category, values, tuple(_text(value) for value in found), (0.0, 0.0), per_value, start)
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


def _item(
    diagrams: Diagrams, diagram: Diagram, shape: BaseGeometry, fid: object, own: dict[str, object], site: Site
) -> Item:
    distance = Length(as_number(own.get("distance", diagrams.distance), diagrams.distance)).pixels(site.scale)
    x, y = (_number(own.get(key)) for key in ("positionX", "positionY"))
    width, height = diagram.size
    pinned = None
    if x is not None and y is not None:
        left, low = site.pin(x, y)
        pinned = left - width / 2, low - height / 2
    return Item(
        site.source,
        site.layer,
        str(fid),
        shape,
        width,
        height,
        Placing(diagrams.mode, diagrams.line_flags, distance=distance),
        diagram,
        priority=as_number(own.get("priority", diagrams.priority), diagrams.priority),
        z_index=as_number(own.get("zIndex", diagrams.z_index), diagrams.z_index),
        always_show=as_flag(own.get("alwaysShow", False), False),
        pinned=pinned,
        show_unplaced=diagrams.show_all,
    )
