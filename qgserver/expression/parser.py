"""Tokens to tree: precedence climbing over a table of binary operators."""

from __future__ import annotations

from functools import lru_cache

from qgserver.errors import ExpressionError
from qgserver.expression import lexer
from qgserver.expression.functions import find
from qgserver.expression.lexer import Token, tokenize
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
)

MAX_DEPTH = 150
"""Levels of nesting: three Python frames each while parsing, two while evaluating."""

MAX_NODES = 200_000

_BINARY: dict[object, int] = {
    "OR": 1, "AND": 2,
    "=": 4, "!=": 4, "<>": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "~": 4, "LIKE": 4, "ILIKE": 4, "IS": 4,
    "NOT": 4, "IN": 4, "BETWEEN": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "^": 7, "||": 8, "[": 10,
}  # fmt: skip
_NOT, _COMPARISON, _UNARY = 3, 4, 9
_CHAINS: frozenset[object] = frozenset(("OR", "AND", "||"))
_NEGATED: dict[object, str] = {"LIKE": "NOTLIKE", "ILIKE": "NOTILIKE"}
_CONSTANTS: dict[object, object] = {"NULL": None, "TRUE": True, "FALSE": False}


def parse(text: str) -> Node:
    """The tree of an expression. Raises ``ExpressionError`` (with position) on a syntax error, an unknown function, a
    wrong number of arguments, or more nesting or length than any sane expression has."""
    return _parse_cached(text) if len(text) < 2000 else _Parser(text).parse()


@lru_cache(maxsize=2048)
def _parse_cached(text: str) -> Node:
    return _Parser(text).parse()


class _Parser:
    """One pass over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.tokens = tokenize(text)
        self.at = 0
        self.depth = 0
        if len(self.tokens) > MAX_NODES:
            raise ExpressionError("The expression has too many parts")

    def parse(self) -> Node:
        node = self.expression(0)
        if self.tokens[self.at][0] != lexer.END:
            raise self.unexpected()
        return node

    # -- helpers ------------------------------------------------------------------------------------------------

    def unexpected(self) -> ExpressionError:
        kind, value, position = self.tokens[self.at]
        what = "end of the expression" if kind == lexer.END else repr(value)
        return ExpressionError(f"Syntax error: unexpected {what}", position=position)

    def word(self) -> object:
        """The operator or keyword at hand, "" for anything else."""
        token = self.tokens[self.at]
        return token[1] if token[0] == lexer.WORD else ""

    def accept(self, word: str) -> bool:
        if self.word() != word:
            return False
        self.at += 1
        return True

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.unexpected()

    def enter(self, levels: int = 1) -> None:
        self.depth += levels
        if self.depth > MAX_DEPTH:
            raise ExpressionError("The expression is nested too deeply", position=self.tokens[self.at][2])

    # -- grammar ------------------------------------------------------------------------------------------------

    def expression(self, floor: int) -> Node:
        """An expression of operators that bind tighter than ``floor``."""
        self.enter()
        entered = self.depth
        left = self.prefix()
        while True:
            kind, word, _ = self.tokens[self.at]
            power = _BINARY.get(word, 0) if kind == lexer.WORD else 0
            if power <= floor:
                break
            if word in _CHAINS:
                left = self.chain(str(word), power, left)
            else:  # every operator on the left makes the tree one deeper
                left = self.infix(str(word), power, left)
                self.enter()
        self.depth = entered - 1
        return left

    def chain(self, word: str, power: int, left: Node) -> Node:
        terms = [left]
        while self.accept(word):
            terms.append(self.expression(power))
        return Chain(word, tuple(terms))

    def infix(self, word: str, power: int, left: Node) -> Node:
        self.at += 1
        if word == "[":
            key = self.expression(0)
            self.expect("]")
            return Index(left, key)
        if word == "IS":
            return Binary("ISNOT" if self.accept("NOT") else "IS", left, self.expression(power))
        if word == "^":  # the only right-associative one
            return Binary(word, left, self.expression(power - 1))
        negated = word == "NOT"
        if negated:
            word = str(self.word())
            if word not in ("IN", "BETWEEN", *_NEGATED):
                raise self.unexpected()
            self.at += 1
        if word == "IN":
            return In(left, self.items(), negated)
        if word == "BETWEEN":
            low = self.expression(_COMPARISON)
            self.expect("AND")
            return Between(left, low, self.expression(_COMPARISON), negated)
        if negated:
            word = _NEGATED[word]
        return Binary("<>" if word == "!=" else word, left, self.expression(power))

    def items(self) -> tuple[Node, ...]:
        self.expect("(")
        items = [self.expression(0)]
        while self.accept(","):
            items.append(self.expression(0))
        self.expect(")")
        return tuple(items)

    def prefix(self) -> Node:
        token = self.tokens[self.at]
        kind, value, _ = token
        if kind == lexer.WORD or kind == lexer.END or kind == lexer.NAMED:
            return self.keyword()
        self.at += 1
        if kind == lexer.FIELD:
            return FieldRef(str(value))
        if kind == lexer.CONSTANT:
            return Literal(value)
        if kind == lexer.NAME:
            return self.call(token) if self.accept("(") else FieldRef(str(value))
        if kind == lexer.VARIABLE:
            return Variable(str(value))
        return self.special(token)

    def keyword(self) -> Node:
        word = self.word()
        if word in _CONSTANTS:
            self.at += 1
            return Literal(_CONSTANTS[word])
        if self.accept("("):
            node = self.expression(0)
            self.expect(")")
            return node
        if self.accept("NOT"):
            return Unary("NOT", self.expression(_NOT))
        if self.accept("-"):
            return Unary("-", self.expression(_UNARY - 1))
        if self.accept("+"):
            return Unary("+", self.expression(_UNARY - 1))
        if self.accept("CASE"):
            return self.case()
        raise self.unexpected()

    def case(self) -> Node:
        operand = None if self.word() == "WHEN" else self.expression(0)
        branches: list[tuple[Node, Node]] = []
        while self.accept("WHEN"):
            condition = self.expression(0)
            self.expect("THEN")
            branches.append((condition, self.expression(0)))
        if not branches:
            raise self.unexpected()
        default = self.expression(0) if self.accept("ELSE") else None
        self.expect("END")
        return Case(tuple(branches), default, operand)

    def special(self, token: Token) -> Node:
        _, value, position = token
        if self.accept("("):
            return self.call(token)
        function = find(str(value).lower())
        if function is None:
            raise ExpressionError(f"{value} function is not known", position=position)
        return Call(function.name, function.arrange((), {}, position))

    def call(self, token: Token) -> Node:
        """The arguments of a function, "(" already read."""
        positional: list[Node] = []
        named: dict[str, Node] = {}
        if not self.accept(")"):
            while True:
                self.argument(positional, named)
                if not self.accept(","):
                    break
            self.expect(")")
        _, value, position = token
        function = find(str(value).lower())
        if function is None:
            raise ExpressionError(f"Function {value} is not known", position=position)
        return Call(function.name, function.arrange(positional, named, position))

    def argument(self, positional: list[Node], named: dict[str, Node]) -> None:
        kind, value, position = self.tokens[self.at]
        if kind == lexer.NAMED:
            self.at += 1
            named[str(value).lower()] = self.expression(0)
        elif named:
            raise ExpressionError("All arguments after a named one must be named too", position=position)
        else:
            positional.append(self.expression(0))
