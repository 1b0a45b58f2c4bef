"""Virtual fields: columns computed by an expression of the project's author."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from qgserver.errors import ExpressionError
from qgserver.expression.coerce import to_date, to_datetime, to_time
from qgserver.expression.columns import to_values
from qgserver.expression.context import Context
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import Literal, Node
from qgserver.expression.parser import parse
from qgserver.expression.values import Value, has_text, to_double, to_int, to_text, truth
from qgserver.project.model import VirtualField
from qgserver.providers.batch import Batch, Column
from qgserver.providers.columns import column
from qgserver.providers.protocol import FieldType


def parsed(field: VirtualField) -> Node:
    """The expression of a field; one that does not parse is NULL, as in QGIS."""
    try:
        return parse(field.expression)
    except ExpressionError:
        return Literal(None)


def compute(node: Node, kind: FieldType, batch: Batch, context: Context) -> Column:
    """The column an expression makes of a batch, in the type of its field. What fails or does not fit is null."""
    result = evaluate(node, batch, context)
    convert = _CONVERT.get(kind)
    values = to_values(result)
    return column(values if convert is None else [_try(convert, value) for value in values], kind)


def rounded(made: Column, decimals: int) -> Column:
    """A column of numbers with no more decimals than its field has (0 = as many as there are)."""
    if decimals <= 0 or made.values.dtype.kind != "f":
        return made
    return Column(np.round(made.values, decimals), made.nulls)


def _try(convert: Callable[[Value], Value], value: Value) -> Value:
    try:
        return None if value is None else convert(value)
    except ExpressionError:
        return None


_CONVERT: Mapping[FieldType, Callable[[Value], Value]] = {
    "bool": truth,
    "int": to_int,
    "int64": to_int,
    "double": to_double,
    "string": lambda value: to_text(value) if has_text(value) else None,
    "date": lambda value: to_date(value).isoformat(),
    "time": to_time,
    "datetime": lambda value: to_datetime(value).replace(tzinfo=None).isoformat(),
}
"""Type of a field -> how a value of an expression becomes a value of it; lists and maps stay as they are."""
