"""Arithmetic, choices and functions on whole columns: what ``operators`` gives row by row, or ``NoKernel``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from qgserver.expression.columns import Column, Mask
from qgserver.expression.kernels import (
    NUMERIC,
    Array,
    NoKernel,
    Operand,
    Scalar,
    errors_of,
    kind,
    merged,
    nulls_of,
    raw,
    texts,
)
from qgserver.expression.values import to_text

MAX_TEXT = 10_000


def _doubles(operand: Operand) -> Any:
    values = raw(operand)
    return values.astype(np.float64) if isinstance(values, np.ndarray) else np.float64(values)


def _integers(operand: Operand) -> Any:
    values = raw(operand)
    return values.astype(np.int64) if isinstance(values, np.ndarray) else np.int64(values)


_INTEGER_OPS: dict[str, Callable[[Any, Any], Any]] = {"+": np.add, "-": np.subtract, "*": np.multiply, "%": np.fmod}
_DOUBLE_OPS: dict[str, Callable[[Any, Any], Any]] = {**_INTEGER_OPS, "/": np.divide, "//": np.divide, "^": np.power}


def arithmetic(op: str, left: Operand, right: Operand, count: int) -> Column:
    """``+ - * / // % ^`` of numbers, ``+`` of texts."""
    kinds = kind(left), kind(right)
    if op == "+" and kinds == ("text", "text"):
        joined = texts(left) + texts(right)
        if not isinstance(joined, np.ndarray):
            raise NoKernel
        return Column(joined, merged(nulls_of(left), nulls_of(right)), errors_of(left, right))
    if not all(name in ("int", "float", "bool") for name in kinds):
        raise NoKernel
    nulls, errors = merged(nulls_of(left), nulls_of(right)), errors_of(left, right)
    whole = kinds == ("int", "int") and op in _INTEGER_OPS
    a, b = (_integers(left), _integers(right)) if whole else (_doubles(left), _doubles(right))
    if op == "//":  # null operands fail here, as in QGIS 3.22
        errors = merged(errors, nulls)
    if op in ("/", "//", "%"):
        zero = np.broadcast_to(b == 0, (count,))
        if zero.any():
            nulls = merged(nulls, zero)
            b = np.where(b == 0, b.dtype.type(1), b)
    with np.errstate(all="ignore"):
        result = (_INTEGER_OPS if whole else _DOUBLE_OPS)[op](a, b)
        if op == "//":
            result = _floor(result)
    values = np.broadcast_to(result, (count,))
    return Column(np.ascontiguousarray(values), merged(nulls, errors), errors)


def _floor(quotient: Any) -> Any:
    floored = np.floor(quotient)
    if not np.all(np.abs(floored) < 2.0**62):
        raise NoKernel
    return floored.astype(np.int64)


def negate(operand: Operand, null_is_zero: bool) -> Column:
    """Unary minus: a null fails, but the null of a field is 0."""
    if isinstance(operand, Scalar) or kind(operand) not in NUMERIC:
        raise NoKernel
    values = -(_integers(operand) if kind(operand) == "int" else operand.values)
    if operand.nulls is None:
        return Column(values, None, operand.errors)
    values[operand.nulls] = 0
    if null_is_zero:
        return Column(values, operand.errors, operand.errors)
    return Column(values, operand.nulls, merged(operand.errors, operand.nulls))


def join(operands: Sequence[Operand], count: int) -> Column:
    """``||``: the texts of numbers and texts, one after the other."""
    parts: list[list[str]] = []
    size = 0
    for operand in operands:
        if kind(operand) == "null":
            raise NoKernel
        if isinstance(operand, Scalar):
            parts.append([to_text(operand.value)] * count)
        else:
            values = texts(operand) if kind(operand) == "text" else operand.values
            written = values.tolist()
            parts.append(written if kind(operand) == "text" else [to_text(value) for value in written])
        size += max(map(len, parts[-1]), default=0)
    if size > MAX_TEXT:
        raise NoKernel  # the rows count characters
    joined: Array = np.empty(count, object)
    joined[:] = ["".join(row) for row in zip(*parts, strict=True)]
    return Column(joined, merged(*(nulls_of(operand) for operand in operands)), errors_of(*operands))


# -- choices --------------------------------------------------------------------------------------------------------


def choose(choices: Sequence[tuple[Mask, Operand]], count: int, failed: Mask | None) -> Column:
    """For every row the operand of the one choice whose mask is set (masks exclude each other); null elsewhere."""
    choices = [(mask, operand) for mask, operand in choices if mask.any()]
    dtype = _common_type([operand for _, operand in choices])
    values: Array = np.zeros(count, dtype) if dtype is not object else np.full(count, None, object)
    nulls = np.ones(count, np.bool_)
    errors = np.zeros(count, np.bool_) if failed is None else failed.copy()
    for mask, operand in choices:
        if isinstance(operand, Scalar):
            if operand.value is not None:
                values[mask] = operand.value
                nulls[mask] = False
            continue
        if dtype is object and operand.values.dtype != object:
            values[mask] = _as_objects(operand.values[mask])
        else:
            values[mask] = operand.values[mask]
        nulls[mask] = False if operand.nulls is None else operand.nulls[mask]
        if operand.errors is not None:
            errors |= mask & operand.errors
    nulls |= errors
    return Column(values, nulls if nulls.any() else None, errors if errors.any() else None)


def _as_objects(values: Array) -> Array:
    result: Array = np.empty(len(values), object)
    result[:] = values.tolist()
    return result


def _common_type(operands: Sequence[Operand]) -> Any:
    """The dtype all the operands have; object when they differ, since an int must stay an int beside a double."""
    found: set[Any] = set()
    for operand in operands:
        if isinstance(operand, Column):
            found.add(operand.values.dtype)
        elif operand.value is not None:
            found.add(_SCALAR_TYPES.get(type(operand.value), np.dtype(object)))
    if found and all(dtype.kind == "i" for dtype in found):
        return max(found, key=lambda dtype: dtype.itemsize)
    return found.pop() if len(found) == 1 else object


_SCALAR_TYPES = {bool: np.dtype(np.bool_), int: np.dtype(np.int64), float: np.dtype(np.float64)}


# -- functions ------------------------------------------------------------------------------------------------------


def _positive(ufunc: Callable[[Array], Array]) -> Callable[[Array], tuple[Array, Mask | None]]:
    """A logarithm: null where the argument is not positive."""

    def apply(values: Array) -> tuple[Array, Mask | None]:
        bad = ~(values > 0)
        return ufunc(np.where(bad, 1.0, values)), bad if bad.any() else None

    return apply


def _plain(ufunc: Callable[[Array], Array]) -> Callable[[Array], tuple[Array, Mask | None]]:
    return lambda values: (ufunc(values), None)


_UNARY: dict[str, Callable[[Array], tuple[Array, Mask | None]]] = {
    "abs": _plain(np.abs),
    "sqrt": _plain(np.sqrt),
    "floor": _plain(np.floor),
    "ceil": _plain(np.ceil),
    "radians": _plain(lambda values: math.pi * values / 180),
    "degrees": _plain(lambda values: 180 * values / math.pi),
    "ln": _positive(np.log),
    "log10": _positive(np.log10),
}
"""Functions of one number that numpy computes as the math module does (logarithms to the last digit but one)."""


def call_unary(name: str, operand: Operand) -> Column:
    """A function of ``_UNARY`` on a column of numbers."""
    if name not in _UNARY or isinstance(operand, Scalar) or kind(operand) not in ("int", "float", "bool"):
        raise NoKernel
    with np.errstate(all="ignore"):
        values, absent = _UNARY[name](_doubles(operand))
    return Column(values, merged(operand.nulls, absent), operand.errors)


def scale_linear(operand: Operand, domain: tuple[float, float], target: tuple[float, float]) -> Column:
    """``scale_linear`` of a column with constant ranges."""
    low, high = domain
    if isinstance(operand, Scalar) or kind(operand) not in ("int", "float", "bool") or low >= high:
        raise NoKernel
    values = _doubles(operand)
    with np.errstate(all="ignore"):
        scaled = (target[1] - target[0]) / (high - low) * (values - low) + target[0]
    result = np.where(values <= low, target[0], np.where(values >= high, target[1], scaled))
    return Column(result, operand.nulls, operand.errors)
