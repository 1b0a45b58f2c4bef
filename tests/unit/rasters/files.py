"""Small raster files for tests."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

from qgserver.providers import Sources
from qgserver.providers.uri import DataSource
from qgserver.rasters.model import RasterSource
from qgserver.rasters.open import open_raster

TEN = Affine(10, 0, 100, 0, -10, 200)
"""Cells of ten units from (100, 200) to the right and down."""


def write(path: Path, values: NDArray[Any], transform: Affine | None = TEN, **profile: Any) -> str:
    """A GeoTIFF of [bands, height, width] values; its path."""
    count, height, width = values.shape
    options = {"driver": "GTiff", "count": count, "height": height, "width": width, "dtype": values.dtype, **profile}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path, "w", **options, **({} if transform is None else {"transform": transform})) as file:
            file.write(values)
    return str(path)


def opened(path: str, sources: Sources | None = None, **values: Any) -> RasterSource:
    """The source of a file."""
    return open_raster(DataSource("gdal", path, **values), sources or Sources())


def counting(height: int, width: int, dtype: str = "uint8") -> NDArray[Any]:
    """[1, height, width]: 0, 1, 2, ... row by row."""
    return np.arange(height * width).astype(dtype).reshape(1, height, width)
