"""Reprojection; boxes and coordinates are those of QGIS 3.22."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from qgserver.geo.crs import crs_from_definition, parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.transform import Transform, get_transform

POLE = 242528680.94374272


def transform(source: str, target: str) -> Transform:
    found = get_transform(parse_crs(source), parse_crs(target))
    assert found is not None
    return found


@dataclass(frozen=True)
class Chosen:
    source: str
    destination: str
    pipeline: str
    allow_fallback: bool = True


@pytest.mark.parametrize(
    ("source", "target", "box", "expected"),
    [
        (
            "EPSG:2154",
            "EPSG:4326",
            (842000, 6517000, 850000, 6523000),
            (4.826255015393888, 45.73609981245787, 4.930989414051553, 45.79182755315726),
        ),
        (
            "EPSG:4326",
            "EPSG:3857",
            (-180, -90, 180, 90),
            (-20037508.342789244, -44927335.42709685, 20037508.342789255, 44927335.42709604),
        ),
        (
            "EPSG:3413",
            "EPSG:4326",
            (-4e6, -4e6, 4e6, 4e6),
            (-180, 40.90148154079665, 178.09084756700364, 88.31559982706),
        ),
        (
            "EPSG:4326",
            "EPSG:32633",
            (-180, -90, 180, 90),
            (-15815469.098585526, -19091277.227921933, 16815469.098585524, 19995929.886041995),
        ),
        (
            "EPSG:4326",
            "EPSG:31370",
            (2, 50, 6, 51),
            (-19796.18175561467, 76519.84768366069, 266942.4984096328, 190403.6423756117),
        ),
        (
            "EPSG:3857",
            "EPSG:4326",
            (-5e7, -5e7, 5e7, 5e7),
            (-171.6435694588, -89.954856348612, 171.6435694588, 89.954856348612),
        ),
    ],
)
def test_box_of_qgis(source: str, target: str, box: tuple[float, ...], expected: tuple[float, ...]) -> None:
    made = transform(source, target).extent(Extent(*box))
    assert made is not None
    assert made.as_tuple() == pytest.approx(expected, rel=1e-12)


def test_web_mercator_by_formula_is_projs() -> None:
    lonlat = np.array(
        [[0, 89.95], [-180, 0], [180, -85], [2.35, 48.85], [190, 10], [-200, 10], [0, 90], [0, 95], [600, 0]]
    )
    expected = [
        [0.0, 49348324.32017924],
        [-20037508.342789244, 0.0],
        [20037508.342789244, -19971868.880408574],
        [261600.80334, 6249447.752791],
        [-18924313.434856508, 1118889.9748579594],
        [17811118.526923772, 1118889.9748579594],
        [0, POLE],
        [np.inf, np.inf],
        [np.inf, np.inf],
    ]
    forward = transform("EPSG:4326", "EPSG:3857")
    np.testing.assert_allclose(forward.points(lonlat), expected, rtol=1e-7, atol=1e-6)
    plain = lonlat[:4]
    np.testing.assert_allclose(forward.points(plain), forward.points(lonlat)[:4], rtol=1e-12, atol=1e-6)
    np.testing.assert_allclose(forward.inverse.points(forward.points(plain)), plain, rtol=1e-12, atol=1e-12)


def test_failed_points_are_not_finite_and_the_others_stay() -> None:
    made = transform("EPSG:4326", "EPSG:32633").points(np.array([[105.0, 0.0], [15.0, 0.0]]))
    assert not np.isfinite(made[0]).any()
    np.testing.assert_allclose(made[1], [500000, 0], atol=1e-6)


def test_nothing_to_do() -> None:
    wgs84, lonlat, moon = (parse_crs(name) for name in ("EPSG:4326", "CRS:84", "IAU_2015:30100"))
    utm, unnamed = parse_crs("EPSG:32633"), crs_from_definition("", "", "+proj=utm +zone=33 +datum=WGS84 +units=m")
    broken = crs_from_definition("", "nonsense", "")
    for source, target in (
        (wgs84, wgs84),
        (wgs84, lonlat),
        (utm, unnamed),
        (None, wgs84),
        (wgs84, None),
        (broken, wgs84),
        (moon, wgs84),
    ):
        assert get_transform(source, target) is None


@pytest.mark.parametrize("backwards", [False, True])
def test_pipeline_of_the_project(backwards: bool) -> None:
    source, target = parse_crs("EPSG:4326"), parse_crs("EPSG:3844")
    shifted = (
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        "+step +proj=sterea +lat_0=46 +lon_0=25 +k=0.99975 +x_0=500100 +y_0=500000 +ellps=krass"
    )
    operations = [Chosen("EPSG:1", "EPSG:2", "+proj=noop"), Chosen("EPSG:4326", "EPSG:3844", shifted)]
    made = get_transform(target, source, operations) if backwards else get_transform(source, target, operations)
    assert made is not None
    forward = made.inverse if backwards else made
    np.testing.assert_allclose(forward.points(np.array([[25.0, 46.0]])), [[500100, 500000]], atol=1e-6)


def test_pipeline_that_proj_does_not_know_is_left_aside() -> None:
    operations = [Chosen("EPSG:4326", "EPSG:32633", "+proj=pipeline +step +proj=hgridshift +grids=absent.tif")]
    made = get_transform(parse_crs("EPSG:4326"), parse_crs("EPSG:32633"), operations)
    assert made == transform("EPSG:4326", "EPSG:32633")


def test_box_without_width_or_height() -> None:
    made = transform("EPSG:4326", "EPSG:2154").extent(Extent(5, 45, 5, 46))
    assert made is not None
    assert (made.ymin, made.ymax) == pytest.approx((6435414.747835401, 6546433.997), abs=1e-2)


def test_transforms_are_shared_by_threads() -> None:
    made = transform("EPSG:4326", "EPSG:27700")
    points = np.column_stack((np.linspace(-6, 1, 5000), np.linspace(50, 58, 5000)))
    alone = made.points(points)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(made.points, [points] * 16):
            np.testing.assert_array_equal(result, alone)
