"""paletted: a colour for each of some values of one band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lxml import etree

from qgserver.rasters.colors import Words, by_table, nothing, to_color, to_picture
from qgserver.rasters.model import Cells, LegendEntry, Picture, Values
from qgserver.rasters.options import integer
from qgserver.rasters.pipe import renderers
from qgserver.rasters.shader import Item, read_items


@dataclass(frozen=True, slots=True)
class Paletted:
    """``items`` ascend by value; other values have no colour."""

    band: int
    items: tuple[Item, ...]
    entries: tuple[LegendEntry, ...] = ()

    def bands(self) -> Sequence[int]:
        return (self.band,)

    def paint(self, cells: Cells) -> Picture:
        words = by_table(cells.values[self.band], self._words)
        words[nothing(cells, (self.band,))] = 0
        return to_picture(words)

    def _words(self, values: Values) -> Words:
        if not self.items:
            return np.zeros(values.shape, dtype=np.uint32)
        stops = np.array([item.value for item in self.items])
        colors = np.array([item.color for item in self.items], dtype=np.int64)
        places = np.clip(np.searchsorted(stops, values, side="left"), 0, len(stops) - 1)
        words = _rounded(colors)[places]
        words[stops[places] != values] = 0
        return words

    def legend(self) -> Sequence[LegendEntry]:
        return self.entries


def _rounded(colors: Values) -> Words:
    """Colours as pixels, channels rounded (the other renderers cut them off)."""
    scaled = (colors[:, :3] * colors[:, 3:] * 2 + 255) // 510
    words: Words = np.concatenate([scaled[:, ::-1], colors[:, 3:]], axis=1).astype(np.uint8).view(np.uint32)[:, 0]
    return words


@renderers.register("paletted")
def read(element: etree._Element) -> Paletted:
    """``band`` and ``colorPalette/paletteEntry``."""
    band = integer(element, "band", 1)
    found = element.findall("colorPalette/paletteEntry")
    items = read_items(found)
    lines = (LegendEntry(item.label or f"{item.value:g}", to_color(item.color)) for item in items)
    return Paletted(band, items, (LegendEntry("", band=band), *lines))
