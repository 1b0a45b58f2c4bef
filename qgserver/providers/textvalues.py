"""Types of columns of text: guessed from their values, or said by a ``.csvt`` file; texts as values of a type.

What counts as a number or a date was measured on QGIS 3.22: a column has a type when all its values that are not empty
have, in the order of ``_TESTS``; a column without values is text.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from qgserver.geo.geometry import Floats
from qgserver.providers.batch import Column
from qgserver.providers.columns import column
from qgserver.providers.protocol import FieldType

Texts = Sequence[str | None]

WORDS: Mapping[FieldType, str] = {
    "int": "integer",
    "int64": "longlong",
    "double": "double",
    "string": "text",
    "date": "date",
    "time": "time",
    "datetime": "datetime",
}
"""QGIS's names of the types."""

_CSVT: Mapping[str, FieldType] = {
    "integer": "int",
    "longlong": "int64",
    "integer64": "int64",
    "real": "double",
    "double": "double",
    "string": "string",
    "text": "string",
    "date": "date",
    "time": "time",
    "datetime": "datetime",
}
_ONE_INTEGER = r"\s*+[+-]?[0-9]{1,30}+\s*+"
_ONE_REAL = r"\s*+[+-]?(?:(?:[0-9]++\.?[0-9]*+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?|inf|INF|nan|NaN|NAN)\s*+"
_INTEGER = re.compile(_ONE_INTEGER)
_REAL = re.compile(_ONE_REAL)
_INTEGERS = re.compile(f"(?:{_ONE_INTEGER}\0)*+")
_REALS = re.compile(f"(?:{_ONE_REAL}\0)*+")
"""Many at once, each with a NUL behind it: one step for a whole column."""
_DATE = re.compile(r"([0-9]{4})[^0-9]([0-9]{2})[^0-9]([0-9]{2})(?![0-9])")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?")
_ZONE = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?")


def number(text: str, decimal_point: str) -> float | None:
    """The number a text spells, None when it spells none."""
    if decimal_point:
        text = text.replace(decimal_point, ".")
    if not _REAL.fullmatch(text):
        return None
    value = float(text)
    # A number that is too large for a double is none, the word for infinity is.
    return value if math.isfinite(value) or "n" in text.lower() else None


def numbers(texts: Texts, decimal_point: str) -> Floats:
    """The numbers that texts spell, NaN for those that spell none or no finite one."""
    filled = [text or "nan" for text in texts]
    joined = "\0".join([*filled, ""])
    if decimal_point:
        joined = joined.replace(decimal_point, ".")
    if _REALS.fullmatch(joined) and joined.count("\0") == len(filled):
        values = np.fromiter(map(float, joined.split("\0")[:-1]), np.float64, len(filled))
    else:
        found = (number(text, decimal_point) for text in filled)
        values = np.fromiter((math.nan if value is None else value for value in found), np.float64, len(filled))
    values[~np.isfinite(values)] = np.nan
    return values


def _integers(texts: Texts) -> list[int | None]:
    joined = "\0".join([*(text or "0" for text in texts), ""])
    if _INTEGERS.fullmatch(joined) and joined.count("\0") == len(texts):
        return [int(text) if text else None for text in texts]
    return [int(text) if text and _INTEGER.fullmatch(text) else None for text in texts]


def _date(text: str) -> str | None:
    match = _DATE.match(text)
    try:
        return dt.date(*map(int, match.groups())).isoformat() if match else None
    except ValueError:
        return None


def _time(text: str) -> dt.time | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second, fraction = match.groups()
    try:
        return dt.time(int(hour), int(minute), int(second or 0), int((fraction or "0")[:6].ljust(6, "0")))
    except ValueError:
        return None


def _datetime(text: str) -> str | None:
    """A date and a time; the zone is dropped, the clock time stays."""
    day = _date(text[:10])
    match = _TIME.match(text, 11) if day and text[10:11] in ("T", " ") else None
    if match is None or not _ZONE.fullmatch(text, match.end()):
        return None
    clock = _time(match[0])
    return f"{day}T{clock.isoformat()}" if clock else None


_READERS: Mapping[FieldType, Callable[[str], object]] = {"date": _date, "time": _time, "datetime": _datetime}


def _integers_of(bits: int) -> Callable[[Collection[str], str], bool]:
    limit = 1 << (bits - 1)

    def test(texts: Collection[str], decimal_point: str) -> bool:
        values = [value for value in _integers(list(texts)) if value is not None]
        return len(values) == len(texts) and -limit <= min(values) and max(values) < limit

    return test


def _reals(texts: Collection[str], decimal_point: str) -> bool:
    texts = list(texts)
    found = np.isfinite(numbers(texts, decimal_point))
    return all(number(texts[place], decimal_point) is not None for place in np.flatnonzero(~found).tolist())


def _all(read: Callable[[str], object]) -> Callable[[Collection[str], str], bool]:
    return lambda texts, decimal_point: all(read(text) is not None for text in texts)


_TESTS: Mapping[FieldType, Callable[[Collection[str], str], bool]] = {
    "int": _integers_of(32),
    "int64": _integers_of(64),
    "double": _reals,
    "datetime": _all(_datetime),
    "date": _all(_date),
    "time": _all(_time),
}
"""Whether all of one or more texts spell such a value."""


@dataclass(slots=True)
class Guess:
    """What a column can still be after the values seen so far."""

    kinds: list[FieldType] = field(default_factory=lambda: list(_TESTS))
    empty: bool = True

    def see(self, values: Texts, decimal_point: str) -> None:
        """Take more values into account."""
        if not self.kinds:
            return
        distinct = {value for value in values if value}
        if distinct:
            self.empty = False
            self.kinds = [kind for kind in self.kinds if _TESTS[kind](distinct, decimal_point)]

    @property
    def type(self) -> FieldType:
        """The type that the values have."""
        return "string" if self.empty or not self.kinds else self.kinds[0]


def csvt_types(text: str) -> list[FieldType | None]:
    """The types that the line of a ``.csvt`` file says, by column; None where it says nothing that is known."""
    words = (word.strip().strip("\"'").partition("(")[0].strip().lower() for word in text.split(","))
    return [_CSVT.get(word) for word in words]


def to_column(values: Texts, kind: FieldType, decimal_point: str) -> Column:
    """Texts as a column of that type. A text that spells no such value, and an empty one, is null."""
    if kind == "double":
        found = numbers(values, decimal_point)
        nulls = np.isnan(found)
        return Column(np.where(nulls, 0.0, found), nulls) if nulls.any() else Column(found)
    if kind in ("int", "int64"):
        return column(_integers(values), kind)
    if kind == "string":
        known: dict[str | None, str | None] = {}
        return column([known.setdefault(value, value) for value in values], kind)
    read = _READERS[kind]
    return column([read(value) if value else None for value in values], kind)
