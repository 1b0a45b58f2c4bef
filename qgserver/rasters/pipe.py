"""The pipe of a raster layer: its renderer, and all that stands before and behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from lxml import etree

from qgserver.draw.color import Color
from qgserver.geo.extent import Extent
from qgserver.rasters.model import (
    AS_IS,
    Cells,
    ColorFilter,
    FollowingRenderer,
    Grid,
    NeighbourRenderer,
    Picture,
    RasterRenderer,
    RasterSource,
    Reading,
    ReadingRenderer,
)
from qgserver.rasters.transparency import Ranges, Transparency, faded, on_color, opacities, within
from qgserver.registry import Registry

Reader = Callable[[etree._Element], RasterRenderer]
renderers: Registry[Reader] = Registry("raster renderer")
"""``type`` attribute of ``<rasterrenderer>`` -> function that reads the element."""
PART = 1 << 18
"""Cells coloured at once: what is needed on the way is many times as large."""


@dataclass(frozen=True, slots=True)
class PictureResampling:
    """How the coloured picture is resampled ("" = the nearest pixel), where cells are wanted finer than the source's
    and where coarser; ``max_oversampling`` bounds how much finer than wanted the source is read for the latter."""

    zoomed_in: Literal["", "bilinear", "cubic"] = ""
    zoomed_out: Literal["", "bilinear"] = ""
    max_oversampling: float = 2.0


@dataclass(frozen=True, slots=True)
class Pipe:
    """From cells to colours. ``renderer`` None draws nothing. ``reading`` is how the source is asked, ``nodata`` the
    layer's own values for nothing by band, ``alpha_band`` the band that says how opaque a pixel is (0 = none),
    ``nodata_color`` what is seen where nothing is, ``resampling`` what is done to the finished picture."""

    renderer: RasterRenderer | None = None
    opacity: float = 1.0
    alpha_band: int = 0
    nodata_color: Color | None = None
    transparency: Transparency | None = None
    filters: tuple[ColorFilter, ...] = ()
    reading: Reading = AS_IS
    nodata: Mapping[int, Ranges] = field(default_factory=dict)
    resampling: PictureResampling = PictureResampling()

    def paint(self, source: RasterSource, grid: Grid) -> Picture:
        """The picture of a grid in the source's CRS, before it is resampled. Raises ProviderError."""
        renderer = self.renderer
        if renderer is None:
            return np.zeros((grid.height, grid.width, 4), np.uint8)
        if isinstance(renderer, ReadingRenderer):
            bands = tuple(dict.fromkeys(renderer.bands()))
            return self._filtered(renderer.draw(grid, lambda other: self.cells(source, other, bands)))
        others = (band for band in (*self.channels, self.alpha_band) if band > 0)
        cells = self.cells(source, grid, tuple(dict.fromkeys((*renderer.bands(), *others))))
        if isinstance(renderer, FollowingRenderer):
            renderer = renderer.following(cells)
        out: Picture = np.empty((grid.height, grid.width, 4), np.uint8)
        reach = renderer.reach() if isinstance(renderer, NeighbourRenderer) else 0
        step = max(PART // grid.width, 1)
        for start in range(0, grid.height, step):
            rows = slice(start, min(start + step, grid.height))
            first = max(start - reach, 0)
            wide = rows_of(cells, slice(first, rows.stop + reach))
            picture = renderer.paint(wide)[start - first : rows.stop - first]
            out[rows] = self._filtered(self._translucent(picture, rows_of(cells, rows)))
        return out

    def _filtered(self, picture: Picture) -> Picture:
        for change in self.filters:
            picture = change.apply(picture)
        return picture

    @property
    def channels(self) -> tuple[int, ...]:
        """The bands whose values decide how transparent a pixel is."""
        return () if self.transparency is None else self.transparency.channels

    def cells(self, source: RasterSource, grid: Grid, bands: tuple[int, ...]) -> Cells:
        """The cells of some bands, without the layer's own values for nothing."""
        cells = source.read(grid, bands, self.reading)
        if not any(band in self.nodata for band in bands):
            return cells
        nothing = {
            band: mask | within(cells.values[band], self.nodata.get(band, ())) for band, mask in cells.nothing.items()
        }
        return Cells(cells.grid, cells.values, nothing)

    def _translucent(self, picture: Picture, cells: Cells) -> Picture:
        """The picture with the layer's transparency, pixel by pixel."""
        if self.nodata_color is not None:
            picture = on_color(picture, self.nodata_color)
        share = opacities(cells, self.opacity, self.transparency, self.alpha_band)
        if isinstance(share, float) and share >= 1:
            return picture
        return faded(picture, share)


def rows_of(cells: Cells, rows: slice) -> Cells:
    """Some rows of cells."""
    first, last, _ = rows.indices(cells.grid.height)
    if (first, last) == (0, cells.grid.height):
        return cells
    box, height = cells.grid.extent, cells.grid.cell_height
    extent = Extent(box.xmin, box.ymax - last * height, box.xmax, box.ymax - first * height)
    return Cells(
        Grid(extent, cells.grid.width, last - first),
        {band: values[first:last] for band, values in cells.values.items()},
        {band: mask[first:last] for band, mask in cells.nothing.items()},
    )
