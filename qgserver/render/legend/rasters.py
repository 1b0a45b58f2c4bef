"""What legends show of raster layers."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from qgserver.draw.color import Color, with_alpha
from qgserver.errors import ProviderError
from qgserver.project.model import RasterLayer, RasterStyle
from qgserver.providers import Sources
from qgserver.rasters.model import LegendEntry, LegendRamp
from qgserver.rasters.open import open_raster
from qgserver.symbology.ramp import ColorRamp
from qgserver.symbology.symbol import Symbol

log = logging.getLogger("qgserver")


@dataclass(frozen=True, slots=True)
class RasterRow:
    """A line of a raster's legend, what it shows having the layer's opacity."""

    label: str
    patch: Color | None = None
    symbol: Symbol | None = None
    ramp: LegendRamp | None = None


def raster_rows(layer: RasterLayer, style: RasterStyle, sources: Sources) -> Iterator[RasterRow]:
    """The lines of a layer. Its source is asked for the names of bands; where it has none, lines that consist of such
    a name are left out (measured)."""
    renderer = style.pipe.renderer
    if renderer is None:
        return
    entries = renderer.legend()
    names = _band_names(layer, sources) if any(one.band for one in entries) else {}
    for one in entries:
        if one.band in names or not one.band or one.color is not None:
            yield _row(one, names, style.opacity)


def _row(entry: LegendEntry, names: Mapping[int, str], opacity: float) -> RasterRow:
    label = names.get(entry.band, "") if entry.band else entry.label
    # The colour of an item is shown as if it were opaque (measured), unlike that of the layer.
    patch = None if entry.color is None else (*entry.color[:3], opacity)
    return RasterRow(label, patch, entry.symbol, None if entry.ramp is None else _faded(entry.ramp, opacity))


def _faded(ramp: LegendRamp, opacity: float) -> LegendRamp:
    stops = tuple((at, with_alpha(color, opacity)) for at, color in ramp.ramp.stops)
    return replace(ramp, ramp=ColorRamp(stops, ramp.ramp.discrete))


def _band_names(layer: RasterLayer, sources: Sources) -> Mapping[int, str]:
    try:
        bands = open_raster(layer.source, sources).info().bands
    except ProviderError as error:
        log.warning("the legend of layer %s has no names of bands: %s", layer.published, error.message)
        return {}
    return {
        number: f"{band.name} ({band.interpretation})" if band.interpretation else band.name
        for number, band in enumerate(bands, 1)
    }
