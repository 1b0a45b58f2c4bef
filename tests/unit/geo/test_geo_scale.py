"""Scale denominators as QGIS 3.22 computes them."""

from __future__ import annotations

import pytest

from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.scale import meters_to_map_units, scale_denominator

DEGREES, METERS, FEET = (Crs(name, name) for name in ("EPSG:4326", "EPSG:2154", "EPSG:2263"))


def test_denominator() -> None:
    assert scale_denominator(Extent(10, 40, 12, 42), 400, 96, DEGREES) == pytest.approx(1142626.63, abs=0.01)
    assert scale_denominator(Extent(0, 0, 1000, 800), 500, 25.4 / 0.28, METERS) == pytest.approx(7142.857, abs=0.01)
    assert scale_denominator(Extent(0, 0, 1200, 800), 96, 96, FEET) == 14400
    assert scale_denominator(Extent(0, 0, 0, 0), 0, 96, METERS) == 0


def test_metres_on_the_map() -> None:
    assert meters_to_map_units(Extent(0, 0, 10, 10), METERS) == 1
    assert meters_to_map_units(Extent(0, 0, 10, 10), FEET) == pytest.approx(3.28084, rel=1e-6)
    assert meters_to_map_units(Extent(-1, -1, 1, 1), DEGREES) == pytest.approx(1 / 111319.4908, rel=1e-9)
    assert meters_to_map_units(Extent(-1, 59, 1, 61), DEGREES) == pytest.approx(2 / 111319.4908, rel=0.01)
