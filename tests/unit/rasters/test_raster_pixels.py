"""How the pixels of rasters come to those of the map: resampled, reprojected, translucent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from qgserver.geo.crs import parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.transform import Transform, get_transform
from qgserver.rasters.model import Cells, Grid, Picture
from qgserver.rasters.pipe import PictureResampling
from qgserver.rasters.resample import resampled
from qgserver.rasters.transparency import Entry, Transparency, faded, on_color, opacities
from qgserver.rasters.warp import warped


def grey(values: NDArray[np.uint8]) -> Picture:
    """An opaque picture."""
    return np.dstack([values, values, values, np.full_like(values, 255)])


def test_one_cell_may_be_larger_than_any_picture() -> None:
    source = Grid(Extent(0, 0, 4, 4), 4, 4)
    grid = Grid(Extent(1.5, 1.5, 1.5 + 1e-9, 1.5 + 1e-9), 64, 64)

    def paint(finer: Grid) -> Picture:
        assert finer.width * finer.height < 100
        return grey(np.full((finer.height, finer.width), 77, np.uint8))

    for method in ("bilinear", "cubic"):
        assert (resampled(paint, grid, source, PictureResampling(method))[:, :, :3] == 77).all()


def transform(source: str, target: str) -> Transform:
    found = get_transform(parse_crs(source), parse_crs(target))
    assert found is not None
    return found


def test_cubic_is_the_curve_qgis_draws() -> None:
    step = np.zeros((4, 12), np.uint8)
    step[:, 6:] = 200
    cell = Grid(Extent(0, 0, 12, 4), 12, 4)

    def paint(grid: Grid) -> Picture:
        """The cells of the file, and as many around it as are asked for, like those at its edge."""
        around = (grid.width - 12) // 2
        return np.pad(grey(step), ((around, around), (around, around), (0, 0)), mode="edge")

    row = resampled(paint, replace(cell, width=120, height=40), cell, PictureResampling("cubic"))[20, :, 0].tolist()
    # QGIS Server 3.22, a step from 0 to 200 enlarged ten times
    assert row[54:76] == [
        0, 6, 21, 41, 63, 88, 112, 137, 159, 179, 194, 205, 211, 214, 215, 214, 211, 208, 205, 202, 200, 200
    ]  # fmt: skip


def test_a_smoothed_raster_fades_at_its_edge_only() -> None:
    source = Grid(Extent(0, 0, 4, 4), 4, 4)

    def paint(grid: Grid) -> Picture:
        x = grid.extent.xmin + (np.arange(grid.width) + 0.5) * grid.cell_width
        y = grid.extent.ymax - (np.arange(grid.height) + 0.5) * grid.cell_height
        inside = ((y > 0) & (y < 4))[:, None] & ((x > 0) & (x < 4))[None, :]
        return grey(np.full(inside.shape, 100, np.uint8)) * inside[:, :, None].astype(np.uint8)

    grid = Grid(Extent(0, 0, 4, 4), 16, 16)
    alpha = resampled(paint, grid, source, PictureResampling("bilinear"))[8, :, 3].tolist()
    # QGIS Server 3.22: an edge enlarged four times
    assert alpha == pytest.approx([159, 223, *[255] * 12, 223, 159], abs=1)
    assert resampled(paint, grid, source, PictureResampling("", "bilinear"))[8, :, 3].tolist() == [255] * 16
    fewer = resampled(paint, Grid(Extent(0, 0, 4, 4), 2, 2), source, PictureResampling("", "bilinear"))
    assert fewer.shape == (2, 2, 4)


@pytest.mark.parametrize("target", ["EPSG:3857", "EPSG:3413", "EPSG:4326"])
def test_each_pixel_shows_what_lies_under_its_middle(target: str) -> None:
    way = transform("EPSG:2154", target)
    source = Extent(800_000, 6_500_000, 900_000, 6_600_000)
    box = way.extent(source)
    assert box is not None

    def paint(grid: Grid) -> Picture:
        """Red and green tell the place."""
        x = grid.extent.xmin + (np.arange(grid.width) + 0.5) * grid.cell_width
        y = grid.extent.ymax - (np.arange(grid.height) + 0.5) * grid.cell_height
        out = np.full((grid.height, grid.width, 4), 255, np.uint8)
        out[:, :, 2] = ((x - source.xmin) / 400)[None, :]
        out[:, :, 1] = ((y - source.ymin) / 400)[:, None]
        return out

    grid = Grid(box, 200, 200)
    picture = warped(paint, grid, source, way)
    x = box.xmin + (np.arange(200) + 0.5) * grid.cell_width
    y = box.ymax - (np.arange(200) + 0.5) * grid.cell_height
    places = way.inverse.points(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)).reshape(200, 200, 2)
    shown = picture[:, :, 3] > 0
    wanted = (places - (source.xmin, source.ymin)) / 400
    assert np.abs(picture[:, :, 2][shown] - wanted[:, :, 0][shown]).max() <= 3
    assert np.abs(picture[:, :, 1][shown] - wanted[:, :, 1][shown]).max() <= 3
    inside = (wanted > 4).all(axis=-1) & (wanted < 245).all(axis=-1)
    assert shown[inside].all()


def test_a_map_of_the_other_side_of_the_earth_shows_nothing() -> None:
    def paint(grid: Grid) -> Picture:
        raise AssertionError("nothing is to be read")

    way = transform("EPSG:2154", "EPSG:3857")
    grid = Grid(Extent(-19_000_000, -9_000_000, -18_000_000, -8_000_000), 64, 64)
    assert not warped(paint, grid, Extent(800_000, 6_500_000, 900_000, 6_600_000), way).any()


def cells(*bands: list[float]) -> Cells:
    values = {number: np.array([band]) for number, band in enumerate(bands, 1)}
    nothing = {number: np.zeros((1, len(bands[0])), np.bool_) for number in values}
    return Cells(Grid(Extent(0, 0, len(bands[0]), 1), len(bands[0]), 1), values, nothing)


def test_the_first_entry_that_fits_counts() -> None:
    entries = (Entry((3,), (5,), 50), Entry((4,), (9,), 100))
    share = opacities(cells([2, 3, 5, 6]), 1.0, Transparency((1,), entries), 0)
    assert np.asarray(share).tolist() == [[1.0, 127 / 255, 127 / 255, 0.0]]


def test_three_values_and_an_alpha_band() -> None:
    entries = (Entry((247, 247, 247), (247, 247, 247), 100),)
    several = cells([247, 247], [247, 10], [0, 0], [51, 255])
    assert np.asarray(opacities(several, 0.5, Transparency((1, 2, -1), entries), 4)).tolist() == [
        [127 / 255 * 0.2, 127 / 255]
    ]
    # a channel that is not there is 0
    zero = (Entry((247, 247, 0), (247, 247, 0), 100),)
    assert np.asarray(opacities(several, 1.0, Transparency((1, 2, -1), zero), 0)).tolist() == [[0.0, 1.0]]


def test_opacity_is_cut_off_as_in_qgis() -> None:
    picture = grey(np.array([[255, 100, 3]], np.uint8))
    assert faded(picture, 0.5)[0].tolist() == [[127] * 4, [50] * 3 + [127], [1] * 3 + [127]]
    assert opacities(cells([1]), 0.584513, None, 0) == 0.584513
    assert opacities(cells([1]), 0.584513, Transparency((1,)), 0) == 149 / 255


def test_the_colour_of_nothing() -> None:
    picture = grey(np.array([[9, 9]], np.uint8))
    picture[0, 1] = 0
    assert on_color(picture, (1.0, 0.0, 0.0, 0.5))[0].tolist() == [[9, 9, 9, 255], [0, 0, 128, 128]]
