"""Renderers of rasters; expected pixels are those of QGIS 3.22 for the same cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from lxml import etree

from qgserver.geo.extent import Extent
from qgserver.rasters.model import Cells, FollowingRenderer, Grid, RasterRenderer
from qgserver.rasters.pipe import renderers


def read(xml: str) -> RasterRenderer:
    element = etree.fromstring(xml)
    return renderers[element.get("type", "")](element)


def cells(values: Sequence[Sequence[float]], kind: str = "float32", nothing: float = -9999, step: float = 1.0) -> Cells:
    band = np.array(values).astype(kind)
    height, width = band.shape
    grid = Grid(Extent(0.0, 0.0, width * step, height * step), width, height)
    return Cells(grid, {1: band}, {1: band == nothing})


def rgba(renderer: RasterRenderer, found: Cells) -> list[tuple[int, ...]]:
    return [tuple(pixel) for pixel in renderer.paint(found)[..., [2, 1, 0, 3]].reshape(-1, 4).tolist()]


GREY = (
    '<rasterrenderer type="singlebandgray" grayBand="1" gradient="{gradient}"><contrastEnhancement>'
    "<minValue>10</minValue><maxValue>20</maxValue><algorithm>{algorithm}</algorithm>"
    "</contrastEnhancement></rasterrenderer>"
)


@pytest.mark.parametrize(
    ("algorithm", "kind", "expected"),
    [
        ("StretchToMinimumMaximum", "float32", [0, 0, 25, 51, 127, 229, 255, 255]),
        ("1", "float64", [0, 0, 25, 51, 127, 229, 255, 255]),  # as projects before 2.0 wrote it
        ("StretchToMinimumMaximum", "uint8", [0, 0, 25, 51, 127, 229, 255, 255]),
        ("StretchAndClipToMinimumMaximum", "int16", [None, 0, 25, 51, 127, 229, 255, None]),
        ("NoEnhancement", "float32", [127] * 8),
        ("NoEnhancement", "uint8", [9, 10, 11, 12, 15, 19, 20, 21]),
        ("ClipToMinimumMaximum", "uint8", [None, 10, 11, 12, 15, 19, 20, None]),
    ],
)
def test_grey_is_enhanced_as_in_qgis(algorithm: str, kind: str, expected: list[int | None]) -> None:
    values = [[9, 10, 11, 12, 15, 19, 20, 21]]
    found = rgba(read(GREY.format(algorithm=algorithm, gradient="BlackToWhite")), cells(values, kind))
    assert found == [(0, 0, 0, 0) if grey is None else (grey, grey, grey, 255) for grey in expected]


def test_large_bands_of_few_values_are_painted_by_a_table() -> None:
    values = np.tile(np.arange(-300, 300, dtype=np.int16), (120, 1))
    renderer = read(GREY.format(algorithm="StretchToMinimumMaximum", gradient="WhiteToBlack"))
    found = rgba(renderer, cells(values.tolist(), "int16"))
    assert [found[300 + value][0] for value in (-300, 9, 10, 11, 15, 20, 299)] == [255, 255, 255, 230, 128, 0, 0]
    assert values.size > 1 << 16


def test_not_a_number_and_no_data_are_nothing() -> None:
    renderer = read(GREY.format(algorithm="StretchToMinimumMaximum", gradient="BlackToWhite"))
    found = rgba(renderer, cells([[np.nan, -9999, 20, np.inf]]))
    assert found == [(0, 0, 0, 0), (0, 0, 0, 0), (255, 255, 255, 255), (255, 255, 255, 255)]


def rgba_following(renderer: RasterRenderer, shown: Cells) -> list[tuple[int, ...]]:
    assert isinstance(renderer, FollowingRenderer)
    return rgba(renderer.following(shown), shown)


ORIGIN = (
    "<minMaxOrigin><limits>{0}</limits><extent>UpdatedCanvas</extent><cumulativeCutLower>0.25</cumulativeCutLower>"
    "<cumulativeCutUpper>0.75</cumulativeCutUpper><stdDevFactor>0.5</stdDevFactor></minMaxOrigin></rasterrenderer>"
)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [("MinMax", [0, 63, 127, 191, 255]), ("StdDev", [0, 0, 127, 255, 255]), ("CumulativeCut", [0, 0, 127, 255, 255])],
)
def test_limits_follow_what_is_visible_where_a_style_says_so(limits: str, expected: list[int]) -> None:
    grey = GREY.format(algorithm="StretchToMinimumMaximum", gradient="BlackToWhite")
    renderer = read(grey.replace("</rasterrenderer>", ORIGIN.format(limits)))
    assert [
        pixel[0] for pixel in rgba_following(renderer, cells([[40, 50, 60, 70, 80, -9999, np.nan]]))[:5]
    ] == expected
    assert rgba_following(renderer, cells([[-9999]])) == [(0, 0, 0, 0)]
    shaded = read(SHADED.format(kind="INTERPOLATED", clip=0).replace("</rasterrenderer>", ORIGIN.format("MinMax")))
    assert rgba_following(shaded, cells([[100, 110, 120, 400]]))[:3] == [RED, (230, 25, 0, 255), (204, 51, 0, 255)]


def test_a_missing_band_of_three_leaves_its_channel_dark() -> None:
    renderer = read('<rasterrenderer type="multibandcolor" redBand="-1" greenBand="1" blueBand="1"/>')
    assert renderer.bands() == (1,)
    assert rgba(renderer, cells([[7, 255, 256 + 3]], "uint16")) == [(0, 7, 7, 255), (0, 255, 255, 255), (0, 3, 3, 255)]
    assert rgba(read('<rasterrenderer type="multibandcolor"/>'), cells([[7]], "uint8")) == [(0, 0, 0, 0)]


SHADED = (
    '<rasterrenderer type="singlebandpseudocolor" band="1"><rastershader>'
    '<colorrampshader colorRampType="{kind}" clip="{clip}">'
    '<item value="10" color="#00ff00" alpha="255" label="b"/><item value="5" color="#ff0000" alpha="255" label="a"/>'
    '<item value="20" color="#0000ff" alpha="100" label=""/>'
    "</colorrampshader></rastershader></rasterrenderer>"
)
RED, GREEN, BLUE, NONE = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 100, 100), (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "clip", "expected"),
    [
        ("INTERPOLATED", 0, [RED, RED, (204, 51, 0, 255), GREEN, BLUE, BLUE]),
        ("INTERPOLATED", 1, [NONE, RED, (204, 51, 0, 255), GREEN, BLUE, NONE]),
        ("DISCRETE", 0, [RED, RED, GREEN, GREEN, BLUE, NONE]),
        ("EXACT", 0, [NONE, RED, NONE, GREEN, BLUE, NONE]),
    ],
)
def test_shaders_color_values(kind: str, clip: int, expected: list[tuple[int, ...]]) -> None:
    renderer = read(SHADED.format(kind=kind, clip=clip))
    for dtype in ("float32", "uint8"):
        assert rgba(renderer, cells([[4, 5, 6, 10, 20, 21]], dtype)) == expected


@pytest.mark.parametrize("items", ["", '<item value="x" color="#ff0000"/>', '<item value="nan" color="#ff0000"/>'])
def test_a_shader_without_items_shows_nothing(items: str) -> None:
    xml = f'<rasterrenderer type="singlebandpseudocolor"><rastershader><colorrampshader>{items}</colorrampshader>'
    assert rgba(read(f"{xml}</rastershader></rasterrenderer>"), cells([[1]])) == [NONE]


def test_one_item_colors_everything() -> None:
    xml = '<colorrampshader><item value="5" color="#ff0000" alpha="255"/></colorrampshader>'
    renderer = read(f'<rasterrenderer type="singlebandpseudocolor"><rastershader>{xml}</rastershader></rasterrenderer>')
    assert rgba(renderer, cells([[1, 5, 9]])) == [RED, RED, RED]


def test_palettes_know_their_own_values_only() -> None:
    renderer = read(
        '<rasterrenderer type="paletted" band="1"><colorPalette><paletteEntry value="1" color="#ee85a4" alpha="120"/>'
        '<paletteEntry value="3" color="#ff0000" alpha="255" label="three"/></colorPalette></rasterrenderer>'
    )
    assert rgba(renderer, cells([[0, 1, 2, 3, 4]], "uint8")) == [NONE, (112, 63, 77, 120), NONE, RED, NONE]
    assert [entry.label for entry in renderer.legend()] == ["", "1", "three"]


def test_one_color_where_there_is_a_value() -> None:
    renderer = read('<rasterrenderer type="singlecolor" band="1" color="0,0,255,100"/>')
    assert rgba(renderer, cells([[1, -9999]])) == [BLUE, NONE]


HEIGHTS = [[10, 12, 15, 11], [9, -9999, 18, 14], [7, 8, 13, 20], [5, 6, 9, 30]]


@pytest.mark.parametrize(
    ("multi", "expected"),
    [
        (0, [[211, 212, 155, 22], [127, 0, 230, 133], [109, 159, 168, 205], [175, 185, 164, 183]]),
        (1, [[84, 9, 159, 92], [67, 0, 154, 94], [74, 5, 1, 8], [101, 14, 1, 1]]),
    ],
)
def test_hillshades_are_those_of_qgis(multi: int, expected: list[list[int]]) -> None:
    xml = f'<rasterrenderer type="hillshade" azimuth="300" angle="40" zfactor="1.5" multidirection="{multi}"/>'
    found = cells(HEIGHTS)
    wide = Cells(Grid(Extent(0.0, 0.0, 8.0, 12.0), 4, 4), found.values, found.nothing)
    picture = read(xml).paint(wide)
    assert picture[..., 0].tolist() == expected
    assert (picture[..., 3] == np.where(found.nothing[1], 0, 255)).all()


@pytest.mark.parametrize("xml", ['<rasterrenderer type="hillshade" zfactor="1e400" angle="x"/>', SHADED])
def test_a_single_cell_is_painted(xml: str) -> None:
    assert read(xml.format(kind="?", clip="?")).paint(cells([[3]])).shape == (1, 1, 4)
