"""Attribute tables on a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from qgserver.errors import ExpressionError
from qgserver.expression.context import Feature, FeatureRequest, Frame
from qgserver.expression.nodes import FieldRef, Node
from qgserver.expression.parser import parse
from qgserver.expression.rows import compile_row
from qgserver.expression.values import to_text
from qgserver.project.model.layouts import LayoutItem, TableItem
from qgserver.render.print.paper import Paper, rectangle
from qgserver.render.print.texts import Type, type_of

MOST_ROWS = 1000
"""Features that are read of a table's layer."""

SLACK = 1e-6
"""Millimetres that a row may be too high."""

Value = Callable[[Feature], object]


def draw_table(paper: Paper, item: TableItem) -> None:
    """As many rows as there is room for; nothing where the layer is gone."""
    content = type_of(item.content)
    header = None if item.header is None else type_of(item.header)
    if content is None or not item.columns:
        return
    try:
        rows = _rows(paper, item)
    except ExpressionError:
        return
    lines = [_Line(content, row, [column.across for column in item.columns]) for row in rows]
    if header is not None:
        asides = [column.across if item.header_across is None else item.header_across for column in item.columns]
        lines.insert(0, _Line(header, [column.heading for column in item.columns], asides))
    _draw_lines(paper, item, lines)


@dataclass(frozen=True, slots=True)
class _Line:
    """The texts of a row, and where in their cells they stand."""

    kind: Type
    texts: Sequence[str]
    asides: Sequence[float]

    def height(self, item: TableItem) -> float:
        """With the line above it."""
        pen = item.grid.width if item.grid is not None and item.across else 0.0
        return self.kind.exact[0] + 2 * item.margin + pen


def _draw_lines(paper: Paper, item: TableItem, lines: list[_Line]) -> None:
    """As many rows as there is room for, over the paint behind them."""
    down = item.grid.width if item.grid is not None and item.down else 0.0
    across = item.grid.width if item.grid is not None and item.across else 0.0
    widths = [
        column.width or max((line.kind.width(line.texts[i]) for line in lines), default=0.0) + 2 * item.margin
        for i, column in enumerate(item.columns)
    ]
    edges = np.cumsum([0.0, *(width + down for width in widths)]).tolist()
    levels = [0.0]
    shown = []
    for line in lines:
        if levels[-1] + line.height(item) + across > item.height + SLACK:
            break
        levels.append(levels[-1] + line.height(item))
        shown.append(line)
    if item.paint is not None and shown:
        box = LayoutItem(width=edges[-1] + down, height=levels[-1] + across)
        paper.fill(paper.points(item, rectangle(box)), item.paint)
    for line, top in zip(shown, levels, strict=False):
        above, below = line.kind.exact
        baseline = top + (line.height(item) + above - below) / 2
        for i, text in enumerate(line.texts):
            room = widths[i] - 2 * item.margin - line.kind.width(text)
            left = edges[i] + down + item.margin + line.asides[i] * room
            line.kind.draw(paper, item, (left, baseline), text)
    _draw_grid(paper, item, [edge + down / 2 for edge in edges], [level + across / 2 for level in levels])


def _rows(paper: Paper, item: TableItem) -> list[list[str]]:
    """The texts of all rows. Raises ``ExpressionError`` where the layer can't be read."""
    access = paper.context.layers
    layer = access.layer(item.layer_id) if access is not None else None
    if layer is None:
        return []
    where = parse(item.where) if item.where else None
    limit = MOST_ROWS if item.order else min(item.rows, MOST_ROWS)
    names = frozenset(field.name for field in layer.fields)
    features = list(layer.features(FeatureRequest(where=where, context=paper.context, limit=limit)))
    for expression, downwards in reversed(item.order):
        value = _value(paper, expression, names)
        features = _sorted(features, value, downwards)
    values = [_value(paper, column.expression, names) for column in item.columns]
    return [[to_text(value(feature)) for value in values] for feature in features[: item.rows]]


def _value(paper: Paper, expression: str, names: frozenset[str]) -> Value:
    """What an attribute or expression is for a feature, None where it fails."""
    node: Node = FieldRef(expression) if expression in names else parse(expression)
    run = compile_row(node)

    def value(feature: Feature) -> object:
        try:
            return run(Frame(paper.context, feature))
        except ExpressionError:
            return None

    return value


def _sorted(features: list[Feature], value: Value, downwards: bool) -> list[Feature]:
    return sorted(features, key=lambda feature: _sortable(value(feature)), reverse=downwards)


def _sortable(value: object) -> tuple[int, float, str]:
    """Numbers before texts, nothing last."""
    if value is None:
        return 2, 0.0, ""
    return (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, to_text(value))


def _draw_grid(paper: Paper, item: TableItem, across: list[float], down: list[float]) -> None:
    if item.grid is None:
        return
    for x in across if item.down else ():
        paper.stroke(paper.points(item, np.array(((x, down[0]), (x, down[-1])))), item.grid, closed=False)
    for y in down if item.across else ():
        paper.stroke(paper.points(item, np.array(((across[0], y), (across[-1], y)))), item.grid, closed=False)
