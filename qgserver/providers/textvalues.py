"""Types of columns of text: guessed from their values, or said by a ``.csvt`` file; texts as values of a type.

What counts as a number or a date was measured on QGIS 3.22: a column has a type when all its values that are not empty
have, in the order of ``_TESTS``; a column without values is text.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

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
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,30}\s*")
_REAL = re.compile(r"\s*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|INF|nan|NaN|NAN)\s*")
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


def _integer(text: str, decimal_point: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _date(text: str, decimal_point: str) -> str | None:
    match = _DATE.match(text)
    try:
        return dt.date(*map(int, match.groups())).isoformat() if match else None
    except ValueError:
        return None


def _time(text: str, decimal_point: str) -> dt.time | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second, fraction = match.groups()
    try:
        return dt.time(int(hour), int(minute), int(second or 0), int((fraction or "0")[:6].ljust(6, "0")))
    except ValueError:
        return None


def _datetime(text: str, decimal_point: str) -> str | None:
    """A date and a time; the zone is dropped, the clock time stays."""
    day = _date(text[:10], "")
    match = _TIME.match(text, 11) if day and text[10:11] in ("T", " ") else None
    if match is None or not _ZONE.fullmatch(text, match.end()):
        return None
    clock = _time(match[0], "")
    return f"{day}T{clock.isoformat()}" if clock else None


def _finite(text: str, decimal_point: str) -> float | None:
    value = number(text, decimal_point)
    return value if value is not None and math.isfinite(value) else None


_READERS: Mapping[FieldType, Callable[[str, str], object]] = {
    "int": _integer,
    "int64": _integer,
    "double": _finite,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
}
"""What of a text becomes a value; infinity and NaN are null then."""


def _within(bits: int) -> Callable[[str, str], bool]:
    limit = 1 << (bits - 1)

    def test(text: str, decimal_point: str) -> bool:
        value = _integer(text, "")
        return value is not None and -limit <= value < limit

    return test


def _spells(read: Callable[[str, str], object]) -> Callable[[str, str], bool]:
    return lambda text, decimal_point: read(text, decimal_point) is not None


_TESTS: Mapping[FieldType, Callable[[str, str], bool]] = {
    "int": _within(32),
    "int64": _within(64),
    "double": _spells(number),
    "datetime": _spells(_datetime),
    "date": _spells(_date),
    "time": _spells(_time),
}


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
        self.empty = self.empty and not distinct
        self.kinds = [kind for kind in self.kinds if all(_TESTS[kind](value, decimal_point) for value in distinct)]

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
    if kind == "string":
        return column(values, kind)
    read = _READERS[kind]
    return column([read(value, decimal_point) if value else None for value in values], kind)
