"""Text to tokens."""

from __future__ import annotations

import re
from collections.abc import Callable

from qgserver.errors import ExpressionError

CONSTANT, FIELD, NAME, VARIABLE, SPECIAL, WORD, NAMED, END = range(8)
"""Kinds of token: number or text, ``"quoted"`` FIELD, bare NAME, ``@VARIABLE``, ``$SPECIAL``, operator or keyword
(WORD), ``name :=`` NAMED."""

MAX_LENGTH = 1_000_000
"""Characters of one expression; the longest seen in real projects (generated CASEs) have some 100,000."""


Token = tuple[int, object, int]
"""Kind; decoded value (the name, or the operator or keyword in upper case); position in the text. A plain tuple, as
dozens are made for every expression."""

_WORD = r"[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f][^\x00-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]*"
"""Letters, digits, ``_``, all beyond ASCII. Said by what they are not: the pattern compiles in a tenth of the time."""
_TOKEN = re.compile(
    rf"""
    (?:[ \t\r\n]++|--[^\r\n]*+|/\*.*?\*/)*+
    (?:
      (?P<field>"(?:[^"]++|"")*+")
    | (?P<operator>\|\||//|<=|>=|<>|!=|[-+*/%^=<>~(),\[\]])
    | (?P<string>'(?:[^'\\]++|''|\\.)*+')
    | (?P<named>{_WORD}[ \t\r\n]*:=)
    | (?P<name>{_WORD})
    | (?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)
    | (?P<int>\d+)
    | @(?P<variable>{_WORD})
    | (?P<special>\$[A-Za-z_][A-Za-z0-9_]*)
    | (?P<end>\Z)
    )
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


def _name(text: str, at: int) -> Token:
    upper = text.upper()
    return (WORD, upper, at) if upper in _KEYWORDS else (NAME, text, at)


_MAKERS: dict[str | None, Callable[[str, int], Token]] = {
    "field": lambda text, at: (FIELD, text[1:-1].replace('""', '"'), at),
    "operator": lambda text, at: (WORD, text, at),
    "string": lambda text, at: (CONSTANT, _string(text), at),
    "named": lambda text, at: (NAMED, text[:-2].rstrip(), at),
    "name": _name,
    "float": lambda text, at: (CONSTANT, float(text), at),
    "int": lambda text, at: (CONSTANT, _integer(text), at),
    "variable": lambda text, at: (VARIABLE, text, at),
    "special": lambda text, at: (SPECIAL, text, at),
}


def tokenize(text: str) -> list[Token]:
    """All tokens, closed by an END token. Raises ``ExpressionError`` with the position of the first bad character."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"The expression is longer than {MAX_LENGTH} characters")
    tokens: list[Token] = []
    position = 0
    match_at, makers = _TOKEN.match, _MAKERS
    while True:
        match = match_at(text, position)
        if match is None:
            raise _bad_character(text, position)
        kind = match.lastgroup
        if kind == "end":
            tokens.append((END, "", len(text)))
            return tokens
        tokens.append(makers[kind](match[kind], match.start(kind)))  # type: ignore[index, arg-type]  # never None here
        position = match.end()


_SKIP = re.compile(r"(?:[ \t\r\n]++|--[^\r\n]*+|/\*.*?\*/)*+", re.DOTALL)


def _bad_character(text: str, position: int) -> ExpressionError:
    match = _SKIP.match(text, position)
    at = match.end() if match else position
    return ExpressionError(f"Syntax error: unexpected character {text[at : at + 1]!r}", position=at)
