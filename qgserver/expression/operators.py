"""The scalar operators: what one value does with another. Rows and columns share these."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from qgserver.errors import ExpressionError
from qgserver.expression.values import (
    Interval,
    Value,
    compare,
    has_text,
    same,
    text_to_int,
    to_double,
    to_text,
    wrap64,
)

Operator = Callable[[Value, Value], Value]


def _integer(value: Value) -> int | None:
    """The value as an integer operand: ints and texts of ints, not bools, not doubles."""
    if type(value) is int:
        return value
    return text_to_int(value) if type(value) is str else None


def _arithmetic(integers: Callable[[int, int], Value], doubles: Callable[[float, float], Value]) -> Operator:
    def apply(a: Value, b: Value) -> Value:
        if a is None or b is None:
            return None
        left = _integer(a)
        if left is not None:
            right = _integer(b)
            if right is not None:
                return integers(left, right)
        return doubles(to_double(a), to_double(b))

    return apply


def shift(moment: Value, interval: Interval, sign: int) -> Value:
    """A date, time or datetime moved by an interval: always a datetime, but for a time. None beyond the calendar."""
    delta = dt.timedelta(seconds=sign * interval.seconds) if abs(interval.seconds) < 8e13 else None
    if delta is None:
        return None
    try:
        if isinstance(moment, dt.time):
            return (dt.datetime.combine(dt.date(2000, 1, 1), moment) + delta).time()
        if isinstance(moment, dt.datetime):
            return moment + delta
        if isinstance(moment, dt.date):
            return dt.datetime.combine(moment, dt.time()) + delta
    except OverflowError:
        return None
    raise ExpressionError("Cannot add an interval to this value")


def _seconds(moment: dt.time) -> float:
    return moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6


def _temporal_sum(a: Value, b: Value) -> Value:
    if isinstance(b, Interval) and isinstance(a, dt.date | dt.time):
        return shift(a, b, 1)
    if isinstance(a, Interval) and isinstance(b, dt.date | dt.time):
        return shift(b, a, 1)
    if type(a) is dt.date and isinstance(b, dt.time):
        return dt.datetime.combine(a, b)
    if isinstance(a, dt.time) and type(b) is dt.date:
        return dt.datetime.combine(b, a)
    return NotImplemented


def _temporal_difference(a: Value, b: Value) -> Value:
    if isinstance(b, Interval) and isinstance(a, dt.date | dt.time):
        return shift(a, b, -1)
    if type(a) is type(b):
        if isinstance(a, dt.date):
            return Interval((a - b).total_seconds())  # type: ignore[operator]  # both of the same type
        if isinstance(a, dt.time) and isinstance(b, dt.time):
            return Interval(_seconds(a) - _seconds(b))
    return NotImplemented


_add_numbers = _arithmetic(lambda a, b: wrap64(a + b), lambda a, b: a + b)
_subtract_numbers = _arithmetic(lambda a, b: wrap64(a - b), lambda a, b: a - b)
_multiply = _arithmetic(lambda a, b: wrap64(a * b), lambda a, b: a * b)


def add(a: Value, b: Value) -> Value:
    """``+``: two texts are joined; dates and intervals move; the rest is arithmetic."""
    if isinstance(a, str) and isinstance(b, str):
        return a + b
    if isinstance(a, dt.date | dt.time | Interval) and b is not None:
        result = _temporal_sum(a, b)
        if result is not NotImplemented:
            return result
    return _add_numbers(a, b)


def subtract(a: Value, b: Value) -> Value:
    """``-``"""
    if isinstance(a, dt.date | dt.time) and b is not None:
        result = _temporal_difference(a, b)
        if result is not NotImplemented:
            return result
    return _subtract_numbers(a, b)


def divide(a: Value, b: Value) -> Value:
    """``/``: always a double; NULL by zero."""
    if a is None or b is None:
        return None
    left, right = to_double(a), to_double(b)
    return left / right if right else None


def floor_divide(a: Value, b: Value) -> Value:
    """``//``: floor of the quotient as an integer; NULL by zero. NULL operands are errors here, as in QGIS 3.22."""
    left, right = to_double("" if a is None else a), to_double("" if b is None else b)
    if not right:
        return None
    quotient = left / right
    return wrap64(math.floor(quotient)) if math.isfinite(quotient) else -(2**63)


def _int_remainder(a: int, b: int) -> Value:
    return int(math.copysign(1, a)) * (abs(a) % abs(b)) if b else None


def _double_remainder(a: float, b: float) -> Value:
    if not b:
        return None
    return math.fmod(a, b) if math.isfinite(a) and b == b else math.nan


_remainder = _arithmetic(_int_remainder, _double_remainder)


def power(a: Value, b: Value) -> Value:
    """``^``: a double; C's ``pow``, where nan and inf are answers."""
    if a is None or b is None:
        return None
    return double_power(to_double(a), to_double(b))


def double_power(a: float, b: float) -> float:
    """C's ``pow``."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:  # negative base with a fraction, or zero to a negative power
        return math.nan if a else (math.copysign(math.inf, a) if b % 2 == 1 else math.inf)


def join_texts(values: list[Value]) -> Value:
    """``||`` of all values: NULL if one is NULL, or if none of them has a text."""
    if any(value is None for value in values):
        return None
    text = "".join([to_text(value) for value in values])
    return text if text or any(has_text(value) for value in values) else None


# -- patterns -------------------------------------------------------------------------------------------------------

_LIKE_PART = re.compile(r"\\([%_])|(%+)|(_)|([^%_\\]+|\\)")


def like_parts(pattern: str) -> Iterator[tuple[str, str]]:
    """The parts of a LIKE pattern: ("%", "") any run, ("_", "") one character, ("", text) itself. A backslash takes the
    wildcard behind it literally."""
    for escaped, run, one, literal in _LIKE_PART.findall(pattern):
        yield ("%", "") if run else ("_", "") if one else ("", escaped or literal)


def like_regex(pattern: str) -> str:
    """The regular expression of a LIKE pattern."""
    words = {"%": ".*", "_": "."}
    return "".join(words.get(part) or re.escape(text) for part, text in like_parts(pattern))


@lru_cache(maxsize=512)
def like_matcher(pattern: str, insensitive: bool) -> Callable[[str], object]:
    """A function of text, truthy where the whole text matches. Linear in practice: runs are matched lazily, part after
    part, and never backtrack over an earlier one."""
    flags = re.DOTALL | (re.IGNORECASE if insensitive else 0)
    regex = like_regex(pattern)
    if ".*" not in regex:
        return re.compile(regex, flags).fullmatch
    first, *middle = regex.split(".*")
    last = middle.pop()
    # once a part is found at its first place, a later place cannot help the parts after it: atomic groups say so
    body = "".join(f"(?>.*?{part})" for part in middle if part)
    return re.compile(f"{first}{body}.*{last}", flags).fullmatch if last else re.compile(f"{first}{body}", flags).match


def _like(insensitive: bool, wanted: bool) -> Operator:
    def apply(a: Value, b: Value) -> Value:
        if a is None or b is None:
            return None
        found = like_matcher(to_text(b), insensitive)(to_text(a)) is not None
        return 1 if found == wanted else 0

    return apply


def matches(a: Value, b: Value) -> Value:
    """``~``: an unanchored regular expression."""
    from qgserver.expression.regex import search

    if a is None or b is None:
        return None
    return 1 if search(to_text(b), to_text(a)) else 0


def is_(a: Value, b: Value) -> Value:
    """``IS``: never NULL."""
    return 1 if same(a, b) else 0


def is_not(a: Value, b: Value) -> Value:
    """``IS NOT``: never NULL."""
    return 0 if same(a, b) else 1


def _comparison(op: str) -> Operator:
    return lambda a, b: compare(op, a, b)


OPERATORS: dict[str, Operator] = {
    **{op: _comparison(op) for op in ("=", "<>", "<", "<=", ">", ">=")},
    "IS": is_,
    "ISNOT": is_not,
    "LIKE": _like(False, True),
    "NOTLIKE": _like(False, False),
    "ILIKE": _like(True, True),
    "NOTILIKE": _like(True, False),
    "~": matches,
    "+": add,
    "-": subtract,
    "*": _multiply,
    "/": divide,
    "//": floor_divide,
    "%": _remainder,
    "^": power,
}
"""Binary operators by the ``op`` of ``nodes.Binary``."""


def negate(value: Value) -> Value:
    """Unary minus. Raises ``ExpressionError`` for what is neither a number nor the text of one, NULL included."""
    if type(value) is float:
        return -value
    whole = _integer(value)
    if whole is not None:
        return wrap64(-whole)
    if isinstance(value, str):
        return -to_double(value)
    raise ExpressionError("Unary minus only for numeric values")
