"""Columns: what batches are to expressions. ``providers.batch`` has the same shapes; expression lies below it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qgserver.expression.values import Value
from qgserver.geo.geometry import GeometryArray

Mask = NDArray[np.bool_]


class ColumnLike(Protocol):
    """``providers.batch.Column``: values and the mask of nulls (None = none)."""

    @property
    def values(self) -> NDArray[Any]: ...
    @property
    def nulls(self) -> Mask | None: ...


class Columns(Protocol):
    """``providers.batch.Batch``."""

    @property
    def fids(self) -> NDArray[Any]: ...
    @property
    def columns(self) -> Mapping[str, Any]: ...
    @property
    def geometry(self) -> GeometryArray | None: ...


@dataclass(frozen=True, slots=True)
class Column:
    """The values of an expression for n features, in the form of ``providers.batch.Column``. Results of comparisons and
    logic are int8 (1, 0). ``errors`` marks rows where evaluation failed (None = nowhere); they are null too."""

    values: NDArray[Any]
    nulls: Mask | None = None
    errors: Mask | None = None

    def __len__(self) -> int:
        return len(self.values)


_DTYPES: dict[type, tuple[Any, Value]] = {
    bool: (np.bool_, False),
    int: (np.int64, 0),
    float: (np.float64, 0.0),
    dt.datetime: ("datetime64[ms]", np.datetime64("NaT")),
    dt.date: ("datetime64[D]", np.datetime64("NaT")),
}


def column_of(values: Sequence[Value], errors: Mask | None = None) -> Column:
    """A column of Python values; of the narrowest dtype if all non-null ones are of one type, else of objects."""
    nulls = np.fromiter((value is None for value in values), np.bool_, len(values))
    kinds = {type(value) for value in values}
    kinds.discard(type(None))
    dtype, filler = _DTYPES.get(kinds.pop(), (object, None)) if len(kinds) == 1 else (object, None)
    if dtype is object:
        array: NDArray[Any] = np.empty(len(values), object)
        array[:] = values if not any(isinstance(v, list) for v in values) else None
        for at, value in enumerate(values):
            if isinstance(value, list):
                array[at] = value
    else:
        array = np.array([filler if value is None else value for value in values], dtype)
    return Column(array, nulls if nulls.any() else None, errors)


def to_values(column: ColumnLike) -> list[Value]:
    """The Python values of a column, None where null."""
    values: list[Value] = column.values.tolist()
    if column.nulls is not None:
        for at in np.flatnonzero(column.nulls):
            values[at] = None
    return values
