"""Comparison and logic on whole columns: what ``operators`` gives row by row, or ``NoKernel``."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qgserver.expression.columns import Column, Mask
from qgserver.expression.operators import like_matcher
from qgserver.expression.values import Value, text_to_double, to_text

Array = NDArray[Any]


class NoKernel(Exception):
    """This operation, on columns of these types, is left to the rows."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value for all rows."""

    value: Value


Operand = Column | Scalar

_EXACT = 2**53
_ISO_DATE = re.compile(r"[1-9]\d{3}-\d\d-\d\d", re.ASCII)


def merged(*masks: Mask | None) -> Mask | None:
    """Where any of the masks is set; None when nowhere."""
    present = [mask for mask in masks if mask is not None]
    if not present:
        return None
    result = present[0]
    for mask in present[1:]:
        result = result | mask
    return result


def nulls_of(operand: Operand) -> Mask | None:
    return operand.nulls if isinstance(operand, Column) else None


def errors_of(*operands: Operand) -> Mask | None:
    """Rows where one of the operands failed."""
    return merged(*(operand.errors for operand in operands if isinstance(operand, Column)))


def kind(operand: Operand) -> str:
    """``int float bool text date datetime null``. Raises ``NoKernel`` for anything else."""
    if isinstance(operand, Scalar):
        found = _SCALARS.get(type(operand.value))
    else:
        found = _KINDS.get(operand.values.dtype.kind)
        if found == "moment":
            found = "date" if operand.values.dtype == "datetime64[D]" else "datetime"
        elif found == "object" and is_text(operand):
            found = "text"
    if found is None or found == "object":
        raise NoKernel
    return found


_SCALARS: dict[type, str] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "text",
    dt.date: "date",
    type(None): "null",
}
_KINDS = {"b": "bool", "i": "int", "u": "int", "f": "float", "M": "moment", "O": "object"}
NUMERIC = ("int", "float")


def is_text(column: Column) -> bool:
    """Whether an object column holds only texts (and something under its nulls)."""
    kinds = set(map(type, column.values.tolist()))
    return kinds <= {str} or (kinds <= {str, type(None)} and column.nulls is not None)


def raw(operand: Operand) -> Any:
    """The array of a column, the value of a scalar."""
    return operand.values if isinstance(operand, Column) else operand.value


def texts(operand: Operand) -> Any:
    """As ``raw`` for texts, with "" under the nulls, so that they can be compared."""
    values = raw(operand)
    if isinstance(operand, Column) and operand.nulls is not None and operand.nulls.any():
        values = values.copy()
        values[operand.nulls] = ""
    return values


def _check_exact(left: Operand, right: Operand) -> None:
    """numpy compares integers with doubles as doubles; beyond 2**53 that is not what Python does."""
    for one, other in ((left, right), (right, left)):
        values = raw(one)
        if kind(one) == "int" and kind(other) == "float":
            if isinstance(values, int):
                if abs(values) > _EXACT:
                    raise NoKernel
            elif values.dtype.itemsize > 4 and len(values) and (values.max() > _EXACT or values.min() < -_EXACT):
                raise NoKernel


# -- comparison and logic -------------------------------------------------------------------------------------------

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def compare(op: str, left: Operand, right: Operand, count: int) -> Column:
    """``= <> < <= > >=``: int8 1 and 0."""
    kinds = kind(left), kind(right)
    if "null" in kinds:
        return _nothing(count, errors_of(left, right))
    if kinds == ("text", "text"):
        result = _COMPARE[op](texts(left), texts(right))
    elif kinds[0] in NUMERIC and kinds[1] in NUMERIC:
        _check_exact(left, right)
        result = _COMPARE[op](raw(left), raw(right))
    elif kinds[0] == kinds[1]:
        result = _COMPARE[op](_moments(left, kinds[0]), _moments(right, kinds[1]))
    else:
        left, right = _matched(left, right, kinds)
        return compare(op, left, right, count)
    values = np.asarray(result, dtype=np.bool_) if not isinstance(result, np.ndarray) else result.astype(np.bool_)
    nulls = merged(nulls_of(left), nulls_of(right))
    return Column(np.broadcast_to(values, (count,)).view(np.int8), nulls, errors_of(left, right))


def _moments(operand: Operand, name: str) -> Any:
    return np.datetime64(operand.value, "D") if isinstance(operand, Scalar) and name == "date" else raw(operand)  # type: ignore[call-overload]


def _matched(left: Operand, right: Operand, kinds: tuple[str, str]) -> tuple[Operand, Operand]:
    """A number or date column and a literal text that spells one."""
    if isinstance(left, Scalar):
        if isinstance(right, Scalar):
            raise NoKernel
        right, left = _matched(right, left, (kinds[1], kinds[0]))
        return left, right
    if isinstance(right, Scalar) and isinstance(right.value, str):
        if kinds[0] in NUMERIC:
            number = text_to_double(right.value)
            if number is not None:
                return left, Scalar(number)
        if kinds[0] == "date" and _ISO_DATE.fullmatch(right.value):
            try:
                return left, Scalar(dt.date.fromisoformat(right.value))
            except ValueError:
                pass
    raise NoKernel


def _nothing(count: int, errors: Mask | None) -> Column:
    return Column(np.zeros(count, np.int8), np.ones(count, np.bool_), errors)


def same(left: Operand, right: Operand, negated: bool, count: int) -> Column:
    """``IS`` and ``IS NOT``: never null."""
    if isinstance(left, Scalar):
        left, right = right, left
    if isinstance(right, Scalar) and right.value is None:
        absent = nulls_of(left)
        values = np.zeros(count, np.bool_) if absent is None else absent.copy()
        if isinstance(left, Scalar):
            values[:] = left.value is None
    else:
        equal = compare("=", left, right, count)
        values = equal.values.view(np.bool_)
        if equal.nulls is not None:
            both = [nulls_of(left), nulls_of(right)]
            values = np.where(
                equal.nulls, both[0] & both[1] if both[0] is not None and both[1] is not None else False, values
            )
    return Column((~values if negated else values).view(np.int8), None, errors_of(left, right))


def truth(operand: Operand, count: int) -> tuple[Mask, Mask | None, Mask | None]:
    """True, unknown and failed rows of an operand of AND, OR, NOT or CASE."""
    from qgserver.expression.values import truth as of_value

    if isinstance(operand, Scalar):
        value = of_value(operand.value)
        return np.full(count, value is True), np.ones(count, np.bool_) if value is None else None, None
    if operand.values.dtype.kind in "bif":
        return operand.values != 0, operand.nulls, operand.errors
    raise NoKernel


def junction(stop: bool, terms: Sequence[tuple[Mask, Mask | None, Mask | None]], count: int) -> Column:
    """AND (``stop`` False) or OR (True) of (true, unknown, failed) masks. A failure counts only where no term before it
    has settled the matter."""
    settled = np.zeros(count, np.bool_)
    unknown = np.zeros(count, np.bool_)
    failed = np.zeros(count, np.bool_)
    for true, null, error in terms:
        open_ = ~settled & ~failed
        if error is not None:
            failed |= open_ & error
            open_ = open_ & ~error
        known = open_ if null is None else open_ & ~null
        settled |= known & (true if stop else ~true)
        if null is not None:
            unknown |= null
    values = settled if stop else ~settled
    nulls = (unknown & ~settled) | failed
    return Column(values.view(np.int8), nulls if nulls.any() else None, failed if failed.any() else None)


def contains(operand: Operand, items: Sequence[Value], negated: bool, count: int) -> Column:
    """``[NOT] IN`` a list of constants."""
    if isinstance(operand, Scalar):
        raise NoKernel
    wanted = [item for item in items if item is not None]
    name = kind(operand)
    if name == "text" and all(type(item) is str for item in wanted):
        found = set(wanted)
        values = np.fromiter((value in found for value in operand.values.tolist()), np.bool_, count)
    elif name in NUMERIC and all(type(item) in (int, float) for item in wanted):
        for item in wanted:
            _check_exact(operand, Scalar(item))
        values = np.isin(operand.values, np.array(wanted)) if wanted else np.zeros(count, np.bool_)
    else:
        raise NoKernel
    nulls = operand.nulls
    if len(wanted) < len(items):
        nulls = merged(nulls, ~values)
    return Column((~values if negated else values).view(np.int8), nulls, operand.errors)


def like(operand: Operand, pattern: Operand, op: str, count: int) -> Column:
    """``[NOT] LIKE`` and ``[NOT] ILIKE`` of a text column and one pattern."""
    if not isinstance(pattern, Scalar) or not isinstance(operand, Column) or kind(operand) != "text":
        raise NoKernel
    if pattern.value is None:
        return _nothing(count, operand.errors)
    match = like_matcher(to_text(pattern.value), "ILIKE" in op)
    wanted = not op.startswith("NOT")
    values = np.fromiter(((match(text) is not None) is wanted for text in texts(operand).tolist()), np.bool_, count)
    return Column(values.view(np.int8), operand.nulls, operand.errors)
