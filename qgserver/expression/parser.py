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

_BINARY = {
    "OR": 1, "AND": 2,
    "=": 4, "!=": 4, "<>": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "~": 4, "LIKE": 4, "ILIKE": 4, "IS": 4,
    "NOT": 4, "IN": 4, "BETWEEN": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "^": 7, "||": 8, "[": 10,
}  # fmt: skip
_NOT, _COMPARISON, _UNARY = 3, 4, 9
_CHAINS = ("OR", "AND", "||")
_NEGATED = {"LIKE": "NOTLIKE", "ILIKE": "NOTILIKE"}
_CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}


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
        if self.tokens[self.at].kind != lexer.END:
            raise self.unexpected()
        return node

    # -- helpers ------------------------------------------------------------------------------------------------

    def unexpected(self) -> ExpressionError:
        token = self.tokens[self.at]
        what = "end of the expression" if token.kind == lexer.END else repr(token.value)
        return ExpressionError(f"Syntax error: unexpected {what}", position=token.position)

    def word(self) -> str:
        """The operator or keyword at hand, "" for anything else."""
        token = self.tokens[self.at]
        return str(token.value) if token.kind in (lexer.OPERATOR, lexer.KEYWORD) else ""

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
            raise ExpressionError("The expression is nested too deeply", position=self.tokens[self.at].position)

    # -- grammar ------------------------------------------------------------------------------------------------

    def expression(self, floor: int) -> Node:
        """An expression of operators that bind tighter than ``floor``."""
        self.enter()
        entered = self.depth
        left = self.prefix()
        while True:
            word = self.word()
            power = _BINARY.get(word, 0)
            if power <= floor:
                break
            # every operator on the left makes the tree one deeper, chains excepted
            left = self.chain(word, power, left) if word in _CHAINS else self.infix(word, power, left)
            if word not in _CHAINS:
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
            word = self.word()
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
        kind = token.kind
        if kind == lexer.NUMBER or kind == lexer.STRING:
            self.at += 1
            return Literal(token.value)
        if kind == lexer.FIELD:
            self.at += 1
            return FieldRef(str(token.value))
        if kind == lexer.NAME:
            self.at += 1
            return self.call(token) if self.accept("(") else FieldRef(str(token.value))
        if kind == lexer.VARIABLE:
            self.at += 1
            return Variable(str(token.value))
        if kind == lexer.SPECIAL:
            return self.special(token)
        return self.keyword()

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
        self.at += 1
        name = str(token.value).lower()
        if self.word() == "(":
            self.at += 1
            return self.call(token)
        function = find(name)
        if function is None:
            raise ExpressionError(f"{token.value} function is not known", position=token.position)
        return Call(function.name, function.arrange((), {}, token.position))

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
        function = find(str(token.value).lower())
        if function is None:
            raise ExpressionError(f"Function {token.value} is not known", position=token.position)
        return Call(function.name, function.arrange(positional, named, token.position))

    def argument(self, positional: list[Node], named: dict[str, Node]) -> None:
        token = self.tokens[self.at]
        if token.kind == lexer.NAMED:
            self.at += 1
            named[str(token.value).lower()] = self.expression(0)
        elif named:
            raise ExpressionError("All arguments after a named one must be named too", position=token.position)
        else:
            positional.append(self.expression(0))
