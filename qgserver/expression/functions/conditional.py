"""Conditionals."""

from __future__ import annotations

from qgserver.errors import ExpressionError
from qgserver.expression.context import Frame
from qgserver.expression.function import Group, Lazy
from qgserver.expression.values import Value, loose_truth
from qgserver.expression.variants import equal

function = Group("Conditionals")


@function("coalesce", handles_null=True)
def coalesce(*values: Value) -> Value:
    """The first value that is not NULL."""
    return next((value for value in values if value is not None), None)


@function("if", handles_null=True)
def if_(frame: Frame, condition: Lazy, result_when_true: Lazy, result_when_false: Lazy) -> Value:
    """One of two results; only the one chosen is evaluated."""
    return result_when_true(frame) if loose_truth(condition(frame)) else result_when_false(frame)


@function("try", handles_null=True)
def try_(frame: Frame, expression: Lazy, alternative: Lazy | None = None) -> Value:
    """The value of an expression, or of another one if the first cannot be evaluated."""
    try:
        return expression(frame)
    except ExpressionError:
        frame.budget.spend(1)
        return None if alternative is None else alternative(frame)


@function("nullif")
def nullif(value1: Value, value2: Value) -> Value:
    """NULL if both values are equal, else the first."""
    return None if equal(value1, value2) else value1
