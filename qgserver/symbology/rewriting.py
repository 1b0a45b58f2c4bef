"""Expressions of symbols with some of their parts replaced: variables that the symbol itself or each feature sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import fields, replace
from typing import Any

from qgserver.expression.nodes import FieldRef, Literal, Node, Variable, transform, walk
from qgserver.symbology.maincolor import color_text, symbol_color
from qgserver.symbology.properties import Properties, Property
from qgserver.symbology.symbol import Symbol, SymbolLayer

Change = Callable[[Node], Node]
SYMBOL_COLOR = "symbol_color"


def column_name(variable: str) -> str:
    """The column of a batch that holds the values of a variable; no source has one of that name."""
    return f"@{variable}"


def with_row_variables(symbol: Symbol, names: Collection[str]) -> Symbol:
    """The symbol, whose expressions look for the variables ``names`` among the columns of the batch."""

    def change(node: Node) -> Node:
        return FieldRef(column_name(node.name)) if isinstance(node, Variable) and node.name in names else node

    return rewritten(symbol, lambda _: change)


def with_own_color(symbol: Symbol) -> Symbol:
    """The symbol, whose expressions know its colour, and those of symbols in it theirs."""
    if Variable(SYMBOL_COLOR) not in parts_of(symbol):
        return symbol

    def change_for(inner: Symbol) -> Change:
        color = Literal(color_text(symbol_color(inner)))
        return lambda node: color if node == Variable(SYMBOL_COLOR) else node

    return rewritten(symbol, change_for)


def rewritten(symbol: Symbol, change_for: Callable[[Symbol], Change]) -> Symbol:
    """The symbol with ``change_for(symbol)`` applied to every node of its expressions; the same for symbols in it."""
    change = change_for(symbol)

    def in_layer(layer: SymbolLayer) -> SymbolLayer:
        updates: dict[str, Any] = {name: transform(node, change) for name, node in _nodes(layer)}
        inner = None if layer.symbol is None else rewritten(layer.symbol, change_for)
        return replace(layer, properties=_in_properties(layer.properties, change), symbol=inner, **updates)

    layers = tuple(in_layer(layer) for layer in symbol.layers)
    return replace(symbol, layers=layers, properties=_in_properties(symbol.properties, change))


def parts_of(symbol: Symbol) -> frozenset[Node]:
    """All nodes of all expressions in the symbol."""
    return frozenset(part for node in _expressions(symbol) for part in walk(node))


def _expressions(symbol: Symbol) -> Iterator[Node]:
    yield from (item.node for item in symbol.properties.items.values())
    for layer in symbol.layers:
        yield from (item.node for item in layer.properties.items.values())
        yield from (node for _, node in _nodes(layer))
        if layer.symbol is not None:
            yield from _expressions(layer.symbol)


def _nodes(layer: SymbolLayer) -> Iterator[tuple[str, Node]]:
    """The attributes of a symbol layer that are expressions."""
    for item in fields(layer):
        value = getattr(layer, item.name)
        if isinstance(value, Node):
            yield item.name, value


def _in_properties(properties: Properties, change: Change) -> Properties:
    return Properties(
        {key: Property(transform(item.node, change), item.transformer) for key, item in properties.items.items()}
    )
