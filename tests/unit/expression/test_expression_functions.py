"""How functions are added and called; what tables of cases cannot show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from qgserver.errors import ExpressionError
from qgserver.expression.context import Context, Frame
from qgserver.expression.function import Function, Group, functions
from qgserver.expression.functions import find, load_all
from qgserver.expression.nodes import Call, Literal
from qgserver.expression.parser import parse
from qgserver.expression.rows import compile_row, evaluate_row

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def twice() -> Function:
    """One decorated function is all it takes."""
    if "test_twice" not in functions:

        @Group("Test")("test_twice", since="9.9")
        def twice(value: float, times: int = 2) -> float:
            """A value several times."""
            return value * times

    found = find("test_twice")
    assert found is not None
    return found


def test_a_function_takes_its_signature_from_python(twice: Function) -> None:
    assert [(p.name, p.kind) for p in twice.parameters] == [("value", "float"), ("times", "int")]
    assert twice.doc == "A value several times."
    assert evaluate_row(Call("test_twice", (Literal("2"),)), Context()) == 4.0
    assert evaluate_row(Call("test_twice", (Literal(None),)), Context()) is None
    assert evaluate_row(parse("test_twice(times:=3, value:=2)"), Context()) == 6.0
    with pytest.raises(ExpressionError):
        evaluate_row(Call("test_twice", (Literal("x"),)), Context())


def test_names_are_taken_once(twice: Function) -> None:
    with pytest.raises(ValueError, match="twice"):

        @Group("Test")(twice.name)
        def absolute(value: float) -> float:
            return value


def test_every_parameter_is_converted_by_something() -> None:
    from qgserver.expression.coerce import COERCIONS

    load_all()
    for name, function in functions.items():
        kinds = {parameter.kind for parameter in function.parameters} | ({function.variadic} - {""})
        assert kinds <= {*COERCIONS, "Lazy"}, name
        assert function.doc, name


def test_lazy_arguments_are_evaluated_only_when_asked_for() -> None:
    assert evaluate_row(parse("if(1, 2, to_int('x'))"), Context()) == 2
    assert evaluate_row(parse("coalesce(try(to_int('x')), 3)"), Context()) == 3


def test_random_values_repeat_with_a_seed() -> None:
    frame = Frame(Context())
    first, second = (compile_row(parse("rand(1, 1000000, 42)"))(frame) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "text",
    [
        "regexp_match('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '^(a|aa)+$')",
        "to_date('2020-13-45')",
        "geom_from_wkb(to_base64('x'))",
        "overlay_intersects('nolayer')",
        "sum(1)",
    ],
)
def test_failures_are_expression_errors(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate_row(parse(text), Context())


def test_the_documented_table_is_up_to_date() -> None:
    program = "import sys; from qgserver.expression.table import page; sys.stdout.write(page(sys.stdin.read()))"
    text = (ROOT / "docs/expressions.md").read_text(encoding="utf-8")
    # another process: the functions of these tests are no part of the page
    done = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, text=True, check=True)
    assert text == done.stdout, "run: python -m qgserver.expression.table docs/expressions.md"


def test_a_ring_keeps_its_first_vertex_when_simplified() -> None:
    text = "geom_to_wkt(simplify(geom_from_wkt('POLYGON((5 0,10 0,10 10,0 10,0 0,5 0))'),1))"
    assert evaluate_row(parse(text), Context()) == "Polygon ((5 0, 10 0, 10 10, 0 10, 0 0, 5 0))"
