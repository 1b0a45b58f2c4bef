"""Coordinates around maps of prints, as QGIS writes them."""

from __future__ import annotations

import pytest

from qgserver.geo.crs import parse_crs
from qgserver.render.print.gridnumbers import format_number


@pytest.mark.parametrize(
    ("notation", "axis", "value", "decimals", "text"),
    [
        (0, 0, 4.825, 2, "4.83"),
        (1, 0, 4.825, 1, "4°49.5′E"),
        (2, 1, -45.7613888888, 0, "45°45′41″S"),
        (2, 0, 9.99999999, 0, "10°0′0″E"),
        (2, 0, 0.0, 0, "0°0′0″"),
        (3, 0, -4.5, 1, "4.5°W"),
        (4, 1, -45.5, 0, "-45°30′"),
        (5, 0, 4.05, 2, "004°03.00′E"),
        (6, 0, 190.0, 0, "-170°0′0″"),
        (7, 1, 5.0, 1, "05°00′00.0″N"),
    ],
)
def test_degrees(notation: int, axis: int, value: float, decimals: int, text: str) -> None:
    crs = parse_crs("EPSG:4326")
    assert crs is not None
    assert format_number(notation, axis, value, decimals, turns=crs.is_geographic) == text


@pytest.mark.parametrize(("notation", "text"), [(0, "844000"), (3, "844000E"), (2, "844000")])
def test_metres(notation: int, text: str) -> None:
    assert format_number(notation, 0, 844000.0, 0, turns=False) == text
