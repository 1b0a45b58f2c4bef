"""contour: lines of equal value through a band."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from lxml import etree

from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale
from qgserver.errors import Problems
from qgserver.expression.context import Context
from qgserver.geo.extent import Extent
from qgserver.geo.wkb import take
from qgserver.providers.batch import Batch
from qgserver.rasters.colors import nothing
from qgserver.rasters.isolines import isolines
from qgserver.rasters.model import Cells, Grid, LegendEntry, Picture
from qgserver.rasters.options import number
from qgserver.rasters.pipe import renderers
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.paint import paint_symbol
from qgserver.symbology.symbol import Symbol, read_symbol

PX_PER_MM = 96 / 25.4
"""Sizes of the lines do not follow the map's resolution (measured)."""
NEAR = 1e-12


@dataclass(frozen=True, slots=True)
class Contour:
    """Lines at multiples of ``interval``, those at multiples of ``index_interval`` (0: none) by a symbol of their own;
    the band is read with cells ``downscale`` times the picture's."""

    band: int
    interval: float
    index_interval: float = 0.0
    downscale: float = 8.0
    symbol: Symbol | None = None
    index_symbol: Symbol | None = None

    def bands(self) -> Sequence[int]:
        return (self.band,)

    def paint(self, cells: Cells) -> Picture:
        """The lines through cells as fine as the picture."""
        return self._lines(cells, cells.grid)

    def draw(self, grid: Grid, read: Callable[[Grid], Cells]) -> Picture:
        """See ``ReadingRenderer``."""
        coarse = replace(
            grid,
            width=max(int(grid.width / self.downscale + 0.5), 1),
            height=max(int(grid.height / self.downscale + 0.5), 1),
        )
        return self._lines(read(coarse), grid)

    def _lines(self, cells: Cells, grid: Grid) -> Picture:
        values = np.where(nothing(cells, (self.band,)), np.nan, cells.values[self.band].astype(np.float64))
        values[np.isinf(values)] = np.nan
        found = isolines(values, self.interval)
        steps = np.array((grid.width / cells.grid.width, grid.height / cells.grid.height))
        lines = replace(found.lines, coords=found.lines.coords * steps)
        index = np.zeros(len(found.levels), dtype=np.bool_)
        if self.index_interval > 0:
            index = np.abs(np.fmod(found.levels, self.index_interval)) < NEAR
        canvas = Canvas(grid.width, grid.height)
        view = Extent(0.0, 0.0, float(grid.width), float(grid.height))
        batch = Batch(np.arange(len(index)), {}, None)
        env = Env(RenderScale(PX_PER_MM, 1.0, 0.0), Context(), batch, view)
        for symbol, rows in ((self.symbol, np.flatnonzero(~index)), (self.index_symbol, np.flatnonzero(index))):
            if symbol is not None and len(rows):
                paint_symbol(canvas, env, symbol, Shapes(take(lines, rows), rows))
        return canvas.pixels()

    def legend(self) -> Sequence[LegendEntry]:
        pairs = ((self.symbol, self.interval), (self.index_symbol, self.index_interval))
        return tuple(LegendEntry(f"{level:g}", symbol=symbol) for symbol, level in pairs if symbol is not None)


@renderers.register("contour")
def read(element: etree._Element) -> Contour:
    """``band``, ``contour-interval``, ``contour-index-interval``, ``downscale`` and ``symbols``."""
    found = {one.get("name"): read_symbol(one, "", Problems()) for one in element.iterfind("symbols/symbol")}
    return Contour(
        int(number(element, "band", 1.0)),
        number(element, "contour-interval", 100.0),
        number(element, "contour-index-interval"),
        max(number(element, "downscale", 8.0), 1.0),
        found.get("contour"),
        found.get("index-contour"),
    )
