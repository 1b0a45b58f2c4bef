"""mergedFeatureRenderer: all features of a symbol are drawn as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lxml import etree

from qgserver.draw.units import RenderScale
from qgserver.expression.context import Context
from qgserver.geo.merge import union
from qgserver.providers.batch import Batch
from qgserver.symbology.merging import draw_merged
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.renderer import (
    Common,
    Jobs,
    LegendItem,
    Renderer,
    Source,
    read_common,
    read_renderer,
    renderers,
)
from qgserver.symbology.scene import Scene
from qgserver.symbology.symbol import Symbol


@dataclass(frozen=True, slots=True)
class MergedRenderer:
    """``inner`` decides which features go together, and how they look."""

    common: Common
    inner: Renderer

    @property
    def symbols(self) -> Sequence[Symbol]:
        return self.inner.symbols

    def around(self, inner: Renderer) -> Renderer:
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
        return 0.0

    def draw(self, scene: Scene) -> None:
        draw_merged(scene, self.inner, union)


@renderers.register("mergedFeatureRenderer")
def read(element: etree._Element, source: Source) -> Renderer:
    inner = read_renderer(element.find("renderer-v2"), source.layer, source.problems)
    return MergedRenderer(read_common(element, source), inner)
