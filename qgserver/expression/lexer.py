"""Text to tokens."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from qgserver.errors import ExpressionError

NUMBER, STRING, FIELD, NAME, VARIABLE, SPECIAL, KEYWORD, OPERATOR, NAMED, END = range(10)
"""Kinds of token: ``"quoted"`` FIELD, bare NAME, ``@VARIABLE``, ``$SPECIAL``, ``name :=`` NAMED."""

MAX_LENGTH = 1_000_000
"""Characters of one expression; the longest seen in real projects (generated CASEs) have some 100,000."""


class Token(NamedTuple):
    """``value``: decoded string, number, name, or the operator or keyword in upper case."""

    kind: int
    value: object
    position: int


_WORD = r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*"
_TOKEN = re.compile(
    rf"""
      (?P<skip>[ \t\r\n]+|--[^\r\n]*|/\*.*?\*/)
    | (?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    | (?P<int>\d+)
    | (?P<string>'(?:[^'\\]++|''|\\.)*+')
    | (?P<field>"(?:[^"]++|"")*+")
    | (?P<named>{_WORD}[ \t\r\n]*:=)
    | (?P<name>{_WORD})
    | @(?P<variable>{_WORD})
    | (?P<special>\$[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator>\|\||//|<=|>=|<>|!=|[-+*/%^=<>~(),\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = frozenset({
    "AND", "OR", "NOT", "IN", "IS", "LIKE", "ILIKE", "BETWEEN", "CASE", "WHEN", "THEN", "ELSE", "END",
    "NULL", "TRUE", "FALSE",
})  # fmt: skip
_ESCAPE = re.compile(r"''|\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "'": "'"}
_INT64_MAX = 2**63 - 1


def _unescape(match: re.Match[str]) -> str:
    letter = match.group(1)
    return "'" if letter is None else _ESCAPES.get(letter, "?")


def _string(text: str) -> str:
    body = text[1:-1]
    return _ESCAPE.sub(_unescape, body) if "\\" in body or "''" in body else body


def _integer(text: str) -> int | float:
    """Integers that 64 bits don't hold are doubles."""
    if len(text) > 19:
        text = text.lstrip("0") or "0"
    if len(text) > 19:
        return float(text)
    value = int(text)
    return value if value <= _INT64_MAX else float(value)


def _word(text: str, position: int) -> Token:
    upper = text.upper()
    return Token(KEYWORD, upper, position) if upper in _KEYWORDS else Token(NAME, text, position)


_MAKERS: dict[str | None, Callable[[str, int], Token]] = {
    "float": lambda text, at: Token(NUMBER, float(text), at),
    "int": lambda text, at: Token(NUMBER, _integer(text), at),
    "string": lambda text, at: Token(STRING, _string(text), at),
    "field": lambda text, at: Token(FIELD, text[1:-1].replace('""', '"'), at),
    "named": lambda text, at: Token(NAMED, text[:-2].rstrip(), at),
    "name": _word,
    "variable": lambda text, at: Token(VARIABLE, text[1:], at),
    "special": lambda text, at: Token(SPECIAL, text, at),
    "operator": lambda text, at: Token(OPERATOR, text, at),
}


def tokenize(text: str) -> list[Token]:
    """All tokens, closed by an END token. Raises ``ExpressionError`` with the position of the first bad character."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"The expression is longer than {MAX_LENGTH} characters")
    tokens: list[Token] = []
    position, end = 0, len(text)
    match_at, makers = _TOKEN.match, _MAKERS
    while position < end:
        match = match_at(text, position)
        if match is None:
            raise ExpressionError(f"Syntax error: unexpected character {text[position]!r}", position=position)
        kind = match.lastgroup
        if kind != "skip":
            tokens.append(makers[kind](match.group(), position))
        position = match.end()
    tokens.append(Token(END, "", end))
    return tokens
