"""Colours and sizes as QGIS writes them."""

from __future__ import annotations

import numpy as np
import pytest

from qgserver.draw.color import Color, parse_color, with_alpha
from qgserver.draw.units import MapUnitScale, RenderScale, parse_map_unit_scale, to_pixels

BLACK: Color = (0.0, 0.0, 0.0, 1.0)
SCALE = RenderScale(px_per_mm=25 / 7, map_units_per_pixel=2.5, scale_denominator=10_000)


@pytest.mark.parametrize(
    ("text", "rgba"),
    [
        ("255,0,51", (255, 0, 51, 255)),
        ("1,2,3,4", (1, 2, 3, 4)),
        ("1,2,3,128,rgb:0.0039,0.0078,0.0117,0.5", (1, 2, 3, 128)),
        ("300,-5,0,255", (255, 0, 0, 255)),
        ("#f80", (255, 136, 0, 255)),
        ("#0A141E", (10, 20, 30, 255)),
        ("#800a141e", (10, 20, 30, 128)),
        ("SteelBlue", (70, 130, 180, 255)),
        ("transparent", (0, 0, 0, 0)),
    ],
)
def test_parse_color(text: str, rgba: tuple[int, ...]) -> None:
    assert parse_color(text, BLACK) == pytest.approx(tuple(value / 255 for value in rgba))


@pytest.mark.parametrize("text", [None, "", "1,2", "a,b,c", "#12345", "no such colour", "nan,0,0", "1e9,0,0"])
def test_what_is_no_colour_gives_the_default(text: str | None) -> None:
    assert parse_color(text, BLACK) == BLACK


def test_with_alpha_multiplies() -> None:
    assert with_alpha((1.0, 0.5, 0.0, 0.5), 0.5) == (1.0, 0.5, 0.0, 0.25)


@pytest.mark.parametrize(
    ("unit", "pixels"),
    [
        ("MM", 178.5714),  # 50 mm at 0.28 mm a pixel, measured on QGIS
        ("Point", 62.996),
        ("Points", 62.996),
        ("Inch", 4535.714),
        ("Pixel", 50),
        ("MapUnit", 20),
        ("RenderMetersInMapUnits", 20),
        ("furlong", 178.5714),
    ],
)
def test_units(unit: str, pixels: float) -> None:
    assert to_pixels(50.0, unit, SCALE) == pytest.approx(pixels, rel=1e-4)
    assert to_pixels(np.array([50.0, 0.0]), unit, SCALE) == pytest.approx([pixels, 0.0], rel=1e-4)


def test_metres_and_reference_scale() -> None:
    degrees = RenderScale(25 / 7, 0.001, 10_000, meters_to_map_units=1e-5, reference_factor=2.0)
    assert to_pixels(300.0, "RenderMetersInMapUnits", degrees) == pytest.approx(6.0)
    assert to_pixels(1.0, "Pixel", degrees) == 2.0


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("3x:0,0,0,0,0,0", None),
        ("3x:50000,1000,1,0.5,1,7", MapUnitScale(50_000, 1000, 0.5, 7)),
        ("3x:0,0,0,0.5,1,7", MapUnitScale(0, 0, None, 7)),
        ("0.0001,0.002,0,0,0,0", MapUnitScale(10_000, 500)),  # before 3.0: scales, not denominators
        ("0.0001,0", MapUnitScale(10_000, 0)),
        ("", None),
        ("3x:", None),
        ("3x:x,nan,1,inf,0,0", MapUnitScale(0, 0, 0.0, None)),
    ],
)
def test_map_unit_scale_forms(text: str, limits: MapUnitScale | None) -> None:
    assert parse_map_unit_scale(text) == limits


def test_map_unit_limits() -> None:
    # beyond 1:5000 sizes stay what they are at 1:5000: half the map units a pixel, twice the pixels
    assert to_pixels(10.0, "MapUnit", SCALE, MapUnitScale(min_scale=5000)) == pytest.approx(8.0)
    assert to_pixels(10.0, "MapUnit", SCALE, MapUnitScale(max_scale=20_000)) == pytest.approx(2.0)
    assert to_pixels(10.0, "MapUnit", SCALE, MapUnitScale(min_size_mm=2.8)) == pytest.approx(10.0)
    limited = to_pixels(np.array([1.0, 100.0]), "MapUnit", SCALE, MapUnitScale(max_size_mm=2.8))
    assert limited == pytest.approx([0.4, 10.0])
    assert to_pixels(10.0, "MM", SCALE, MapUnitScale(max_size_mm=1)) == pytest.approx(250 / 7)
