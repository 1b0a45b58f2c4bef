"""Styles that clients send: what is read of them, what is drawn, what is refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from PIL import Image
from werkzeug.test import Client, TestResponse

from qgserver.app import Application
from qgserver.errors import OwsError
from qgserver.expression.nodes import Node
from qgserver.ows.sldread import MAX_RULES, read_document, user_renderer
from qgserver.ows.sldsymbols import symbol_layers
from qgserver.settings import Settings
from qgserver.symbology.layers.simplefill import SimpleFill
from qgserver.symbology.layers.simpleline import SimpleLine
from qgserver.symbology.layers.simplemarker import SimpleMarker
from qgserver.symbology.options import Length, Offset
from qgserver.symbology.renderers.rules import RuleRenderer
from qgserver.symbology.renderers.single import SingleRenderer
from qgserver.symbology.symbol import SymbolLayer

FIXTURES = Path(__file__).parents[3] / "fixtures"
SE = 'xmlns="http://www.opengis.net/se" xmlns:ogc="http://www.opengis.net/ogc"'
RED = '<PolygonSymbolizer><Fill><SvgParameter name="fill">#ff0000</SvgParameter></Fill></PolygonSymbolizer>'
OLD = (
    "<sld:StyledLayerDescriptor xmlns:sld='http://www.opengis.net/sld' version='1.0.0'><sld:NamedLayer>"
    "<sld:Name>polyshort</sld:Name><sld:UserStyle><sld:FeatureTypeStyle><sld:Rule><sld:PolygonSymbolizer><sld:Fill>"
    "<sld:CssParameter name='fill'>#ff0000</sld:CssParameter></sld:Fill></sld:PolygonSymbolizer></sld:Rule>"
    "</sld:FeatureTypeStyle></sld:UserStyle></sld:NamedLayer></sld:StyledLayerDescriptor>"
)


def style(rules: str) -> str:
    return f"<UserStyle><FeatureTypeStyle>{rules}</FeatureTypeStyle></UserStyle>"


def sld(rules: str, layer: str = "polyshort") -> str:
    named = f"<NamedLayer><Name>{layer}</Name>{style(rules)}</NamedLayer>"
    return f'<StyledLayerDescriptor {SE} version="1.1.0">{named}</StyledLayerDescriptor>'


def condition(field: str, literal: str) -> str:
    test = f"<ogc:PropertyName>{field}</ogc:PropertyName><ogc:Literal>{literal}</ogc:Literal>"
    return f"<ogc:Filter><ogc:PropertyIsGreaterThan>{test}</ogc:PropertyIsGreaterThan></ogc:Filter>"


def element(text: str) -> etree._Element:
    (found,) = etree.fromstring(f"<x {SE}>{text}</x>")
    return found


def drawn(text: str, kind: str) -> tuple[SymbolLayer, ...]:
    return symbol_layers(element(text), kind)


# -- symbolizers ----------------------------------------------------------------------------------------------------


def test_polygon() -> None:
    stroke = '<Stroke><SvgParameter name="stroke-width">2</SvgParameter></Stroke>'
    fill = '<Fill><SvgParameter name="fill-opacity"><ogc:Literal>0.5</ogc:Literal></SvgParameter></Fill>'
    (layer,) = drawn(f"<PolygonSymbolizer>{fill}{stroke}</PolygonSymbolizer>", "fill")
    assert isinstance(layer, SimpleFill) and layer.in_sequence
    assert layer.color == pytest.approx((128 / 255, 128 / 255, 128 / 255, 0.5), abs=0.01), "grey when nothing is said"
    assert (layer.stroke_color, layer.stroke_width) == ((0.0, 0.0, 0.0, 1.0), Length(2.0, "Pixel"))
    (bare,) = drawn("<PolygonSymbolizer/>", "fill")
    assert isinstance(bare, SimpleFill) and (bare.style, bare.stroke_style) == ("no", "no")


def test_line() -> None:
    stroke = (
        '<Stroke><SvgParameter name="stroke">#0000ff</SvgParameter><SvgParameter name="stroke-dasharray">{}'
        '</SvgParameter><SvgParameter name="stroke-linecap">butt</SvgParameter></Stroke>'
    )
    text = (
        f'<LineSymbolizer uom="http://www.opengeospatial.org/se/units/metre">{stroke.format("5 3 1")}</LineSymbolizer>'
    )
    (layer,) = drawn(text, "line")
    assert isinstance(layer, SimpleLine)
    assert (layer.color, layer.width, layer.cap) == ((0.0, 0.0, 1.0, 1.0), Length(1, "RenderMetersInMapUnits"), "flat")
    assert layer.custom_dash and layer.dashes == (5, 3, 1, 5, 3, 1), "an odd list is repeated (SVG 1.1 clause 11.4)"
    (dotted,) = drawn(f"<LineSymbolizer>{stroke.format('1 2')}</LineSymbolizer>", "line")
    assert isinstance(dotted, SimpleLine) and (dotted.style, dotted.custom_dash) == ("dot", False)


def test_point() -> None:
    graphic = (
        "<Graphic><Mark><WellKnownName>star</WellKnownName><Fill/></Mark><Size>12</Size><Rotation>45</Rotation>"
        "<Displacement><DisplacementX>3</DisplacementX><DisplacementY>-4</DisplacementY></Displacement></Graphic>"
    )
    (layer,) = drawn(f"<PointSymbolizer>{graphic}</PointSymbolizer>", "marker")
    assert isinstance(layer, SimpleMarker)
    assert (layer.name, layer.size, layer.angle, layer.stroke_style) == ("star", Length(12, "Pixel"), 45.0, "no")
    assert layer.offset == Offset(3, -4, "Pixel")
    (bare,) = drawn("<PointSymbolizer/>", "marker")
    assert isinstance(bare, SimpleMarker) and (bare.name, bare.size) == ("square", Length(6, "Pixel"))


@pytest.mark.parametrize(
    ("name", "kind", "class_name"),
    [
        ("PointSymbolizer", "fill", "CentroidFill"),
        ("PointSymbolizer", "line", "MarkerLine"),
        ("LineSymbolizer", "fill", "SimpleLine"),
        ("PolygonSymbolizer", "line", None),
        ("TextSymbolizer", "marker", None),
    ],
)
def test_symbolizers_of_other_kinds(name: str, kind: str, class_name: str | None) -> None:
    layers = drawn(f"<{name}><Stroke/></{name}>", kind)
    assert [type(layer).__name__ for layer in layers] == ([class_name] if class_name else [])


@pytest.mark.parametrize(
    "text",
    [
        "<Graphic><ExternalGraphic><OnlineResource href='http://x/'/></ExternalGraphic></Graphic>",
        "<Graphic><Mark/><Size>1e9</Size></Graphic>",
        "<Graphic><Mark/><Size>nan</Size></Graphic>",
        "<Graphic><Mark/><Size><ogc:PropertyName>secret</ogc:PropertyName></Size></Graphic>",
        '<Graphic><Mark><Fill><SvgParameter name="fill">url(file:///x)</SvgParameter></Fill></Mark></Graphic>',
    ],
)
def test_symbolizers_that_are_refused(text: str) -> None:
    with pytest.raises(OwsError):
        drawn(f"<PointSymbolizer>{text}</PointSymbolizer>", "marker")


# -- rules ----------------------------------------------------------------------------------------------------------


def renderer(rules: str) -> object:
    def read(found: etree._Element) -> Node | None:
        return None

    return user_renderer(element(style(rules)), "fill", read)


def test_rules() -> None:
    assert isinstance(renderer(f"<Rule>{RED}</Rule>"), SingleRenderer)
    title = "<Description><Title>high</Title></Description>"
    limits = "<MinScaleDenominator>100</MinScaleDenominator><MaxScaleDenominator>2e3</MaxScaleDenominator>"
    made = renderer(f"<Rule>{title}{limits}{RED}</Rule><Rule><Name>rest</Name><ElseFilter/>{RED}{RED}</Rule><Rule/>")
    assert isinstance(made, RuleRenderer)
    high, rest, empty = made.root.children
    assert (high.label, high.min_scale, high.max_scale, high.is_else) == ("high", 100, 2000, False)
    assert (rest.label, rest.is_else, len(made.symbols[rest.symbol].layers)) == ("rest", True, 2)
    assert empty.symbol == -1


@pytest.mark.parametrize(
    "text",
    [
        "<a/>",
        "no xml",
        '<!DOCTYPE x [<!ENTITY e "boom">]><StyledLayerDescriptor/>',
        "<StyledLayerDescriptor/>",
        "<StyledLayerDescriptor><UserLayer/></StyledLayerDescriptor>",
        sld("<Rule/>" * (MAX_RULES + 1)),
    ],
)
def test_documents_that_are_refused(text: str) -> None:
    with pytest.raises(OwsError):
        read_document(text)


# -- requests -------------------------------------------------------------------------------------------------------


QUERY = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "REQUEST": "GetMap",
    "CRS": "EPSG:2154",
    "BBOX": "842000,6517000,850000,6523000",
    "WIDTH": "80",
    "HEIGHT": "60",
    "FORMAT": "image/png",
}


def ask(query: dict[str, str]) -> TestResponse:
    app = Application(Settings(project_file=str(FIXTURES / "projects/tree.qgs")))
    return Client(app).post("/", data=QUERY | query)


def red(answer: TestResponse) -> int:
    assert answer.status_code == 200, answer.text
    pixels = np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGB"))
    return int((pixels == (255, 0, 0)).all(axis=2).sum())


def test_a_map_in_the_clients_style() -> None:
    every = red(ask({"SLD_BODY": sld(f"<Rule>{RED}</Rule>")}))
    assert every > 500
    assert red(ask({"SLD_BODY": OLD, "LAYERS": "lines", "STYLES": "x"})) == every, "LAYERS and STYLES do not count"
    some = red(ask({"SLD_BODY": sld(f"<Rule>{condition('val', '30')}{RED}</Rule>")}))
    assert 0 < some < every
    hidden_by_scale = f"<Rule><MaxScaleDenominator>10</MaxScaleDenominator>{RED}</Rule>"
    assert red(ask({"SLD_BODY": sld(hidden_by_scale)})) == 0


def test_feature_info_and_legend_in_the_clients_style() -> None:
    info = {"REQUEST": "GetFeatureInfo", "QUERY_LAYERS": "polyshort", "I": "40", "J": "30", "FEATURE_COUNT": "9"}
    wide = info | {"FI_POLYGON_TOLERANCE": "40"}
    assert ask(wide | {"SLD_BODY": sld(f"<Rule>{RED}</Rule>")}).text.count("Feature ") > 1
    assert ask(wide | {"SLD_BODY": sld(f"<Rule>{condition('val', '1e9')}{RED}</Rule>")}).text.count("Feature ") == 0
    assert red(ask({"REQUEST": "GetLegendGraphic", "SLD_BODY": sld(f"<Rule>{RED}</Rule>")})) > 100


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"SLD": "http://example.org/style.sld", "LAYERS": "polyshort"}, "InvalidParameterValue"),
        ({"SLD_BODY": sld("<Rule/>", "nope")}, "LayerNotDefined"),
        ({"SLD_BODY": sld(f"<Rule>{condition('nope', '1')}{RED}</Rule>")}, "InvalidParameterValue"),
    ],
)
def test_requests_that_are_refused(query: dict[str, str], code: str) -> None:
    answer = ask(query)
    assert answer.status_code == 400 and f'code="{code}"' in answer.text, answer.text
