"""Rows, columns and SQL of one expression agree, and no expression costs more than it may."""

from __future__ import annotations

import datetime as dt
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from qgserver.errors import ExpressionError
from qgserver.expression.columns import column_of, to_values
from qgserver.expression.context import Context, Limits
from qgserver.expression.evaluate import evaluate, evaluate_rows, select, truth_mask
from qgserver.expression.nodes import Between, Binary, Call, Case, Chain, FieldRef, In, Literal, Node, Unary
from qgserver.expression.parser import parse
from qgserver.expression.rows import evaluate_row
from qgserver.expression.sql import push_down, to_sql
from qgserver.providers.batch import Batch, Column

TYPES = {"i": "int", "big": "int64", "x": "double", "t": "string", "b": "bool", "d": "date"}

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "i": st.integers(-5, 5) | st.integers(-(2**31), 2**31 - 1),
    "big": st.integers(-3, 3) | st.integers(-(2**53), 2**53),
    "x": st.sampled_from([0.0, 1.0, -1.5, 2.0, 2.5, 1e10, 1e-7]) | st.floats(-1e6, 1e6),
    "t": st.sampled_from(["", "a", "A", "ab", "a%b", "a_b", "é", "10", "2.0", "東", "a\\b", "[x]*?"])
    | st.text("ab%_*", max_size=3),
    "b": st.booleans(),
    "d": st.dates(dt.date(1999, 1, 1), dt.date(2021, 1, 1)),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()}), min_size=1, max_size=6
)

LITERALS = (
    st.sampled_from(
        [None, True, False, 0, 1, 2, -3, 2.0, 2.5, "", "a", "10", "2.0", "abc", "2000-02-29", "%a", "a\\%b", "_b"]
    )
    | VALUES["i"]
    | VALUES["x"]
    | VALUES["t"]
).map(Literal)
LEAVES = st.sampled_from(sorted(TYPES)).map(FieldRef) | LITERALS
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=", "IS", "ISNOT")


def _grown(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    pair = st.tuples(children, children)
    return st.one_of(
        st.builds(Binary, st.sampled_from(COMPARISONS), children, children),
        st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "//", "%", "^"]), children, children),
        st.builds(Binary, st.sampled_from(["LIKE", "NOTLIKE", "ILIKE", "NOTILIKE"]), children, LITERALS),
        st.builds(Chain, st.sampled_from(["AND", "OR", "||"]), st.lists(children, min_size=2, max_size=3).map(tuple)),
        st.builds(Unary, st.sampled_from(["NOT", "-", "+"]), children),
        st.builds(In, children, st.lists(LITERALS, min_size=1, max_size=3).map(tuple), st.booleans()),
        st.builds(Between, children, children, children, st.booleans()),
        st.builds(Case, st.lists(pair, min_size=1, max_size=2).map(tuple), st.none() | children, st.none() | children),
        st.builds(lambda args: Call("coalesce", tuple(args)), st.lists(children, min_size=1, max_size=3)),
        st.builds(
            lambda name, arg: Call(name, (arg,)),
            st.sampled_from(["abs", "floor", "ln", "lower", "to_string"]),
            children,
        ),
    )


TREES = st.recursive(LEAVES, _grown, max_leaves=8)


def _conditions() -> st.SearchStrategy[Node]:
    """Conditions of the kind that become SQL, and neighbours that must not."""
    names = st.sampled_from(sorted(TYPES)).map(FieldRef)
    number = st.sampled_from(["i", "big"]).map(FieldRef)
    sums = st.builds(Binary, st.sampled_from("+-*%"), number, st.integers(-3, 3).map(Literal))
    chosen = st.builds(
        lambda test, a, b: Case(((test, a),), b), st.builds(Binary, st.just("="), names, LITERALS), LITERALS, LITERALS
    )
    value = names | sums | chosen | st.builds(lambda a, b: Call("coalesce", (a, b)), names, LITERALS)
    atoms = st.one_of(
        st.builds(Binary, st.sampled_from(COMPARISONS), value, LITERALS | names),
        st.builds(Binary, st.sampled_from(COMPARISONS), LITERALS, value),
        st.builds(Binary, st.sampled_from(["LIKE", "NOTLIKE"]), names, VALUES["t"].map(Literal)),
        st.builds(In, value, st.lists(LITERALS, min_size=1, max_size=3).map(tuple), st.booleans()),
        st.builds(Between, value, LITERALS, LITERALS, st.booleans()),
        value,
    )
    return st.recursive(
        atoms,
        lambda parts: (
            st.builds(Chain, st.sampled_from(["AND", "OR"]), st.lists(parts, min_size=2, max_size=3).map(tuple))
            | parts.map(lambda part: Unary("NOT", part))
        ),
        max_leaves=4,
    )


CONDITIONS = _conditions()
DTYPES = {"i": np.int32, "big": np.int64, "x": np.float64, "t": object, "b": np.bool_, "d": "datetime64[D]"}


def batch_of(rows: list[dict[str, Any]]) -> Batch:
    """The rows as a provider gives them: typed columns, something meaningless under the nulls."""
    columns: dict[str, Column] = {}
    for name, dtype in DTYPES.items():
        values = [row[name] for row in rows]
        filler = next((value for value in values if value is not None), "" if name == "t" else 0)
        if name == "d" and filler == 0:
            filler = dt.date(1970, 1, 1)
        array = np.array([filler if value is None else value for value in values], dtype)
        nulls = np.array([value is None for value in values])
        columns[name] = Column(array, nulls if nulls.any() else None)
    return Batch(np.arange(len(rows)), columns, None)


def outcome(column: Any) -> list[Any]:
    """Values that tell types, errors and nan apart."""
    errors = column.errors if column.errors is not None else np.zeros(len(column), bool)
    told: list[Any] = []
    for value, failed in zip(to_values(column), errors.tolist(), strict=True):
        shown = "nan" if isinstance(value, float) and value != value else value
        told.append("error" if failed else (type(value).__name__, shown))
    return told


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TREES, ROWS)
@example(Binary("IS", Literal(None), FieldRef("b")), [dict.fromkeys(DTYPES), dict.fromkeys(DTYPES) | {"b": True}])
def test_columns_agree_with_rows(node: Node, rows: list[dict[str, Any]]) -> None:
    batch = batch_of(rows)
    assert outcome(evaluate(node, batch, Context())) == outcome(evaluate_rows(node, batch, Context()))


def in_order(row: dict[str, Any]) -> list[Any]:
    """The values of a row in the order of the table's columns."""
    return [row[name] for name in TYPES]


def pushed_rows(node: Node, rows: list[dict[str, Any]], connection: Any, dialect: Any) -> tuple[list[int], list[int]]:
    """Rows for which the SQL and the columns say yes; skips what has no SQL."""
    sql = to_sql(node, dialect, TYPES)
    assume(sql is not None)
    assert sql is not None
    answer = connection.execute(f"SELECT id FROM t WHERE {sql.text} ORDER BY id", sql.params).fetchall()
    chosen = np.flatnonzero(select(node, batch_of(rows), Context())).tolist()
    return [row[0] for row in answer], chosen


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(CONDITIONS, ROWS)
def test_sqlite_agrees_with_columns(node: Node, rows: list[dict[str, Any]]) -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (id INTEGER, i INTEGER, big INTEGER, x REAL, t TEXT, b BOOLEAN, d DATE)")
        for at, row in enumerate(rows):
            values = [value.isoformat() if isinstance(value, dt.date) else value for value in in_order(row)]
            connection.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)", [at, *values])
        told, chosen = pushed_rows(node, rows, connection, "sqlite")
    connection.close()
    assert told == chosen


@pytest.fixture(scope="module")
def postgres(database: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE t (id int, i int4, big int8, x float8, t text, b bool, d date)")
        yield connection


@pytest.mark.postgis
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(node=CONDITIONS, rows=ROWS)
def test_postgres_agrees_with_columns(
    postgres: psycopg.Connection[tuple[Any, ...]], node: Node, rows: list[dict[str, Any]]
) -> None:
    assume(to_sql(node, "postgres", TYPES) is not None)
    postgres.execute("TRUNCATE t")
    with postgres.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s, %s)", [[at, *in_order(row)] for at, row in enumerate(rows)]
        )
    told, chosen = pushed_rows(node, rows, postgres, "postgres")
    assert told == chosen


@settings(max_examples=100, deadline=None)
@given(st.lists(CONDITIONS, min_size=2, max_size=4), ROWS)
def test_a_split_filter_selects_the_same(terms: list[Node], rows: list[dict[str, Any]]) -> None:
    """What goes to the database and what stays, one after the other, is the whole filter."""
    node = Chain("AND", tuple(terms))
    sql, rest = push_down(node, "sqlite", TYPES)
    parts = [term for term in terms if sql is not None and to_sql(term, "sqlite", TYPES) is not None]
    batch = batch_of(rows)
    chosen = truth_mask(evaluate(node, batch, Context()))
    for part in [*parts, *([rest] if rest is not None else [])]:
        assert not (chosen & ~select(part, batch, Context())).any()


@settings(max_examples=300, deadline=None)
@given(st.text("0123456789abcAND ORNOT'\"()[],+-*/<>=|@$.%^~\\\n_éCASEWHENIN", max_size=60))
def test_any_text_parses_or_fails_cleanly(text: str) -> None:
    try:
        node = parse(text)
    except ExpressionError as error:
        assert error.message
    else:
        hash(node)


HOSTILE = [
    "(" * 100_000,
    "(" * 5_000 + "1" + ")" * 5_000,
    "-" * 3 + " -" * 50_000 + "1",
    "NOT " * 20_000 + "1",
    "1" + "+1" * 50_000,
    "abs(" * 3_000 + "1" + ")" * 3_000,
    "'" + "a" * 2_000_000,
    "9" * 500_000,
    "CASE " * 10_000,
    "2^3^4^5^6^7",
    "10^(10^10)",
    "generate_series(1, 1e18)",
    "generate_series(0, 1, 1e-300)",
    "array_foreach(generate_series(1, 1e5), array_foreach(generate_series(1, 1e5), @element))",
    "repeat('a', 2000000000)",
    "lpad('a', 2000000000, 'b')",
    "rpad('a', 999999999999, 'b')",
    "regexp_match('" + "a" * 40 + "!', '(a+)+$')",
    "regexp_replace('" + "a" * 5000 + "', '(a|aa)+$', 'x')",
    "'" + "a" * 3000 + "' LIKE '" + "%a" * 100 + "b'",
    "'" + "a" * 30 + "' ~ '" + "(a?)" * 30 + "a{30}'",
    "with_variable('a','xxxxxxxxxx'," + "with_variable('a',@a||@a," * 30 + "length(@a)" + ")" * 31,
    "with_variable('a',array(1,2,3)," + "with_variable('a',array_cat(@a,@a)," * 30 + "array_length(@a)" + ")" * 31,
    "with_variable('e','eval(@e)',eval(@e))",
    "with_variable('e','[% eval_template(@e) %]',eval_template(@e))",
    "buffer(make_point(0,0), 1, 2000000000)",
    "make_circle(make_point(0,0), 1, 2000000000)",
    "smooth(make_circle(make_point(0,0),1,1000), 60)",
    "levenshtein(lpad('a',9000,'a'), lpad('b',9000,'b'))",
    "format_number(1.5, 2000000000)",
    "to_dms(1.5, 'x', 2000000000)",
    "from_json('" + "[" * 100_000 + "')",
    "geom_from_wkt('" + "GEOMETRYCOLLECTION(" * 5_000 + "')",
    "geom_from_gml('" + "<a>" * 50_000 + "')",
    "replace(lpad('a',100000,'a'),'a',lpad('a',100000,'a'))",
    "char(-9223372036854775808) || make_date(99999999999,1,1)",
    "make_interval(1e308) + now()",
    "now() + make_interval(years:=1e300)",
    "datetime_from_epoch(9223372036854775807)",
    "array_sort(generate_series(1,1000000))",
    "pole_of_inaccessibility(make_circle(make_point(0,0), 1e9, 1000), 1e-9)",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40])
def test_hostile_expressions_end_soon(text: str) -> None:
    context = Context(limits=Limits(seconds=2.0))
    start = time.monotonic()
    try:
        evaluate_row(parse(text), context)
    except ExpressionError as error:
        assert len(error.message) < 1000
    assert time.monotonic() - start < 4.0


def test_column_of_keeps_lists_whole() -> None:
    assert to_values(column_of([[1, 2], None, [3, 4]])) == [[1, 2], None, [3, 4]]
