"""The order of painting, seen in single pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lxml import etree

from qgserver.draw.canvas import Antialias, Canvas
from qgserver.draw.units import RenderScale
from qgserver.errors import Problems
from qgserver.expression.context import Context
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import POLYGON, GeometryArray
from qgserver.providers.batch import Batch, Column
from qgserver.render.painter import Painting, has_levels, paint, paint_levels
from qgserver.symbology.env import Env
from qgserver.symbology.renderer import Renderer, read_renderer

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
SIZE = 120


def squares(corners: list[tuple[float, float]], side: float) -> GeometryArray:
    ring = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], dtype=np.float64) * side
    coords = np.concatenate([ring + corner for corner in corners])
    steps = np.arange(len(corners) + 1)
    return GeometryArray(np.full(len(corners), POLYGON, np.uint8), coords, steps * 5, steps, steps)


def fill(name: int, *colors: tuple[int, int, int]) -> str:
    layers = "".join(
        f'<layer class="SimpleFill" enabled="1" pass="{level}"><Option type="Map">'
        f'<Option name="color" value="{",".join(map(str, color))},255"/><Option name="outline_style" value="no"/>'
        "</Option></layer>"
        for level, color in enumerate(colors)
    )
    return f'<symbol name="{name}" type="fill" alpha="1">{layers}</symbol>'


def categorized(symbols: list[str], levels: bool = False) -> Renderer:
    categories = "".join(f'<category value="{i}" symbol="{i}"/>' for i in range(len(symbols)))
    xml = (
        f'<renderer-v2 type="categorizedSymbol" attr="c" symbollevels="{int(levels)}"><categories>{categories}'
        f"</categories><symbols>{''.join(symbols)}</symbols></renderer-v2>"
    )
    return read_renderer(etree.fromstring(xml), "layer", Problems(strict=True))


def painting(
    canvas: Canvas, of: Renderer, classes: list[int], geometry: GeometryArray, antialias: Antialias = "exact"
) -> Painting:
    batch = Batch(np.arange(len(classes)), {"c": Column(np.array(classes))}, geometry)
    env = Env(RenderScale(4.0, 1.0, 1000.0), Context(), batch, Extent(0, 0, SIZE, SIZE))
    return Painting(canvas, env, geometry, of.classify(batch, Context(), 1000.0), antialias)


def color(canvas: Canvas, x: int, y: int) -> tuple[int, ...]:
    return tuple(canvas.pixels()[y, x, 2::-1].tolist())


@pytest.mark.parametrize("antialias", ["exact", "fast"])
def test_later_features_lie_on_top_whatever_their_class(antialias: Antialias) -> None:
    canvas = Canvas(SIZE, SIZE)
    of = categorized([fill(0, RED), fill(1, GREEN)])
    paint(painting(canvas, of, [1, 0, 1], squares([(0, 0), (50, 50), (80, 80)], 60), antialias), of)
    assert [color(canvas, 10, 10), color(canvas, 55, 55), color(canvas, 100, 100)] == [GREEN, RED, GREEN]


def test_symbol_levels_hold_over_all_batches_of_a_layer() -> None:
    canvas = Canvas(SIZE, SIZE)
    of = categorized([fill(0, RED, BLUE)], levels=True)
    assert has_levels(of)
    first = painting(canvas, of, [0], squares([(0, 0)], 60))
    second = painting(canvas, of, [0], squares([(30, 30)], 60))
    paint_levels([first, second], of)
    assert color(canvas, 40, 40) == BLUE
    narrow = categorized([fill(0, RED), fill(1, GREEN)])
    assert not has_levels(narrow)


def test_a_crowd_of_squares_side_by_side_keeps_its_colours() -> None:
    """4000 squares of 2 px in two classes: each pixel shows its own square."""
    canvas = Canvas(SIZE, SIZE)
    cells = [(x * 2.0, y * 2.0) for y in range(60) for x in range(60)]
    classes = [(i * 7 + i // 60) % 2 for i in range(len(cells))]
    of = categorized([fill(0, RED), fill(1, GREEN)])
    paint(painting(canvas, of, classes, squares(cells, 2.0), "fast"), of)
    pixels = canvas.pixels()[::2, ::2, 2::-1].reshape(-1, 3)
    expected = np.where(np.array(classes)[:, None] == 0, RED, GREEN)
    assert (np.abs(pixels.astype(int) - expected) <= 1).all()


def test_data_defined_colours_follow_the_features() -> None:
    canvas = Canvas(SIZE, SIZE)
    defined = (
        '<data_defined_properties><Option type="Map"><Option name="properties" type="Map">'
        '<Option name="fillColor" type="Map"><Option name="active" value="true"/><Option name="type" value="3"/>'
        '<Option name="expression" value="if(&quot;c&quot; = 1, \'0,0,255\', NULL)"/></Option></Option></Option>'
        "</data_defined_properties></layer>"
    )
    of = categorized([fill(0, RED).replace("</layer>", defined), fill(1, RED).replace("</layer>", defined)])
    paint(painting(canvas, of, [0, 1], squares([(0, 0), (60, 60)], 50)), of)
    assert [color(canvas, 10, 10), color(canvas, 70, 70)] == [RED, BLUE]


def generator(expression: str, symbol: str) -> str:
    return (
        '<layer class="GeometryGenerator" enabled="1"><Option type="Map"><Option name="SymbolType" value="Fill"/>'
        f'<Option name="geometryModifier" value="{expression}"/></Option>{symbol}</layer>'
    )


def test_buildings_hide_those_before_them_however_many_they_are() -> None:
    """The roof of an earlier one lies below the wall of the last one."""
    canvas = Canvas(SIZE, SIZE)
    roof = generator("translate($geometry, 30, 0)", fill(0, GREEN))
    symbol = fill(0, RED).replace("</symbol>", f"{roof}</symbol>")
    of = read_renderer(etree.fromstring(f'<renderer-v2 type="25dRenderer">{symbol}</renderer-v2>'), "x", Problems())
    assert of.common.one_by_one
    assert not of.legend()
    houses = painting(canvas, of, [0] * 100, squares([(0.0, 0.0)] * 99 + [(30.0, 0.0)], 30), "fast")
    paint(replace(houses, one_by_one=True), of)
    assert [color(canvas, x, 10) for x in (10, 40, 70)] == [RED, RED, GREEN]


def test_expressions_know_the_symbols_colour_and_the_part_that_was_generated() -> None:
    """Two parts, the second one (x from 60) darker than the symbol."""
    canvas = Canvas(SIZE, SIZE)
    darker = "if(x_min(geometry_n($geometry, @geometry_part_num)) &gt; 50, darker(@symbol_color, 200), @symbol_color)"
    defined = (
        '<data_defined_properties><Option type="Map"><Option name="properties" type="Map">'
        '<Option name="fillColor" type="Map"><Option name="active" value="true"/><Option name="type" value="3"/>'
        f'<Option name="expression" value="{darker}"/></Option></Option></Option></data_defined_properties></layer>'
    )
    parts = "collect_geometries($geometry, translate($geometry, 60, 0))"
    inner = fill(0, RED).replace("</layer>", defined)
    of = categorized([f'<symbol name="0" type="fill">{generator(parts, inner)}</symbol>'])
    paint(painting(canvas, of, [0], squares([(0, 0)], 50)), of)
    assert [color(canvas, 10, 10), color(canvas, 70, 10)] == [RED, (127, 0, 0)]
