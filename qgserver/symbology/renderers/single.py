"""singleSymbol: one symbol for all features."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from lxml import etree

from qgserver.expression.context import Context
from qgserver.providers.batch import Batch
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.renderer import (
    Common,
    Jobs,
    LegendItem,
    Renderer,
    Source,
    read_common,
    renderers,
    symbol_fields,
)
from qgserver.symbology.symbol import Symbol


@dataclass(frozen=True, slots=True)
class SingleRenderer:
    """``listed``: legends show the symbol."""

    common: Common
    symbols: tuple[Symbol, ...]
    listed: bool = True

    def used_fields(self) -> frozenset[str] | None:
        return merge_fields([symbol_fields(self.symbols), self.common.order_fields()])

    def classify(self, batch: Batch, context: Context, scale: float) -> Jobs:
        return Jobs(np.arange(len(batch), dtype=np.int64), np.zeros(len(batch), dtype=np.int64))

    def legend(self) -> tuple[LegendItem, ...]:
        return (LegendItem("", 0),) if self.listed else ()

    def filters(self, scale: float) -> bool:
        return False


@renderers.register("singleSymbol", "25dRenderer", "embeddedSymbol")
def read(element: etree._Element, source: Source) -> Renderer:
    """25D is one symbol of geometry generators, whose walls and roofs hide each other in the order of the features; no
    legend shows it (measured). Of embedded symbols the default one is drawn."""
    symbol = element.find("symbols/symbol")
    if symbol is None:
        symbol = element.find("symbol")
    deep = element.get("type") == "25dRenderer"
    common = replace(read_common(element, source), one_by_one=deep)
    return SingleRenderer(common, (source.symbol(symbol),), listed=not deep)
