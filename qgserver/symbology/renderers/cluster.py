"""pointCluster: points too near each other become one symbol."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from qgserver.providers.batch import Column
from qgserver.symbology.groups import Groups, features_at, find_groups, read_marker, read_tolerance
from qgserver.symbology.maincolor import color_text, symbol_color
from qgserver.symbology.options import Length
from qgserver.symbology.paint import point_geometry
from qgserver.symbology.properties import merge_fields
from qgserver.symbology.renderer import (
    Common,
    Jobs,
    Renderer,
    Source,
    read_common,
    read_renderer,
    renderers,
)
from qgserver.symbology.rewriting import column_name, with_row_variables
from qgserver.symbology.scene import Scene
from qgserver.symbology.symbol import Symbol
from qgserver.symbology.wrapped import WrappedRenderer

SIZE, COLOR = "cluster_size", "cluster_color"


@dataclass(frozen=True, slots=True)
class ClusterRenderer(WrappedRenderer):
    """``inner`` says how single features look; its symbols come first, then the one for groups: its expressions know
    how many features it stands for, and their colour if they have one in common."""

    cluster: Symbol
    tolerance: Length

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        return (*self.inner.symbols, self.cluster)

    def used_fields(self) -> frozenset[str] | None:
        return merge_fields([self.inner.used_fields(), self.cluster.used_fields(), self.common.order_fields()])

    def filters(self, scale: float) -> bool:
        return self.inner.filters(scale)

    def draw(self, scene: Scene) -> None:
        """Groups in the order of their first members, whose attributes the symbol of a group sees."""
        groups = find_groups(scene, self.inner, self.tolerance, by_symbol=self.common.symbol_levels)
        if not len(groups.rows):
            return
        first = groups.starts[:-1]
        sizes = groups.sizes
        colors = self._colors(groups)
        env = features_at(
            scene,
            groups.rows[first],
            **{
                column_name(SIZE): Column(sizes.astype(np.int64)),
                column_name(COLOR): Column(colors, np.array([color is None for color in colors])),
            },
        )
        symbols = np.where(sizes > 1, len(self.symbols) - 1, groups.symbols[first])
        jobs = Jobs(np.arange(len(first), dtype=np.int64), symbols)
        scene.paint(env, point_geometry(groups.centers), jobs, replace(self, common=Common()))

    def _colors(self, groups: Groups) -> NDArray[np.object_]:
        """object[g]: the colour that all members have, as expressions write it; None where they differ."""
        texts = [color_text(symbol_color(symbol)) for symbol in self.inner.symbols]
        known = list(dict.fromkeys(texts))
        number = np.array([known.index(text) for text in texts], dtype=np.int64)[groups.symbols]
        low = np.minimum.reduceat(number, groups.starts[:-1])
        high = np.maximum.reduceat(number, groups.starts[:-1])
        return np.array([*known, None], dtype=object)[np.where(low == high, low, len(known))]


@renderers.register("pointCluster")
def read(element: etree._Element, source: Source) -> Renderer:
    inner = read_renderer(element.find("renderer-v2"), source.layer, source.problems)
    cluster = with_row_variables(read_marker(element, source), (SIZE, COLOR))
    return ClusterRenderer(read_common(element, source), inner, cluster, read_tolerance(element))
