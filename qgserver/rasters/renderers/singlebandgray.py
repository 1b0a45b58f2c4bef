"""singlebandgray: one band as shades of grey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from lxml import etree

from qgserver.rasters.captions import grey_ramp, ramp_entry
from qgserver.rasters.colors import OPAQUE, nothing, to_picture
from qgserver.rasters.contrast import NONE, Enhancement, enhanced, read_enhancement
from qgserver.rasters.model import Cells, LegendEntry, Picture, RasterRenderer
from qgserver.rasters.options import integer
from qgserver.rasters.pipe import renderers
from qgserver.rasters.visible import VisibleLimits, read_visible_limits

BLACK, WHITE = (0.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class SingleBandGray:
    """``inverted``: low values are white. ``visible``: the limits follow what is visible."""

    band: int
    enhancement: Enhancement | None = None
    inverted: bool = False
    entries: tuple[LegendEntry, ...] = ()
    visible: VisibleLimits | None = None

    def bands(self) -> Sequence[int]:
        return (self.band,)

    def following(self, cells: Cells) -> RasterRenderer:
        if self.enhancement is None or self.visible is None:
            return self
        found = self.enhancement.fitted(self.visible, cells.values[self.band], nothing(cells, (self.band,)))
        return replace(self, enhancement=found, visible=None)

    def paint(self, cells: Cells) -> Picture:
        values = cells.values[self.band]
        grey = enhanced(self.enhancement, values)
        if self.inverted:
            grey = ~grey
        words = grey.astype(np.uint32) * np.uint32(0x010101) | OPAQUE
        hidden = None if self.enhancement is None else self.enhancement.hidden(values)
        if hidden is not None:
            words[hidden] = 0
        words[nothing(cells, (self.band,))] = 0
        return to_picture(words)

    def legend(self) -> Sequence[LegendEntry]:
        return self.entries


@renderers.register("singlebandgray")
def read(element: etree._Element) -> SingleBandGray:
    """``grayBand``, ``gradient`` and ``contrastEnhancement``."""
    band = integer(element, "grayBand", 1)
    enhancement = read_enhancement(element.find("contrastEnhancement"))
    inverted = element.get("gradient") == "WhiteToBlack"
    entries: tuple[LegendEntry, ...] = ()
    if enhancement is not None and enhancement.algorithm != NONE:
        ramp = grey_ramp(*((WHITE, BLACK) if inverted else (BLACK, WHITE)))
        low, high = enhancement.minimum or 0.0, enhancement.maximum or 0.0
        entries = (LegendEntry("", band=band), ramp_entry(element.find("rampLegendSettings"), ramp, low, high))
    return SingleBandGray(band, enhancement, inverted, entries, read_visible_limits(element))
