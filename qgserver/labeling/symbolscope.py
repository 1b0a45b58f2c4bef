"""``@symbol_color`` and ``@symbol_angle`` in expressions of labels: they differ from feature to feature, so they become
columns of the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from qgserver.expression.nodes import FieldRef, Node, Variable, transform
from qgserver.providers.batch import Column
from qgserver.symbology.maincolor import color_text, symbol_color
from qgserver.symbology.markers import MarkerLayer
from qgserver.symbology.renderer import Jobs
from qgserver.symbology.symbol import Symbol

COLUMNS: Mapping[str, str] = {"symbol_color": "@symbol_color", "symbol_angle": "@symbol_angle"}
"""Variable -> column; no field of a layer is named like that by accident."""
NO_LOOK = (None, None)


def with_columns(node: Node) -> Node:
    """The expression with the variables of symbols as columns."""
    return transform(node, _column)


def _column(node: Node) -> Node:
    return FieldRef(COLUMNS[node.name]) if isinstance(node, Variable) and node.name in COLUMNS else node


def symbol_columns(symbols: Sequence[Symbol], jobs: Jobs, count: int) -> dict[str, Column]:
    """The columns for a batch of ``count`` features: of each the first symbol that it is drawn with, null where none
    draws it."""
    number = np.full(count, -1, dtype=np.int64)
    number[jobs.rows[::-1]] = jobs.symbols[::-1]
    looks = np.array(
        [(color_text(symbol_color(symbol)), _angle(symbol)) for symbol in symbols] + [NO_LOOK], dtype=object
    )
    values = looks[number]
    nulls = number < 0
    return {name: Column(values[:, at], nulls) for at, name in enumerate(COLUMNS.values())}


def _angle(symbol: Symbol) -> float:
    """Degrees clockwise of a marker; 0 for other symbols."""
    return next((layer.rotation for layer in symbol.layers if isinstance(layer, MarkerLayer)), 0.0)
