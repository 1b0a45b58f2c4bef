"""The pipe of a raster layer: its renderer, and all that stands before and behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from lxml import etree

from qgserver.draw.color import Color
from qgserver.rasters.model import (
    AS_IS,
    Cells,
    ColorFilter,
    Grid,
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
        bands = dict.fromkeys(renderer.bands())
        if isinstance(renderer, ReadingRenderer):
            picture = renderer.draw(grid, lambda other: self.cells(source, other, tuple(bands)))
        else:
            bands |= dict.fromkeys(band for band in (*self.channels, self.alpha_band) if band > 0)
            cells = self.cells(source, grid, tuple(bands))
            picture = self._translucent(renderer.paint(cells), cells)
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
