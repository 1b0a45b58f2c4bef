"""Hostile and huge input: bounded, no crash, always the same answer."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import numpy as np
import pytest
import shapely

from qgserver.labeling.model import Engine, Item, Mode, Obstacle, Placing
from qgserver.labeling.place import place

ENGINE = Engine(800, 600, 96 / 25.4)
MODES = list(Mode)


def item(geometry: shapely.Geometry, mode: Mode, width: float = 40.0, height: float = 17.0, name: object = 1) -> Item:
    advances = np.full(5, width / 5) if mode in (Mode.CURVED, Mode.PERIMETER_CURVED) else None
    return Item(0, "layer", name, geometry, width, height, Placing(mode=mode), "text", advances=advances)  # type: ignore[arg-type]


GEOMETRIES = [
    "POINT EMPTY",
    "POLYGON EMPTY",
    "GEOMETRYCOLLECTION EMPTY",
    "GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 300 300), POLYGON((10 10, 200 10, 100 200, 10 10)))",
    "MULTIPOLYGON(((10 10, 200 10, 100 200, 10 10)), ((300 300, 310 300, 300 310, 300 300)))",
    "MULTIPOINT(5 5, 9 9)",
    "POINT(NaN 5)",
    "POINT(1e300 -1e300)",
    "LINESTRING(5 5, 5 5)",
    "LINESTRING(-1e12 5, 1e12 6)",
    "LINESTRING(0 0, 1e-9 0, 200 0, 200 0, 200 1e-9)",
    "POLYGON((10 10, 200 200, 200 10, 10 200, 10 10))",
    "POLYGON((10 10, 200 10, 200 10, 10 10))",
    "POLYGON((-1e9 -1e9, 1e9 -1e9, 1e9 1e9, -1e9 1e9, -1e9 -1e9))",
]


@pytest.mark.parametrize("mode", MODES, ids=[mode.name for mode in MODES])
@pytest.mark.parametrize("wkt", GEOMETRIES)
def test_any_geometry_and_size(wkt: str, mode: Mode) -> None:
    shape = shapely.from_wkt(wkt)
    sizes = [
        (40.0, 17.0),
        (float("nan"), 17.0),
        (float("inf"), 17.0),
        (0.0, 5.0),
        (-4.0, 5.0),
        (1e9, 1e9),
        (1e-9, 1e-9),
    ]
    labels = [item(shape, mode, *size, name=number) for number, size in enumerate(sizes)]
    obstacles = [Obstacle("layer", 99, shape)]
    for engine in (ENGINE, replace(ENGINE, partials=False, unplaced=True, show_all=True)):
        for placed in place(labels, obstacles, engine):
            assert np.isfinite((placed.x, placed.y, placed.angle)).all()


def test_many_labels_take_bounded_time_and_always_the_same_places() -> None:
    points = shapely.points(np.random.default_rng(1).uniform((0, 0), (800, 600), (2_500, 2)))
    labels = [item(point, Mode.AROUND_POINT, name=number) for number, point in enumerate(points)]
    start = process_time()
    first = place(labels, [], ENGINE)
    assert process_time() - start < 4
    again = place(labels, [], ENGINE)
    assert [(p.item.feature, p.x, p.y) for p in first] == [(p.item.feature, p.x, p.y) for p in again]
    boxes = shapely.box(
        [p.x for p in first], [p.y for p in first], [p.x + 40 for p in first], [p.y + 17 for p in first]
    )
    one, two = shapely.STRtree(boxes).query(boxes, predicate="intersects")
    assert (one == two).all()


@pytest.mark.parametrize("width", [40.0, 3000.0])
def test_thousands_of_labels_at_one_spot_take_bounded_time(width: float) -> None:
    points = shapely.points(np.random.default_rng(1).uniform((400, 300), (402, 302), (4_000, 2)))
    labels = [item(point, Mode.OVER_POINT, width, name=number) for number, point in enumerate(points)]
    labels[3_000] = replace(labels[3_000], priority=9.0)
    start = process_time()
    (found,) = place(labels, [], ENGINE)
    assert process_time() - start < 6
    assert found.item.feature == 3_000
    assert len(place([replace(label, show_unplaced=True) for label in labels], [], ENGINE)) == 4_000


def test_labels_beyond_the_limit_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qgserver.labeling.place.MOST_LABELS", 3)
    labels = [item(shapely.Point(100 * number + 50, 100), Mode.OVER_POINT, name=number) for number in range(6)]
    top = replace(labels[5], source=1)
    assert {placed.item.feature for placed in place([*labels[:5], top], [], ENGINE)} == {5, 0, 1}
