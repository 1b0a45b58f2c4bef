"""multibandcolor: three bands as red, green and blue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from lxml import etree

from qgserver.rasters.colors import OPAQUE, blank, nothing, to_picture
from qgserver.rasters.contrast import Enhancement, enhanced, read_enhancement
from qgserver.rasters.model import Cells, LegendEntry, Picture, RasterRenderer
from qgserver.rasters.options import integer
from qgserver.rasters.pipe import renderers
from qgserver.rasters.visible import VisibleLimits, read_visible_limits

_CHANNELS = (
    ("red", 16, (1.0, 0.0, 0.0, 1.0)),
    ("green", 8, (0.0, 1.0, 0.0, 1.0)),
    ("blue", 0, (0.0, 0.0, 1.0, 1.0)),
)
"""Names, places in a pixel and colours in legends."""


@dataclass(frozen=True, slots=True)
class MultiBandColor:
    """The bands of red, green and blue (less than 1: none, the channel stays dark), and how each is enhanced;
    ``visible``: the limits follow what is visible."""

    channels: tuple[int, int, int]
    enhancements: tuple[Enhancement | None, ...] = (None, None, None)
    visible: VisibleLimits | None = None

    def bands(self) -> Sequence[int]:
        return tuple(dict.fromkeys(band for band in self.channels if band > 0))

    def following(self, cells: Cells) -> RasterRenderer:
        visible = self.visible
        if visible is None:
            return self
        pairs = zip(self.channels, self.enhancements, strict=True)
        found = (one and one.fitted(visible, cells.values[band], nothing(cells, (band,))) for band, one in pairs)
        return replace(self, enhancements=tuple(found), visible=None)

    def paint(self, cells: Cells) -> Picture:
        words = blank(cells)
        used = self.bands()
        if not used:
            return to_picture(words)
        words |= OPAQUE
        hidden = nothing(cells, used)
        for band, enhancement, (_, shift, _) in zip(self.channels, self.enhancements, _CHANNELS, strict=True):
            if band < 1:
                continue
            values = cells.values[band]
            words |= enhanced(enhancement, values).astype(np.uint32) << np.uint32(shift)
            beyond = None if enhancement is None else enhancement.hidden(values)
            if beyond is not None:
                hidden |= beyond
        words[hidden] = 0
        return to_picture(words)

    def legend(self) -> Sequence[LegendEntry]:
        pairs = zip(self.channels, _CHANNELS, strict=True)
        return tuple(LegendEntry("", color, band=band) for band, (_, _, color) in pairs if band > 0)


@renderers.register("multibandcolor")
def read(element: etree._Element) -> MultiBandColor:
    """``redBand`` and the like, with ``redContrastEnhancement`` and the like."""
    red, green, blue = (integer(element, f"{name}Band", -1) for name, _, _ in _CHANNELS)
    enhancements = (read_enhancement(element.find(f"{name}ContrastEnhancement")) for name, _, _ in _CHANNELS)
    # Limits are not followed where a band is missing (measured).
    visible = read_visible_limits(element) if min(red, green, blue) > 0 else None
    return MultiBandColor((red, green, blue), tuple(enhancements), visible)
