"""Who wins where labels get into each other's way; expectations from QGIS 3.22."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from qgserver.labeling.candidates import generate
from qgserver.labeling.heap import Heap
from qgserver.labeling.model import Engine, Item, LineFlags, Mode, Obstacle, ObstacleKind, Placed, Placing
from qgserver.labeling.obstacles import penalties
from qgserver.labeling.place import place

ENGINE = Engine(400, 400, 96 / 25.4)


def label(x: float, y: float = 100.0, mode: Mode = Mode.OVER_POINT, **fields: object) -> Item:
    item = Item(0, "layer", (x, y), shapely.Point(x, y), 40.0, 17.0, Placing(mode=mode), "text")
    return replace(item, **fields)  # type: ignore[arg-type]


def shown(placed: list[Placed]) -> set[object]:
    return {p.item.feature for p in placed if not p.unplaced}


def test_of_a_row_of_overlapping_labels_every_other_one_shows() -> None:
    row = [label(50 + 30 * number, feature=number) for number in range(5)]
    assert shown(place(row, [], ENGINE)) == {0, 2, 4}


def test_priority_then_the_layer_on_top_win() -> None:
    strong, weak = label(100, priority=8.0, feature="strong"), label(110, priority=2.0, feature="weak")
    assert shown(place([weak, strong], [], ENGINE)) == {"strong"}
    below, above = label(100, feature="below"), label(110, feature="above", source=1, layer="other")
    assert shown(place([below, above], [], ENGINE)) == {"above"}


def test_labels_that_show_in_any_case_take_their_best_place() -> None:
    two = [label(100, feature=1), label(110, feature=2)]
    assert len(place(two, [], ENGINE)) == 1
    assert len(place(two, [], replace(ENGINE, show_all=True))) == 2
    assert len(place([two[0], replace(two[1], show_unplaced=True)], [], ENGINE)) == 2
    assert shown(place([two[0], replace(two[1], always_show=True)], [], ENGINE)) == {2}  # before any other
    assert len(place([replace(one, always_show=True) for one in two], [], ENGINE)) == 2


def test_labels_without_room_are_told_on_demand() -> None:
    found = place([label(100, feature=1), label(110, feature=2)], [], replace(ENGINE, unplaced=True))
    assert sorted(placed.unplaced for placed in found) == [False, True]


def test_partial_labels() -> None:
    at_the_edge = label(395)
    assert place([at_the_edge], [], ENGINE)
    assert not place([at_the_edge], [], replace(ENGINE, partials=False))


def test_pinned_labels_stay_and_others_make_way() -> None:
    pinned = label(100, pinned=(90.0, 95.0), feature="pinned")
    other = label(135, mode=Mode.AROUND_POINT, feature="other")
    first, second = sorted(place([other, pinned], [], ENGINE), key=lambda p: str(p.item.feature), reverse=True)
    assert (first.x, first.y) == (90.0, 95.0)
    assert second.x > 130


@pytest.mark.parametrize(
    ("priority", "factor", "version", "visible"),
    [(5.0, 1.0, 2, True), (4.0, 1.0, 2, False), (4.0, 1.0, 1, True), (10.0, 2.0, 2, True), (9.0, 2.0, 2, False)],
)
def test_heavy_obstacles_keep_lighter_labels_away(priority: float, factor: float, version: int, visible: bool) -> None:
    wall = Obstacle("walls", 1, shapely.box(90, 90, 110, 110), factor, ObstacleKind.WHOLE)
    assert bool(place([label(100, priority=priority)], [wall], replace(ENGINE, version=version))) == visible


def test_the_interior_of_an_obstacle_counts_by_what_a_label_covers() -> None:
    """Measured: one part for touching at all, eight for the outline and four for the centre; 12 thirteenths of each,
    rounded up."""
    item = label(100, mode=Mode.OVER_POINT, feature=1)  # 80..120, 91.5..108.5
    costs = []
    for edge in (120.0, 119.0, 99.0, 70.0):
        area = Obstacle("areas", 9, shapely.box(edge, 0, 300, 300), 1.0, ObstacleKind.INTERIOR)
        found = generate([item], ENGINE)
        costs.append(penalties(found, [item], [area], ENGINE)[0].tolist()[0])
    assert costs == [1.0, 4.0, 10.0, 12.0]


@pytest.mark.parametrize("kind", list(ObstacleKind))
def test_candidates_avoid_obstacles_but_not_their_own_feature(kind: ObstacleKind) -> None:
    item = label(100, mode=Mode.AROUND_POINT)
    box = shapely.box(105, 90, 160, 130)
    (own,) = place([item], [Obstacle("layer", item.feature, box, 1.0, kind)], ENGINE)
    (away,) = place([item], [Obstacle("layer", "another", box, 1.0, kind)], ENGINE)
    assert (own.x, own.y) == (100, 100)
    assert away.x + 40 <= 105 or away.y >= 130 or away.y + 17 <= 90


def test_labels_stay_away_from_the_holes_of_their_polygon() -> None:
    shape = shapely.from_wkt("POLYGON((50 50,350 50,350 250,50 250,50 50),(180 120,220 120,220 170,180 170,180 120))")
    item = replace(label(0), geometry=shape, placing=Placing(mode=Mode.HORIZONTAL))
    (placed,) = place([item], [Obstacle("layer", item.feature, shape)], ENGINE)
    assert not shapely.box(placed.x, placed.y, placed.x + 40, placed.y + 17).intersects(shapely.box(180, 120, 220, 170))


def test_the_fewer_candidates_the_more_labels() -> None:
    """Beyond 100 labels a point has 12 places instead of 16: 30 degrees apart, so none half way down its right side."""
    apart = [label(20 + 100 * (n % 4), 10 + 3 * n, mode=Mode.AROUND_POINT, feature=n) for n in range(120)]
    few = {round(p.y - p.item.geometry.y, 2) for p in place(apart[:90], [], ENGINE) if p.x == p.item.geometry.x}
    many = {round(p.y - p.item.geometry.y, 2) for p in place(apart, [], ENGINE) if p.x == p.item.geometry.x}
    assert many <= {0.0, -4.25, -8.5, -12.75, -17.0}
    assert few <= {0.0, -2.13, -2.12, -8.5, -14.88, -14.87, -17.0}


def test_the_heap_takes_the_smallest_and_of_equals_the_right_child() -> None:
    heap = Heap(5)
    for member, key in enumerate((0, 1, 1, 1, 1)):
        heap.insert(member, key)
    assert heap.pop() == 0
    assert heap.pop() == 4
    heap.lower([1])
    assert heap.pop() == 1
    assert 2 in heap and 0 not in heap and len(heap) == 2


WIDTHS = {"Hello": 32.921875, "Lyon": 29.921875, "Givors": 41.421875, "Saint-Priest": 74.21875}
"""Of texts in DejaVu Sans, 13 px."""


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (  # the free place of Saint-Priest takes dearer ones away, whose neighbours count them once more
            [
                (109.67, 94.57, "Givors"),
                (118.77, 109.01, "Hello"),
                (120.68, 107.98, "Lyon"),
                (66.53, 107.65, "Saint-Priest"),
                (99.25, 100.26, "Lyon"),
            ],
            {0: (73.43, 77.57), 1: (118.77, 109.01), 2: (120.68, 90.98), 3: (1.59, 107.65), 4: (84.29, 100.26)},
        ),
        (  # a place that stands too deep in the heap sinks further when its key falls
            [
                (95.13, 84.61, "Lyon"),
                (108.79, 114.93, "Hello"),
                (75.68, 109.97, "Givors"),
                (92.54, 112.71, "Saint-Priest"),
                (102.42, 86.89, "Saint-Priest"),
                (74.49, 91.12, "Hello"),
                (81.38, 95.18, "Hello"),
                (129.25, 82.35, "Hello"),
                (109.17, 84.85, "Hello"),
                (107.76, 95.96, "Saint-Priest"),
            ],
            {0: (95.13, 67.61), 1: (108.79, 114.93), 3: (27.6, 112.71), 5: (58.03, 74.12), 6: (64.92, 95.18)}
            | {7: (129.25, 67.48), 8: (109.17, 84.85)},
        ),
    ],
    ids=["counted-twice", "sinks"],
)
def test_crowds_stand_where_they_stand_in_qgis(
    points: list[tuple[float, float, str]], expected: dict[int, tuple[float, float]]
) -> None:
    crowd = [
        replace(label(x, y, Mode.AROUND_POINT), feature=number, width=WIDTHS[text])
        for number, (x, y, text) in enumerate(points)
    ]
    found = place(crowd, [], Engine(240, 200, 96 / 25.4))
    assert {p.item.feature: (p.x, p.y) for p in found} == {
        feature: pytest.approx(at, abs=0.01) for feature, at in expected.items()
    }


def test_what_hidden_labels_had_cost_before_does_not_count_where_several_are_hidden_at_once() -> None:
    points = [
        (75.8, 85.8, "Givors", 3),
        (84.4, 86.5, "Hello", 6),
        (70.0, 81.5, "Hello", 5),
        (63.7, 86.0, "Hello", 3),
        (89.2, 80.0, "Hello", 3),
        (76.2, 100.3, "Lyon", 5),
    ]
    crowd = [
        replace(label(x, y), feature=number, width=WIDTHS[text], priority=float(priority))
        for number, (x, y, text, priority) in enumerate(points)
    ]
    assert shown(place(crowd, [], Engine(240, 200, 96 / 25.4))) == {2, 5}


@pytest.mark.parametrize(
    ("mode", "lines", "expected"),
    [
        (
            Mode.LINE,
            {
                "50 115,91 152": "Lyon",
                "100 114,149 75": "Lyon",
                "53 110,89 130": "Lyon",
                "70 121,107 100": "Lyon",
            },
            {0: (58.72, 124.22), 1: (114.84, 103.47), 3: (75.98, 118.75)},
        ),
        (
            Mode.HORIZONTAL,
            {
                "36 145,81 185": "Lyon",
                "26 136,63 130,112 157": "Lyon",
                "26 100,80 60,137 27": "Hello",
                "25 55,57 76": "Hello",
            },
            {0: (46.04, 158.72), 1: (56.12, 125.96), 2: (60.19, 53.98), 3: (22.25, 55.5)},
        ),
    ],
)
def test_labels_of_lines_take_the_place_that_rounding_favours_in_qgis(
    mode: Mode, lines: dict[str, str], expected: dict[int, tuple[float, float]]
) -> None:
    """Places to both sides of the middle cost the same but for the rounding of sums along the line."""
    flags = LineFlags.ABOVE | LineFlags.BELOW | LineFlags.ON
    crowd = [
        replace(
            label(0, mode=mode, feature=number),
            geometry=shapely.from_wkt(f"LINESTRING ({points})"),
            width=WIDTHS[text],
            placing=Placing(mode=mode, line_flags=flags),
        )
        for number, (points, text) in enumerate(lines.items())
    ]
    found = place(crowd, [], Engine(240, 200, 96 / 25.4))
    assert {p.item.feature: (p.x, p.y) for p in found} == {
        feature: pytest.approx(at, abs=0.01) for feature, at in expected.items()
    }


def test_labels_outside_of_polygons_stand_as_near_to_their_centre_as_in_qgis() -> None:
    rings = {
        "162 126,157 104,142 124,159 136,162 126": "Lyon",
        "132 127,121 102,103 122,115 140,132 127": "Lyon",
        "142 94,132 79,116 89,135 102,142 94": "Hello",
        "141 128,122 110,108 130,123 146,141 128": "Lyon",
    }
    crowd = [
        replace(
            label(0, mode=Mode.OUTSIDE, feature=number),
            geometry=shapely.from_wkt(f"POLYGON (({ring}))"),
            width=WIDTHS[text],
            margins=(3.25, 5.0),
        )
        for number, (ring, text) in enumerate(rings.items())
    ]
    found = place(crowd, [], Engine(240, 200, 96 / 25.4))
    assert {p.item.feature: (p.x, p.y) for p in found} == {
        0: pytest.approx((161.46, 101.56), abs=0.01),
        1: pytest.approx((71.58, 107.59), abs=0.01),
        3: pytest.approx((142.41, 124.41), abs=0.01),
    }


def test_the_size_of_a_pixel_changes_no_place() -> None:
    """Lines are measured in map units; what comes back are pixels."""
    lines = ["LINESTRING (20 30, 120 80, 200 60)", "LINESTRING (30 150, 130 120, 210 160)"]
    modes = (Mode.LINE, Mode.HORIZONTAL, Mode.CURVED)
    crowd = [
        replace(
            label(0, mode=mode, feature=(mode, wkt)),
            geometry=shapely.from_wkt(wkt),
            placing=Placing(mode=mode, distance=3.0),
            advances=np.full(5, 8.0) if mode == Mode.CURVED else None,
        )
        for mode in modes
        for wkt in lines
    ]
    engine = Engine(240, 200, 96 / 25.4)
    there = replace(engine, unit=12.5, corner=(842_000.0, 6_523_000.0))
    for one, two in zip(place(crowd, [], engine), place(crowd, [], there), strict=True):
        assert (one.x, one.y, one.angle) == pytest.approx((two.x, two.y, two.angle), abs=1e-6)
        if one.glyphs is not None:
            assert two.glyphs is not None
            assert one.glyphs == pytest.approx(two.glyphs, abs=1e-6)
