"""Expressions as OGC filters, as far as filters can say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from qgserver.expression.nodes import Between, Binary, Call, Chain, FieldRef, In, Literal, Node, Unary
from qgserver.expression.values import to_text
from qgserver.ows.xmlio import attributes, element

COMPARISONS = {
    "=": "PropertyIsEqualTo",
    "<>": "PropertyIsNotEqualTo",
    "<": "PropertyIsLessThan",
    "<=": "PropertyIsLessThanOrEqualTo",
    ">": "PropertyIsGreaterThan",
    ">=": "PropertyIsGreaterThanOrEqualTo",
}
ARITHMETIC = {"+": "Add", "-": "Sub", "*": "Mul", "/": "Div"}
LIKE = {"wildCard": "%", "singleChar": "_", "escapeChar": "\\"}


class NotInFilters(Exception):
    """An OGC filter has no word for some part of the expression."""


def write_filter(node: Node, hidden: frozenset[str] = frozenset()) -> str | None:
    """``ogc:Filter``; None when filters can't say that, or it speaks of ``hidden`` fields."""
    try:
        return f'<ogc:Filter xmlns:ogc="http://www.opengis.net/ogc">{_Writer(hidden).condition(node)}</ogc:Filter>'
    except NotInFilters:
        return None


def write_value(node: Node, hidden: frozenset[str] = frozenset()) -> str | None:
    """An ``ogc`` expression of a value; None as for ``write_filter``."""
    try:
        return _Writer(hidden).operand(node)
    except NotInFilters:
        return None


@dataclass(frozen=True, slots=True)
class _Writer:
    hidden: frozenset[str]

    def condition(self, node: Node) -> str:
        """Anything that is true or false."""
        write = _CONDITIONS.get(type(node))
        if write is None:
            raise NotInFilters
        return write(self, node)

    def operand(self, node: Node) -> str:
        """Anything that has a value."""
        match node:
            case FieldRef(name) if name not in self.hidden:
                return element("ogc:PropertyName", name)
            case Literal(value) if isinstance(value, bool | int | float | str):
                return element("ogc:Literal", to_text(value))
            case Binary(op, left, right) if op in ARITHMETIC:
                return _tag(ARITHMETIC[op], (self.operand(left), self.operand(right)))
            case Unary("-", Literal(value)) if isinstance(value, int | float):
                return element("ogc:Literal", to_text(-value))
            case Call(name, args) if not name.startswith("$"):
                inner = "".join(self.operand(arg) for arg in args if arg is not None)
                return f"<ogc:Function{attributes({'name': name})}>{inner}</ogc:Function>"
        raise NotInFilters

    def chain(self, node: Node) -> str:
        """AND and OR."""
        assert isinstance(node, Chain)
        if node.op not in ("AND", "OR"):
            raise NotInFilters
        return _tag(node.op.capitalize(), map(self.condition, node.terms))

    def negation(self, node: Node) -> str:
        """NOT."""
        assert isinstance(node, Unary)
        if node.op != "NOT":
            raise NotInFilters
        return _tag("Not", (self.condition(node.operand),))

    def binary(self, node: Node) -> str:
        """Comparisons, IS NULL and LIKE."""
        assert isinstance(node, Binary)
        if node.op in COMPARISONS:
            return _tag(COMPARISONS[node.op], (self.operand(node.left), self.operand(node.right)))
        if node.op in ("IS", "ISNOT") and node.right == Literal(None):
            found = _tag("PropertyIsNull", (self.operand(node.left),))
        elif node.op in ("LIKE", "NOTLIKE"):
            both = self.operand(node.left) + self.operand(node.right)
            found = f"<ogc:PropertyIsLike{attributes(LIKE)}>{both}</ogc:PropertyIsLike>"
        else:
            raise NotInFilters
        return _tag("Not", (found,)) if "NOT" in node.op else found

    def member(self, node: Node) -> str:
        """IN: one comparison for each item."""
        assert isinstance(node, In)
        terms = [self.binary(Binary("=", node.operand, item)) for item in node.items]
        found = _tag("Or", terms) if len(terms) > 1 else "".join(terms)
        return _tag("Not", (found,)) if node.negated else found

    def between(self, node: Node) -> str:
        """BETWEEN."""
        assert isinstance(node, Between)
        low, high = (_tag(name, (self.operand(side),)) for name, side in _sides(node))
        found = _tag("PropertyIsBetween", (self.operand(node.operand), low, high))
        return _tag("Not", (found,)) if node.negated else found


def _sides(node: Between) -> tuple[tuple[str, Node], tuple[str, Node]]:
    return ("LowerBoundary", node.low), ("UpperBoundary", node.high)


def _tag(name: str, inner: Iterable[str]) -> str:
    return f"<ogc:{name}>{''.join(inner)}</ogc:{name}>"


_CONDITIONS: dict[type[Node], Callable[[_Writer, Node], str]] = {
    Chain: _Writer.chain,
    Unary: _Writer.negation,
    Binary: _Writer.binary,
    In: _Writer.member,
    Between: _Writer.between,
}
