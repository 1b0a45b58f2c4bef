"""A whole batch at a time: column kernels where there are some, row closures for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from qgserver.errors import ExpressionError
from qgserver.expression.columns import Column, Columns, Mask, column_of, to_values
from qgserver.expression.context import Budget, Context, Feature, Frame
from qgserver.expression.nodes import FieldRef, Node, needs_geometry, resolve_field
from qgserver.expression.rows import compile_row
from qgserver.expression.values import Value, truth

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


def evaluate(node: Node, batch: Columns, context: Context) -> Column:
    """The value of an expression for every feature of a batch. A row where evaluation fails is null and marked in
    ``errors``; an expression that cannot be evaluated at all raises ``ExpressionError``."""
    if isinstance(node, FieldRef):
        column = _field(node, batch)
        if column is not None:
            return column
    return evaluate_rows(node, batch, context)


def _field(node: FieldRef, batch: Columns) -> Column | None:
    """A field's own column; None when the batch has no such column."""
    name = resolve_field(node.name, batch.columns)
    if name is None:
        return None
    column = batch.columns[name]
    return Column(column.values, column.nulls)


def select(node: Node, batch: Columns, context: Context) -> Mask:
    """bool[n]: the features for which a filter is true. NULL, false and errors drop a feature."""
    return truth_mask(evaluate(node, batch, context))


def truth_mask(column: Column) -> Mask:
    """Where a column is true; NULL, errors and what has no truth value are not."""
    values = column.values
    if values.dtype.kind in "bif":
        mask: Mask = values != 0
    elif values.dtype.kind == "O":
        mask = np.fromiter((_is_true(value) for value in values), np.bool_, len(values))
    else:
        mask = np.zeros(len(values), np.bool_)
    for absent in (column.nulls, column.errors):
        if absent is not None:
            mask &= ~absent
    return mask


def _is_true(value: Value) -> bool:
    try:
        return bool(truth(value))
    except ExpressionError:
        return False


def features(batch: Columns, context: Context, geometry: bool) -> Iterator[Feature]:
    """The features of a batch one by one; shapely objects only when ``geometry``."""
    names = list(batch.columns)
    rows = zip(*(to_values(batch.columns[name]) for name in names), strict=True) if names else None
    shapes = _shapes(batch) if geometry else None
    for at, fid in enumerate(batch.fids.tolist()):
        values: Mapping[str, Value] = dict(zip(names, next(rows), strict=True)) if rows is not None else {}
        yield Feature(fid, values, None if shapes is None else shapes[at], context.layer)


def _shapes(batch: Columns) -> list[BaseGeometry | None] | None:
    if batch.geometry is None:
        return None
    from qgserver.geo.wkb import to_shapely

    return list(to_shapely(batch.geometry))


def evaluate_rows(node: Node, batch: Columns, context: Context) -> Column:
    """As ``evaluate``, row after row."""
    compiled = compile_row(node)
    count = len(batch.fids)
    results: list[Value] = []
    errors = np.zeros(count, np.bool_)
    budget = Budget(context.limits)
    for at, feature in enumerate(features(batch, context, needs_geometry(node))):
        budget.steps = context.limits.steps  # per feature; the deadline is for the batch
        try:
            results.append(compiled(Frame(context, feature, budget=budget)))
        except ExpressionError:
            results.append(None)
            errors[at] = True
    return column_of(results, errors if errors.any() else None)
