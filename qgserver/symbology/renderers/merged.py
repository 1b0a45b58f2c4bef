"""mergedFeatureRenderer: all features of a symbol are drawn as one."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from qgserver.geo.merge import union
from qgserver.symbology.merging import draw_merged
from qgserver.symbology.renderer import (
    Renderer,
    Source,
    read_common,
    read_renderer,
    renderers,
)
from qgserver.symbology.scene import Scene
from qgserver.symbology.wrapped import WrappedRenderer


@dataclass(frozen=True, slots=True)
class MergedRenderer(WrappedRenderer):
    """``inner`` decides which features go together, and how they look."""

    def draw(self, scene: Scene) -> None:
        draw_merged(scene, self.inner, union)


@renderers.register("mergedFeatureRenderer")
def read(element: etree._Element, source: Source) -> Renderer:
    inner = read_renderer(element.find("renderer-v2"), source.layer, source.problems)
    return MergedRenderer(read_common(element, source), inner)
