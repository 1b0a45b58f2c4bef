"""categorizedSymbol: a symbol per value of a field or expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from lxml import etree

from qgserver.errors import ExpressionError
from qgserver.expression.columns import Column
from qgserver.expression.context import Context
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import Node, used_fields
from qgserver.expression.values import to_text
from qgserver.geo.geometry import Ints
from qgserver.providers.batch import Batch
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.renderer import (
    Common,
    Jobs,
    LegendItem,
    Renderer,
    Source,
    jobs_of,
    read_common,
    renderers,
    symbol_fields,
)
from qgserver.symbology.symbol import Symbol

HIDDEN = -1


@dataclass(frozen=True, slots=True)
class Category:
    """A class of the legend: ``values`` as texts, ("",) = all other values."""

    values: tuple[str, ...]
    symbol: int
    label: str
    visible: bool


@dataclass(frozen=True, slots=True)
class CategorizedRenderer:
    """``table``: text of a value -> symbol number (HIDDEN for classes switched off); "" is for the rest."""

    common: Common
    symbols: tuple[Symbol, ...]
    attribute: Node | None
    categories: tuple[Category, ...]
    table: Mapping[str, int]

    def used_fields(self) -> frozenset[str] | None:
        own = used_fields(self.attribute) if self.attribute else frozenset()
        return merge_fields([own, symbol_fields(self.symbols), self.common.order_fields()])

    def classify(self, batch: Batch, context: Context, scale: float) -> Jobs:
        table = self.table if scale else value_table(self.categories, hidden=True)
        symbols = np.full(len(batch), table.get("", HIDDEN), dtype=np.int64)
        if self.attribute is not None:
            with suppress(ExpressionError):
                symbols = _lookup(evaluate(self.attribute, batch, context), table)
        return jobs_of(symbols)

    def legend(self) -> tuple[LegendItem, ...]:
        return tuple(LegendItem(item.label, item.symbol, str(i)) for i, item in enumerate(self.categories))

    def filters(self, scale: float) -> bool:
        return "" not in self.table


def value_table(categories: Sequence[Category], *, hidden: bool) -> dict[str, int]:
    """Text of a value -> symbol number; HIDDEN for classes switched off, unless ``hidden`` ones count."""
    table: dict[str, int] = {}
    for category in categories:
        for value in category.values:
            table.setdefault(value, category.symbol if category.visible or hidden else HIDDEN)
    return table


_TEXTS = frozenset({str, type(None)})


def _lookup(column: Column, table: Mapping[str, int]) -> Ints:
    """Symbol numbers by the text of each value; NULL and "" belong to the other values."""
    other = table.get("", HIDDEN)
    if column.values.dtype == object:
        values = column.values.tolist()
        if not _TEXTS.issuperset(map(type, values)):
            values = ["" if v is None else to_text(v) for v in values]
        symbols = np.fromiter(map(table.get, values, repeat(other)), np.int64, len(values))
    else:
        values, inverse = np.unique(column.values, return_inverse=True)
        texts = (to_text(value) for value in values.tolist())
        symbols = np.array([table.get(text, other) for text in texts], dtype=np.int64)[inverse]
    if column.nulls is not None:
        symbols[column.nulls] = other
    return symbols


@renderers.register("categorizedSymbol")
def read(element: etree._Element, source: Source) -> Renderer:
    named = source.symbols(element)
    numbers = {name: number for number, name in enumerate(named)}
    categories = []
    for child in element.iterfind("categories/category"):
        values = tuple(value.get("value", "") for value in child.iterfind("val")) or (child.get("value", ""),)
        if child.get("type") == "NULL":
            values = ("",)
        symbol = numbers.get(child.get("symbol", ""), HIDDEN)
        categories.append(Category(values, symbol, child.get("label", ""), child.get("render", "true") != "false"))
    return CategorizedRenderer(
        read_common(element, source),
        tuple(named.values()),
        source.attribute(element.get("attr", ""), "attr"),
        tuple(categories),
        value_table(categories, hidden=False),
    )
