"""Expressions as SQL, only where the database's answer is provably the one ``rows`` gives.

Left out on purpose, though QGIS pushes them: arithmetic on doubles (overflow is an error in PostgreSQL, a value here),
case folding (the server's locale decides), conversions of text columns to numbers (errors abort a query), and
comparisons of timestamps with texts. What is not pushed is evaluated on the columns.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal as Choice

from qgserver.expression.nodes import (
    Between,
    Binary,
    Call,
    Case,
    Chain,
    FieldRef,
    In,
    Literal,
    Node,
    Unary,
    all_of,
    resolve_field,
)
from qgserver.expression.operators import like_parts
from qgserver.expression.values import text_to_double

Dialect = Choice["postgres", "sqlite"]

MAX_PARAMETERS = 2000
"""More are not worth a statement: SQLite allows 32,766, and a list that long is faster on columns."""


@dataclass(frozen=True, slots=True)
class Sql:
    """A condition and its parameters; ``text`` has ``%s`` (postgres; other percent signs doubled) or ``?`` (sqlite)."""

    text: str
    params: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """SQL of a part. ``kind``: ``truth`` (a condition), ``int double text bool date`` or ``null``. ``bits`` bounds
    ints; ``constant`` is a literal's value, so that the other side can decide how to send it."""

    text: str
    params: tuple[object, ...]
    kind: str
    bits: int = 0
    constant: object = None
    is_constant: bool = False


class _Unprovable(Exception):
    """The tree, or a part of it, has no equal in SQL."""


def split_and(node: Node) -> tuple[Node, ...]:
    """The conditions that all must hold: each can be pushed, or evaluated, on its own."""
    if isinstance(node, Chain) and node.op == "AND":
        return tuple(part for term in node.terms for part in split_and(term))
    return (node,)


def to_sql(node: Node, dialect: Dialect, columns: Mapping[str, str]) -> Sql | None:
    """A condition equal to the expression as a filter, None when there is none. ``columns``: name -> field type
    (``providers.protocol.FieldType``) of the source's own columns."""
    try:
        part = _Writer(dialect, columns).condition(node)
    except _Unprovable:
        return None
    return Sql(part.text, part.params) if len(part.params) <= MAX_PARAMETERS else None


def push_down(node: Node, dialect: Dialect, columns: Mapping[str, str]) -> tuple[Sql | None, Node | None]:
    """Split a filter: the condition for the database, and what is left to evaluate on its answer (None = nothing)."""
    pushed: list[Sql] = []
    rest: list[Node] = []
    room = MAX_PARAMETERS
    for part in split_and(node):
        sql = to_sql(part, dialect, columns)
        if sql is None or len(sql.params) > room:
            rest.append(part)
        else:
            pushed.append(sql)
            room -= len(sql.params)
    params = tuple(value for sql in pushed for value in sql.params)
    return (Sql(" AND ".join(sql.text for sql in pushed), params) if pushed else None), all_of(rest)


_KINDS = {"int": "int", "int64": "int", "double": "double", "string": "text", "bool": "bool", "date": "date"}
_BITS = {"int": 31, "int64": 63}
_ISO_DATE = re.compile(r"[1-9]\d{3}-\d\d-\d\d", re.ASCII)
_COMPARISONS = frozenset(("=", "<>", "<", "<=", ">", ">="))
_FALSE_TRUE = ("FALSE", "TRUE")


class _Writer:
    """Writes one condition in one dialect."""

    def __init__(self, dialect: Dialect, columns: Mapping[str, str]) -> None:
        self.postgres = dialect == "postgres"
        self.mark = "%s" if self.postgres else "?"
        self.columns = columns

    # -- conditions ---------------------------------------------------------------------------------------------

    def condition(self, node: Node) -> _Part:
        """SQL that is true, false or unknown exactly where the node is."""
        match node:
            case Chain("AND" | "OR" as op, terms):
                parts = [self.condition(term) for term in terms]
                params = tuple(value for part in parts for value in part.params)
                return _Part("(" + f" {op} ".join(part.text for part in parts) + ")", params, "truth")
            case Unary("NOT", operand):
                part = self.condition(operand)
                return _Part(f"(NOT {part.text})", part.params, "truth")
            case Between(operand, low, high, negated):
                pair = Chain("AND", (Binary(">=", operand, low), Binary("<=", operand, high)))
                return self.condition(Unary("NOT", pair) if negated else pair)
            case Binary(op, left, right) if op in _COMPARISONS:
                return self.compare(op, self.value(left), self.value(right))
            case Binary("IS" | "ISNOT" as op, left, right):
                return self.same(self.value(left), self.value(right), op == "ISNOT")
            case Binary("LIKE" | "NOTLIKE" as op, left, Literal(str() as pattern)):
                return self.like(self.value(left), pattern, op == "NOTLIKE")
            case In(operand, items, negated):
                return self.contains(self.value(operand), [self.value(item) for item in items], negated)
        return self.truth(self.value(node))

    def truth(self, part: _Part) -> _Part:
        if part.is_constant:
            if part.kind not in ("int", "double", "bool"):
                raise _Unprovable
            return _Part(
                _FALSE_TRUE[bool(part.constant)] if self.postgres else f"{int(bool(part.constant))}", (), "truth"
            )
        if part.kind in ("int", "double") or (part.kind == "bool" and not self.postgres):
            return _Part(f"({part.text} <> 0)", part.params, "truth")
        if part.kind == "bool":
            return _Part(part.text, part.params, "truth")
        raise _Unprovable

    def compare(self, op: str, left: _Part, right: _Part) -> _Part:
        left, right = self.matched(left, right)
        if left.kind == "bool" and op not in ("=", "<>"):
            raise _Unprovable
        text = f"{left.text} {op} {right.text}"
        params = left.params + right.params
        if left.kind == "text":
            text += (
                ' COLLATE "C"'
                if self.postgres and op not in ("=", "<>")
                else ""
                if self.postgres
                else " COLLATE BINARY"
            )
        if self.postgres and left.kind == "double":
            # PostgreSQL sorts NaN above all numbers and calls it equal to itself
            for part in (left, right):
                if not part.is_constant:
                    text, params = f"{text} AND {part.text} <> 'NaN'", params + part.params
            if op == "<>":
                raise _Unprovable
        return _Part(f"({text})", params, "truth")

    def same(self, left: _Part, right: _Part, negated: bool) -> _Part:
        if right.kind == "null" and not left.is_constant:
            return _Part(f"({left.text} IS {'NOT ' if negated else ''}NULL)", left.params, "truth")
        left, right = self.matched(left, right)
        if left.kind == "double":
            raise _Unprovable
        words = ("IS NOT DISTINCT FROM", "IS DISTINCT FROM") if self.postgres else ("IS", "IS NOT")
        collate = " COLLATE BINARY" if left.kind == "text" and not self.postgres else ""
        return _Part(f"({left.text} {words[negated]} {right.text}{collate})", left.params + right.params, "truth")

    def like(self, left: _Part, pattern: str, negated: bool) -> _Part:
        if left.kind != "text" or left.is_constant or not _sendable(pattern):
            raise _Unprovable
        write = _postgres_like if self.postgres else _glob
        word = "LIKE" if self.postgres else "GLOB"
        text = f"({left.text} {'NOT ' if negated else ''}{word} {self.mark})"
        return _Part(text, (*left.params, write(pattern)), "truth")

    def contains(self, operand: _Part, items: Sequence[_Part], negated: bool) -> _Part:
        if operand.is_constant or not all(item.is_constant for item in items):
            raise _Unprovable
        nulls = any(item.kind == "null" for item in items)
        pairs = [self.matched(operand, item) for item in items if item.kind != "null"]
        if not pairs or (self.postgres and operand.kind == "double" and negated):
            raise _Unprovable
        marks = ", ".join(right.text for _, right in pairs) + (", NULL" if nulls else "")
        params = operand.params + tuple(value for _, right in pairs for value in right.params)
        collate = " COLLATE BINARY" if operand.kind == "text" and not self.postgres else ""
        return _Part(f"({operand.text}{collate} {'NOT ' if negated else ''}IN ({marks}))", params, "truth")

    def matched(self, left: _Part, right: _Part) -> tuple[_Part, _Part]:
        """Both sides as one kind that the database compares as we do."""
        if left.is_constant and right.is_constant:
            raise _Unprovable
        if left.is_constant:
            right, left = self.matched(right, left)
            return left, right
        if right.is_constant:
            return left, self.constant_for(left, right.constant)
        if left.kind == right.kind and left.kind != "truth":
            return left, right
        raise _Unprovable

    def constant_for(self, other: _Part, value: object) -> _Part:
        """A literal as the parameter that compares with ``other`` as it would here."""
        send: object = None
        if other.kind in ("int", "double"):
            number = text_to_double(value) if isinstance(value, str) else value
            if type(number) is int or (type(number) is float and abs(number) < 2**53):
                whole = int(number) if other.kind == "int" and float(number).is_integer() else None
                send = float(number) if whole is None else whole
        elif other.kind == "text" and isinstance(value, str) and _sendable(value):
            send = value
        elif other.kind == "bool" and type(value) is bool:
            send = value if self.postgres else int(value)
        elif other.kind == "date":
            send = self.date_for(value)
        if send is None:
            raise _Unprovable
        return _Part(self.mark, (send,), other.kind, constant=value, is_constant=True)

    def date_for(self, value: object) -> object:
        """A date, or the text of one: texts and dates in ISO form sort alike."""
        if isinstance(value, str) and _ISO_DATE.fullmatch(value):
            try:
                value = dt.date.fromisoformat(value)
            except ValueError:
                return None
        if type(value) is not dt.date:
            return None
        return value if self.postgres else value.isoformat()

    # -- values -------------------------------------------------------------------------------------------------

    def value(self, node: Node) -> _Part:
        match node:
            case Literal(value):
                return _literal(value)
            case FieldRef(name):
                return self.field(name)
            case Binary("+" | "-" | "*" | "%" as op, left, right):
                return self.arithmetic(op, self.value(left), self.value(right))
            case Unary("-", operand):
                return self.arithmetic("-", _literal(0), self.value(operand))
            case Call("coalesce", args) if len(args) > 1:
                return self.alternatives("coalesce({})", [self.value(arg) for arg in args if arg is not None])
            case Case(branches, default, None):
                return self.case(branches, default)
        raise _Unprovable

    def field(self, name: str) -> _Part:
        real = resolve_field(name, self.columns)
        kind = _KINDS.get(self.columns[real]) if real is not None else None
        if real is None or kind is None:
            raise _Unprovable
        text = '"' + real.replace('"', '""') + '"'
        if self.postgres:
            text = text.replace("%", "%%")
            if kind == "text":  # enums, uuids and citext are texts to us
                text += "::text"
            elif kind == "double":  # numeric is read as a double
                text += "::float8"
        return _Part(text, (), kind, _BITS.get(self.columns[real], 0))

    def arithmetic(self, op: str, left: _Part, right: _Part) -> _Part:
        """Integers only, and only when 64 bits hold the result."""
        if left.kind != "int" or right.kind != "int" or (op == "%" and not (right.is_constant and right.constant)):
            raise _Unprovable
        if left.is_constant and right.is_constant and left.constant:
            raise _Unprovable
        bits = left.bits + right.bits if op == "*" else max(left.bits, right.bits) + (op != "%")
        if bits > 62:
            raise _Unprovable
        sides = [self.wide(left), self.wide(right)]
        if op == "%":
            text = f"mod({sides[0]}, {sides[1]})" if self.postgres else f"({sides[0]} % {sides[1]})"
        else:
            text = f"({sides[0]} {op} {sides[1]})"
        return _Part(text, left.params + right.params, "int", bits)

    def wide(self, part: _Part) -> str:
        if part.is_constant:
            return str(part.constant)  # an int we made, never text
        return f"{part.text}::int8" if self.postgres else part.text

    def alternatives(self, pattern: str, parts: Sequence[_Part]) -> _Part:
        """Values of which one is chosen: all of one kind."""
        variable = next((part for part in parts if not part.is_constant), None)
        if variable is None:
            raise _Unprovable
        sent = [self.cast(self.constant_for(variable, part.constant)) if part.is_constant else part for part in parts]
        if any(part.kind != variable.kind for part in sent) or variable.kind == "truth":
            raise _Unprovable
        # the literal's own type would show where its text is asked for; all uses here compare it with its own kind
        if any(p.is_constant and type(p.constant) is not _TYPES[variable.kind] for p in sent):
            raise _Unprovable
        params = tuple(value for part in sent for value in part.params)
        bits = max(part.bits or 63 for part in sent)
        return _Part(pattern.format(", ".join(part.text for part in sent)), params, variable.kind, bits)

    def cast(self, part: _Part) -> _Part:
        if not self.postgres:
            return part
        return _Part(f"{part.text}::{_CASTS[part.kind]}", part.params, part.kind, 63, part.constant, True)

    def case(self, branches: Sequence[tuple[Node, Node]], default: Node | None) -> _Part:
        conditions = [self.condition(condition) for condition, _ in branches]
        results = [self.value(result) for _, result in branches]
        last = self.value(default) if default is not None else _literal(None)
        kinds = {part.kind for part in (*results, last)} - {"null"}
        if len(kinds) != 1 or not kinds <= {"int", "text", "bool"}:
            raise _Unprovable
        kind = kinds.pop()
        pieces, params = ["CASE"], []
        for condition, result in zip(conditions, results, strict=True):
            written = self.result(result, kind)
            pieces.append(f"WHEN {condition.text} THEN {written.text}")
            params += [*condition.params, *written.params]
        written = self.result(last, kind)
        return _Part(" ".join([*pieces, f"ELSE {written.text} END"]), (*params, *written.params), kind, 63)

    def result(self, part: _Part, kind: str) -> _Part:
        if part.kind == "null":
            return _Part("NULL", (), kind)
        return self.cast(self.constant_for(_Part("", (), kind), part.constant)) if part.is_constant else part


_TYPES = {"int": int, "double": float, "text": str, "bool": bool, "date": dt.date}
_CASTS = {"int": "int8", "double": "float8", "text": "text", "bool": "bool", "date": "date"}


def _literal(value: object) -> _Part:
    kinds: dict[type, str] = {
        bool: "bool",
        int: "int",
        float: "double",
        str: "text",
        dt.date: "date",
        type(None): "null",
    }
    kind = kinds.get(type(value))
    if kind is None:
        raise _Unprovable
    bits = value.bit_length() if isinstance(value, int) else 0
    return _Part("NULL" if value is None else "", (), kind, bits, value, True)


def _sendable(text: str) -> bool:
    """A database refuses NUL and half surrogates."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def _translate(pattern: str, run: str, one: str, literal: Callable[[str], str]) -> str:
    return "".join(run if part == "%" else one if part == "_" else literal(text) for part, text in like_parts(pattern))


def _postgres_like(pattern: str) -> str:
    return _translate(pattern, "%", "_", lambda text: re.sub(r"([\\%_])", r"\\\1", text))


def _glob(pattern: str) -> str:
    return _translate(pattern, "*", "?", lambda text: re.sub(r"([*?\[])", r"[\1]", text))
