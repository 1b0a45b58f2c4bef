"""Sorting features by the renderer's ``orderby``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from qgserver.errors import ExpressionError
from qgserver.expression.columns import Column
from qgserver.expression.context import Context
from qgserver.expression.evaluate import evaluate
from qgserver.geo.geometry import Ints
from qgserver.providers.batch import Batch, concat_batches, take_batch
from qgserver.symbology.renderer import OrderClause


def sorted_batch(batches: Iterable[Batch], clauses: Sequence[OrderClause], context: Context) -> Batch | None:
    """All features as one batch in drawing order; None when there are none. The first clause weighs most."""
    parts = list(batches)
    if not parts:
        return None
    batch = concat_batches(parts)
    order = np.arange(len(batch), dtype=np.int64)
    for clause in reversed(clauses):
        try:
            ranks = _ranks(evaluate(clause.node, batch, context), clause)
        except ExpressionError:
            continue
        order = order[np.argsort(ranks[order], kind="stable")]
    return take_batch(batch, order)


def _ranks(column: Column, clause: OrderClause) -> Ints:
    """A number per feature that sorts as the clause says; NULLs first or last whatever the direction."""
    values = column.values
    nulls = column.nulls if column.nulls is not None else np.zeros(len(column), dtype=bool)
    if values.dtype == object:
        texts = np.array(["" if null else str(value) for value, null in zip(values, nulls, strict=True)])
        _, ranks = np.unique(texts, return_inverse=True)
    else:
        _, ranks = np.unique(values, return_inverse=True)
    ranks = ranks.astype(np.int64) + 1
    if not clause.ascending:
        ranks = -ranks
    ranks[nulls] = np.iinfo(np.int64).min if clause.nulls_first else np.iinfo(np.int64).max
    return ranks
