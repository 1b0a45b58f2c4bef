"""hillshade: light that falls on the surface whose heights a band holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lxml import etree

from qgserver.geo.geometry import Floats
from qgserver.rasters.colors import OPAQUE, nothing, to_picture
from qgserver.rasters.model import Cells, LegendEntry, Mask, Picture
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

    def paint(self, cells: Cells) -> Picture:
        void = nothing(cells, (self.band,))
        across, down = slopes(cells.values[self.band].astype(np.float64), void)
        grid = cells.grid
        light = self._lights if self.multidirectional else self._light
        grey = light(across / (8 * grid.cell_width), down / (-8 * grid.cell_height))
        shade = np.clip(grey, 0.0, 255.0).astype(np.uint32)
        words = shade * np.uint32(0x010101) | OPAQUE
        words[void] = 0
        return to_picture(words)

    def _light(self, dx: Floats, dy: Floats) -> Floats:
        """Grey 0..254 (measured: not 255) of one light; ``dx`` rises to the right, ``dy`` to the top."""
        slope = np.arctan(self.factor * np.sqrt(dx * dx + dy * dy))
        aspect = np.arctan2(dx, -dy)
        zenith = math.radians(self.zenith)
        upright, leaning = math.cos(zenith) * np.cos(slope), math.sin(zenith) * np.sin(slope)
        return BRIGHTEST * (upright + leaning * np.cos(math.radians(-self.azimuth) - aspect))

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


def slopes(heights: Floats, void: Mask) -> tuple[Floats, Floats]:
    """Weighted differences of the neighbours right and left, below and above. Beyond the edge the cells of the edge go
    on, and a neighbour without a height has that of the cell itself (measured)."""
    rows, columns = heights.shape
    wide = np.pad(np.where(void, np.nan, heights), 1, mode="edge")

    def beside(row: int, column: int) -> Floats:
        part = wide[1 + row : 1 + row + rows, 1 + column : 1 + column + columns]
        return np.where(np.isnan(part), heights, part)

    right = beside(-1, 1) + 2 * beside(0, 1) + beside(1, 1)
    left = beside(-1, -1) + 2 * beside(0, -1) + beside(1, -1)
    below = beside(1, -1) + 2 * beside(1, 0) + beside(1, 1)
    above = beside(-1, -1) + 2 * beside(-1, 0) + beside(-1, 1)
    return right - left, below - above


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
