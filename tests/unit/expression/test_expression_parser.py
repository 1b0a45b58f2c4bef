"""Texts to trees: grammar, precedence, positions of errors, bounds."""

from __future__ import annotations

import pytest

from qgserver.errors import ExpressionError
from qgserver.expression.nodes import (
    Between,
    Binary,
    Call,
    Case,
    Chain,
    FieldRef,
    In,
    Index,
    Literal,
    Node,
    Unary,
    Variable,
    bind,
    needs_geometry,
    used_fields,
    used_variables,
)
from qgserver.expression.parser import parse

ONE, TWO, THREE = Literal(1), Literal(2), Literal(3)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1+2*3", Binary("+", ONE, Binary("*", TWO, THREE))),
        ("2^3^1", Binary("^", TWO, Binary("^", THREE, ONE))),
        ("-2^2", Binary("^", Unary("-", TWO), TWO)),
        ("1||2^3", Binary("^", Chain("||", (ONE, TWO)), THREE)),
        ("NOT 1=2", Unary("NOT", Binary("=", ONE, TWO))),
        ("1 OR 2 AND 3 OR 1", Chain("OR", (ONE, Chain("AND", (TWO, THREE)), ONE))),
        ("1 is  not 2", Binary("ISNOT", ONE, TWO)),
        ("1 NOT IN (2, 3)", In(ONE, (TWO, THREE), True)),
        ("'a' not ilike 'b'", Binary("NOTILIKE", Literal("a"), Literal("b"))),
        ("1 between 2 and 3 and 1", Chain("AND", (Between(ONE, TWO, THREE), ONE))),
        ("@v[1][2]", Index(Index(Variable("v"), ONE), TWO)),
        ("case when 1 then 2 else 3 end", Case(((ONE, TWO),), THREE)),
        ("CASE a WHEN 1 THEN 2 END", Case(((ONE, TWO),), None, FieldRef("a"))),
        ('"a ""b"" c"', FieldRef('a "b" c')),
        ("größe", FieldRef("größe")),
        (r"'it''s \n \\ \' \x'", Literal("it's \n \\ ' ?")),
        ("-- c\n1 /* 2 */ ", ONE),
        ("99999999999999999999", Literal(1e20)),
        ("$GEOMETRY", Call("$geometry")),
        ("Round(value:=1, places:=2)", Call("round", (ONE, TWO))),
        ("make_interval(hours:=2)", Call("make_interval", (None, None, None, None, TWO))),
    ],
)
def test_trees(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("1 +", 3),
        ("5.", 1),
        ("0x1f", 1),
        ("1 == 1", 3),
        ("a.b", 1),
        ("5 IN ()", 6),
        ("'open", 0),
        ("  nosuch(1)", 2),
        ("$nosuch", 0),
        ("abs(1, 2)", 0),
        ("left(length:=2, 'abc')", 16),
        ("round(1, wrong:=2)", 0),
        ("1 NOT 2", 6),
    ],
)
def test_errors_tell_where(text: str, position: int) -> None:
    with pytest.raises(ExpressionError) as raised:
        parse(text)
    assert raised.value.position == position


def test_long_lists_and_chains_are_flat() -> None:
    node = parse(" OR ".join(f'"id" = {number}' for number in range(3000)))
    assert isinstance(node, Chain)
    assert len(node.terms) == 3000


def test_deep_nesting_is_refused() -> None:
    assert parse("(" * 100 + "1" + ")" * 100) == ONE
    with pytest.raises(ExpressionError):
        parse("(" * 1000 + "1" + ")" * 1000)


def test_what_a_tree_uses() -> None:
    assert used_fields(parse('"a" + b * @c')) == {"a", "b"}
    assert used_fields(parse("attribute('a')")) is None
    assert used_fields(parse("@feature")) is None
    assert used_variables(parse("@a + @b")) == {"a", "b"}
    assert needs_geometry(parse("x($geometry)"))
    assert not needs_geometry(parse("x(make_point(1, 2))"))


def test_bind_finds_exact_name_then_case_then_alias() -> None:
    names, aliases = ("Pop", "pop", "n"), (("n", "Name"),)
    assert bind(parse("pop + POP + name"), names, aliases) == parse('"pop" + "Pop" + "n"')
