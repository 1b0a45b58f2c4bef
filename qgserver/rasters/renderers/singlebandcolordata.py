"""singlebandcolordata: the source's cells are colours already (tiles, maps of other servers)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lxml import etree

from qgserver.rasters.colors import nothing, to_picture
from qgserver.rasters.model import Cells, LegendEntry, Picture
from qgserver.rasters.options import integer
from qgserver.rasters.pipe import renderers


@dataclass(frozen=True, slots=True)
class SingleBandColorData:
    """The values of ``band`` are pixels 0xAARRGGBB, premultiplied, in uint32."""

    band: int = 1

    def bands(self) -> Sequence[int]:
        return (self.band,)

    def paint(self, cells: Cells) -> Picture:
        words = cells.values[self.band].astype(np.uint32)
        words[nothing(cells, (self.band,))] = 0
        return to_picture(words)

    def legend(self) -> Sequence[LegendEntry]:
        return ()


@renderers.register("singlebandcolordata")
def read(element: etree._Element) -> SingleBandColorData:
    """``band``."""
    return SingleBandColorData(integer(element, "band", 1))
