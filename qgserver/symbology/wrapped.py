"""Renderers of whole layers that leave it to another renderer how single features look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from qgserver.draw.units import RenderScale
from qgserver.expression.context import Context
from qgserver.providers.batch import Batch
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.renderer import Common, Jobs, LegendItem, Renderer
from qgserver.symbology.symbol import Symbol


@dataclass(frozen=True, slots=True)
class WrappedRenderer:
    """What renderers around an ``inner`` one have in common: features are classified and in legends as by that."""

    common: Common
    inner: Renderer

    @property
    def symbols(self) -> Sequence[Symbol]:
        return self.inner.symbols

    def around(self, inner: Renderer) -> Self:
        return replace(self, inner=inner)

    def used_fields(self) -> frozenset[str] | None:
        return merge_fields([self.inner.used_fields(), self.common.order_fields()])

    def classify(self, batch: Batch, context: Context, scale: float) -> Jobs:
        return self.inner.classify(batch, context, scale)

    def legend(self) -> Sequence[LegendItem]:
        return self.inner.legend()

    def filters(self, scale: float) -> bool:
        return False

    def margin(self, scale: RenderScale) -> float:
        """0: what lies beyond the view does not count (measured)."""
        return 0.0
