"""Contours; expected lines are those of GDAL 3.6's generator, which QGIS draws."""

from __future__ import annotations

import numpy as np
import pytest
from lxml import etree

from qgserver.geo.extent import Extent
from qgserver.rasters.isolines import MOST_SEGMENTS, isolines
from qgserver.rasters.model import Cells, Grid
from qgserver.rasters.renderers.contour import read


def lines(values: list[list[float]], interval: float = 1.0) -> set[tuple[float, frozenset[tuple[float, float]]]]:
    found = isolines(np.array(values), interval)
    rings = found.lines.rings
    return {
        (level, frozenset((round(x, 3), round(y, 3)) for x, y in found.lines.coords[start:stop].tolist()))
        for level, start, stop in zip(found.levels.tolist(), rings[:-1], rings[1:], strict=True)
    }


def test_a_saddle_is_cut_the_way_gdal_cuts_it() -> None:
    assert lines([[1.9, 0], [0, 1.9]]) == {
        (1.0, frozenset({(0.974, 0.0), (0.974, 0.5), (1.5, 1.026), (2.0, 1.026)})),
        (1.0, frozenset({(1.026, 2.0), (1.026, 1.5), (0.5, 0.974), (0.0, 0.974)})),
    }
    assert lines([[0, 1.9], [1.9, 0]]) == {
        (1.0, frozenset({(2.0, 0.974), (1.5, 0.974), (1.026, 0.5), (1.026, 0.0)})),
        (1.0, frozenset({(0.0, 1.026), (0.5, 1.026), (0.974, 1.5), (0.974, 2.0)})),
    }


def test_lines_end_at_the_border_of_cells_beside_nothing() -> None:
    found = lines([[0, 2, 0], [2, np.nan, 1], [0, 2.5, 3.5]])
    assert (3.0, frozenset({(3.0, 2.3), (2.5, 2.3), (2.0, 2.5), (2.0, 3.0)})) in found
    assert (2.0, frozenset({(2.0, 1.875), (2.5, 1.9), (3.0, 1.9)})) in found
    assert (1.0, frozenset({(0.9, 3.0), (0.9, 2.5), (0.5, 2.0), (0.0, 2.0)})) in found


@pytest.mark.parametrize("interval", [0.0, -5.0, 1e-12, float("nan")])
def test_absurd_intervals_have_no_lines(interval: float) -> None:
    rising = np.arange(2500, dtype=np.float64).reshape(50, 50)
    assert rising.max() / 1e-12 > MOST_SEGMENTS
    assert len(isolines(rising, interval).levels) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_narrow_bands_have_lines(shape: tuple[int, int]) -> None:
    values = np.linspace(0.0, 1.0, max(shape)).reshape(shape)
    assert len(isolines(values, 0.4).levels) == (0 if values.size == 1 else 2)
    assert len(isolines(np.full(shape, np.nan), 0.4).levels) == 0


SYMBOL = (
    '<symbol type="line" name="{}"><layer class="SimpleLine"><prop k="line_color" v="{}"/>'
    '<prop k="line_width" v="0.5"/></layer></symbol>'
)
CONTOUR = (
    '<rasterrenderer type="contour" band="1" contour-interval="1" contour-index-interval="2" downscale="4"><symbols>'
    f"{SYMBOL.format('contour', '255,0,0,255')}{SYMBOL.format('index-contour', '0,0,255,255')}"
    "</symbols></rasterrenderer>"
)


def test_index_lines_have_their_own_symbol_and_cells_are_read_coarser() -> None:
    renderer = read(etree.fromstring(CONTOUR))
    asked: list[Grid] = []

    def cells(grid: Grid) -> Cells:
        asked.append(grid)
        ramp = np.linspace(0.5, 2.5, grid.width)
        return Cells(grid, {1: np.tile(ramp, (grid.height, 1))}, {1: np.zeros((grid.height, grid.width), np.bool_)})

    picture = renderer.draw(Grid(Extent(0.0, 0.0, 80.0, 40.0), 80, 40), cells)
    assert [(grid.width, grid.height) for grid in asked] == [(20, 10)]
    blue, red = picture[20, :, 0].astype(float), picture[20, :, 2].astype(float)
    middles = [np.average(np.arange(80) + 0.5, weights=one) for one in (red, blue)]
    assert middles == pytest.approx([21.0, 59.0], abs=0.3)  # at 1 and 2 of 0.5 ... 2.5 over the middles of 20 cells
    assert [entry.label for entry in renderer.legend()] == ["1", "2"]
