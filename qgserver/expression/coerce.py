"""Conversion of arguments: annotation of a function's parameter -> what turns a non-null value into it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from contextlib import suppress

from qgserver.errors import ExpressionError
from qgserver.expression.context import Feature
from qgserver.expression.values import Interval, Value, is_geometry, text_argument, to_double, to_int, to_text


def _kind(what: str, accept: Callable[[Value], bool]) -> Callable[[Value], Value]:
    def convert(value: Value) -> Value:
        if accept(value):
            return value
        raise ExpressionError(f"Cannot convert '{to_text(value)[:100]}' to {what}")

    return convert


_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d+)?)?", re.ASCII)


def _fail(value: Value, what: str) -> ExpressionError:
    return ExpressionError(f"Cannot convert '{to_text(value)[:100]}' to {what}")


def to_date(value: Value) -> dt.date:
    """A date from a date, a datetime or an ISO text. Raises ``ExpressionError``."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str) and _DATE.match(value):
        with suppress(ValueError):
            return dt.date.fromisoformat(value[:10])
    raise _fail(value, "Date")


def to_datetime(value: Value) -> dt.datetime:
    """A datetime from a datetime, a date (midnight), a time (on 0001-01-01) or an ISO text, which may have an offset.
    Raises ``ExpressionError``."""
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    if isinstance(value, dt.time):
        return dt.datetime.combine(dt.date.min, value)
    if isinstance(value, str) and _DATE.match(value) and (len(value) == 10 or _TIME.match(value, 11)):
        with suppress(ValueError):
            return dt.datetime.fromisoformat(value)
    raise _fail(value, "DateTime")


def to_time(value: Value) -> dt.time:
    """A time of day from a time, a datetime or an ISO text. Raises ``ExpressionError``."""
    if isinstance(value, dt.time):
        return value
    if isinstance(value, dt.datetime):
        return value.time()
    if isinstance(value, str) and _TIME.fullmatch(value):
        with suppress(ValueError):
            return dt.time.fromisoformat(value)
    raise _fail(value, "Time")


def loose_int(value: Value) -> int:
    """The integer a value stands for, 0 when it stands for none."""
    try:
        return to_int(value)
    except ExpressionError:
        return 0


def _collection(what: str, kind: type) -> Callable[[Value], Value]:
    return _kind(what, lambda value: isinstance(value, kind))


def _linear(value: Value) -> Value:
    """A geometry for calculations: special types straightened."""
    if not is_geometry(value):
        raise ExpressionError("Cannot convert to geometry")
    return getattr(value, "linear", value)


COERCIONS: dict[str, Callable[[Value], Value]] = {
    "Value": lambda value: value,
    "str": text_argument,
    "float": to_double,
    "int": to_int,
    "date": to_date,
    "datetime": to_datetime,
    "time": to_time,
    "Interval": _kind("interval", lambda value: isinstance(value, Interval)),
    "LooseInt": loose_int,
    "Geometry": _linear,
    "AnyGeometry": _kind("geometry", is_geometry),
    "Array": _collection("array", list),
    "Map": _collection("map", dict),
    "bytes": _collection("binary", bytes),
    "Feature": _collection("feature", Feature),
}
"""Raises ``ExpressionError`` when the value cannot be converted."""

# The names of the annotations above, for signatures.
Array = list[Value]
Map = dict[str, Value]
LooseInt = int
