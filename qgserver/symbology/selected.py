"""Features that a client marks: drawn with the same symbols in the project's selection colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qgserver.draw.color import Color
from qgserver.expression.context import Context
from qgserver.providers.batch import Batch
from qgserver.symbology.renderer import Common, Jobs, LegendItem, Renderer
from qgserver.symbology.scene import Wrapping
from qgserver.symbology.symbol import Symbol


@dataclass(frozen=True, slots=True)
class SelectionRenderer:
    """A renderer whose symbols come twice, the second time as selected features have them. ``fids`` are texts."""

    inner: Renderer
    fids: frozenset[str]
    symbols: tuple[Symbol, ...]

    @property
    def common(self) -> Common:
        return self.inner.common

    def used_fields(self) -> frozenset[str] | None:
        return self.inner.used_fields()

    def classify(self, batch: Batch, context: Context, scale: float) -> Jobs:
        jobs = self.inner.classify(batch, context, scale)
        marked = np.fromiter((str(fid) in self.fids for fid in batch.fids.tolist()), dtype=bool, count=len(batch))
        return Jobs(jobs.rows, jobs.symbols + marked[jobs.rows] * len(self.inner.symbols))

    def legend(self) -> Sequence[LegendItem]:
        return self.inner.legend()

    def filters(self, scale: float) -> bool:
        return self.inner.filters(scale)


def with_selection(renderer: Renderer, fids: Iterable[int | str], color: Color) -> Renderer:
    """The renderer as it draws a layer of which the features ``fids`` are selected."""
    marked = frozenset(map(str, fids))
    if not marked or not renderer.symbols:
        return renderer
    if isinstance(renderer, Wrapping):
        return renderer.around(with_selection(renderer.inner, marked, color))
    return SelectionRenderer(renderer, marked, (*renderer.symbols, *_selected(renderer.symbols, color)))


def _selected(symbols: Sequence[Symbol], color: Color) -> Iterable[Symbol]:
    """The symbols in the selection colour, which is as opaque as the project has it."""
    for symbol in symbols:
        yield replace(symbol.selected(color), opacity=1.0, properties=symbol.properties.without("alpha"))
