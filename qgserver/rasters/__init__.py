"""Raster layers: sources of cells (files, WMS, WMTS, XYZ) and the pipe that makes a picture of them.

The way of the data: a ``sources`` file gives ``Cells`` of a window, a ``renderers`` file makes a ``Picture`` of them,
``filters`` change its colours, ``resample`` and ``warp`` bring it to the pixels of the map.
"""

from qgserver.rasters import renderers

__all__ = ["renderers"]
