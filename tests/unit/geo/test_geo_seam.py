"""Where a projection tears the globe, shapes end instead of running across the map."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from qgserver.geo.crs import parse_crs
from qgserver.geo.extent import Extent
from qgserver.geo.seam import cut_at, seam
from qgserver.geo.transform import get_transform
from qgserver.geo.view import reproject_for_view
from qgserver.geo.wkb import decode, to_shapely


@pytest.mark.parametrize(
    ("target", "longitude"),
    [
        ("EPSG:3832", -30.0),  # Mercator around 150 east
        ("EPSG:2154", -177.0),  # a cone around 3 east
        ("EPSG:27572", pytest.approx(-177.66277083)),  # around Paris, in grads
        ("EPSG:3857", None),
        ("EPSG:3413", None),  # polar
        ("EPSG:3035", None),  # azimuthal
        ("EPSG:32633", None),  # transverse
    ],
)
def test_seam(target: str, longitude: float | None) -> None:
    transform = get_transform(parse_crs("EPSG:4326"), parse_crs(target))
    assert transform is not None
    assert seam(transform) == longitude


def test_cut_keeps_features_in_place() -> None:
    wkt = [
        "POINT(-30 1)",
        "POLYGON((-40 0,-20 0,-20 10,-40 10,-40 0))",
        "LINESTRING(0 0,1 1)",
        "LINESTRING(-31 0,-29 0)",
    ]
    made = to_shapely(cut_at(decode([shapely.to_wkb(shapely.from_wkt(text)) for text in wkt]), -30.0))
    assert [shape.geom_type for shape in made] == ["Point", "MultiPolygon", "LineString", "MultiLineString"]
    assert made[1].area == pytest.approx(200, rel=1e-3)
    assert [part.length for part in made[3].geoms] == pytest.approx([1, 1], rel=1e-2)


def test_nothing_runs_across_the_map() -> None:
    transform = get_transform(parse_crs("EPSG:4326"), parse_crs("EPSG:3832"))
    assert transform is not None
    line = decode([shapely.to_wkb(shapely.LineString([(-40, 10), (-20, 10)]))])
    made = reproject_for_view(line, transform, Extent(-2e7, -1e7, 2e7, 1e7))
    steps = np.abs(np.diff(made.coords[:, 0]))
    assert np.diff(made.features).tolist() == [2]
    assert sorted(steps)[:2] == pytest.approx([1.11e6, 1.11e6], rel=1e-2)
