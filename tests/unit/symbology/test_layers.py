"""Symbol layers: measured rules of their geometry, and that no style, however odd, stops a map."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from lxml import etree

from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import Paths
from qgserver.draw.svg import SvgColors, read_picture
from qgserver.draw.units import RenderScale
from qgserver.errors import Problems
from qgserver.expression.context import Context
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import LINESTRING, POINT, POLYGON, GeometryArray
from qgserver.providers.batch import Batch
from qgserver.symbology.along import every, track, tracks, vertices
from qgserver.symbology.assets import Assets
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.layers.linepatternfill import hatch
from qgserver.symbology.paint import paint_symbol
from qgserver.symbology.shader import DISCRETE, EXACT, ColorShader
from qgserver.symbology.symbol import MAX_SUBSYMBOLS, Symbol, attribute_names, layers, read_symbol

SIZE = 60
RING = np.array([(10.0, 10.0), (50.0, 10.0), (50.0, 50.0), (10.0, 50.0), (10.0, 10.0)])
COLORS = SvgColors((1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0), 1.0, 20.0)
INNER = {
    "marker": '<layer class="SimpleMarker"><prop k="size" v="4"/></layer>',
    "line": '<layer class="SimpleLine"/>',
    "fill": '<layer class="SimpleFill"/>',
}


def names() -> list[str]:
    return sorted(layers)


def shapes(kind: int) -> Shapes:
    coords = RING[:1] if kind == POINT else RING
    one = np.array([0, 1], dtype=np.int64)
    return Shapes(GeometryArray(np.array([kind], np.uint8), coords, one * len(coords), one, one), np.zeros(1, np.int64))


def painted(symbol: Symbol, kind: int, assets: Assets | None = None) -> Canvas:
    canvas = Canvas(SIZE, SIZE)
    batch = Batch(np.zeros(1, np.int64), {}, None)
    view = Extent(0.0, 0.0, SIZE, SIZE)
    env = Env(RenderScale(4.0, 1.0, 1000.0), Context(), batch, view, assets=assets or Assets())
    paint_symbol(canvas, env, symbol, shapes(kind))
    return canvas


def symbol_of(name: str, options: dict[str, str], inner: str = "") -> Symbol:
    props = "".join(f'<prop k="{key}" v="{value}"/>' for key, value in options.items())
    nested = f'<symbol type="{inner}">{INNER[inner]}</symbol>' if inner else ""
    xml = f'<symbol type="x"><layer class="{name}">{props}{nested}</layer></symbol>'
    return read_symbol(etree.fromstring(xml), "layer", Problems())


def test_markers_stand_from_the_start_at_each_interval_but_not_at_the_end() -> None:
    lines = tracks(Paths(np.array([(0.0, 5.0), (50.0, 5.0), (3.0, 0.0), (3.0, 19.0)]), np.array([0, 2, 4]), False))
    places, owners = every(lines, 10.0, 0.0, 4.0)
    assert places.points.tolist() == [[0, 5], [10, 5], [20, 5], [30, 5], [40, 5], [3, 0], [3, 10]]
    assert (owners.tolist(), places.angles.tolist()) == ([0] * 5 + [1] * 2, [0.0] * 5 + [90.0] * 2)
    assert every(lines, 10.0, 3.0, 4.0)[0].points[:5, 0].tolist() == [3, 13, 23, 33, 43]


def test_the_first_marker_has_the_direction_of_the_first_segment() -> None:
    coords = np.array([(0.0, 5.0), (5.0, 5.0), (5.0, 9.0), (3.0, 0.0), (3.0, 19.0)])
    places, _ = every(tracks(Paths(coords, np.array([0, 3, 5]), False)), 4.0, 0.0, 0.0)
    assert places.angles.tolist() == [0.0, 0.0, 90.0] + [90.0] * 5
    assert every(tracks(Paths(coords[:2], np.array([0, 2]), False)), 9.0, 0.0, 0.0)[0].angles.tolist() == [0.0]


def test_a_vertex_has_the_direction_between_its_segments_and_a_ring_has_no_last_one() -> None:
    line = track(np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)]), closed=False)
    ring = track(RING, closed=True)
    assert line is not None and ring is not None
    assert vertices(line, 0.0).angles.round(9).tolist() == [0.0, 45.0, 90.0]
    assert len(vertices(ring, 0.0)) == 4


@pytest.mark.parametrize("coords", [[(1.0, 1.0)], [(1.0, 1.0), (1.0, 1.0)], [(0.0, 0.0), (np.nan, 1.0)]])
def test_a_line_without_length_has_no_places(coords: list[tuple[float, float]]) -> None:
    assert track(np.array(coords), closed=False) is None


def line_picture(name: str, options: dict[str, str], inner: str = "") -> Canvas:
    """A line 8 px wide from (10, 10) to (50, 10), drawn with one symbol layer."""
    canvas = Canvas(SIZE, SIZE)
    one = np.array([0, 1], dtype=np.int64)
    geometry = GeometryArray(np.array([LINESTRING], np.uint8), RING[:2], one * 2, one, one)
    batch = Batch(np.zeros(1, np.int64), {}, None)
    env = Env(RenderScale(4.0, 1.0, 1000.0), Context(), batch, Extent(0.0, 0.0, SIZE, SIZE))
    symbol = symbol_of(name, {"line_width": "2", **options}, inner)
    paint_symbol(canvas, env, symbol, Shapes(geometry, np.zeros(1, np.int64)))
    return canvas


def test_a_shapeburst_has_a_pixel_of_outline_between_holes_that_touch() -> None:
    """Measured: QGIS outlines the shape with a pen, and what lies under that counts as outside."""
    canvas = Canvas(SIZE, SIZE)
    holes = [np.array([(x, 20.0), (x + 10, 20.0), (x + 10, 40.0), (x, 40.0), (x, 20.0)]) for x in (20.0, 30.0)]
    ends, one = np.array([0, 5, 10, 15]), np.array([0, 1], dtype=np.int64)
    geometry = GeometryArray(np.array([POLYGON], np.uint8), np.concatenate([RING, *holes]), ends, one * 3, one)
    batch = Batch(np.zeros(1, np.int64), {}, None)
    env = Env(RenderScale(4.0, 1.0, 1000.0), Context(), batch, Extent(0.0, 0.0, SIZE, SIZE))
    colors = {"color": "255,0,0,255", "gradient_color2": "0,0,255,255"}
    paint_symbol(canvas, env, symbol_of("ShapeburstFill", colors), Shapes(geometry, np.zeros(1, np.int64)))
    row = canvas.pixels()[30]
    assert not row[21:28].any() and not row[32:39].any()
    assert row[29:31, 3].min() > 100 and not row[29:31, 0].any()


def test_a_shapeburst_mixes_hues_before_transparency_takes_its_share() -> None:
    """Measured: violet fading to see-through white is light violet half-way, as white counts in full."""
    colors = {"color": "108,49,160,255", "gradient_color2": "255,255,255,0"}
    pixels = painted(symbol_of("ShapeburstFill", colors), POLYGON).pixels()[15:45, 15:45].astype(float)
    share = 1 - pixels[..., 3] / 255
    over_white = pixels[..., 2] + 255 * share
    assert share.min() < 0.4 and share.max() > 0.9
    assert np.abs(over_white - (108 + 294 * share - 147 * share**2)).max() < 3


def test_a_lineburst_goes_from_its_left_side_to_its_right() -> None:
    pixels = line_picture("Lineburst", {"color": "255,0,0,255", "gradient_color2": "0,0,255,255"}).pixels()[:, 30]
    assert pixels[6].tolist() == [pixels[6, 0], 0, pixels[6, 2], 255]
    assert pixels[6, 2] > 220
    assert pixels[13, 0] > 220
    assert not pixels[5].any() and not pixels[14].any()


def test_a_filled_line_is_the_area_of_the_line() -> None:
    pixels = line_picture("FilledLine", {"capstyle": "flat"}, "fill").pixels()
    assert pixels[10, 30].tolist() == pixels[10, 12].tolist() == [255, 0, 0, 255]
    assert not pixels[10, 5].any()


def test_an_interpolated_line_is_a_pixel_wider_and_has_round_ends() -> None:
    """Measured: QGIS outlines the shape with a pen."""
    column = line_picture("InterpolatedLine", {"single_color": "0,0,255,255"}).pixels()[:, 30, 3].tolist()
    assert column[6:14] == [255] * 8 and 100 < column[5] < 150 and column[4] == 0
    assert line_picture("InterpolatedLine", {"single_color": "0,0,255,255"}).pixels()[10, 53, 3] == 255


def test_colours_of_values_are_mixed_hold_up_to_a_value_or_only_at_it() -> None:
    red, blue = (1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)
    items = ((0.0, red), (10.0, blue))
    assert ColorShader(items).color(5.0) == (0.5, 0.0, 0.5, 1.0)
    assert ColorShader(items, DISCRETE).stops(-10.0, 10.0) == (
        (0.0, red),
        (0.5, red),
        (0.5, blue),
        (1.0, blue),
        (1.0, blue),
        (1.0, blue),
    )
    assert list(ColorShader(items, EXACT).places(20.0, 5.0)) == [(10 / 15, 10.0, blue)]


def test_hatches_come_in_tiles_of_whole_pixels() -> None:
    assert hatch(0.0, 11.34, 0.0).distance == 11
    assert (hatch(45.0, 10.0, 0.0).width, hatch(45.0, 10.0, 0.0).height) == (14, 14)
    steps = [round(hatch(45.0, 7.0, offset).offset / math.sqrt(0.5)) for offset in (3.3, 3.571, 5.0, 6.0, -4.0)]
    assert steps == [5, -5, -3, -1, -6]


@pytest.mark.parametrize(
    ("clip", "at_edge", "beyond"),
    [("shape", True, False), ("no", True, True), ("centroid_within", True, True), ("completely_within", False, False)],
)
def test_markers_of_a_pattern_at_the_edge(clip: str, at_edge: bool, beyond: bool) -> None:
    """Markers 16 px across stand at x = 11, 23, ..., the area begins at 10."""
    options = {"distance_x": "3", "distance_y": "3", "offset_x": "0.25", "clip_mode": clip}
    alpha = painted(symbol_of("PointPatternFill", options, "marker"), POLYGON).pixels()[:, :, 3]
    assert alpha[30:34, 30:34].any()
    assert (bool(alpha[12:48, 10:13].any()), bool(alpha[12:48, 5:9].any())) == (at_edge, beyond)


@pytest.mark.parametrize(("clip", "beyond"), [("during_render", False), ("before_render", True)])
def test_lines_of_a_pattern_keep_their_caps_when_cut_before(clip: str, beyond: bool) -> None:
    symbol = symbol_of("LinePatternFill", {"angle": "0", "distance": "2", "clip_mode": clip}, "line")
    assert painted(symbol, POLYGON).pixels()[12:48, 50, 3].any() == beyond


def test_colours_take_the_place_of_parameters_of_an_svg() -> None:
    picture = read_picture(
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">'
        b'<rect width="10" height="10" style="fill:param(fill) #00f;stroke:none"/></svg>',
        COLORS,
    )
    assert picture is not None
    canvas = Canvas(20, 20)
    picture.draw(canvas, (10.0, 10.0), (20.0, 20.0), 0.0, 1.0)
    assert canvas.pixels()[10, 10].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html/>",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 nan 1"/>',
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">' + b"<g/>" * 30_000 + b"</svg>",
        b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%s;" % (str(i - 1).encode() if i else b"") * 10) for i in range(9))
        + b']><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><text>&a8;</text></svg>',
    ],
)
def test_what_is_no_usable_svg_is_none(text: bytes) -> None:
    assert read_picture(text, COLORS) is None


@pytest.mark.parametrize(
    "body",
    [
        '<rect id="r0" width="9" height="9"/>'
        + "".join(f'<g id="r{i}">' + f'<use xlink:href="#r{i - 1}"/>' * 10 + "</g>" for i in range(1, 20))
        + '<use xlink:href="#r19"/>',
        '<g opacity=".5"><rect width="9" height="9"/></g>' * 9000,
        '<rect width="9" height="9"/><path stroke="red" d="M0 0' + "c1 1 2 3 4 1" * 90_000 + '"/>',
        '<rect class="a" width="9" height="9"/>' * 5000 + "<style>" + ".a" * 20_000 + "{fill:red}</style>",
    ],
)
def test_of_a_picture_that_is_too_much_work_the_beginning_is_drawn(body: str) -> None:
    head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'
    began = time.process_time()
    picture = read_picture(f"{head}{body}</svg>".encode(), replace(COLORS, upright=True))
    assert picture is not None
    canvas = Canvas(9, 9)
    picture.draw(canvas, (4.5, 4.5), (9.0, 9.0), 0.0, 1.0)
    assert canvas.pixels()[4, 4, 3] > 0
    assert time.process_time() - began < 10


def test_a_thin_stroke_of_an_svg_is_spread_as_qt_spreads_it() -> None:
    text = (
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20">'
        b'<path d="M0 10.5H20" stroke="black" stroke-width="0.5"/></svg>'
    )
    picture = read_picture(text, replace(COLORS, upright=True))
    assert picture is not None
    canvas = Canvas(20, 20)
    picture.draw(canvas, (10.0, 10.0), (20.0, 20.0), 0.0, 1.0)
    assert canvas.pixels()[9:12, 10, 3].tolist() == [0, 128, 0]


def test_an_svg_loads_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("secret") / "secret.svg"
    secret.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>')
    for tag in ("image", "use"):
        text = (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'
            f'<{tag} xlink:href="file://{secret}" width="9" height="9"/></svg>'
        )
        picture = read_picture(text.encode(), COLORS)
        canvas = Canvas(9, 9)
        if picture is not None:
            picture.draw(canvas, (4.5, 4.5), (9.0, 9.0), 0.0, 1.0)
        assert not canvas.pixels().any()


def test_a_missing_svg_is_a_placeholder_and_logged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(logging.getLogger(Assets.__module__), "warning", lambda text, *values: warnings.append(text))
    for _ in range(2):
        canvas = painted(symbol_of("SvgMarker", {"name": "nowhere/absent-7.svg", "size": "8"}), POINT)
        assert canvas.pixels().any()
    assert len(warnings) == 1


@pytest.mark.parametrize("name", names())
def test_data_defined_keys_lead_to_attributes(name: str) -> None:
    kind = layers[name]
    assert {attribute for attribute, _ in kind.DEFINED.values()} <= attribute_names(kind)


@pytest.mark.parametrize("value", ["-3", "nan", "1e9", "1e-9", "x"])
@pytest.mark.parametrize("name", names())
def test_odd_sizes_are_harmless(name: str, value: str) -> None:
    keys = ("size", "symbol_width", "width", "line_width", "distance", "distance_x", "interval", "hash_length", "angle")
    more = ("arrow_width", "head_length", "max_distance", "scale", "point_count", "outline_width", "offset", "geometry")
    for inner in ("", *INNER):
        symbol = symbol_of(name, dict.fromkeys(keys + more, value), inner)
        for kind in (POINT, LINESTRING, POLYGON):
            painted(symbol, kind)


def test_symbols_in_symbols_end_somewhere() -> None:
    depth = 3 * MAX_SUBSYMBOLS
    xml = '<symbol type="fill"><layer class="CentroidFill">' * depth + "</layer></symbol>" * depth
    problems = Problems()
    symbol = read_symbol(etree.fromstring(xml), "layer", problems)
    painted(symbol, POLYGON)
    assert problems.items
