"""What comes into a view of another CRS; extents are those QGIS 3.22 gives its renderers."""

from __future__ import annotations

import numpy as np
import pytest

from qgserver.geo.crs import parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import LINESTRING, POINT, POLYGON, GeometryArray
from qgserver.geo.transform import Transform, get_transform
from qgserver.geo.view import EVERYTHING, reproject_for_view, source_extent, source_length

WORLD = (-180.0, -90.0, 180.0, 90.0)


def transform(source: str, target: str) -> Transform:
    found = get_transform(parse_crs(source), parse_crs(target))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("source", "target", "view", "expected"),
    [
        ("EPSG:4326", "EPSG:2154", (600000, 6500000, 800000, 6700000), None),  # comes back: its own box
        ("EPSG:4326", "EPSG:2056", (1579153, 181403, 3759046, 2259114), WORLD),  # its left edge moves by 0.21
        ("EPSG:4326", "EPSG:3413", (-4e6, -4e6, 4e6, 4e6), WORLD),
        ("EPSG:4326", "EPSG:3857", (3e7, -5e6, 5e7, 5e6), WORLD),
        ("EPSG:4326", "EPSG:31467", (3.4e6, 5.4e6, 3.5e6, 5.5e6), None),
        ("EPSG:2154", "EPSG:4326", (-180, -90, 180, 90), EVERYTHING.as_tuple()),
        ("EPSG:3857", "EPSG:4326", (170, -20, 190, 20), EVERYTHING.as_tuple()),
        ("EPSG:3857", "EPSG:32633", (0, 0, 1e6, 1e7), None),
    ],
)
def test_source_extent_of_qgis(
    source: str, target: str, view: tuple[float, ...], expected: tuple[float, ...] | None
) -> None:
    way = transform(source, target)
    if expected is None:
        box = way.inverse.extent(Extent(*view))
        assert box is not None
        expected = box.as_tuple()
    assert source_extent(Extent(*view), way).as_tuple() == pytest.approx(expected, rel=1e-9)


def test_a_pole_in_view_is_asked_for() -> None:
    view = Extent(-6e6, -6e6, 6e6, 6e6)  # orthographic: half the globe
    assert source_extent(view, transform("EPSG:4326", "ESRI:102038")).ymax == 90


def lines(*parts: list[tuple[float, float]], kind: int = LINESTRING) -> GeometryArray:
    counts = np.cumsum([0, *(len(part) for part in parts)])
    ends = np.arange(len(parts) + 1)
    coords = np.array([point for part in parts for point in part], dtype=float)
    return GeometryArray(np.full(len(parts), kind, np.uint8), coords, counts, ends, ends)


def test_vertices_that_fail_are_left_out() -> None:
    way = transform("EPSG:4326", "EPSG:32633")
    view = Extent(0, -1e6, 1e6, 1e6)
    made = reproject_for_view(lines([(14, 0), (105, 0), (16, 0)], [(105, 0), (106, 0)]), way, view, clip=False)
    assert np.diff(made.features).tolist() == [1, 0]
    np.testing.assert_allclose(made.coords, [[388719.349, 0], [611280.651, 0]], atol=1)


def test_points_that_fail_are_no_features_to_draw() -> None:
    made = reproject_for_view(
        lines([(105, 0)], [(15, 0)], kind=POINT), transform("EPSG:4326", "EPSG:32633"), Extent(0, 0, 1e6, 1e6)
    )
    assert np.diff(made.features).tolist() == [0, 1]


def test_no_number_is_too_large_to_draw() -> None:
    world = [(-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0), (-180.0, -90.0)]
    view = Extent(-4e6, -4e6, 4e6, 4e6)
    made = reproject_for_view(lines(world, kind=POLYGON), transform("EPSG:4326", "EPSG:3413"), view)
    assert np.abs(made.coords).max() <= 4e6 + 8 * 8e6


def test_tolerance_in_degrees() -> None:
    way = transform("EPSG:4326", "EPSG:3857")
    assert source_length(111319.49, way, Extent(-1, -1, 1, 1)) == pytest.approx(1.0, rel=1e-5)
    assert source_length(5.0, None, Extent(0, 0, 1, 1)) == 5.0
    assert source_length(1.0, transform("EPSG:2154", "EPSG:4326"), EVERYTHING) is not None
