"""Batches: kernels, rows beneath them, errors, closed world, budgets."""

from __future__ import annotations

import numpy as np
import pytest

from qgserver.errors import ExpressionError
from qgserver.expression.columns import Column, to_values
from qgserver.expression.context import Context, Feature, Frame, Limits
from qgserver.expression.evaluate import evaluate, select
from qgserver.expression.functions import unsafe_functions
from qgserver.expression.parser import parse
from qgserver.expression.rows import compile_row, evaluate_row
from qgserver.expression.scopes import map_scope
from qgserver.geo.extent import Extent
from qgserver.geo.wkb import decode
from qgserver.providers import batch as providers


def batch() -> providers.Batch:
    """Three features: a number with a null, a text, points."""
    points = [
        bytes.fromhex("0101000000" + "000000000000f03f" * 2),
        None,
        bytes.fromhex("0101000000" + "0000000000000040" * 2),
    ]
    columns = {
        "n": providers.Column(np.array([1, 0, 3], np.int32), np.array([False, True, False])),
        "t": providers.Column(np.array(["a", "b", "10"], object)),
    }
    return providers.Batch(np.array([7, 8, 9]), columns, decode(points))


def values(text: str, context: Context | None = None) -> list[object]:
    return to_values(evaluate(parse(text), batch(), context or Context()))


def test_values_of_a_batch() -> None:
    assert values('"n" + 1') == [2, None, 4]
    assert values("CASE WHEN \"N\" > 2 THEN 'big' WHEN n THEN n END") == [1, None, "big"]
    assert values("upper(t) || $id") == ["A7", "B8", "109"]
    assert values("x($geometry)") == [1.0, None, 2.0]
    assert values("@v * 2", Context(variables={"v": 4})) == [8, 8, 8]
    assert values("nosuch") == [None, None, None]
    assert values("@id") == [7, 8, 9]
    assert values("-n") == [-1, 0, -3]


def test_select_drops_null_false_and_failed_rows() -> None:
    assert select(parse("n > 1 OR t = 'b'"), batch(), Context()).tolist() == [False, True, True]
    assert select(parse("t"), batch(), Context()).tolist() == [False, False, True]
    assert select(parse("n"), batch(), Context()).tolist() == [True, False, True]


def test_errors_are_marked_and_null() -> None:
    column = evaluate(parse("to_int(t)"), batch(), Context())
    assert to_values(column) == [None, None, 10]
    assert isinstance(column, Column)
    assert column.errors is not None
    assert column.errors.tolist() == [True, True, False]
    assert values("try(to_int(t), -1)") == [-1, -1, 10]


def test_failures_count_only_where_they_are_reached() -> None:
    assert values("n = 3 OR to_int(t) = 10") == [None, None, 1]
    assert values("t = '10' AND to_int(t) = 10") == [0, 0, 1]
    assert values("CASE WHEN t = '10' THEN to_int(t) ELSE 0 END") == [0, 0, 10]


def test_closed_world() -> None:
    closed = Context(closed_world=True, variables={"project_path": "/secret", "v": 1})
    with pytest.raises(ExpressionError, match="not allowed"):
        evaluate_row(parse("eval('env(''HOME'')')"), closed)
    assert evaluate_row(parse("eval('@project_path')"), closed) is None
    assert evaluate_row(parse("with_variable('v', 2, @v) + abs(-1)"), closed) == 3.0
    assert unsafe_functions(parse("file_exists('/') OR abs(1) OR env('A')")) == ["env", "file_exists"]


def test_budget_ends_evaluation() -> None:
    context = Context(limits=Limits(steps=1000))
    with pytest.raises(ExpressionError):
        evaluate_row(
            parse("array_foreach(generate_series(1, 500), array_foreach(generate_series(1, 500), 1))"), context
        )


def test_scopes_merge_and_deferred_variables() -> None:
    scope = map_scope("EPSG:3857", Extent(0, 0, 10, 20), 500.0)
    context = Context(variables={"map_scale": 1.0, "own": 2}).with_scope(scope)
    assert evaluate_row(parse("@map_scale + @own"), context) == 502.0
    assert evaluate_row(parse("x(@map_extent_center)"), context) == 5.0
    assert evaluate_row(parse("@map_crs_description"), context) == "WGS 84 / Pseudo-Mercator"


def test_fields_without_a_feature_fail() -> None:
    with pytest.raises(ExpressionError, match="not found"):
        evaluate_row(parse("name"), Context())
    compiled = compile_row(parse("NAME || other"))
    assert compiled(Frame(Context(), Feature(1, {"name": "x", "other": "y"}))) == "xy"
