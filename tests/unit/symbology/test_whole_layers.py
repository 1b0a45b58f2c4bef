"""Renderers that look at all features at once: where things go, by what QGIS 3.22 was seen to draw."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from lxml import etree

from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale
from qgserver.errors import Problems
from qgserver.expression.context import Context
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import GeometryArray
from qgserver.geo.merge import beyond, holes_in, snapped, union
from qgserver.geo.wkb import decode, to_shapely
from qgserver.providers.batch import Batch
from qgserver.symbology import heat as heat_module
from qgserver.symbology.heat import heat, quartic
from qgserver.symbology.merging import classes_of
from qgserver.symbology.placement import LAYOUTS, Room, drawing_waves, fewer
from qgserver.symbology.renderer import Jobs, Renderer, read_renderer
from qgserver.symbology.scene import WholeLayer, Wrapping
from qgserver.symbology.selected import with_selection

SCALE = RenderScale(4.0, 1.0, 1000.0)
MARKER = '<symbol name="0" type="marker"><layer class="SimpleMarker"/></symbol>'
INNER = f'<renderer-v2 type="singleSymbol"><symbols>{MARKER}</symbols></renderer-v2>'


def read(kind: str, attributes: str = "", body: str = INNER) -> Renderer:
    return read_renderer(
        etree.fromstring(f'<renderer-v2 type="{kind}" {attributes}>{body}</renderer-v2>'), "x", Problems(strict=True)
    )


def room(count: int, addition: float = 0.0) -> Room:
    """One group around (100, 100), whose symbols are 10 pixels from corner to corner."""
    return Room(np.array([[100.0, 100.0]]), np.array([0, count]), np.full(count, 10.0), 6.0, addition, 0.5)


def test_a_ring_begins_below_its_centre_and_is_as_wide_as_its_members_need() -> None:
    places, labels = LAYOUTS["0"].places(room(8))
    radius = 8 * 10 / (2 * np.pi)
    assert places[0] == pytest.approx((100, 100 + radius))
    assert places[2] == pytest.approx((100 + radius, 100))  # counter-clockwise, y down
    assert labels[0] == pytest.approx((100, 100 + radius + 5))
    assert LAYOUTS["0"].places(room(2, addition=7.0))[0][0] == pytest.approx((100, 112))


def test_a_lone_point_stays_where_it_is() -> None:
    for layout in LAYOUTS.values():
        places, labels = layout.places(room(1))
        assert places.tolist() == [[100, 100]]
        assert labels.tolist() == [[105, 95]]


def test_rings_around_each_other_are_filled_one_after_the_other() -> None:
    places, _ = LAYOUTS["1"].places(room(7))
    distances = np.hypot(*(places - 100).T)
    assert distances == pytest.approx([8] * 5 + [18] * 2)  # five symbols fit on the first


@pytest.mark.parametrize(
    ("count", "rows"), [(4, [2, 2]), (5, [2, 2, 1]), (6, [2, 2, 2]), (7, [3, 3, 1]), (9, [3, 3, 3])]
)
def test_a_grid_has_rows_of_equal_length(count: int, rows: list[int]) -> None:
    places, _ = LAYOUTS["2"].places(room(count))
    assert np.unique(places[:, 1], return_counts=True)[1].tolist() == rows


def test_layouts_of_symbols_without_size_are_finite() -> None:
    nothing = Room(np.zeros((1, 2)), np.array([0, 5000]), np.zeros(5000), 0.0, -3.0)
    for layout in LAYOUTS.values():
        assert np.isfinite(layout.places(nothing)[0]).all()


def test_the_kernel_of_heat_is_quartic() -> None:
    kernel = quartic(10)
    assert kernel[10, [10, 11, 15, 20]].round(2).tolist() == [1.0, 0.98, 0.56, 0.0]


def test_heat_is_the_same_however_it_is_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heat_module, "TRANSFORM", 1.0)
    points = np.random.default_rng(2).uniform(-20.0, 80.0, (200, 2))
    weights = np.arange(200.0) - 20
    stamped = heat(points, weights, 7, (50, 60))
    monkeypatch.setattr(heat_module, "TRANSFORM", 0.0)
    assert np.abs(heat(points, weights, 7, (50, 60)) - stamped).max() < 1e-9
    alone = heat(np.array([[3.9, 5.2]]), np.ones(1), 2, (10, 10))
    assert alone[5, 3] == pytest.approx(1.0)  # at the whole cell
    assert alone.sum() == pytest.approx(quartic(2).sum())


def test_heat_shows_no_feature_to_be_asked_about_and_nothing_in_a_legend() -> None:
    ramp = '<colorramp type="gradient"><prop k="color1" v="0,0,0,0"/><prop k="color2" v="255,0,0,255"/></colorramp>'
    of = read("heatmapRenderer", 'radius="5" radius_unit="0"', ramp)
    assert not len(of.classify(Batch(np.arange(3), {}, None), Context(), 1.0))
    assert not of.legend()
    assert isinstance(of, WholeLayer)
    assert of.margin(SCALE) == 20.0


def shapes(*texts: str) -> GeometryArray:
    return decode(shapely.to_wkb(shapely.from_wkt(texts)).tolist())


LEFT, RIGHT = "POLYGON((0 0,2 0,2 2,0 2,0 0),(0.5 0.5,1 0.5,1 1,0.5 1,0.5 0.5))", "POLYGON((1 1,3 1,3 3,1 3,1 1))"
AROUND = Extent(-1.0, -1.0, 4.0, 4.0)


def test_features_of_the_same_symbols_are_one_class_in_order_of_appearance() -> None:
    jobs = Jobs(np.array([0, 1, 1, 2, 3, 3]), np.array([2, 0, 1, 2, 0, 1]))
    found = classes_of(jobs)
    assert found.rows.tolist() == [0, 1, 2, 3]
    assert found.classes.tolist() == [0, 1, 0, 1]
    assert found.first.tolist() == [0, 1]
    assert (found.jobs.rows.tolist(), found.jobs.symbols.tolist()) == ([0, 1, 1], [2, 0, 1])


def test_outside_of_polygons_where_two_overlap_it_is_filled_again_and_holes_are_polygons() -> None:
    found = holes_in(shapes(LEFT, RIGHT), np.zeros(2, dtype=np.int64), 1, AROUND)
    assert np.diff(found.parts).tolist() == [3, 1]
    assert np.diff(found.rings).tolist() == [5, 5, 5, 5]
    merged = to_shapely(beyond(shapes(LEFT, RIGHT), np.zeros(2, dtype=np.int64), 1, AROUND))[0]
    assert merged.area == pytest.approx(25 - 7 + 0.25)


def test_unions_by_group_join_lines_and_mend_what_crosses_itself() -> None:
    lines = to_shapely(union(shapes("LINESTRING(0 0,1 0)", "LINESTRING(1 0,2 0)"), np.zeros(2, dtype=np.int64), 1))
    assert lines[0].geom_type == "LineString"
    bow = shapes("POLYGON((0 0,2 2,2 0,0 2,0 0))", "POLYGON((0 0,1 0,1 1,0 0))", RIGHT)
    areas = shapely.area(to_shapely(union(bow, np.array([0, 0, 1]), 2)))
    assert areas[1] == 4.0
    assert areas[0] >= 2.0


def test_snapped_neighbours_share_their_boundary() -> None:
    pair = shapes("POLYGON((0 0,1.1 0,1.1 1.2,0 1,0 0))", "POLYGON((1.1 1.2,1.1 0,2 0,2 1,1.1 1.2))", "POINT(1.3 1.3)")
    coarse = to_shapely(snapped(pair, 0.5))
    assert coarse[0].intersection(coarse[1]).length == 1.0
    assert coarse[2].coords[0] == (1.5, 1.5)
    assert to_shapely(snapped(shapes("POLYGON((0 0,1 0,1 1,0 0))"), 100.0))[0].is_empty


@pytest.mark.parametrize(
    "kind", ["pointDisplacement", "pointCluster", "mergedFeatureRenderer", "invertedPolygonRenderer"]
)
def test_selected_features_stand_out_in_renderers_around_renderers(kind: str) -> None:
    of = read(kind)
    chosen = with_selection(of, [1], (1.0, 1.0, 0.0, 1.0))
    assert isinstance(chosen, Wrapping)
    assert chosen.classify(Batch(np.array([0, 1]), {}, None), Context(), 1.0).symbols.tolist() == [0, 1]
    assert [item.symbol for item in chosen.legend()] == [0]


def test_groups_that_overlap_are_drawn_one_after_the_other_and_others_together() -> None:
    """Two overlapping rings, one far away, then a lone point on the second, and a ring on all of them."""
    centers = np.array([[50.0, 50.0], [55.0, 50.0], [300.0, 300.0], [56.0, 50.0], [52.0, 50.0]])
    groups = Room(centers, np.array([0, 3, 6, 9, 10, 13]), np.full(13, 8.0), 6.0)
    places, _ = LAYOUTS["0"].places(groups)
    assert drawing_waves(groups, places, Canvas(400, 400)).tolist() == [1, 2, 1, 2, 3]
    assert fewer(np.arange(10**6)).max() < 5000
