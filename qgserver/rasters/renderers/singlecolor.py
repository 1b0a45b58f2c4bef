"""singlecolor (since QGIS 3.38): one colour wherever there is a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lxml import etree

from qgserver.draw.color import parse_color
from qgserver.rasters.colors import Rgba, blank, nothing, to_bytes, to_color, to_picture
from qgserver.rasters.model import Cells, LegendEntry, Picture
from qgserver.rasters.options import integer
from qgserver.rasters.pipe import renderers
from qgserver.rasters.shader import premultiplied


@dataclass(frozen=True, slots=True)
class SingleColor:
    """``color`` where ``band`` has a value."""

    band: int
    color: Rgba

    def bands(self) -> Sequence[int]:
        return (self.band,)

    def paint(self, cells: Cells) -> Picture:
        words = blank(cells)
        words[~nothing(cells, (self.band,))] = premultiplied(np.array(self.color))
        return to_picture(words)

    def legend(self) -> Sequence[LegendEntry]:
        return (LegendEntry("", to_color(self.color)),)


@renderers.register("singlecolor")
def read(element: etree._Element) -> SingleColor:
    """``band`` and ``color``."""
    return SingleColor(integer(element, "band", 1), to_bytes(parse_color(element.get("color"), (0.0, 0.0, 0.0, 1.0))))
