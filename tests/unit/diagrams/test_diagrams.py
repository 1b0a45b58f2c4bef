"""Diagrams: reading, sizes and the pictures of each kind, by the rules measured on QGIS."""

import math

import numpy as np
import pytest
import shapely

from qgserver.diagrams.model import Diagram, Interpolation, Pair, kinds
from qgserver.diagrams.reading import read_diagrams
from qgserver.diagrams.register import DiagramSource
from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale
from qgserver.expression.context import Context
from qgserver.expression.nodes import FieldRef
from qgserver.geo.extent import Extent
from qgserver.labeling.register import Features
from qgserver.providers.batch import Batch, Column
from qgserver.symbology.env import Env

SCALE = RenderScale(1.0, 1.0, 1000.0)
XML = """<diagrams>
  <{renderer} diagramType="{kind}" attributeLegend="1" {extra}>
    <DiagramCategory width="20" height="20" sizeType="MM" penWidth="0" penAlpha="0" backgroundAlpha="0" barWidth="5"
        rotationOffset="270" diagramOrientation="{orientation}" scaleDependency="Area" minimumSize="0" opacity="1">
      <fontProperties description="DejaVu Sans,6,-1,5,50,0,0,0,0,0" style=""/>
      <attribute color="#ff0000" colorOpacity="1" field="&quot;a&quot;" label="A"/>
      <attribute color="#0000ff" colorOpacity="1" field="&quot;b&quot;" label=""/>
    </DiagramCategory>
  </{renderer}>
  <DiagramLayerSettings placement="1" priority="7" showAll="0" dist="2" zIndex="3"/>
</diagrams>"""
FIXED, GROWING = "SingleCategoryDiagramRenderer", "LinearlyInterpolatedDiagramRenderer"
RED, BLUE, NOTHING = (255, 0, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)


def xml(kind: str, orientation: str = "Up", renderer: str = FIXED, extra: str = "") -> str:
    return XML.format(kind=kind, orientation=orientation, renderer=renderer, extra=extra)


def drawn(kind: str, values: tuple[float | None, ...], orientation: str = "Up") -> Canvas:
    found, problems = read_diagrams(xml(kind, orientation), "layer")
    assert found is not None
    assert not problems
    diagram = Diagram(kind, found.category, values, ("1", "2"), (20.0, 20.0), start=found.category.rotation)
    canvas = Canvas(40, 40)
    kinds[kind].draw(canvas, diagram, (10.0, 30.0), SCALE)
    return canvas


def color(canvas: Canvas, x: int, y: int) -> tuple[int, ...]:
    blue, green, red, alpha = canvas.pixels()[y, x].tolist()
    return red, green, blue, alpha


def test_settings_are_read() -> None:
    found, _ = read_diagrams(xml("Pie"), "layer")
    assert found is not None
    assert (found.priority, found.distance, found.z_index, found.show_all) == (7.0, 2.0, 3.0, False)
    assert [one.label for one in found.category.attributes] == ["A", '"b"']
    assert found.used_fields() == {"a", "b"}


def test_unknown_diagrams_are_a_problem_and_nothing_else() -> None:
    found, problems = read_diagrams(xml("Sunburst"), "layer")
    assert found is None
    assert [problem.element for problem in problems] == ["diagram Sunburst"]


def test_pies_begin_at_noon_and_go_to_the_left() -> None:
    canvas = drawn("Pie", (3.0, 1.0))
    assert color(canvas, 15, 15) == RED
    assert color(canvas, 15, 25) == RED
    assert color(canvas, 25, 25) == RED
    assert color(canvas, 25, 15) == BLUE


@pytest.mark.parametrize(("orientation", "red"), [("Up", (12, 28)), ("Down", (12, 21)), ("Right", (12, 22))])
def test_bars_grow_from_their_side(orientation: str, red: Pair) -> None:
    assert color(drawn("Histogram", (10.0, 5.0), orientation), *map(int, red)) == RED


def test_stacked_bars_share_their_length() -> None:
    canvas = drawn("Stacked", (1.0, 3.0))
    rows = canvas.pixels()[:, 20, 2]
    assert int((rows == 255).sum()) == 5


@pytest.mark.parametrize("by_area", [True, False])
def test_sizes_between_two_values(by_area: bool) -> None:
    growing = Interpolation(FieldRef("a"), 0.0, 100.0, (0.0, 0.0), (10.0, 20.0))
    assert growing.size(25.0, by_area) == ((5.0, 10.0) if by_area else (2.5, 5.0))


@pytest.mark.parametrize("values", [(None, None), (0.0, 0.0), (-1.0, -5.0), (math.nan, 0.0)])
def test_pies_of_nothing_are_not_drawn(values: tuple[float | None, ...]) -> None:
    found, _ = read_diagrams(xml("Pie"), "layer")
    assert found is not None
    width, _ = kinds["Pie"].size(Diagram("Pie", found.category, values, ("", ""), (0.0, 0.0)), (20.0, 20.0), SCALE)
    assert not width > 0


def test_broken_settings_are_read() -> None:
    found, _ = read_diagrams(xml("Pie").replace('"20"', '"1e999"').replace("#ff0000", "nothing"), "layer")
    assert found is not None
    assert np.isfinite(found.category.width)


def test_distances_from_points_are_pixels_at_any_resolution() -> None:
    diagrams, _ = read_diagrams(xml("Pie"), "layer")
    assert diagrams is not None
    batch = Batch(np.array([1]), {name: Column(np.array([1.0]), None) for name in "ab"}, None)
    shapes = np.array([shapely.Point(50, 50)])
    for px_per_mm in (1.0, 4.0):
        scale = RenderScale(px_per_mm, 1.0, 1000.0)
        env = Env(scale, Context(), batch, Extent(0, 0, 100, 100))
        features = Features(env, np.array([0]), lambda _: shapes, lambda _: shapes, lambda _, __: shapes, np.copy, {})
        source = DiagramSource(0, "layer", diagrams, scale, 100.0, 100.0)
        source.add(features)
        (item,) = source.finish()
        assert (item.width, item.placing.distance) == (20.0 * px_per_mm, 2.0)
