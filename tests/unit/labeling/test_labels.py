"""Labels between their features and the engine."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from qgserver.draw.fonts import Font
from qgserver.labeling.block import typesetter
from qgserver.labeling.defined import NOTHING_OWN, Own, own_of, with_values
from qgserver.labeling.directions import with_directions
from qgserver.labeling.labels import Label, aligned_corner, label_angle, limited, merged
from qgserver.labeling.model import Item, LineFlags, Mode, Placed, Placing, PolygonFlags
from qgserver.labeling.settings import LabelSettings, Placement
from qgserver.labeling.textformat import TextFormat
from qgserver.labeling.variants import DirectedContent

FONT = Font("DejaVu Sans", 13)


def label(feature: int, text: str = "a", *points: tuple[float, float]) -> Label:
    geometry = shapely.LineString(points) if points else shapely.Point(0, 0)
    return Label(Item(0, "layer", feature, geometry, 10.0, 10.0, Placing(), None), text)


def test_the_first_features_are_labelled() -> None:
    labels = [label(1), label(1), label(2), label(3)]
    assert [one.item.feature for one in limited(labels, 2)] == [1, 1, 2]
    assert limited(labels, None) is labels
    assert limited(labels, 0) == []


def test_lines_of_one_text_are_merged() -> None:
    labels = [label(1, "a", (0, 0), (1, 0)), label(2, "b", (1, 0), (2, 0)), label(3, "a", (1, 0), (1, 5)), label(4)]
    found = merged(labels)
    assert [one.item.feature for one in found] == [2, 3, 4]
    assert found[1].item.geometry.length == 6


def test_angles() -> None:
    assert label_angle(Placement(), NOTHING_OWN) is None
    assert label_angle(Placement(rotation=24.0), NOTHING_OWN) == pytest.approx(math.radians(336))
    assert label_angle(Placement(rotation=24.0), Own(rotation=0.0)) == 0.0
    in_radians = Placement(rotation_unit="AngleRadians")
    assert label_angle(in_radians, Own(rotation=0.5)) == pytest.approx(math.tau - 0.5)


def test_pinned_corners() -> None:
    block = typesetter(TextFormat(), FONT).block("Lyon")
    assert aligned_corner((5.0, 7.0), block, NOTHING_OWN, 0.0) == (5.0, 7.0)
    x, y = aligned_corner((5.0, 7.0), block, Own(horizontal="right", vertical="top"), 0.0)
    assert (x, y) == pytest.approx((5.0 - block.width, 7.0 - block.height))
    x, y = aligned_corner((0.0, 0.0), block, Own(horizontal="center"), math.pi / 2)
    assert (x, y) == pytest.approx((0.0, -block.width / 2))
    low, half, cap = (aligned_corner((0.0, 0.0), block, Own(vertical=v), 0.0)[1] for v in ("base", "half", "cap"))
    assert 0 > low > half > cap > -block.height
    assert half == pytest.approx((low + cap) / 2)


def test_data_define_settings() -> None:
    values = {"OffsetQuad": 3, "LinePlacementFlags": "BL, LO", "PolygonLabelOutside": "yes", "LabelDistance": "2"}
    placement = with_values(LabelSettings(), values).placement
    assert (placement.quadrant, placement.fixed_quadrant) == (3, True)
    assert placement.line_flags == LineFlags.BELOW
    assert placement.polygon_flags == PolygonFlags.INSIDE | PolygonFlags.OUTSIDE
    assert placement.distance.value == 2
    assert with_values(LabelSettings(), {"PolygonLabelOutside": "force"}).placement.mode == Mode.OUTSIDE


def test_odd_values_leave_the_settings() -> None:
    values = {"OffsetQuad": 9, "LinePlacementFlags": "?", "LabelDistance": "far", "MultiLineAlignment": 7}
    changed = with_values(LabelSettings(), values)
    assert changed == LabelSettings()


def test_own_values() -> None:
    own = own_of({"PositionX": 1, "PositionY": "2.5", "Show": 0, "Hali": "Center", "IsObstacle": False})
    assert own == Own(position=(1.0, 2.5), horizontal="center", show=False, obstacle=False)
    assert own_of({"PositionX": 1, "PositionY": None, "LabelRotation": "x"}) == NOTHING_OWN
    assert own_of({"PositionPoint": shapely.Point(3, 4)}).position == (3.0, 4.0)


def test_labels_that_run_against_their_line_have_the_other_symbol() -> None:
    block, against = (typesetter(TextFormat(), FONT).block(text) for text in ("a>", "<a"))
    content = DirectedContent(block, TextFormat(), against=against)
    line = shapely.LineString([(100, 0), (0, 0)])
    item = Item(0, "layer", 1, line, 20.0, 10.0, Placing(Mode.LINE), content)
    placed = [Placed(item, 40.0, 1.0), Placed(item, 60.0, -1.0, math.pi)]
    glyphs = np.array([[40.0, 1.0, 0.0], [50.0, 1.0, 0.0]])
    found = with_directions([*placed, Placed(item, 40.0, 1.0, glyphs=glyphs)])
    blocks = [one.item.content.block for one in found if isinstance(one.item.content, DirectedContent)]
    assert blocks == [against, block, against]
