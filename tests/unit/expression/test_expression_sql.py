"""Expressions as SQL: the text, the parameters, and what must not be pushed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from qgserver.expression.nodes import all_of
from qgserver.expression.parser import parse
from qgserver.expression.sql import Dialect, Sql, push_down, split_and, to_sql

COLUMNS = {
    "pop": "int",
    "area": "double",
    "name": "string",
    "born": "date",
    "ok": "bool",
    'o"d%d': "string",
    "at": "datetime",
}


@pytest.mark.parametrize(
    ("text", "dialect", "sql", "params"),
    [
        ('"pop" > 5', "postgres", '("pop" > %s)', [5]),
        ("POP = '5'", "postgres", '("pop" = %s)', [5]),
        ("area > 5", "postgres", '("area"::float8 > %s AND "area"::float8 <> \'NaN\')', [5.0]),
        ("name = 'x'' OR 1=1'", "postgres", '("name"::text = %s)', ["x' OR 1=1"]),
        ("name < 'x'", "postgres", '("name"::text < %s COLLATE "C")', ["x"]),
        ("name = 'x'", "sqlite", '("name" = ? COLLATE BINARY)', ["x"]),
        ("name LIKE 'a*_%\\\\%'", "sqlite", '("name" GLOB ?)', ["a[*]?*%"]),
        ("name LIKE 'a\\\\%_%'", "postgres", '("name"::text LIKE %s)', ["a\\%_%"]),
        ("pop IN (1, 2.0, NULL)", "sqlite", '("pop" IN (?, ?, NULL))', [1, 2]),
        ("born >= '2020-01-02'", "postgres", '("born" >= %s)', [dt.date(2020, 1, 2)]),
        ("NOT (ok OR name IS NULL)", "sqlite", '(NOT (("ok" <> 0) OR ("name" IS NULL)))', []),
        ("pop % 2 = 0", "postgres", '(mod("pop"::int8, 2) = %s)', [0]),
        ('"o""d%d" = \'a\'', "postgres", '("o""d%%d"::text = %s)', ["a"]),
        ("pop BETWEEN 1 AND 3", "sqlite", '(("pop" >= ?) AND ("pop" <= ?))', [1, 3]),
    ],
)
def test_conditions(text: str, dialect: Dialect, sql: str, params: list[Any]) -> None:
    assert to_sql(parse(text), dialect, COLUMNS) == Sql(sql, tuple(params))


@pytest.mark.parametrize(
    "text",
    [
        "name = 5",  # a text column is converted row by row
        "name ILIKE 'a%'",
        "lower(name) = 'a'",
        "area * 2 > 1",  # overflow is an error in the database
        "pop * pop * pop > 1",  # 93 bits
        "pop / 2 > 1",
        "pop // 2 = 1",
        "name ~ 'a'",
        "nosuch = 1",
        "pop = @v",
        "born > 'yesterday'",
        "at > '2020-01-02'",
        "name",
        "ok = 1",
        "1 = 1",
    ],
)
def test_what_is_not_pushed(text: str) -> None:
    assert to_sql(parse(text), "postgres", COLUMNS) is None


def test_nul_is_not_sent() -> None:
    assert to_sql(parse("name = 'a\0b'"), "postgres", COLUMNS) is None


def test_a_filter_is_split() -> None:
    node = parse("pop > 1 AND (name = 'a' AND lower(name) = 'a') AND ok")
    sql, rest = push_down(node, "sqlite", COLUMNS)
    assert sql == Sql('("pop" > ?) AND ("name" = ? COLLATE BINARY) AND ("ok" <> 0)', (1, "a"))
    assert rest == parse("lower(name) = 'a'")
    assert all_of(split_and(node)) is not None
    assert push_down(parse("lower(name) = 'a'"), "sqlite", COLUMNS)[0] is None
    assert push_down(parse("pop > 1"), "sqlite", COLUMNS)[1] is None


def test_endless_lists_stay_here() -> None:
    many = "pop IN (" + ",".join(map(str, range(5000))) + ")"
    assert to_sql(parse(many), "postgres", COLUMNS) is None
