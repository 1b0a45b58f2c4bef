"""From request to pixels: square pixels, stretched pictures, tile buffers (figures measured on QGIS 3.22)."""

from __future__ import annotations

import numpy as np
import pytest

from qgserver.geo.crs import parse_crs
from qgserver.geo.extent import Extent
from qgserver.render.request import MapRequest
from qgserver.render.view import View, make_view


def view(extent: Extent, width: int, height: int, *, stretch: bool, buffer: int = 0, crs: str = "EPSG:2154") -> View:
    found = parse_crs(crs)
    assert found is not None
    return make_view(MapRequest(found, extent, width, height, (), stretch=stretch, tile_buffer=buffer))


def test_before_130_the_extent_grows_evenly_on_both_sides() -> None:
    of = view(Extent(0, 0, 1000, 800), 500, 300, stretch=False)
    assert (of.width, of.height) == (500, 300)
    assert of.resolution == pytest.approx(2.6667, abs=1e-4)
    assert of.extent.xmin == pytest.approx(-166.67, abs=1e-2)
    assert (of.extent.ymin, of.extent.ymax) == pytest.approx((0, 800))


def test_from_130_on_square_cells_are_drawn_and_stretched() -> None:
    of = view(Extent(0, 0, 1000, 800), 500, 300, stretch=True)
    cell = (1000 / 500 + 800 / 300) / 2
    assert (of.width, of.height) == (int(1000 / cell), int(800 / cell))


def test_a_tile_buffer_widens_the_view_and_keeps_the_scale() -> None:
    plain, wide = (view(Extent(0, 0, 256, 256), 256, 256, stretch=True, buffer=b) for b in (0, 16))
    assert (wide.width, wide.extent.xmin, wide.extent.ymax) == (288, -16, 272)
    assert (wide.resolution, wide.denominator) == (plain.resolution, plain.denominator)


def test_a_turned_view_turns_clockwise_around_its_middle_and_reads_all_that_shows() -> None:
    crs = parse_crs("EPSG:2154")
    assert crs is not None
    of = make_view(MapRequest(crs, Extent(0, 0, 200, 100), 200, 100, (), stretch=False, rotation=90.0))
    assert of.extent.as_tuple() == pytest.approx((50, -50, 150, 150))
    north, corner = np.array([[100.0, 80.0]]), of.corner
    assert of.points_to_device(north)[0].tolist() == pytest.approx([130, 50])
    assert of.points_to_device(corner)[0].tolist() == pytest.approx([0, 0])
    wide = of.widened(10, 20)
    assert wide.points_to_device(north)[0].tolist() == pytest.approx([140, 70])
    assert wide.extent.as_tuple() == pytest.approx((30, -60, 170, 160))


def test_scale_of_a_view_in_degrees() -> None:
    """10..12, 40..42 on 400 px at 96 dpi is 1:1142626.63."""
    crs = parse_crs("EPSG:4326")
    assert crs is not None
    request = MapRequest(crs, Extent(10, 40, 12, 42), 400, 400, (), dpi=96.0)
    assert make_view(request).denominator == pytest.approx(1142626.63, rel=1e-6)


def test_pixels_have_y_down() -> None:
    import numpy as np

    of = view(Extent(0, 0, 100, 100), 50, 50, stretch=True)
    assert of.points_to_device(np.array([[0.0, 100.0], [10.0, 90.0]])).tolist() == [[0.0, 0.0], [5.0, 5.0]]
