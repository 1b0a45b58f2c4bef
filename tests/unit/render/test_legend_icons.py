"""Icons of legends as JSON, against the pixels of QGIS's."""

from __future__ import annotations

import pytest
from lxml import etree

from qgserver.draw.units import RenderScale
from qgserver.errors import Problems
from qgserver.expression.context import Context
from qgserver.render.legend.icons import DPI, icon
from qgserver.render.legend.swatch import SwatchPainter
from qgserver.symbology.symbol import read_symbol

BLUE, RED = [255, 0, 0, 255], [0, 0, 255, 255]


@pytest.mark.parametrize(
    ("width", "left", "right"),
    [("0.264", [RED, BLUE], [BLUE, BLUE]), ("0.29", [RED, BLUE], [BLUE, RED]), ("0.7", [RED, BLUE], [BLUE, RED])],
)
def test_areas_are_not_antialiased(width: str, left: list[list[int]], right: list[list[int]]) -> None:
    props = f'<prop k="color" v="0,0,255"/><prop k="outline_color" v="255,0,0"/><prop k="outline_width" v="{width}"/>'
    xml = f'<symbol type="fill"><layer class="SimpleFill">{props}</layer></symbol>'
    symbol = read_symbol(etree.fromstring(xml), "layer", Problems())
    painter = SwatchPainter(RenderScale(DPI / 25.4, 1.0, 0.0), Context())
    row = icon(symbol, 1.0, painter).pixels()[8].tolist()
    assert (len(row), row[:2], row[14:]) == (16, left, right)
