"""How values inside arrays compare: not as operands do, but as Qt's variants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from qgserver.expression.values import Interval, Value, text_to_double, text_to_int, to_text


def equal(a: Value, b: Value) -> bool:
    """Equality of elements: the second is converted to the type of the first; NULL equals NULL."""
    if a is None or b is None:
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b
    if isinstance(a, int | float) and isinstance(b, str):
        return a == (text_to_double(b) if isinstance(a, float) else text_to_int(b))
    if isinstance(a, str) and isinstance(b, str | int | float | dt.date | dt.time):
        return a == to_text(b)
    return type(a) is type(b) and a == b


def position(values: Sequence[Value], value: Value) -> int:
    """Index of the first element equal to a value, -1 without one."""
    return next((at for at, item in enumerate(values) if equal(item, value)), -1)


def contains(values: Sequence[Value], value: Value) -> bool:
    """Whether one element equals a value."""
    return any(equal(item, value) for item in values)


def _collation(text: str) -> tuple[str, str]:
    """A language-neutral alphabetical order: letters before case."""
    return text.casefold(), text.swapcase()


def less(a: Value, b: Value) -> bool:
    """Order of elements, decided by the type of the first: NULL first, numbers by value, texts alphabetically."""
    if a is None or b is None:
        return a is None and b is not None
    if isinstance(a, int | float):
        other = b if isinstance(b, int | float) else text_to_double(b) if isinstance(b, str) else None
        return a < (other or 0)
    if isinstance(a, dt.date | dt.time | Interval) and type(a) is type(b):
        return a < b  # type: ignore[operator]  # of the same type
    if isinstance(a, list) and isinstance(b, list):
        for x, y in zip(a, b, strict=False):
            if not equal(x, y):
                return less(x, y)
        return len(a) < len(b)
    return _collation(to_text(a)) < _collation(to_text(b))


class Sortable:
    """Key for sorting elements."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value

    def __lt__(self, other: Sortable) -> bool:
        return less(self.value, other.value)

    def __gt__(self, other: Sortable) -> bool:
        return less(other.value, self.value)
