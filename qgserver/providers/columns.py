"""Python values as rows bring them -> columns of arrays."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from qgserver.providers.batch import Column
from qgserver.providers.protocol import FieldType

Values = Sequence[Any]
Read = Callable[[Any], Any]


def column(values: Values, kind: FieldType) -> Column:
    """The column of n values of a source (None = null) that should be of one type. A value that is not, and can't be
    read as one, is null: files hold what they like, whatever they declare."""
    return _READERS[kind](values)


def objects(values: Values) -> Column:
    """Any values as they are."""
    return Column(np.fromiter(values, object, len(values)), _nulls(values))


def _nulls(values: Values) -> NDArray[np.bool_] | None:
    # ``None in values`` compares identities first: C speed, and most columns have no nulls.
    return np.fromiter(map(_is_null, values), bool, len(values)) if None in values else None


_is_null = partial(operator.is_, None)


def _numbers(dtype: Any, read: Read) -> Callable[[Values], Column]:
    def convert(values: Values) -> Column:
        nulls = _nulls(values)
        plain = values if nulls is None else [0 if v is None else v for v in values]
        try:
            return Column(np.array(plain, dtype).reshape(len(plain)), nulls)
        except (TypeError, ValueError, OverflowError):
            clean = [_try(read, v) for v in values]
            return Column(np.array([0 if v is None else v for v in clean], dtype), _nulls(clean))

    return convert


def _try(read: Read, value: Any) -> Any:
    if value is None:
        return None
    try:
        return read(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _int32(value: Any) -> int:
    return int(np.int32(int(value)))


def _int64(value: Any) -> int:
    return int(np.int64(int(value)))


def _strings(values: Values) -> Column:
    if not _TEXTS.issuperset(map(type, values)):  # in C: most columns hold what they declare
        values = [_text(v) for v in values]
    return objects(values)


_TEXTS = frozenset({str, type(None)})


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)


def _datetimes(unit: str, pattern: re.Pattern[str], read: Callable[[str], str]) -> Callable[[Values], Column]:
    def convert(values: Values) -> Column:
        plain = [v if type(v) is str and pattern.fullmatch(v) else _try(read, v) or "NaT" for v in values]
        try:
            out = np.array(plain, f"datetime64[{unit}]")
        except ValueError:  # the 31st of February
            out = np.array([_try(read, v) or "NaT" for v in values], f"datetime64[{unit}]")
        nulls = np.isnat(out)
        return Column(out, nulls if nulls.any() else None)

    return convert


_PLAIN_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PLAIN_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)
"""What numpy reads as it stands; zones and other spellings go through ``datetime``."""


def _date(value: str) -> str:
    return dt.date.fromisoformat(value.strip().replace("/", "-")[:10]).isoformat()


def _datetime(value: str) -> str:
    """A date and time in any ISO form as numpy takes it. A zone is dropped, the clock time stays: what QGIS shows."""
    return dt.datetime.fromisoformat(value.strip().replace("/", "-")).replace(tzinfo=None).isoformat()


def _time(value: Any) -> dt.time:
    return value if isinstance(value, dt.time) else dt.time.fromisoformat(value)


def _each(read: Read) -> Callable[[Values], Column]:
    return lambda values: objects([_try(read, v) for v in values])


def _json(value: Any) -> Any:
    """JSON text as Python values; lists and maps of a driver stay as they are."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


_READERS: Mapping[FieldType, Callable[[Values], Column]] = {
    "bool": _numbers(np.bool_, bool),
    "int": _numbers(np.int32, _int32),
    "int64": _numbers(np.int64, _int64),
    "double": _numbers(np.float64, float),
    "string": _strings,
    "date": _datetimes("D", _PLAIN_DATE, _date),
    "time": _each(_time),
    "datetime": _datetimes("ms", _PLAIN_DATETIME, _datetime),
    "binary": objects,
    "list": _each(_json),
    "map": _each(_json),
    "geometry": objects,
}
