"""Legends: lengths measured on QGIS Server 3.22 at 100 pixels per millimetre (DPI=2540), fonts of Debian."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from lxml import etree

from qgserver.draw.canvas import Canvas
from qgserver.draw.fonts import Font
from qgserver.draw.hinted import digit_height
from qgserver.draw.units import RenderScale
from qgserver.errors import Problems
from qgserver.expression.context import Context
from qgserver.project.model import Group, Project, ScaleRange, Style, VectorLayer
from qgserver.providers import Sources
from qgserver.providers.uri import parse_datasource
from qgserver.render.legend.icons import legend_json
from qgserver.render.legend.nodes import LayerNode, Node, legend_nodes
from qgserver.render.legend.picture import Sheet, draw_legend, draw_rule, lay_out
from qgserver.render.legend.request import LegendGroup, LegendRequest, LegendStyle, TextStyle
from qgserver.render.legend.swatch import Box, SwatchPainter
from qgserver.render.request import MapLayer
from qgserver.symbology.renderer import read_renderer
from qgserver.symbology.symbol import read_symbol

SOURCE = parse_datasource("memory", "Point", "")
PROJECT = Project("", (3, 22, 0), "", "", None, {}, Group(""))
LIBERATION = TextStyle("Liberation Sans")
STYLE = LegendStyle(title_text=LIBERATION, item_text=LIBERATION)
FILL = """<symbol name="{0}" type="fill" alpha="1"><layer class="SimpleFill" enabled="1" pass="0"><Option type="Map">
  <Option name="color" value="{1}"/><Option name="outline_style" value="no"/></Option></layer></symbol>"""
MARKER = """<symbol name="{0}" type="marker" alpha="1"><layer class="SimpleMarker" enabled="1" pass="0">
  <Option type="Map"><Option name="size" value="{1}"/><Option name="outline_style" value="no"/></Option></layer>
  </symbol>"""
LINE = '<symbol name="{0}" type="line" alpha="1"><layer class="SimpleLine" enabled="1" pass="0"/></symbol>'
RED, GREEN = "255,0,0,255", "0,255,0,255"


def layer(name: str, attributes: str, body: str, *symbols: str) -> VectorLayer:
    xml = f"<renderer-v2 {attributes}>{body}<symbols>{''.join(symbols)}</symbols></renderer-v2>"
    renderer = read_renderer(etree.fromstring(xml), name, Problems(strict=True))
    style = Style("default", renderer)
    return VectorLayer(name, name, name, SOURCE, None, styles={"default": style})


def single(name: str, symbol: str = FILL.format(0, RED)) -> VectorLayer:
    return layer(name, 'type="singleSymbol"', "", symbol)


def classes(name: str, *labels: str) -> VectorLayer:
    body = "".join(f'<category value="{i}" symbol="{i}" label="{label}"/>' for i, label in enumerate(labels))
    symbols = (FILL.format(i, RED) for i in range(len(labels)))
    return layer(name, 'type="categorizedSymbol" attr="n"', f"<categories>{body}</categories>", *symbols)


def nodes(*layers: VectorLayer, **wishes: object) -> tuple[Node, ...]:
    request = LegendRequest(tuple(MapLayer(one) for one in layers), STYLE)
    return legend_nodes(PROJECT, replace(request, **wishes), Sources())  # type: ignore[arg-type]


def size(entries: Iterable[Node], style: LegendStyle = STYLE) -> tuple[float, float]:
    sheet = lay_out(Sheet(style, RenderScale(100.0, 1.0, 0.0), 2540.0), tuple(entries))
    return sheet.pixels


def labels(entries: Iterable[Node]) -> list[list[str]]:
    return [[row.label for row in entry.rows] for entry in entries if isinstance(entry, LayerNode)]


FIVE = ("school", "farm", "mill", "shop", "park")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (2513, 4440)),
        ({"box_space": 0.0}, (2113, 4040)),
        ({"layer_space": 0.0}, (2513, 4440)),
        ({"title_space": 0.0}, (2513, 4140)),
        ({"symbol_space": 0.0}, (2513, 3440)),
        ({"titles": False}, (2513, 3550)),
        ({"titles": False, "symbol_space": 10.0}, (2513, 6750)),
        ({"item_text": replace(LIBERATION, points=9.0)}, (2225, 4440)),
        ({"title_text": replace(LIBERATION, points=30.0)}, (3993, 5010)),
    ],
)
def test_a_legend_is_as_large_as_qgis_makes_it(changes: dict[str, object], expected: tuple[int, int]) -> None:
    assert size(nodes(classes("c_polys", *FIVE)), replace(STYLE, **changes)) == expected  # type: ignore[arg-type]


def test_space_between_layers_is_that_of_titles_or_else_of_symbols() -> None:
    both = nodes(single("s_polys"), classes("c_polys", *FIVE))
    assert size(both, replace(STYLE, layer_space=10.0))[1] == 6730
    assert size(both, replace(STYLE, titles=False))[1] == 4150
    assert size(both, replace(STYLE, titles=False, symbol_space=10.0))[1] == 8150


def test_markers_take_their_own_size_and_push_the_labels_of_all_aside() -> None:
    body = (
        '<categories><category value="a" symbol="0" label="a"/><category value="b" symbol="1" label="b"/></categories>'
    )
    markers = MARKER.format(0, 2), MARKER.format(1, 12)
    entries = nodes(layer("x", 'type="categorizedSymbol" attr="n"', body, *markers))
    bare = replace(STYLE, titles=False, labels="none")
    assert size(entries, bare)[1] == 100 * (2 * 2 + 3.5 + 4 + 2 + 12)
    assert size(entries, bare)[0] - size(nodes(classes("x", "a", "b")), bare)[0] == 100 * (12 - 7)


def test_a_lone_symbol_bears_the_name_of_its_layer() -> None:
    rule = '<rules><rule symbol="0" label="rule"/></rules>'
    named = replace(single("name"), title="Title")
    entries = (named, classes("one", "label"), layer("r", 'type="RuleRenderer"', rule, FILL.format(0, RED)))
    assert labels(nodes(*entries)) == [["Title"], ["label"], ["r"]]
    assert labels(nodes(*entries, style=replace(STYLE, labels="classes"))) == [[""], ["label"], [""]]
    assert labels(nodes(*entries, style=replace(STYLE, labels="none"))) == [[" "], [" "], [" "]]


def test_a_scale_leaves_out_layers_and_rules() -> None:
    rules = """<rules><rule symbol="0" label="near" scalemaxdenom="1000"/><rule symbol="0" label="far"
      scalemindenom="1000"/><rule label="none"/></rules>"""
    ruled = layer("r", 'type="RuleRenderer"', rules, FILL.format(0, RED))
    plain = single("s")
    limited = replace(plain, styles={"default": replace(plain.style, scale_range=ScaleRange(500.0, 0.0))})
    assert labels(nodes(ruled, limited)) == [["near", "far", "none"], ["s"]]
    assert labels(nodes(ruled, limited, scale=400.0)) == [["near", "none"], ["s"]]
    assert labels(nodes(ruled, limited, scale=2000.0)) == [["far", "none"]]


def test_groups_keep_their_headings() -> None:
    group = LegendGroup("Group", (MapLayer(single("a")), LegendGroup("Empty", ())))
    entries = legend_nodes(PROJECT, LegendRequest((group, MapLayer(single("b"))), STYLE), Sources())
    document = legend_json(PROJECT, entries, 1.0)
    assert [node["title"] for node in document["nodes"]] == ["Group", "b"]  # type: ignore[index, union-attr]
    assert json.loads(json.dumps(document))["nodes"][0]["nodes"][0]["type"] == "layer"
    assert size(entries)[1] == size(nodes(single("a"), single("b")))[1] + 100 * (3.9 + 3)


def test_json_tells_labels_scales_and_icons() -> None:
    rules = '<rules><rule symbol="0" label="near" scalemaxdenom="1000"/><rule label="none"/></rules>'
    ruled = layer("r", 'type="RuleRenderer"', rules, FILL.format(0, RED))
    entry = json.loads(json.dumps(legend_json(PROJECT, nodes(ruled, single("s")), 1.0)))["nodes"]
    assert [sorted(row) for row in entry[0]["symbols"]] == [["icon", "scaleMaxDenom", "title"], ["title"]]
    assert (entry[0]["title"], entry[0]["type"]) == ("r", "layer")
    assert sorted(entry[1]) == ["icon", "title", "type"]


def draw(*entries: Node, dpi: float = 254.0) -> np.ndarray:
    sheet = lay_out(Sheet(replace(STYLE, titles=False), RenderScale(dpi / 25.4, 1.0, 0.0), dpi), entries)
    return draw_legend(PROJECT, sheet, sheet.pixels, (1.0, 1.0, 1.0, 1.0)).pixels()


def test_symbols_stand_where_qgis_draws_them() -> None:
    area = draw(*nodes(single("x")))
    ys, xs = np.nonzero((area == (0, 0, 255, 255)).all(axis=2))
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (20, 89, 55, 94)
    line = draw(*nodes(single("x", LINE.format(0))))
    assert {tuple(line[y, 55].tolist()) for y in (73, 76)} != {(255, 255, 255, 255)}
    assert line[70, 55].tolist() == [255, 255, 255, 255]


def test_a_translucent_layer_lets_the_background_through() -> None:
    plain = single("x")
    faint = replace(plain, styles={"default": replace(plain.style, opacity=0.5)})
    assert draw(*nodes(faint))[75, 55].tolist() in ([127, 127, 255, 255], [128, 128, 255, 255])


def test_data_defined_properties_count_where_no_feature_is_needed() -> None:
    def symbol(expression: str) -> str:
        properties = f"""<data_defined_properties><Option type="Map"><Option name="properties" type="Map">
          <Option name="fillColor" type="Map"><Option name="active" value="true"/><Option name="type" value="3"/>
          <Option name="expression" value="{expression}"/></Option></Option></Option></data_defined_properties>"""
        return FILL.format(0, RED).replace("</layer>", properties + "</layer>")

    assert draw(*nodes(single("x", symbol("'lime'"))))[75, 55].tolist() == [0, 255, 0, 255]
    assert draw(*nodes(single("x", symbol("coalesce(&quot;n&quot;, 'lime')"))))[75, 55].tolist() == [0, 0, 255, 255]


def test_a_rule_alone_is_drawn_at_half_the_height() -> None:
    node = nodes(single("x"))[0]
    assert isinstance(node, LayerNode)
    sheet = Sheet(STYLE, RenderScale(10.0, 1.0, 0.0), 254.0)
    canvas = draw_rule(PROJECT, (node, node.rows[0]), sheet, (100, 80), None)
    ys, xs = np.nonzero(canvas.pixels()[..., 3])
    assert (xs.min(), ys.min()) == (0, 20)
    assert (xs.max(), ys.max()) == (68, 59)


@pytest.mark.parametrize(
    ("family", "sizes"),
    [
        ("Liberation Sans", {28: 19, 35: 24, 42: 29, 50: 36, 51: 38}),
        ("DejaVu Sans", {28: 21, 32: 23, 35: 27, 42: 33, 53: 41}),
        ("DejaVu Serif", {28: 21, 32: 23, 35: 27, 42: 33}),
    ],
)
def test_digits_are_as_tall_as_light_hinting_makes_them(family: str, sizes: dict[int, int]) -> None:
    assert {size: digit_height(Font(family, size)) for size in sizes} == sizes


def generator_swatch(expression: str, kind: str, inner: str) -> Canvas:
    text = (
        f'<symbol type="fill"><layer class="GeometryGenerator"><prop k="SymbolType" v="{kind}"/>'
        f'<prop k="geometryModifier" v="{expression}"/><symbol type="{kind.lower()}">{inner}</symbol></layer></symbol>'
    )
    symbol = read_symbol(etree.fromstring(text), "layer", Problems())
    canvas = Canvas(40, 30)
    SwatchPainter(RenderScale(4.0, 1.0, 0.0), Context()).draw(canvas, symbol, Box(5.0, 5.0, 28, 16))
    return canvas


def test_geometry_is_generated_from_the_shape_of_the_swatch() -> None:
    """Measured: its pixels are the units of the expression."""
    alpha = generator_swatch("buffer($geometry, -4)", "Fill", '<layer class="SimpleFill"/>').pixels()[:, :, 3]
    assert alpha[13, 19] == 255 and not alpha[7].any() and not alpha[13, :8].any()


def test_where_no_geometry_is_generated_the_inner_symbol_is_shown() -> None:
    line = '<layer class="SimpleLine"><prop k="line_width" v="1"/></layer>'
    alpha = generator_swatch("make_line($geometry, &quot;x&quot;)", "Line", line).pixels()[:, :, 3]
    assert alpha[13, 10:30].all() and not alpha[20].any()
