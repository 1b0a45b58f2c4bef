"""From a data source of a project to an open raster source."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from qgserver.errors import ProviderError
from qgserver.geo.extent import Extent
from qgserver.providers import Sources
from qgserver.providers.uri import DataSource
from qgserver.rasters.model import AS_IS, Cells, Grid, RasterInfo, RasterSource, Reading

_MODULES: Mapping[str, str] = MappingProxyType({
    "gdal": "qgserver.rasters.sources.gdal",
    "wms": "qgserver.rasters.sources.wms",
})  # fmt: skip
"""Provider's name -> the module that opens it with ``open_source(source, sources)``, imported on first use."""


def open_raster(source: DataSource, sources: Sources) -> RasterSource:
    """The source of a raster layer. Nothing is read yet; what is open is shared by the layers and threads of the
    process. Raises ProviderError for kinds of sources that are not supported."""
    if sources.is_absent(source):
        return AbsentRaster()
    if source.provider not in _MODULES:
        detail = f"provider {source.provider!r}"
        raise ProviderError("The layer's kind of data source is not supported", detail=detail)
    opened: RasterSource = importlib.import_module(_MODULES[source.provider]).open_source(source, sources)
    return opened


class AbsentRaster:
    """A layer of which nothing is left but what its project says."""

    def info(self, reading: Reading = AS_IS) -> RasterInfo:
        """See ``RasterSource``."""
        return RasterInfo(Grid(Extent(0.0, 0.0, 0.0, 0.0), 0, 0), (), sized=False)

    def read(self, grid: Grid, bands: Sequence[int], reading: Reading = AS_IS) -> Cells:
        """See ``RasterSource``."""
        shape = (grid.height, grid.width)
        return Cells(
            grid,
            {band: np.zeros(shape, np.uint8) for band in bands},
            {band: np.ones(shape, np.bool_) for band in bands},
        )

    def identify(self, x: float, y: float, plain: frozenset[int] = frozenset()) -> Sequence[float | None]:
        """See ``RasterSource``."""
        return ()

    def close(self) -> None:
        """See ``RasterSource``."""
