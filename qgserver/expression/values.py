"""The values of expressions, how they become text, numbers and truth, and how they compare.

A value is None, bool, int (64 bit), float, str, ``date``, ``time``, ``datetime``, ``Interval``, a shapely
geometry, list, dict, bytes, ``Feature``, a layer or a colour ramp. Comparisons and logic give the ints 1 and 0, as in
QGIS; only ``true``, ``false`` and some functions give bool.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass

from qgserver.errors import ExpressionError

Value = object

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

_DOUBLE = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_INT = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A length of time in seconds; nan = a text that spells none."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Invalid:
    """A date or datetime before the year 1 (``kind``: ``date`` or ``datetime``): not NULL, but without a text."""

    kind: str


def wrap64(value: int) -> int:
    """The integer as 64 bits hold it: overflow wraps around."""
    return value if INT64_MIN <= value <= INT64_MAX else (value - INT64_MIN) % 2**64 + INT64_MIN


# -- text -----------------------------------------------------------------------------------------------------------


def double_text(value: float) -> str:
    """Shortest digits that read back to the same double; in exponent form (two digits) when more than 5 zeros would
    have to be appended or the value is below 1e-4. This is also how double attributes appear in WFS and
    GetFeatureInfo answers."""
    if value.is_integer() and -1e6 < value < 1e6:
        return str(int(value)) if value or math.copysign(1, value) > 0 else "-0"
    if not math.isfinite(value):
        return "nan" if value != value else ("inf" if value > 0 else "-inf")
    mantissa, _, exponent = repr(value).partition("e")
    sign = "-" if mantissa[0] == "-" else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + ("" if fraction == "0" else fraction)).lstrip("0")
    point = len(whole.lstrip("0")) + int(exponent or 0)
    if whole == "0":
        point -= len(fraction) - len(fraction.lstrip("0"))
    digits = digits.rstrip("0")
    if not -4 < point <= len(digits) + 5:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{'-' if point < 1 else '+'}{abs(point - 1):02d}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if len(digits) <= point:
        return sign + digits + "0" * (point - len(digits))
    return f"{sign}{digits[:point]}.{digits[point:]}"


def time_text(value: dt.time) -> str:
    """``HH:MM:SS.mmm``"""
    return f"{value.hour:02d}:{value.minute:02d}:{value.second:02d}.{value.microsecond // 1000:03d}"


def datetime_text(value: dt.datetime) -> str:
    """ISO with ``T`` and milliseconds, and the offset when it has one."""
    text = f"{value.year:04d}-{value.month:02d}-{value.day:02d}T{time_text(value.time())}"
    if value.tzinfo is None:
        return text
    offset = value.isoformat()[-6:]
    return text + ("Z" if offset == "+00:00" else offset)


def aware(value: dt.datetime) -> dt.datetime:
    """The moment with an offset: those without one are local."""
    if value.tzinfo is not None:
        return value
    try:
        return value.astimezone()
    except (OverflowError, ValueError):  # at the ends of the calendar
        return value.replace(tzinfo=dt.UTC)


def to_text(value: Value) -> str:
    """The text of a value; "" for what has none (NULL, arrays, maps, geometries, intervals)."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, dt.datetime):
        return datetime_text(value)
    if isinstance(value, dt.date):
        return f"{value.year:04d}-{value.month:02d}-{value.day:02d}"
    if isinstance(value, dt.time):
        return time_text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return ""


def to_bytes(value: Value) -> bytes:
    """The bytes of a value: its own, or those of the text of a text, number or bool; none of anything else."""
    if isinstance(value, bytes):
        return value
    return to_text(value).encode("utf-8", "replace") if isinstance(value, str | bool | int | float) else b""


def has_text(value: Value) -> bool:
    """Whether the value has a text of its own (an empty string has)."""
    return isinstance(value, str | bool | int | float | dt.date | dt.time | bytes)


# -- numbers and truth ----------------------------------------------------------------------------------------------


def text_to_double(text: str) -> float | None:
    """The number a text spells in the C locale, None when it spells none."""
    return float(text) if _DOUBLE.fullmatch(text) else None


def text_to_int(text: str) -> int | None:
    """The 64-bit integer a text spells, None when it spells none (``12.7`` and ``1e2`` are not integers)."""
    if len(text) > 40 or not _INT.fullmatch(text):
        return None
    number = int(text)
    return number if INT64_MIN <= number <= INT64_MAX else None


def to_double(value: Value) -> float:
    """A double for arithmetic. Raises ``ExpressionError`` for anything that is not a number or the text of one."""
    if isinstance(value, float | int):
        return float(value)
    number = text_to_double(value) if isinstance(value, str) else None
    if number is None:
        raise ExpressionError(f"Cannot convert '{to_text(value)[:100]}' to double")
    return number


def to_int(value: Value) -> int:
    """A 64-bit integer; doubles round half upwards. Raises ``ExpressionError`` for texts that are not integers."""
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and -9.3e18 < value < 9.3e18:
        return wrap64(math.floor(value + 0.5))
    number = text_to_int(value) if isinstance(value, str) else None
    if number is None:
        raise ExpressionError(f"Cannot convert '{to_text(value)[:100]}' to int")
    return number


def truth(value: Value) -> bool | None:
    """Truth of an operand of AND, OR, NOT, CASE or of a whole filter; None = unknown. Raises ``ExpressionError`` for
    texts that are not numbers, dates, arrays and maps."""
    if value is None:
        return None
    if isinstance(value, int | float):
        return value != 0
    if isinstance(value, str):
        number = text_to_double(value)
        if number is not None:
            return number != 0
    elif is_geometry(value):
        return True
    raise ExpressionError(f"Cannot convert '{to_text(value)[:100]}' to boolean")


def loose_truth(value: Value) -> bool:
    """Truth as a widget sees it: any text but "", "0" and "false"; non-zero numbers; nothing else."""
    if isinstance(value, str):
        return value.lower() not in ("", "0", "false")
    return isinstance(value, int | float) and bool(value)


def is_geometry(value: Value) -> bool:
    """Whether the value is a geometry."""
    return hasattr(value, "geom_type")


# -- comparison -----------------------------------------------------------------------------------------------------


def _number_for_comparison(value: Value) -> float | int | None:
    kind = type(value)
    if kind is int or kind is float:
        return value  # type: ignore[return-value]
    return text_to_double(value) if kind is str else None  # type: ignore[arg-type]


def comparable(a: Value, b: Value) -> tuple[Value, Value]:
    """Two non-null values brought to a common kind, so that Python's own comparison gives QGIS's answer: numbers when
    both convert and not both are texts; instants of the same kind; intervals; else their texts."""
    kind, other = type(a), type(b)
    if kind is other and (kind is str or kind is int or kind is float):
        return a, b
    if not (kind is str and other is str):
        left = _number_for_comparison(a)
        if left is not None:
            right = _number_for_comparison(b)
            if right is not None:
                return left, right
    if kind is other and isinstance(a, dt.date | dt.time | Interval):
        if isinstance(a, dt.datetime) and (a.tzinfo is None) != (b.tzinfo is None):  # type: ignore[attr-defined]
            return aware(a), aware(b)  # type: ignore[arg-type]
        return a, b
    return to_text(a), to_text(b)


def compare(op: str, a: Value, b: Value) -> Value:
    """``= <> < <= > >=`` of two values: 1, 0 or None; bool for two arrays."""
    if a is None or b is None:
        return None
    if isinstance(a, list) or isinstance(b, list):
        return _compare_lists(op, a, b) if isinstance(a, list) and isinstance(b, list) else None
    left, right = comparable(a, b)
    return 1 if _COMPARE[op](left, right) else 0


def _compare_lists(op: str, a: list[Value], b: list[Value]) -> Value:
    """The first elements that differ decide, else the lengths (then the answer is a bool)."""
    for x, y in zip(a, b, strict=False):
        if not (x is None and y is None) and compare("=", x, y) in (0, None):
            return compare(op, x, y)
    return bool(_COMPARE[op](len(a), len(b)))


def same(a: Value, b: Value) -> bool:
    """``a IS b``: equality with NULL as an ordinary value; arrays, maps and geometries compare as ""."""
    if a is None or b is None:
        return a is b
    left, right = comparable(a, b)
    return left == right


_COMPARE = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


# -- texts in UTF-16 ------------------------------------------------------------------------------------------------


class NoText(str):
    """The empty text of a value that has none (array, map, geometry): many functions of it are NULL, not empty."""

    __slots__ = ()


NO_TEXT = NoText()


def text_argument(value: Value) -> str:
    """As ``to_text``, but ``NO_TEXT`` for what has no text."""
    return to_text(value) if has_text(value) else NO_TEXT


def is_narrow(text: str) -> bool:
    """Whether every character is one UTF-16 unit, so that Python's positions are QGIS's."""
    return text.isascii() or max(text) <= "\uffff"


def utf16_length(text: str) -> int:
    """Length in UTF-16 units: characters beyond U+FFFF count twice, as in QGIS."""
    return len(text) if is_narrow(text) else len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_slice(text: str, start: int, stop: int) -> str:
    """``text[start:stop]`` counted in UTF-16 units (both >= 0)."""
    if is_narrow(text):
        return text[start:stop]
    return text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * stop].decode("utf-16-le", "surrogatepass")


def utf16_units(text: str) -> memoryview | str:
    """The text as a sequence of its UTF-16 units."""
    return text if is_narrow(text) else memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")


def utf16_position(text: str, at: int) -> int:
    """The UTF-16 position of a Python position."""
    return utf16_length(text[:at])
