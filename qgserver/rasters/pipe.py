"""The pipe of a raster layer: renderers by name, and all that stands before and behind one."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from qgserver.rasters.model import RasterRenderer
from qgserver.registry import Registry

Reader = Callable[[etree._Element], RasterRenderer]
renderers: Registry[Reader] = Registry("raster renderer")
"""``type`` attribute of ``<rasterrenderer>`` -> function that reads the element."""
