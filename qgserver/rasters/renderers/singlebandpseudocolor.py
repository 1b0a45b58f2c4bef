"""singlebandpseudocolor: colours by the values of one band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lxml import etree

from qgserver.rasters.captions import is_continuous, ramp_entry
from qgserver.rasters.colors import by_table, nothing, to_color, to_picture
from qgserver.rasters.model import Cells, LegendEntry, Picture, RasterRenderer
from qgserver.rasters.options import integer
from qgserver.rasters.pipe import renderers
from qgserver.rasters.shader import INTERPOLATED, RampShader, limits, read_shader
from qgserver.rasters.visible import VisibleLimits, read_visible_limits
from qgserver.symbology.ramp import ColorRamp


@dataclass(frozen=True, slots=True)
class SingleBandPseudoColor:
    """``shader`` has the colours, ``entries`` are the legend. ``visible``: the colours from ``low`` to ``high`` follow
    what is visible."""

    band: int
    shader: RampShader
    entries: tuple[LegendEntry, ...] = ()
    visible: VisibleLimits | None = None
    low: float = 0.0
    high: float = 0.0

    def bands(self) -> Sequence[int]:
        return (self.band,)

    def following(self, cells: Cells) -> RasterRenderer:
        found = self.visible and self.visible.of(cells.values[self.band], nothing(cells, (self.band,)))
        if not found:
            return self
        return replace(self, shader=self.shader.spread((self.low, self.high), found), visible=None)

    def paint(self, cells: Cells) -> Picture:
        words = by_table(cells.values[self.band], self.shader.words)
        words[nothing(cells, (self.band,))] = 0
        return to_picture(words)

    def legend(self) -> Sequence[LegendEntry]:
        return self.entries


@renderers.register("singlebandpseudocolor")
def read(element: etree._Element) -> SingleBandPseudoColor:
    """``band`` and ``rastershader/colorrampshader``."""
    band = integer(element, "band", 1)
    shader = read_shader(element.find("rastershader/colorrampshader"))
    entries = (LegendEntry("", band=band), *_entries(element, shader))
    return SingleBandPseudoColor(band, shader, entries, read_visible_limits(element), *limits(element, shader))


def _entries(element: etree._Element, shader: RampShader) -> tuple[LegendEntry, ...]:
    settings = element.find("rastershader/colorrampshader/rampLegendSettings")
    if shader.kind == INTERPOLATED and is_continuous(settings):
        return (ramp_entry(settings, _ramp(shader), *limits(element, shader)),) if shader.items else ()
    return tuple(LegendEntry(item.label, to_color(item.color)) for item in shader.items)


def _ramp(shader: RampShader) -> ColorRamp:
    """The items as a ramp from the first to the last."""
    first, last = shader.items[0], shader.items[-1]
    span = last.value - first.value
    if not span > 0:
        return ColorRamp(((0.0, to_color(first.color)), (1.0, to_color(last.color))))
    return ColorRamp(tuple(((item.value - first.value) / span, to_color(item.color)) for item in shader.items))
