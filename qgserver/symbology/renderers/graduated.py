"""graduatedSymbol: a symbol per range of a number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lxml import etree

from qgserver.errors import ExpressionError
from qgserver.expression.columns import Column
from qgserver.expression.context import Context
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import Node, used_fields
from qgserver.geo.geometry import Floats
from qgserver.providers.batch import Batch
from qgserver.symbology.options import parse_number
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


@dataclass(frozen=True, slots=True)
class Range:
    """``lower <= value <= upper``, both inclusive; a shared boundary belongs to the first range."""

    lower: float
    upper: float
    symbol: int
    label: str
    visible: bool


@dataclass(frozen=True, slots=True)
class GraduatedRenderer:
    common: Common
    symbols: tuple[Symbol, ...]
    attribute: Node | None
    ranges: tuple[Range, ...]

    def used_fields(self) -> frozenset[str] | None:
        own = used_fields(self.attribute) if self.attribute else frozenset()
        return merge_fields([own, symbol_fields(self.symbols), self.common.order_fields()])

    def classify(self, batch: Batch, context: Context, scale: float) -> Jobs:
        symbols = np.full(len(batch), -1, dtype=np.int64)
        if self.attribute is None:
            return jobs_of(symbols)
        try:
            values = as_numbers(evaluate(self.attribute, batch, context))
        except ExpressionError:
            return jobs_of(symbols)
        free = np.isfinite(values)
        for item in self.ranges:
            inside = free & (values >= item.lower) & (values <= item.upper)
            symbols[inside] = item.symbol if item.visible or not scale else -1
            free &= ~inside
        return jobs_of(symbols)

    def legend(self) -> tuple[LegendItem, ...]:
        return tuple(LegendItem(item.label, item.symbol, str(i)) for i, item in enumerate(self.ranges))

    def filters(self, scale: float) -> bool:
        return False


def as_numbers(column: Column) -> Floats:
    """Values as float64, NaN for NULL and for what is no number."""
    if column.values.dtype == object:
        values = np.array([np.nan if v is None else parse_number(str(v), np.nan) for v in column.values])
    elif column.values.dtype.kind == "M":
        return np.full(len(column), np.nan)
    else:
        values = column.values.astype(np.float64)
    if column.nulls is not None:
        values[column.nulls] = np.nan
    return values


@renderers.register("graduatedSymbol")
def read(element: etree._Element, source: Source) -> Renderer:
    named = source.symbols(element)
    numbers = {name: number for number, name in enumerate(named)}
    ranges = tuple(
        Range(
            parse_number(child.get("lower", ""), np.nan),
            parse_number(child.get("upper", ""), np.nan),
            numbers.get(child.get("symbol", ""), -1),
            child.get("label", ""),
            child.get("render", "true") != "false",
        )
        for child in element.iterfind("ranges/range")
    )
    attribute = source.attribute(element.get("attr", ""), "attr")
    return GraduatedRenderer(read_common(element, source), tuple(named.values()), attribute, ranges)
