"""Raster files: windows, no-data, bands, and files that are not as they should be."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from qgserver.errors import ProviderError
from qgserver.geo.extent import Extent
from qgserver.providers import Sources
from qgserver.rasters.model import Grid, Reading
from tests.unit.rasters.files import TEN, counting, opened, write


def grid(xmin: float, ymin: float, xmax: float, ymax: float, size: tuple[int, int]) -> Grid:
    return Grid(Extent(xmin, ymin, xmax, ymax), *size)


def test_a_window_takes_the_cell_under_the_middle_of_each_pixel(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.tif", counting(4, 6)))
    assert source.info().grid == grid(100, 160, 160, 200, (6, 4))
    cells = source.read(grid(110, 180, 130, 200, (8, 4)), (1,))
    assert cells.values[1].tolist() == [[1] * 4 + [2] * 4] * 2 + [[7] * 4 + [8] * 4] * 2
    fewer = source.read(grid(100, 160, 160, 200, (2, 2)), (1,))
    assert fewer.values[1].tolist() == [[7, 10], [19, 22]]


def test_outside_of_the_file_is_nothing(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.tif", counting(2, 2)))
    cells = source.read(grid(80, 170, 140, 210, (6, 4)), (1,))
    assert (~cells.nothing[1]).nonzero()[0].tolist() == [1, 1, 2, 2]
    assert cells.values[1][1:3, 2:4].tolist() == [[0, 1], [2, 3]]
    assert source.read(grid(0, 0, 10, 10, (3, 3)), (1,)).nothing[1].all()


def test_what_is_nothing_by_the_file(tmp_path: Path) -> None:
    values = np.array([[[1.0, -9.0], [np.nan, 4.0]]], np.float32)
    source = opened(write(tmp_path / "a.tif", values, nodata=-9))
    whole = source.info().grid
    assert source.read(whole, (1,)).nothing[1].tolist() == [[False, True], [True, False]]
    plain = source.read(whole, (1,), Reading(plain=frozenset({1})))
    assert plain.nothing[1].tolist() == [[False, False], [True, False]]
    assert source.identify(115, 195) == [None]
    assert source.identify(115, 195, frozenset({1})) == [-9.0]
    assert source.identify(99, 195) == ()


def test_scale_and_offset_of_a_band_count(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", counting(1, 3, "int16"), nodata=2)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (0.5,), (10.0,)
    source = opened(path)
    cells = source.read(source.info().grid, (1,))
    assert cells.values[1].dtype == np.float32
    assert cells.values[1].tolist() == [[10.0, 10.5, 11.0]]
    assert cells.nothing[1].tolist() == [[False, False, True]]


def test_the_mask_of_a_file_is_one_more_band(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", np.full((3, 1, 2), 7, np.uint8))
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as file:
        file.write_mask(np.array([[255, 0]], np.uint8))
    source = opened(path)
    assert [band.name for band in source.info().bands] == ["Band 1", "Band 2", "Band 3", "Band 4"]
    assert source.read(source.info().grid, (4, 1)).values[4].tolist() == [[255, 0]]


def test_a_band_that_is_not_there_is_nothing(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.tif", counting(1, 1)))
    cells = source.read(source.info().grid, (1, 5, -1))
    assert [bool(cells.nothing[band].all()) for band in (1, 5, -1)] == [False, True, True]


def test_a_file_that_is_nowhere_lies_below_the_axis(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.tif", counting(2, 3), None))
    assert source.info().grid.extent == Extent(0, -2, 3, 0)
    assert source.identify(2.5, -1.5) == [5.0]


def test_a_turned_file_is_looked_at_straight(tmp_path: Path) -> None:
    turned = Affine(10, 0, 100, 0, 10, 100)  # the first row is at the bottom
    source = opened(write(tmp_path / "a.tif", counting(2, 2), turned, crs="EPSG:2154"))
    assert source.read(source.info().grid, (1,)).values[1].tolist() == [[2, 3], [0, 1]]


def test_values_are_resampled_where_the_layer_says_so(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.tif", np.array([[[0.0, 10.0, 20.0, 30.0]]], np.float32)))
    window = grid(110, 190, 130, 200, (4, 1))
    plain = source.read(window, (1,)).values[1]
    smooth = source.read(window, (1,), Reading("bilinear", "nearestNeighbour")).values[1]
    assert plain.tolist() == [[10.0, 10.0, 20.0, 20.0]]
    assert smooth.tolist() == [[7.5, 12.5, 17.5, 22.5]]


def test_far_out_the_nearest_cells_are_resampled(tmp_path: Path) -> None:
    values = np.arange(64, dtype=np.float32).reshape(1, 1, 64)
    source = opened(write(tmp_path / "a.tif", values))
    window = grid(100, 190, 740, 200, (4, 1))
    # twice as fine are cells of 8: their middles are 4, 12, 20, ...
    far = source.read(window, (1,), Reading("nearestNeighbour", "average", 2.0)).values[1]
    assert far.tolist() == [[8.0, 24.0, 40.0, 56.0]]
    whole = source.read(window, (1,), Reading("nearestNeighbour", "average", 16.0)).values[1]
    assert whole.tolist() == [[7.5, 23.5, 39.5, 55.5]]


def test_a_changed_file_is_read_anew_and_a_vanished_one_fails(tmp_path: Path) -> None:
    sources, path = Sources(), tmp_path / "a.tif"
    source = opened(write(path, counting(1, 2)), sources)
    assert source.identify(115, 195) == [1.0]
    write(tmp_path / "b.tif", counting(1, 2) + 40)
    os.replace(tmp_path / "b.tif", path)
    assert source.identify(115, 195) == [41.0]
    path.unlink()
    with pytest.raises(ProviderError) as caught:
        source.identify(115, 195)
    assert str(tmp_path) not in caught.value.message
    assert opened(str(path), Sources(ignore_absent=True)).identify(115, 195) == ()
    sources.close()


@pytest.mark.parametrize("size", [0, 100, 600])
def test_a_broken_file_fails(tmp_path: Path, size: int) -> None:
    path = Path(write(tmp_path / "a.tif", np.zeros((1, 40, 40), np.float64)))
    path.write_bytes(path.read_bytes()[:size])
    source = opened(str(path))
    with pytest.raises(ProviderError):
        source.read(grid(100, -200, 500, 200, (40, 40)), (1,))


@pytest.mark.parametrize(
    "path", ["/vsicurl/http://me:secret@127.0.0.1:9/a.tif", "PG:host=/nowhere dbname=x password=secret table=t"]
)
def test_secrets_are_not_logged(path: str) -> None:
    with pytest.raises(ProviderError) as caught:
        opened(path).info()
    assert "secret" not in caught.value.message + caught.value.detail


def test_one_cell_under_a_large_map(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.tif", counting(1, 1) + 9))
    cells = source.read(grid(100, 190, 110, 200, (2000, 2000)), (1,))
    assert (cells.values[1] == 9).all()
    far = source.read(grid(-1e300, -1e300, 1e300, 1e300, (5, 5)), (1,))
    assert far.values[1].shape == (5, 5)


def test_tables_of_geopackages_and_options_of_drivers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gpkg", counting(2, 2), driver="GPKG", crs="EPSG:3857", RASTER_TABLE="t")
    assert opened(path, table="t").info().grid == opened(f"GPKG:{path}:t").info().grid
    plain = opened(path, params={"option:BAND_COUNT": "1"}).info()
    assert len(plain.bands) == 1


def test_threads_share_no_dataset(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.tif", counting(64, 64, "uint16"), blockxsize=16, blockysize=16, tiled=True))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: source.identify(105 + 10 * (k % 64), 195)[0], range(400)))
    assert found == [k % 64 for k in range(400)]


def test_the_turned_view_is_gdal_s(tmp_path: Path) -> None:
    slanting = TEN @ Affine.rotation(30)
    path = write(tmp_path / "a.tif", counting(8, 8) + 1, slanting, crs="EPSG:2154", nodata=0)
    source = opened(path)
    with rasterio.open(path) as file, WarpedVRT(file, tolerance=0.2) as view:
        assert source.read(source.info().grid, (1,)).values[1].tolist() == view.read(1).tolist()
