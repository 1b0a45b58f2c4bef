"""Variables that differ from feature to feature, as columns of the batch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, replace
from typing import Any

from qgserver.expression.nodes import FieldRef, Node, Variable, transform
from qgserver.symbology.properties import Properties, Property
from qgserver.symbology.symbol import Symbol, SymbolLayer


def column_name(variable: str) -> str:
    """The column of a batch that holds the values of a variable; no source has one of that name."""
    return f"@{variable}"


def with_row_variables(symbol: Symbol, names: Collection[str]) -> Symbol:
    """The symbol, whose expressions look for the variables ``names`` among the columns of the batch."""

    def changed(node: Node) -> Node:
        return FieldRef(column_name(node.name)) if isinstance(node, Variable) and node.name in names else node

    def in_properties(properties: Properties) -> Properties:
        return Properties(
            {key: Property(transform(item.node, changed), item.transformer) for key, item in properties.items.items()}
        )

    def in_layer(layer: SymbolLayer) -> SymbolLayer:
        nodes = {item.name: getattr(layer, item.name) for item in fields(layer)}
        updates: dict[str, Any] = {
            name: transform(node, changed) for name, node in nodes.items() if isinstance(node, Node)
        }
        inner = None if layer.symbol is None else in_symbol(layer.symbol)
        return replace(layer, properties=in_properties(layer.properties), symbol=inner, **updates)

    def in_symbol(symbol: Symbol) -> Symbol:
        layers = tuple(in_layer(layer) for layer in symbol.layers)
        return replace(symbol, layers=layers, properties=in_properties(symbol.properties))

    return in_symbol(symbol)
