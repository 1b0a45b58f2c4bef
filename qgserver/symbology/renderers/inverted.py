"""invertedPolygonRenderer: everything outside of the polygons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lxml import etree

from qgserver.geo.geometry import GeometryArray, Ints
from qgserver.geo.merge import beyond, holes_in
from qgserver.geo.wkb import nulls
from qgserver.symbology.merging import draw_as, draw_merged, nobody
from qgserver.symbology.renderer import (
    Renderer,
    Source,
    read_common,
    read_renderer,
    renderers,
)
from qgserver.symbology.scene import Scene
from qgserver.symbology.wrapped import WrappedRenderer

AROUND = 0.5
"""Share of the view's size by which the outside goes on beyond it."""


@dataclass(frozen=True, slots=True)
class InvertedRenderer(WrappedRenderer):
    """``inner`` decides which polygons are left out together, and how the rest looks. ``together``: polygons that touch
    or overlap are one."""

    together: bool = False

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
