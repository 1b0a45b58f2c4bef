"""The expression tree: frozen, hashable, compared by value. Built by the parser and by filter readers (FES, FILTER)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace


class Node:
    """A node of the tree."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant. From text: None, bool, int (64 bit), float, str; filter readers may put any value of ``values``."""

    value: object


@dataclass(frozen=True, slots=True)
class FieldRef(Node):
    """An attribute, by the name written; ``bind`` turns it into the layer's spelling."""

    name: str


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """``@name``."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """``op``: ``NOT``, ``-`` or ``+``."""

    op: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """``op``: ``= <> < <= > >= IS ISNOT LIKE NOTLIKE ILIKE NOTILIKE ~ + - * / // % ^``."""

    op: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """Two or more terms joined left to right by an associative operator: ``AND``, ``OR`` or ``||``. A thousand ORed
    conditions are one flat node, so neither parsing nor evaluation is deep."""

    op: str
    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class In(Node):
    """``operand [NOT] IN (items)``."""

    operand: Node
    items: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between(Node):
    """``operand [NOT] BETWEEN low AND high`` (QGIS 3.30)."""

    operand: Node
    low: Node
    high: Node
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Case(Node):
    """``CASE [operand] WHEN condition THEN result ... [ELSE default] END``."""

    branches: tuple[tuple[Node, Node], ...]
    default: Node | None = None
    operand: Node | None = None


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function by its main name. ``args`` are in the order of its parameters (named ones are already in place);
    None stands for one that was left out before a named one."""

    name: str
    args: tuple[Node | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Index(Node):
    """``container[key]``."""

    container: Node
    key: Node


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below, in the order written."""
    match node:
        case Unary(_, operand):
            yield operand
        case Binary(_, left, right) | Index(left, right):
            yield left
            yield right
        case Chain(_, terms):
            yield from terms
        case In(operand, items):
            yield operand
            yield from items
        case Between(operand, low, high):
            yield from (operand, low, high)
        case Case(branches, default, operand):
            yield from (part for part in (operand, default) if part is not None)
            for condition, result in branches:
                yield condition
                yield result
        case Call(_, args):
            yield from (arg for arg in args if arg is not None)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in no particular order."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(children(top))


def transform(node: Node, change: Callable[[Node], Node]) -> Node:
    """The tree with ``change`` applied to every node from the leaves up; unchanged parts are shared."""
    updates: dict[str, object] = {}
    for spec in fields(node):  # type: ignore[arg-type]  # every concrete node is a dataclass
        old = getattr(node, spec.name)
        new = _transform_part(old, change)
        if new is not old:
            updates[spec.name] = new
    return change(replace(node, **updates) if updates else node)  # type: ignore[type-var]


def _transform_part(part: object, change: Callable[[Node], Node]) -> object:
    if isinstance(part, Node):
        return transform(part, change)
    if isinstance(part, tuple) and part:
        new = tuple(_transform_part(item, change) for item in part)
        return new if any(a is not b for a, b in zip(part, new, strict=True)) else part
    return part


def resolve_field(name: str, names: Iterable[str], aliases: Iterable[tuple[str, str]] = ()) -> str | None:
    """The field that ``name`` means: the exact name, else the first one equal but for case, else the field whose alias
    it is (``aliases``: pairs of field and alias)."""
    lowered = name.lower()
    found: str | None = None
    for candidate in names:
        if candidate == name:
            return candidate
        if found is None and candidate.lower() == lowered:
            found = candidate
    if found is not None:
        return found
    return next((field for field, alias in aliases if alias and alias.lower() == lowered), None)


def bind(node: Node, names: Iterable[str], aliases: Iterable[tuple[str, str]] = ()) -> Node:
    """The tree with field names in the layer's own spelling; names the layer does not have stay as they are."""
    known = tuple(names)
    pairs = tuple(aliases)

    def change(part: Node) -> Node:
        if isinstance(part, FieldRef) and (real := resolve_field(part.name, known, pairs)) not in (None, part.name):
            return FieldRef(str(real))
        return part

    return transform(node, change)


_ALL_FIELDS = frozenset({
    "$currentfeature", "attributes", "attribute", "eval", "eval_template", "represent_value", "represent_attributes",
    "display_expression", "maptip", "is_selected", "raster_value", "feature", "is_feature_valid", "is_attribute_valid",
    "aggregate",
})  # fmt: skip
"""Functions that may look at any attribute of the current feature."""

_WHOLE_FEATURE = (Variable("feature"), Variable("parent"))

_GEOMETRY = frozenset({
    "$geometry", "$area", "$length", "$perimeter", "$x", "$y", "$z", "$x_at", "$y_at", "x_at", "y_at",
    "$currentfeature", "eval", "eval_template", "display_expression", "maptip",
})  # fmt: skip
"""Functions that may look at the geometry of the current feature."""


def used_fields(node: Node) -> frozenset[str] | None:
    """Names (as written) of the attributes of the current feature that evaluation may read; None when it may need all.

    Fields inside an aggregate belong to the other layer; naming them here costs a column at most.
    """
    found: set[str] = set()
    for part in walk(node):
        if isinstance(part, FieldRef):
            found.add(part.name)
        elif (isinstance(part, Call) and part.name in _ALL_FIELDS) or part in _WHOLE_FEATURE:
            return None
    return frozenset(found)


def needs_geometry(node: Node) -> bool:
    """Whether evaluation may read the geometry of the current feature."""
    return any(
        (isinstance(part, Call) and (part.name in _GEOMETRY or part.name.startswith(("overlay_", "aggregate"))))
        or (isinstance(part, Variable) and part.name in ("feature", "geometry", "parent"))
        for part in walk(node)
    )


def used_variables(node: Node) -> frozenset[str]:
    """Names of the ``@variables`` in the tree (not those reached through ``eval`` or a computed ``var()``)."""
    return frozenset(part.name for part in walk(node) if isinstance(part, Variable))


def is_constant(node: Node) -> bool:
    """Whether the tree is made of literals and operators only, so its value never changes."""
    return all(not isinstance(part, FieldRef | Variable | Call) for part in walk(node))


def all_of(terms: Iterable[Node]) -> Node | None:
    """The terms joined by AND; None when there are none."""
    parts = tuple(terms)
    return Chain("AND", parts) if len(parts) > 1 else (parts[0] if parts else None)


def any_of(terms: Iterable[Node]) -> Node | None:
    """The terms joined by OR; None when there are none."""
    parts = tuple(terms)
    return Chain("OR", parts) if len(parts) > 1 else (parts[0] if parts else None)
