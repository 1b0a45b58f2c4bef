"""hillshade: light that falls on the surface whose heights a band holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lxml import etree

from qgserver.geo.geometry import Floats
from qgserver.rasters.colors import OPAQUE, SLAB, Words, blank, nothing, to_picture
from qgserver.rasters.model import Cells, Grid, LegendEntry, Picture
from qgserver.rasters.options import flag, integer, number
from qgserver.rasters.pipe import renderers

BRIGHTEST = 254.0
OUTER = math.radians(255.0)


@dataclass(frozen=True, slots=True)
class Hillshade:
    """``azimuth`` of the light and its angle from the ``zenith`` in degrees (what QGIS calls the angle of the light
    counts from there: measured); heights count ``factor`` times."""

    band: int
    azimuth: float = 315.0
    zenith: float = 45.0
    factor: float = 1.0
    multidirectional: bool = False

    def bands(self) -> Sequence[int]:
        return (self.band,)

    def reach(self) -> int:
        return 1

    def paint(self, cells: Cells) -> Picture:
        void = nothing(cells, (self.band,))
        # Beyond the edge the cells of the edge go on (measured).
        heights = np.pad(np.where(void, np.nan, cells.values[self.band].astype(np.float64)), 1, mode="edge")
        words = blank(cells)
        rows = max(SLAB // cells.grid.width, 1)
        for start in range(0, cells.grid.height, rows):
            words[start : start + rows] = self._shaded(heights[start : start + rows + 2], cells.grid)
        words[void] = 0
        return to_picture(words)

    def _shaded(self, heights: Floats, grid: Grid) -> Words:
        """The pixels of some rows, of heights that have a row and a column more on each side."""
        across, down = slopes(heights)
        light = self._lights if self.multidirectional else self._light
        grey = light(across / (8 * grid.cell_width), down / (-8 * grid.cell_height))
        shade: Words = np.clip(np.nan_to_num(grey), 0.0, 255.0).astype(np.uint32) * np.uint32(0x010101) | OPAQUE
        return shade

    def _light(self, dx: Floats, dy: Floats) -> Floats:
        """Grey 0..254 (measured: not 255) of one light; ``dx`` rises to the right, ``dy`` to the top."""
        # cos(slope) = 1 / lengths, sin(slope) = factor * steepness / lengths; the aspect's sine and cosine are dx and
        # -dy by the steepness, which goes out
        zenith, azimuth = math.radians(self.zenith), math.radians(-self.azimuth)
        toward = math.sin(azimuth) * dx - math.cos(azimuth) * dy
        lengths = np.sqrt(1.0 + self.factor**2 * (dx * dx + dy * dy))
        grey: Floats = BRIGHTEST * (math.cos(zenith) + math.sin(zenith) * self.factor * toward) / lengths
        return grey

    def _lights(self, dx: Floats, dy: Floats) -> Floats:
        """Grey of four lights in the west, wherever ``azimuth`` is; the outer ones stand at ``OUTER`` (measured)."""
        zenith = math.radians(self.zenith)
        level, lean = BRIGHTEST / 2 * math.cos(zenith), BRIGHTEST / 2 * math.sin(zenith) * self.factor
        xx, yy, steep = dx * dx, dy * dy, dx * dx + dy * dy
        first = 0.5 * steep - dx * dy
        lights = (
            (first, (dx - dy) * math.cos(OUTER)),
            (xx, -dx),
            (steep - first, (dx + dy) * math.cos(OUTER)),
            (yy, -dy),
        )
        total = np.zeros_like(dx)
        for weight, toward in lights:
            total += weight * np.maximum(level + lean * toward, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            shade = total / steep / (1.0 + self.factor**2 * steep)
        return 1.0 + np.where(steep > 0, shade, 2 * level)

    def legend(self) -> Sequence[LegendEntry]:
        return ()


def slopes(heights: Floats) -> tuple[Floats, Floats]:
    """Weighted differences of the neighbours right and left, below and above, for all cells but the outermost; a
    neighbour without a height (not a number) has that of the cell itself (measured)."""
    rows, columns = heights.shape
    middle = heights[1:-1, 1:-1]
    gaps = bool(np.isnan(heights).any())

    def beside(row: int, column: int) -> Floats:
        part = heights[1 + row : rows - 1 + row, 1 + column : columns - 1 + column]
        return np.where(np.isnan(part), middle, part) if gaps else part

    corners = [beside(row, column) for row in (-1, 1) for column in (-1, 1)]
    across = corners[1] + 2 * beside(0, 1) + corners[3] - (corners[0] + 2 * beside(0, -1) + corners[2])
    down = corners[2] + 2 * beside(1, 0) + corners[3] - (corners[0] + 2 * beside(-1, 0) + corners[1])
    return across, down


@renderers.register("hillshade")
def read(element: etree._Element) -> Hillshade:
    """``band azimuth angle zfactor multidirection``."""
    return Hillshade(
        integer(element, "band", 1),
        number(element, "azimuth", 315.0),
        number(element, "angle", 45.0),
        number(element, "zfactor", 1.0),
        flag(element, "multidirection"),
    )
