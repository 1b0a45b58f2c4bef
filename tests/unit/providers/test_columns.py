"""Columns out of what rows bring, good and bad."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from qgserver.providers.columns import column
from qgserver.providers.protocol import FieldType


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("int", [1, None, -3], [1, None, -3]),
        ("int", ["7", "x", 2**40, 1.9, None], [7, None, None, 1, None]),
        ("int64", [2**62, None], [2**62, None]),
        ("int64", [2**63, 1], [None, 1]),
        ("double", [1, None, 2.5], [1.0, None, 2.5]),
        ("double", ["1e3", "", b"x"], [1000.0, None, None]),
        ("bool", [1, 0, None], [True, False, None]),
        ("string", ["a", None, ""], ["a", None, ""]),
        ("string", [1, b"\xff", "b"], ["1", "�", "b"]),
        ("date", ["2020-02-29", None, "2020-02-30", "now", ""], [dt.date(2020, 2, 29), None, None, None, None]),
        ("date", ["2020/02/29"], [dt.date(2020, 2, 29)]),
        (
            "datetime",
            ["2020-01-02T03:04:05.678", "2020-01-02 03:04", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05+02:00", "x"],
            [
                dt.datetime(2020, 1, 2, 3, 4, 5, 678000),
                dt.datetime(2020, 1, 2, 3, 4),
                dt.datetime(2020, 1, 2, 3, 4, 5),
                dt.datetime(2020, 1, 2, 3, 4, 5),  # the clock time, as QGIS shows it
                None,
            ],
        ),
        ("time", ["03:04:05.5", "25:00", None], [dt.time(3, 4, 5, 500000), None, None]),
        ("binary", [b"\0", None], [b"\0", None]),
        ("map", ['{"a": [1, null]}', "{", None, "null"], [{"a": [1, None]}, None, None, None]),
        ("list", [[1, 2], "[3]"], [[1, 2], [3]]),
    ],
)
def test_values_fit_or_are_null(kind: FieldType, values: list[Any], expected: list[Any]) -> None:
    made = column(values, kind)
    nulls = np.zeros(len(values), bool) if made.nulls is None else made.nulls
    assert [None if null else value for value, null in zip(made.values.tolist(), nulls, strict=True)] == expected


def test_no_rows() -> None:
    dtypes = {kind: column([], kind).values.dtype.str for kind in ("int", "double", "date", "datetime", "string")}  # type: ignore[arg-type]
    assert dtypes == {"int": "<i4", "double": "<f8", "date": "<M8[D]", "datetime": "<M8[ms]", "string": "|O"}
