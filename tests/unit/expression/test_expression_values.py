"""Texts, numbers and truth of values, as measured in QGIS 3.22 (reference: the expression table)."""

from __future__ import annotations

import datetime as dt

import pytest

from qgserver.errors import ExpressionError
from qgserver.expression.values import (
    Interval,
    Value,
    compare,
    double_text,
    same,
    to_int,
    to_text,
    truth,
    utf16_length,
    utf16_slice,
    wrap64,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.5, "1.5"), (100000.0, "100000"), (1000000.0, "1e+06"), (1200000.0, "1200000"), (0.0001, "0.0001"),
        (0.00001, "1e-05"), (1 / 3, "0.3333333333333333"), (-0.0, "-0"), (1e21, "1e+21"), (123456.789, "123456.789"),
        (-2.5e-7, "-2.5e-07"), (1e100, "1e+100"), (float("inf"), "inf"), (0.1 + 0.2, "0.30000000000000004"),
    ],
)  # fmt: skip
def test_text_of_doubles(number: float, text: str) -> None:
    assert double_text(number) == text


def test_texts() -> None:
    assert to_text(True) == "true"
    assert to_text(dt.datetime(2020, 1, 2, 3, 4, 5, 678000)) == "2020-01-02T03:04:05.678"
    assert to_text(dt.time(3, 4, 5)) == "03:04:05.000"
    assert to_text([1]) == ""


@pytest.mark.parametrize(("value", "number"), [(12.5, 13), (-12.5, -12), (" 7 ", 7), (True, 1), (0.5, 1)])
def test_integers(value: Value, number: int) -> None:
    assert to_int(value) == number


@pytest.mark.parametrize("value", ["12.7", "1e2", "", "abc", "0x10"])
def test_texts_that_are_no_integers(value: str) -> None:
    with pytest.raises(ExpressionError):
        to_int(value)


def test_truth() -> None:
    assert [truth(value) for value in (None, 0, 0.5, "10", "0.0")] == [None, False, True, True, False]
    with pytest.raises(ExpressionError):
        truth("true")


@pytest.mark.parametrize(
    ("op", "a", "b", "result"),
    [
        ("=", 2, "2.0", 1),
        ("=", "2", "2.0", 0),
        ("<", "10", "9", 1),
        ("<", "10", 9, 0),
        ("=", 1, True, 0),
        ("=", "true", True, 1),
        ("=", dt.date(2020, 1, 2), "2020-01-02", 1),
        (">", dt.datetime(2020, 1, 2), "2020-01-02", 1),
        ("=", dt.date(2020, 1, 2), dt.datetime(2020, 1, 2), 0),
        ("<", Interval(1), Interval(2), 1),
        ("=", None, 1, None),
        ("=", [1, 2], 1, None),
    ],
)
def test_comparison(op: str, a: Value, b: Value, result: Value) -> None:
    assert compare(op, a, b) == result


def test_the_rest() -> None:
    assert same(None, None)
    assert not same(None, 0)
    assert wrap64(2**63) == -(2**63)
    assert utf16_length("a😀") == 3
    assert utf16_slice("😀bc", 2, 3) == "b"
