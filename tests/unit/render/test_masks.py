"""Selective masks: what references mean, and what is left of a renderer without what they refer to."""

from __future__ import annotations

import pytest
from lxml import etree

from qgserver.errors import Problems
from qgserver.render.masks import without
from qgserver.symbology.masks import SymbolLayerRef, read_references
from qgserver.symbology.renderer import Renderer, read_renderer
from qgserver.symbology.selected import with_selection

MARKER = '<layer class="SimpleMarker"/>'
LINE = f'<layer class="MarkerLine" id="{{u}}"><symbol type="marker">{MARKER * 2}</symbol></layer>'


def symbols(*inner: str) -> str:
    found = (f'<symbol name="{number}" type="x">{layers}</symbol>' for number, layers in enumerate(inner))
    return f"<symbols>{''.join(found)}</symbols>"


def read(xml: str) -> Renderer:
    return read_renderer(etree.fromstring(xml), "layer", Problems())


def shape(renderer: Renderer) -> list[list[int]]:
    """For each symbol, for each of its layers, how many layers are within."""
    return [[0 if layer.symbol is None else len(layer.symbol.layers) for layer in s.layers] for s in renderer.symbols]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lines_1,,0", SymbolLayerRef("lines_1", "", (0,))),
        ("a,b,1,0", SymbolLayerRef("a", "b", (1, 0))),
        ("a,b, c,2", SymbolLayerRef("a", "b, c", (2,))),
        ("a,5,3", SymbolLayerRef("a", "5", (3,))),
        ("a,{8f0}", SymbolLayerRef("a", uid="{8f0}")),
    ],
)
def test_references(text: str, expected: SymbolLayerRef) -> None:
    assert read_references(f"{text};") == {expected}


def test_what_is_no_reference_is_left_out() -> None:
    assert not read_references(";; ;a;a,b,c")


def test_layers_are_counted_with_those_that_are_off() -> None:
    off = '<layer class="SimpleMarker" enabled="0"/>'
    renderer = read(f'<renderer-v2 type="singleSymbol">{symbols(off + MARKER + LINE)}</renderer-v2>')
    assert shape(without(renderer, read_references("layer,,1"))) == [[2]]
    assert shape(without(renderer, read_references("layer,,2,1"))) == [[0, 1]]
    assert shape(without(renderer, read_references("layer,{u}"))) == [[0]]
    assert without(renderer, frozenset()) is renderer


@pytest.mark.parametrize(
    ("classes", "name"),
    [
        (
            'type="categorizedSymbol"><categories><category value="x,y" symbol="0"/><category value="" symbol="1"/>'
            "</categories>",
            "x,y",
        ),
        (
            'type="graduatedSymbol"><ranges><range lower="0.1" upper="1234567.5" symbol="0"/>'
            '<range lower="2" upper="3" symbol="1"/></ranges>',
            "0.1 - 1.23457e+06",
        ),
        ('type="RuleRenderer"><rules><rule key="{k}" symbol="0"/><rule key="{l}" symbol="1"/></rules>', "{k}"),
    ],
)
def test_classes_have_the_names_that_qgis_gives_them(classes: str, name: str) -> None:
    renderer = read(f'<renderer-v2 attr="a" {classes}{symbols(MARKER * 2, MARKER * 2)}</renderer-v2>')
    wanted = read_references(f"layer,{name},0")
    assert shape(without(renderer, wanted)) == [[0], [0, 0]]
    selected = with_selection(renderer, [1], (1.0, 1.0, 0.0, 1.0))
    assert shape(without(selected, wanted)) == [[0], [0, 0], [0], [0, 0]]
