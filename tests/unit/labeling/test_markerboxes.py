"""Boxes of markers, as QGIS's symbols give them (3.5714 pixels per mm)."""

from __future__ import annotations

import numpy as np
import pytest

from qgserver.draw.units import RenderScale
from qgserver.expression.context import Context
from qgserver.geo.extent import Extent
from qgserver.labeling.markerboxes import MarkerBoxes, Sides, boxes_at
from qgserver.providers.batch import Batch
from qgserver.symbology.env import Env
from qgserver.symbology.layers.ellipsemarker import EllipseMarker
from qgserver.symbology.layers.simplemarker import SimpleMarker
from qgserver.symbology.options import Length, Offset
from qgserver.symbology.symbol import Symbol, SymbolLayer

ROW = np.zeros(1, dtype=np.int64)


def sides(*layers: SymbolLayer) -> Sides:
    env = Env(RenderScale(3.5714, 1.0, 1000.0), Context(), Batch(ROW, {}, None), Extent(0, 0, 100, 100))
    return MarkerBoxes(env, [Symbol("marker", layers)]).sides(ROW, ROW)[0]


def test_boxes_have_a_pixel_for_smooth_edges() -> None:
    assert sides(SimpleMarker(size=Length(1.6), stroke_style="no")) == pytest.approx(
        (-3.357, -3.357, 3.357, 3.357), abs=1e-3
    )
    assert sides(SimpleMarker(size=Length(1.6), stroke_width=Length(0.4)))[2] == pytest.approx(4.0714, abs=1e-3)


def test_turned_and_moved_boxes() -> None:
    left, bottom, right, top = sides(
        SimpleMarker(name="triangle", size=Length(2.0), stroke_style="no", angle=30.0, offset=Offset(1.0, 2.0))
    )
    assert (left, right - left) == pytest.approx((-5.857, 10.757), abs=1e-3)
    assert (-top, top - bottom) == pytest.approx((2.593, 10.757), abs=1e-3)


def test_ellipses_have_two_sizes() -> None:
    ellipse = EllipseMarker(width=Length(3.0), height=Length(2.0), stroke_width=Length(0.2))
    assert sides(ellipse) == pytest.approx((-6.214, -4.4285, 6.214, 4.4285), abs=1e-3)


def test_several_layers_are_in_one_box() -> None:
    small, large = (SimpleMarker(size=Length(size), stroke_style="no") for size in (1.0, 3.0))
    assert sides(small, large) == sides(large)


def test_boxes_end_at_whole_pixels_counted_from_above() -> None:
    boxes = boxes_at(np.array([[20.3, 80.2]]), np.array([[-2.5, -2.5, 2.5, 2.5]]), 100.0)
    assert boxes.tolist() == [[17.0, 78.0, 22.0, 83.0]]
