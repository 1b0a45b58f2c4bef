"""Dates, times and intervals."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from datetime import datetime, time

from qgserver.errors import ExpressionError
from qgserver.expression import dateformat, locales
from qgserver.expression.coerce import LooseInt, to_date, to_datetime, to_time
from qgserver.expression.context import Frame
from qgserver.expression.function import Group
from qgserver.expression.values import NO_TEXT, Interval, Invalid, NoText, Value, aware, text_argument, to_text

function = Group("Date and Time")

_UNITS = {"year": 31557600.0, "month": 2592000.0, "week": 604800.0, "day": 86400.0, "hour": 3600.0, "minute": 60.0}
"""Seconds of QGIS's units: a year has 365.25 days, a month 30."""


@function("now", "$now", pure=False)
def now() -> dt.datetime:
    """The moment of evaluation."""
    return dt.datetime.now()


@function("age")
def age(datetime1: datetime, datetime2: datetime) -> Interval:
    """The time from the second moment to the first."""
    return Interval((aware_pair(datetime1, datetime2)).total_seconds())


def aware_pair(first: datetime, second: datetime) -> dt.timedelta:
    """first - second, local where they have no offset."""
    if (first.tzinfo is None) == (second.tzinfo is None):
        return first - second
    return aware(first) - aware(second)


def _part(unit: str, read: Callable[[Value], int]) -> Callable[[Value], Value]:
    def part(date: Value) -> Value:
        if isinstance(date, Interval):
            return date.seconds / _UNITS[unit] if unit in _UNITS else date.seconds
        return read(date)

    part.__doc__ = f"The {unit} of a date or time, or the length of an interval in {unit}s."
    part.__annotations__ = {"date": "Value", "return": "Value"}
    return part


for _unit, _reader in (
    ("year", lambda value: to_datetime(value).year),
    ("month", lambda value: to_datetime(value).month),
    ("week", lambda value: to_datetime(value).isocalendar().week),
    ("day", lambda value: to_datetime(value).day),
    ("hour", lambda value: to_time(value).hour),
    ("minute", lambda value: to_time(value).minute),
    ("second", lambda value: to_time(value).second),
):
    function(_unit)(_part(_unit, _reader))


@function("day_of_week")
def day_of_week(date: Value) -> int | None:
    """0 Sunday to 6 Saturday; NULL for what is no date."""
    if isinstance(date, dt.date | str):
        return to_date(date).isoweekday() % 7
    return None


@function("epoch")
def epoch(date: datetime) -> int:
    """Milliseconds since 1970-01-01."""
    base = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return round((aware(date) - base) / dt.timedelta(milliseconds=1))


@function("datetime_from_epoch")
def datetime_from_epoch(long: int) -> datetime | None:
    """The local moment so many milliseconds after 1970-01-01."""
    try:
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=long)
        return moment.astimezone().replace(tzinfo=None)
    except OverflowError:
        return None


def _date(year: int, month: int, day: int) -> dt.date:
    """For a year beyond Python's calendar, the day in some leap year: only its validity counts."""
    try:
        if year:
            return dt.date(year if 0 < year < 10000 else 4, month, day)
    except ValueError:
        pass
    raise ExpressionError(f"'{year}-{month}-{day}' is not a valid date")


def _time(hour: int, minute: int, second: float) -> dt.time:
    milliseconds = int((hour * 3600 + minute * 60) * 1000 + second * 1000 + 0.5)
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        raise ExpressionError(f"'{hour}-{minute}-{second}' is not a valid time")
    return (dt.datetime.min + dt.timedelta(milliseconds=milliseconds)).time()


@function("make_date")
def make_date(year: LooseInt, month: LooseInt, day: LooseInt) -> Value:
    """A date."""
    date = _date(year, month, day)
    return date if 0 < year < 10000 else Invalid("date")


@function("make_time")
def make_time(hour: int, minute: int, second: float) -> dt.time:
    """A time of day."""
    return _time(hour, minute, second)


@function("make_datetime")
def make_datetime(year: LooseInt, month: LooseInt, day: LooseInt, hour: int, minute: int, second: float) -> Value:
    """A date with a time."""
    date = _date(year, month, day)
    moment = _time(hour, minute, second)
    return Invalid("datetime") if not 0 < year < 10000 else dt.datetime.combine(date, moment)


@function("make_interval")
def make_interval(  # noqa: PLR0913  # the language's own signature
    years: float = 0.0,
    months: float = 0.0,
    weeks: float = 0.0,
    days: float = 0.0,
    hours: float = 0.0,
    minutes: float = 0.0,
    seconds: float = 0.0,
) -> Interval:
    """A length of time."""
    amounts = (years, months, weeks, days, hours, minutes)
    return Interval(sum(amount * unit for amount, unit in zip(amounts, _UNITS.values(), strict=True)) + seconds)


# -- from and to text -----------------------------------------------------------------------------------------------

_AMOUNT = re.compile(r"([-+]?\d*\.?\d+)\s+(\S+)", re.ASCII)


@function("to_interval", "tointerval")
def to_interval(value: Value) -> Interval:
    """The length of time a text like ``2 days 3 hours`` spells."""
    if isinstance(value, Interval):
        return value
    seconds, found = 0.0, False
    for amount, word in _AMOUNT.findall(to_text(value)):
        unit = word.lower().rstrip(",;.").removesuffix("s")
        if unit in _UNITS or unit == "second":
            seconds += float(amount) * _UNITS.get(unit, 1.0)
            found = True
    return Interval(seconds if found else float("nan"))


def _read(value: Value, pattern: str | None, language: str | None, frame: Frame, what: str) -> dt.datetime:
    text = text_argument(value)
    if text is NO_TEXT:
        raise ExpressionError(f"Cannot convert to {what}")
    moment = dateformat.read(text, pattern or "", locales.find(language or frame.context.locale))
    if moment is None:
        raise ExpressionError(f"Cannot convert '{text[:100]}' to {what}")
    return moment


def _absent(format: str | None) -> bool:
    return format is None or format is NO_TEXT


@function("to_date", "todate")
def to_date_(frame: Frame, value: Value, format: str | None = None, language: str | None = None) -> dt.date:
    """A date, from a text in ISO form or by a pattern."""
    return to_date(value) if _absent(format) else _read(value, format, language, frame, "Date").date()


@function("to_datetime", "todatetime")
def to_datetime_(frame: Frame, value: Value, format: str | None = None, language: str | None = None) -> datetime:
    """A date with time, from a text in ISO form or by a pattern."""
    return to_datetime(value) if _absent(format) else _read(value, format, language, frame, "DateTime")


@function("to_time", "totime")
def to_time_(frame: Frame, value: Value, format: str | None = None, language: str | None = None) -> time:
    """A time of day, from a text in ISO form or by a pattern."""
    return to_time(value) if _absent(format) else _read(value, format, language, frame, "Time").time()


@function("format_date")
def format_date(frame: Frame, datetime: datetime, format: str, language: str | None = None) -> str | None:
    """A date written by a pattern, with the names of a language."""
    if isinstance(format, NoText):
        return None
    return dateformat.write(datetime, format, locales.find(language or frame.context.locale)) or None
