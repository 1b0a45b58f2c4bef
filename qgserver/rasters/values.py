"""The values of a raster layer's bands: at a point, and counted over all its cells."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.extent import Extent
from qgserver.rasters.model import Grid, RasterSource
from qgserver.rasters.pipe import Pipe

Bands = tuple[tuple[str, float | None], ...]
"""Names and values of bands; None is nothing."""
BLOCK = 2048
"""Columns and rows counted at once."""
MOST_CELLS = 1 << 26
"""Cells of a band that are counted; of larger ones every second, third, ... in both directions."""


def bands_at(source: RasterSource, pipe: Pipe, point: tuple[float, float]) -> Bands:
    """The bands of a layer at a point in its CRS; none outside of it. Raises ProviderError."""
    if not all(map(math.isfinite, point)):
        return ()
    values = source.identify(*point, pipe.reading.plain)
    ranges = (pipe.nodata.get(band, ()) for band in range(1, len(values) + 1))
    names = [band.name for band in source.info().bands] if values else []
    return tuple(
        (name, None if value is None or any(low <= value <= high for low, high in own) else value)
        for name, value, own in zip(names, values, ranges, strict=True)
    )


def band_statistics(source: RasterSource, pipe: Pipe, band: int) -> dict[str, float]:
    """``min max avg stdev range sum`` of a band; empty when it has no values. Raises ProviderError.

    The deviation is that of the values themselves, of a layer with no-data values of its own that of a sample (as in
    QGIS, where GDAL counts the former)."""
    count, mean, squares = 0, 0.0, 0.0
    low, high = math.inf, -math.inf
    for values in _blocks(source, pipe, band):
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        step, total = float(values.mean()) - mean, count + len(values)
        squares += float(np.square(values - values.mean()).sum()) + step * step * count * len(values) / total
        mean, count = mean + step * len(values) / total, total
    if not count:
        return {}
    degrees = max(count - (1 if band in pipe.nodata else 0), 1)
    deviation = math.sqrt(squares / degrees)
    return {"min": low, "max": high, "avg": mean, "stdev": deviation, "range": high - low, "sum": mean * count}


def _blocks(source: RasterSource, pipe: Pipe, band: int) -> Iterator[NDArray[np.float64]]:
    """The values of a band, block by block, without what is nothing."""
    whole = source.info().grid
    step = math.ceil(math.sqrt(max(whole.width * whole.height / MOST_CELLS, 1.0)))
    width, height = whole.width // step, whole.height // step
    grid = Grid(whole.extent, width, height)
    for row in range(0, height, BLOCK):
        for column in range(0, width, BLOCK):
            part = _part(grid, (column, min(column + BLOCK, width)), (row, min(row + BLOCK, height)))
            cells = pipe.cells(source, part, (band,))
            values = cells.values[band][~cells.nothing[band]].astype(np.float64)
            if len(values):
                yield values


def _part(grid: Grid, columns: tuple[int, int], rows: tuple[int, int]) -> Grid:
    xmin, xmax = (grid.extent.xmin + column * grid.cell_width for column in columns)
    ymax, ymin = (grid.extent.ymax - row * grid.cell_height for row in rows)
    return Grid(Extent(xmin, ymin, xmax, ymax), columns[1] - columns[0], rows[1] - rows[0])
