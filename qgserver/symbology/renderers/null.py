"""nullSymbol: draws nothing (labels may still be drawn)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from lxml import etree

from qgserver.expression.context import Context
from qgserver.providers.batch import Batch
from qgserver.symbology.renderer import Common, Jobs, LegendItem, Renderer, Source, renderers
from qgserver.symbology.symbol import Symbol

NOTHING = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class NullRenderer:
    common: Common = Common()
    symbols: tuple[Symbol, ...] = field(default=(), init=False)

    def used_fields(self) -> frozenset[str] | None:
        return frozenset()

    def classify(self, batch: Batch, context: Context, scale: float) -> Jobs:
        return Jobs(NOTHING, NOTHING)

    def legend(self) -> tuple[LegendItem, ...]:
        return ()

    def filters(self, scale: float) -> bool:
        return False


@renderers.register("nullSymbol")
def read(element: etree._Element, source: Source) -> Renderer:
    return NullRenderer()
