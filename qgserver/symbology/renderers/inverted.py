"""invertedPolygonRenderer: everything outside of the polygons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from lxml import etree

from qgserver.draw.units import RenderScale
from qgserver.expression.context import Context
from qgserver.geo.geometry import GeometryArray, Ints
from qgserver.geo.merge import beyond, holes_in
from qgserver.geo.wkb import nulls
from qgserver.providers.batch import Batch
from qgserver.symbology.merging import draw_as, draw_merged, nobody
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

AROUND = 0.5
"""Share of the view's size by which the outside goes on beyond it."""


@dataclass(frozen=True, slots=True)
class InvertedRenderer:
    """``inner`` decides which polygons are left out together, and how the rest looks. ``together``: polygons that touch
    or overlap are one."""

    common: Common
    inner: Renderer
    together: bool = False

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
        """Without any polygon everything is outside, if the inner renderer has a symbol for no feature (measured)."""
        extent = scene.extent.grown(AROUND * scene.extent.width, AROUND * scene.extent.height)
        outside = beyond if self.together else holes_in

        def rest(geometry: GeometryArray, groups: Ints, count: int) -> GeometryArray:
            return outside(geometry, groups, count, extent)

        if not draw_merged(scene, self.inner, rest):
            env = scene.env
            batch = nobody(env.batch)
            jobs = self.inner.classify(batch, env.context, env.scale.scale_denominator)
            draw_as(scene, self.inner, batch, rest(nulls(1), np.zeros(1, dtype=np.int64), 1), jobs)


@renderers.register("invertedPolygonRenderer")
def read(element: etree._Element, source: Source) -> Renderer:
    inner = read_renderer(element.find("renderer-v2"), source.layer, source.problems)
    return InvertedRenderer(read_common(element, source), inner, element.get("preprocessing", "0") == "1")
