"""Whatever a style says, a map is drawn: symbols of QGIS with some of their values spoilt, on odd shapes too."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale
from qgserver.errors import Problems
from qgserver.expression.context import Context
from qgserver.expression.nodes import Literal
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import LINESTRING, POINT, POLYGON, GeometryArray
from qgserver.providers.batch import Batch
from qgserver.symbology.assets import Assets
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.paint import paint_symbol
from qgserver.symbology.properties import Properties, Property
from qgserver.symbology.symbol import Symbol, layers, read_symbol

SIZE = 50
SYMBOLS = {
    element.get("name", ""): element
    for element in etree.parse(Path(__file__).parents[2] / "fixtures/symbols/symbols.xml").getroot()
}
"""One symbol of each class, as QGIS writes them."""
NUMBERS = ["0", "-1", "1e9", "-1e9", "1e-9", "1e308", "nan", "inf", "-inf", "0.5", "7", "100000", "5e-324"]
WORDS = [
    "",
    "x",
    "no",
    "MapUnit",
    "Percentage",
    "Pixel",
    "round",
    "0,0",
    "1e9,nan",
    "255,0,0",
    "9;nan;-1;0",
    "\0",
    "é" * 300,
]
VALUES = st.sampled_from(NUMBERS + WORDS)
PLACES = st.sampled_from([0.0, 10.0, 10.0, 25.5, 40.0, -30.0, 1e7, -1e9, 1e12])
KINDS = st.sampled_from([POINT, LINESTRING, POLYGON])


@st.composite
def spoilt(draw: st.DrawFn) -> etree._Element:
    """A symbol with up to four values that are not what they should be."""
    symbol = copy.deepcopy(SYMBOLS[draw(st.sampled_from(sorted(SYMBOLS)))])
    options = [option for option in symbol.iter("Option") if option.get("value") is not None]
    for _ in range(draw(st.integers(1, 4)) if options else 0):
        draw(st.sampled_from(options)).set("value", draw(VALUES).replace("\0", ""))
    return symbol


def shapes_of(kind: int, places: list[float]) -> Shapes:
    """One feature; the first places are its coordinates."""
    coords = np.array(places).reshape(-1, 2)
    if kind == POINT:
        coords = coords[:1]
    elif kind == POLYGON:
        coords = np.concatenate([coords, coords[:1]])
    one = np.array([0, 1], dtype=np.int64)
    geometry = GeometryArray(np.array([kind], np.uint8), coords, one * len(coords), one, one)
    return Shapes(geometry, np.zeros(1, np.int64))


def paint(symbol: Symbol, shapes: Shapes) -> None:
    canvas = Canvas(SIZE, SIZE)
    batch = Batch(np.zeros(1, np.int64), {}, None)
    env = Env(RenderScale(4.0, 1.0, 1000.0), Context(), batch, Extent(0.0, 0.0, SIZE, SIZE), assets=Assets())
    paint_symbol(canvas, env, symbol, shapes)


def test_there_is_a_symbol_of_each_class() -> None:
    assert {*layers} - {*SYMBOLS} <= {"LineburstLine", "MaskMarker"}


@settings(max_examples=200, deadline=timedelta(seconds=20), suppress_health_check=[HealthCheck.too_slow])
@given(spoilt(), KINDS, st.lists(PLACES, min_size=8, max_size=8))
def test_a_spoilt_symbol_is_drawn_somehow(element: etree._Element, kind: int, places: list[float]) -> None:
    symbol = read_symbol(element, "layer", Problems())
    paint(symbol, shapes_of(kind, places))


DEFINED = sorted((name, key) for name in SYMBOLS for key in layers[name].DEFINED)
RESULTS = st.one_of(
    VALUES, st.sampled_from([True, -1, 1e14, float("nan"), float("inf"), [1, 2], [], (1.0, 0.0, 0.0, 1.0)])
)


@settings(max_examples=200, deadline=timedelta(seconds=20))
@given(st.sampled_from(DEFINED), RESULTS, KINDS)
def test_whatever_an_expression_gives_is_drawn_somehow(defined: tuple[str, str], value: object, kind: int) -> None:
    name, key = defined
    symbol = read_symbol(SYMBOLS[name], "layer", Problems())
    layer = replace(symbol.layers[0], properties=Properties({key: Property(Literal(value))}))
    paint(replace(symbol, layers=(layer,)), shapes_of(kind, [10.0, 10.0, 40.0, 10.0, 40.0, 40.0]))
