"""What a symbol layer is given to draw with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale
from qgserver.errors import ExpressionError
from qgserver.expression.columns import to_values
from qgserver.expression.context import Context
from qgserver.expression.evaluate import evaluate
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import GeometryArray, Ints
from qgserver.providers.batch import Batch
from qgserver.symbology.assets import Assets
from qgserver.symbology.masks import MaskSheets
from qgserver.symbology.properties import Property

if TYPE_CHECKING:
    from qgserver.symbology.symbol import SymbolLayer


@dataclass(frozen=True, slots=True)
class Shapes:
    """Features to draw with one symbol, in drawing order: ``geometry`` in device pixels (y down) of k features and
    ``rows`` int64[k], their numbers in ``Env.batch``."""

    geometry: GeometryArray
    rows: Ints

    def __len__(self) -> int:
        return len(self.rows)

    def slice(self, start: int, stop: int) -> Shapes:
        """Features start..stop as views, nothing is copied."""
        return Shapes(slice_geometry(self.geometry, start, stop), self.rows[start:stop])


CHUNK = 256
"""The most features that go into one path of a crowded map: cairo slows down with longer ones."""


def chunks(shapes: Shapes) -> Iterator[Shapes]:
    """The shapes in groups that make paths of a good length."""
    for start in range(0, len(shapes), CHUNK):
        yield shapes.slice(start, min(start + CHUNK, len(shapes)))


def slice_geometry(geometry: GeometryArray, start: int, stop: int) -> GeometryArray:
    """Consecutive features as views on the same coordinates (``coords`` are cut, offsets begin at 0)."""
    if start == 0 and stop == len(geometry):
        return geometry
    p0, p1 = geometry.features[start], geometry.features[stop]
    r0, r1 = geometry.parts[p0], geometry.parts[p1]
    c0, c1 = geometry.rings[r0], geometry.rings[r1]
    return GeometryArray(
        geometry.types[start:stop],
        geometry.coords[c0:c1],
        geometry.rings[r0 : r1 + 1] - c0,
        geometry.parts[p0 : p1 + 1] - r0,
        geometry.features[start : stop + 1] - p0,
        part_types=None if geometry.part_types is None else geometry.part_types[p0:p1],
    )


Painter = Callable[[Canvas, Shapes], None]
"""Paints all the shapes with one symbol layer whose sizes and colours are settled."""


def _as_it_is(geometry: GeometryArray) -> GeometryArray:
    return geometry


@dataclass(frozen=True, slots=True)
class Env:
    """Everything besides the shapes: sizes of the map (``scale``), expression ``context``, the ``batch`` the rows come
    from, the symbol's ``opacity``, the ``view`` in pixels, and painters made so far (one per symbol layer and
    opacity) and values of data-defined properties evaluated so far (one list for the batch per property). ``exact``:
    markers stand where their points are, not at whole pixels (legends). ``vector``: shapes are kept as such, and
    markers not made pictures of. ``assets``: the files that symbols name.
    ``to_device`` brings geometry of the layer's CRS to pixels. ``masks``: where symbol layers paint
    that mask others."""

    scale: RenderScale
    context: Context
    batch: Batch
    view: Extent
    opacity: float = 1.0
    painters: dict[tuple[int, float], Painter] = field(default_factory=dict)
    values: dict[int, list[object]] = field(default_factory=dict)
    exact: bool = False
    vector: bool = False
    assets: Assets = Assets()
    to_device: Callable[[GeometryArray], GeometryArray] = _as_it_is
    masks: MaskSheets | None = None

    def with_opacity(self, opacity: float) -> Env:
        return self if opacity == self.opacity else replace(self, opacity=opacity)

    def painter(self, layer: SymbolLayer) -> Painter:
        """The painter of a symbol layer as it stands, made once."""
        key = (id(layer), self.opacity)
        if key not in self.painters:
            self.painters[key] = layer.painted(self)
        return self.painters[key]

    def defined(self, item: Property) -> list[object]:
        """The values of a data-defined property for all features of the batch, None where the static value holds."""
        key = id(item)
        if key not in self.values:
            try:
                found = to_values(evaluate(item.node, self.batch, self.context))
            except ExpressionError:
                found = [None] * len(self.batch)
            self.values[key] = [item.transformed(value) for value in found]
        return self.values[key]
