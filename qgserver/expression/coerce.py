"""Conversion of arguments: annotation of a function's parameter -> what turns a non-null value into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from qgserver.errors import ExpressionError
from qgserver.expression.context import Feature
from qgserver.expression.values import Interval, Value, is_geometry, to_double, to_int, to_text


def _kind(what: str, accept: Callable[[Value], bool]) -> Callable[[Value], Value]:
    def convert(value: Value) -> Value:
        if accept(value):
            return value
        raise ExpressionError(f"Cannot convert '{to_text(value)[:100]}' to {what}")

    return convert


def to_date(value: Value) -> dt.date:
    """A date from a date, a datetime or an ISO text. Raises ``ExpressionError``."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value[:10])
        except ValueError:
            pass
    raise ExpressionError(f"Cannot convert '{to_text(value)[:100]}' to date")


def to_datetime(value: Value) -> dt.datetime:
    """A datetime from a datetime, a date (midnight) or an ISO text. Raises ``ExpressionError``."""
    if isinstance(value, dt.datetime):
        return value
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    if isinstance(value, str):
        try:
            return dt.datetime.fromisoformat(value.strip()).replace(tzinfo=None)
        except ValueError:
            pass
    raise ExpressionError(f"Cannot convert '{to_text(value)[:100]}' to datetime")


def to_time(value: Value) -> dt.time:
    """A time of day from a time, a datetime or an ISO text. Raises ``ExpressionError``."""
    if isinstance(value, dt.time):
        return value
    if isinstance(value, dt.datetime):
        return value.time()
    if isinstance(value, str):
        try:
            return dt.time.fromisoformat(value.strip())
        except ValueError:
            pass
    raise ExpressionError(f"Cannot convert '{to_text(value)[:100]}' to time")


COERCIONS: dict[str, Callable[[Value], Value]] = {
    "Value": lambda value: value,
    "str": to_text,
    "float": to_double,
    "int": to_int,
    "date": to_date,
    "datetime": to_datetime,
    "time": to_time,
    "Interval": _kind("interval", lambda value: isinstance(value, Interval)),
    "Geometry": _kind("geometry", is_geometry),
    "Array": _kind("array", lambda value: isinstance(value, list)),
    "Map": _kind("map", lambda value: isinstance(value, dict)),
    "bytes": _kind("binary", lambda value: isinstance(value, bytes)),
    "Feature": _kind("feature", lambda value: isinstance(value, Feature)),
}
"""Raises ``ExpressionError`` when the value cannot be converted."""
