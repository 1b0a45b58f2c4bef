"""MBTiles: a file of tiles, which QGIS opens with provider ``wms`` and draws as colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote, urlsplit

import numpy as np

from qgserver.errors import ProviderError
from qgserver.providers import Sources
from qgserver.providers.uri import DataSource
from qgserver.rasters.model import AS_IS, Cells, Grid, RasterInfo, RasterSource, Reading
from qgserver.rasters.shader import premultiplied
from qgserver.rasters.sources import gdal
from qgserver.rasters.sources.tiled import COLORS, blank, colored

OPAQUE = 255


def open_file(source: DataSource, sources: Sources) -> RasterSource:
    """The source of ``url``, a path or a ``file:`` address. Raises ProviderError for others."""
    url = source.params.get("url", "")
    path = unquote(urlsplit(url).path) if url.startswith("file:") else url
    if not path.startswith("/") or path.startswith("/vsi"):
        raise ProviderError("The layer's file of tiles can't be found", detail=f"MBTiles at {url!r}")
    return ColorFile(gdal.open_source(replace(source, provider="gdal", path=path, params={}), sources))


class ColorFile:
    """The bands of a file as one band of pixels."""

    def __init__(self, file: RasterSource) -> None:
        self._file = file

    def info(self, reading: Reading = AS_IS) -> RasterInfo:
        """See ``RasterSource``."""
        return replace(self._file.info(reading), bands=COLORS)

    def read(self, grid: Grid, bands: Sequence[int], reading: Reading = AS_IS) -> Cells:
        """See ``RasterSource``."""
        count = len(self._file.info(reading).bands)
        if not bands or not count:
            return colored(grid, blank(grid), bands)
        # One band is grey, two are grey with opacity, three and four colours without and with it.
        red, green, blue = (1, 2, 3) if count > 2 else (1, 1, 1)
        alpha = count if count in (2, 4) else 0
        own = tuple(dict.fromkeys(band for band in (red, green, blue, alpha) if band))
        cells = self._file.read(grid, own, reading)
        opacity = cells.values[alpha] if alpha else np.where(cells.nothing[red], 0, OPAQUE)
        channels = (*(cells.values[band] for band in (red, green, blue)), opacity)
        words = premultiplied(np.stack(channels, axis=-1).astype(np.int64))
        if alpha:
            words[cells.nothing[alpha]] = 0
        return colored(grid, words, bands)

    def identify(self, x: float, y: float, plain: frozenset[int] = frozenset()) -> Sequence[float | None]:
        """See ``RasterSource``: colours are no values."""
        return ()

    def close(self) -> None:
        """See ``RasterSource``."""
        self._file.close()
