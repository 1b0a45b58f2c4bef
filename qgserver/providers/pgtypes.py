"""PostgreSQL types: what they are to QGIS, how they are asked for, how their values become columns.

Which types QGIS shows at all, as what and how was measured on 3.22 (``interval``, ranges, bit strings, geometric
types, ``tsvector`` and composite types are left out there, so their columns are left out here).
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from psycopg.adapt import Buffer, Loader
from psycopg.pq import Format

from qgserver.providers.batch import Column
from qgserver.providers.columns import column, objects
from qgserver.providers.protocol import FieldType

Convert = Callable[[Sequence[Any]], Column]


@dataclass(frozen=True, slots=True)
class PgType:
    """``cast`` follows the column's name in the SELECT, or ``function`` goes around it; ``convert`` makes the column of
    what then arrives. ``comparable`` says that SQL compares the column itself as it would what arrives."""

    type: FieldType
    convert: Convert
    cast: str = ""
    function: str = ""
    comparable: bool = True


def pg_type(name: str, category: str, element: PgType | None) -> PgType | None:
    """How to read a type by its catalogue name and ``typtype`` (``b`` base, ``e`` enum), for arrays with the type of
    the elements. None = QGIS does not show it."""
    if element is not None:
        return _ARRAYS.get(element.type, _LISTS_BY_TEXT) if element.function == "" else None
    return _TEXT if category == "e" else _TYPES.get(name)


# -- values ---------------------------------------------------------------------------------------------------------

_EPOCH_DAYS = 10957
"""Days from 1970-01-01 to PostgreSQL's epoch, 2000-01-01."""
_INFINITE_DAYS = 2**31 - 1
_INFINITE_MICROS = 2**63 - 1


class _IntLoader(Loader):
    """The integer that a binary date or timestamp is: converted by the column, not one by one; ``infinity`` and years
    beyond Python's range are no errors then."""

    format = Format.BINARY
    unpack = struct.Struct("!q").unpack

    def load(self, data: Buffer) -> int:
        (value,) = self.unpack(data)
        return int(value)


class _DateLoader(_IntLoader):
    unpack = struct.Struct("!i").unpack


def register_loaders(connection: psycopg.Connection[Any]) -> None:
    """Make a connection hand over dates and times as the integers they are."""
    connection.adapters.register_loader("date", _DateLoader)
    for name in ("time", "timestamp", "timestamptz"):
        connection.adapters.register_loader(name, _IntLoader)


def _dates(values: Sequence[Any]) -> Column:
    days = np.array([_INFINITE_DAYS if v is None else v for v in values], np.int64)
    return _instants(days + _EPOCH_DAYS, np.abs(days) >= _INFINITE_DAYS, "D")


def _timestamps(values: Sequence[Any]) -> Column:
    micros = np.array([_INFINITE_MICROS if v is None else v for v in values], np.int64)
    nulls = (micros == _INFINITE_MICROS) | (micros == -_INFINITE_MICROS - 1)
    return _instants(np.where(nulls, 0, micros) // 1000 + _EPOCH_DAYS * 86_400_000, nulls, "ms")


def _instants(counts: np.ndarray[Any, np.dtype[np.int64]], nulls: Any, unit: str) -> Column:
    values = counts.astype(f"datetime64[{unit}]")
    values[nulls] = np.datetime64("NaT")
    return Column(values, nulls if nulls.any() else None)


def _times(values: Sequence[Any]) -> Column:
    midnight = dt.datetime(2000, 1, 1)
    # 24:00:00 is midnight, as QGIS shows it.
    return objects([None if v is None else (midnight + dt.timedelta(microseconds=v)).time() for v in values])


def _decimals(values: Sequence[Any]) -> Column:
    """``numeric`` and ``float4`` come as text: their shortest decimal form is the number that QGIS reads."""
    return _finite(column([None if v is None else float(v) for v in values], "double"))


def _doubles(values: Sequence[Any]) -> Column:
    return _finite(column(values, "double"))


def _finite(numbers: Column) -> Column:
    """Infinite numbers are null (measured)."""
    infinite = np.isinf(numbers.values)
    if not infinite.any():
        return numbers
    return Column(
        np.where(infinite, 0.0, numbers.values), infinite if numbers.nulls is None else infinite | numbers.nulls
    )


def _lists_of_numbers(values: Sequence[Any]) -> Column:
    return objects([None if v is None else _floats(v) for v in values])


def _floats(value: Any) -> Any:
    return [None if v is None else _floats(v) if isinstance(v, list) else float(v) for v in value]


def _as(kind: FieldType) -> Convert:
    return lambda values: column(values, kind)


_TEXT = PgType("string", _as("string"), "::text")
_STRING = PgType("string", _as("string"))
_NUMBER = PgType("double", _decimals, "::text")
_INT = PgType("int", _as("int"))
_TIMESTAMP = PgType("datetime", _timestamps)
_JSON = PgType("map", _as("map"), "::text")
_GEOMETRY = PgType("string", _as("string"), function="ST_AsEWKT", comparable=False)

_TYPES: Mapping[str, PgType] = {
    "bool": PgType("bool", _as("bool")),
    "int2": _INT,
    "int4": _INT,
    "oid": PgType("int64", _as("int64")),
    "int8": PgType("int64", _as("int64")),
    "float8": PgType("double", _doubles),
    # 0.1 as a float4 is another number than the 0.1 that its text is.
    "float4": PgType("double", _decimals, "::text", comparable=False),
    "numeric": _NUMBER,
    "text": _STRING,
    "varchar": _STRING,
    "date": PgType("date", _dates),
    "time": PgType("time", _times),
    "timestamp": _TIMESTAMP,
    "timestamptz": _TIMESTAMP,
    "bytea": PgType("binary", _as("binary")),
    "json": _JSON,
    "jsonb": _JSON,
    "hstore": PgType("map", _as("map"), "::json::text"),
    "geometry": _GEOMETRY,
    "geography": _GEOMETRY,
    **dict.fromkeys(
        ("bpchar", "char", "name", "citext", "money", "uuid", "xml", "ltree", "timetz", "inet", "cidr", "macaddr"),
        _TEXT,
    ),
}

_LISTS_BY_TEXT = PgType("list", objects, "::text[]")
_ARRAYS: Mapping[FieldType, PgType] = {
    "bool": PgType("list", objects),
    "int": PgType("list", objects),
    "int64": PgType("list", objects),
    "double": PgType("list", _lists_of_numbers, "::text[]"),
}
