"""Single labels lie where QGIS 3.22 puts them: positions read from its labeling results (200 x 200 px, 96 dpi)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from qgserver.labeling.model import Engine, Item, LineFlags, Mode, Obstacle, Placed, Placing, PolygonFlags, Upright
from qgserver.labeling.place import place

ENGINE = Engine(200, 200, 96 / 25.4)
HELLO, POLY, TRI = 32.921875, 26.609375, 14.984375
MARGINS = (3.25, 5.0)
MONO = np.full(5, 7.8125)


def item(wkt: str, mode: Mode, width: float = HELLO, **settings: object) -> Item:
    placing = replace(Placing(mode=mode), **settings)  # type: ignore[arg-type]
    return Item(0, "layer", 1, shapely.from_wkt(wkt), width, 17.0, placing, "text", margins=MARGINS)


def curved(wkt: str, glyphs: int = 5, **settings: object) -> Item:
    advances = np.full(glyphs, 7.8125)
    return replace(item(wkt, Mode.CURVED, float(advances.sum()), **settings), advances=advances)


def only(label: Item, *obstacles: Obstacle, engine: Engine = ENGINE) -> Placed:
    (placed,) = place([label], obstacles, engine)
    return placed


POINT = "POINT(100 100)"
LINE, BACK = "LINESTRING(20 100,180 100)", "LINESTRING(180 100,20 100)"
RECTANGLE = "POLYGON((20 20,180 20,180 100,20 100,20 20))"
TRIANGLE = "POLYGON((20 120,100 120,60 190,20 120))"


@pytest.mark.parametrize(
    ("label", "x", "y", "degrees"),
    [
        (item(POINT, Mode.AROUND_POINT), 100, 100, 0),
        (item(POINT, Mode.AROUND_POINT, distance=7.5591), 105.35, 105.35, 0),
        (item(POINT, Mode.OVER_POINT), 83.54, 91.5, 0),
        (item(POINT, Mode.ORDERED), 100, 95, 0),
        (item("LINESTRING(20 50,180 50)", Mode.LINE), 83.54, 51, 0),
        (item("LINESTRING(20 50,180 50)", Mode.HORIZONTAL), 80.06, 41.5, 0),
        (item(RECTANGLE, Mode.OVER_POINT, POLY), 86.695, 51.5, 0),
        (item(RECTANGLE, Mode.AROUND_POINT, POLY), 86.695, 51.5, 0),
        (item(RECTANGLE, Mode.HORIZONTAL, POLY), 86.695, 51.5, 0),
        (item(RECTANGLE, Mode.FREE, POLY), 86.695, 51.5, 0),
        (item(RECTANGLE, Mode.LINE, POLY), 89.633, 101, 0),
        (item(TRIANGLE, Mode.OVER_POINT, TRI), 52.508, 134.833, 0),
        (item(TRIANGLE, Mode.HORIZONTAL, TRI), 52.508, 146.5, 0),
        (item(TRIANGLE, Mode.OUTSIDE, TRI), 3.44, 106.039, 0),
        (item(TRIANGLE, Mode.HORIZONTAL, TRI, polygon_flags=PolygonFlags.OUTSIDE), 3.44, 106.039, 0),
        (item("LINESTRING(100 180,100 20)", Mode.LINE, 39.0625), 99, 80.47, 90),
        (item(BACK, Mode.LINE, 39.0625, upright=Upright.ALLOWED), 119.53, 118, 180),
        (item(BACK, Mode.LINE, 39.0625, line_flags=LineFlags.ABOVE), 80.47, 82, 0),
        (item(LINE, Mode.LINE, 39.0625, line_flags=LineFlags.ON), 80.47, 91.5, 0),
        (item(LINE, Mode.LINE, 39.0625, anchor=0.2, anchor_strict=True), 52, 101, 0),
        (item(LINE, Mode.LINE, 39.0625, anchor=1.0, anchor_strict=True), 139.34, 101, 0),
        (item("LINESTRING(90 100,92 110)", Mode.LINE, 39.0625, overrun=20.0), 86.19, 86.04, 78.7),
    ],
)
def test_a_label_alone(label: Item, x: float, y: float, degrees: float) -> None:
    placed = only(label)
    assert (placed.x, placed.y) == pytest.approx((x, y), abs=0.006)
    assert np.degrees(placed.angle) == pytest.approx(degrees, abs=0.05)


@pytest.mark.parametrize(
    ("mode", "degrees", "corner"),
    [
        (Mode.AROUND_POINT, 30, (107.302, 101.956)),
        (Mode.AROUND_POINT, -50, (99.341, 107.53)),
        (Mode.ORDERED, 30, (102.845, 101.015)),
        (Mode.ORDERED, -50, (109.175, 102.131)),
    ],
)
def test_turned_labels_turn_around_their_point(mode: Mode, degrees: float, corner: tuple[float, float]) -> None:
    placed = only(replace(item(POINT, mode, distance=7.5591), angle=-np.radians(degrees)))
    assert (placed.x, placed.y) == pytest.approx(corner, abs=0.002)


@pytest.mark.parametrize(
    ("label", "first", "last"),
    [
        (curved(LINE), (78.18, 101.85, 0.0), (109.43, 101.85, 0.0)),
        (curved(LINE, line_flags=LineFlags.ON), (78.18, 92.35, 0.0), (109.43, 92.35, 0.0)),
        (curved(LINE, line_flags=LineFlags.BELOW), (78.18, 82.85, 0.0), (109.43, 82.85, 0.0)),
        (curved(BACK), (82.76, 101.85, 0.0), (114.01, 101.85, 0.0)),
        (curved(BACK, line_flags=LineFlags.ABOVE), (82.76, 82.85, 0.0), (114.01, 82.85, 0.0)),
        (curved(BACK, upright=Upright.ALLOWED), (121.82, 117.15, 180.0), (90.57, 117.15, 180.0)),
        (curved("LINESTRING(90 100,110 100)", overrun=20.0), (90.0, 101.85, 0.0), (121.25, 101.85, 0.0)),
        (curved(LINE, anchor=1.0, anchor_strict=True), (139.34, 101.85, 0.0), (170.59, 101.85, 0.0)),
        (curved("LINESTRING(20 50,100 60,180 50)", 11), (56.67, 56.45, 7.1), (132.34, 57.82, 352.9)),
        (curved("LINESTRING(100 180,100 20)"), (101.85, 121.82, 270.0), (101.85, 90.57, 270.0)),
    ],
)
def test_curved_text(label: Item, first: tuple[float, ...], last: tuple[float, ...]) -> None:
    glyphs = only(label).glyphs
    assert glyphs is not None and label.advances is not None and len(glyphs) == len(label.advances)
    for glyph, expected in ((glyphs[0], first), (glyphs[-1], last)):
        assert glyph[:2] == pytest.approx(expected[:2], abs=0.006)
        assert np.degrees(glyph[2]) == pytest.approx(expected[2], abs=0.05)


@pytest.mark.parametrize(
    "label",
    [
        item("LINESTRING(90 100,110 100)", Mode.LINE),  # shorter than its text
        curved("LINESTRING(90 100,110 100)"),
        item(LINE, Mode.AROUND_POINT),  # no placement for lines
        curved("LINESTRING(20 100,100 50,180 100)", 11, distance=10.0),  # bends too much
        item("POINT(300 300)", Mode.OVER_POINT),  # off the map
    ],
)
def test_no_room(label: Item) -> None:
    assert place([label], [], ENGINE) == []


@pytest.mark.parametrize(
    ("wkt", "mode", "width", "corner"),
    [  # cut at their bays, as far as a label has room there
        ("POLYGON((50 50,250 50,250 90,90 90,90 250,50 250,50 50))", Mode.HORIZONTAL, POLY, (56.70, 113.69, 0)),
        ("POLYGON((50 50,250 50,250 90,90 90,90 250,50 250,50 50))", Mode.FREE, POLY, (56.70, 113.69, 0)),
        (
            "POLYGON((50 50,250 50,250 250,210 250,210 90,90 90,90 250,50 250,50 50))",
            Mode.HORIZONTAL,
            POLY,
            (140.60, 61.5, 0),
        ),
        # frames turn by whole degrees; a label with room for its double size stays level
        (
            "POLYGON((155.9153 106.6233,259.3108 167.5279,244.0847 193.3767,140.6892 132.4721,155.9153 106.6233))",
            Mode.FREE,
            POLY,
            (192.73, 135.99, 30),
        ),
    ],
)
def test_within_polygons(wkt: str, mode: Mode, width: float, corner: tuple[float, float, float]) -> None:
    engine = Engine(400, 300, 96 / 25.4)
    placed = only(item(wkt, mode, width), engine=engine)
    assert (placed.x, placed.y) == pytest.approx(corner[:2], abs=0.8)
    assert np.degrees(placed.angle) == pytest.approx(corner[2], abs=0.01)
