"""Boxes of layers as capabilities tell them. Sources that know their box are asked, as data outgrow what the project
file says of them; of all others the file's word is taken, where it has one."""

from __future__ import annotations

import logging
import time

from qgserver.errors import ProviderError
from qgserver.geo.extent import Extent
from qgserver.project.layersource import open_layer
from qgserver.project.model import Project, RasterLayer, VectorLayer
from qgserver.providers import Sources, file_is_missing
from qgserver.rasters.open import open_raster

log = logging.getLogger("qgserver")

PATIENCE = 5.0
"""Seconds after which no further source is asked."""
CURRENT = frozenset({"postgres", "ogr"})
"""Providers that are asked for a box though the project file has one (measured)."""


class CurrentExtents:
    """The boxes of one project's layers, asked for one document. ``complete`` turns false when a source that was asked
    is down, so that its box is a guess; one that is only slow is better not asked again."""

    def __init__(self, project: Project, sources: Sources) -> None:
        self._project = project
        self._sources = sources
        self._asked = 0.0
        self.complete = True

    def of(self, layer: VectorLayer | RasterLayer) -> Extent | None:
        """The box of a layer's features in its CRS: what a source says that is asked, else what the project file does;
        none where there is no source."""
        if file_is_missing(layer.source):
            return None
        extent = layer.extent
        asked = extent is None or layer.source.provider in CURRENT
        if asked and self._asked < PATIENCE:
            extent = self._ask(layer)
        return None if extent is None or extent.is_empty else extent

    def _ask(self, layer: VectorLayer | RasterLayer) -> Extent | None:
        started = time.monotonic()
        try:
            if isinstance(layer, RasterLayer):
                return open_raster(layer.source, self._sources).info().grid.extent
            return open_layer(self._project, layer, self._sources).extent()
        except ProviderError as error:
            log.warning("the box of layer %s is not known: %s", layer.published, error.message)
            slow = time.monotonic() - started > PATIENCE
            self.complete = self.complete and slow
            return layer.extent if slow else None
        finally:
            self._asked += time.monotonic() - started
