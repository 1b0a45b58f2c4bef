"""Paint effects: which of them are read, what they are made from, and that absurd ones stop nothing."""

from __future__ import annotations

import time

import numpy as np
import pytest
from lxml import etree

from qgserver.draw.canvas import Canvas
from qgserver.draw.filters import Pixels
from qgserver.draw.units import RenderScale
from qgserver.errors import Problems
from qgserver.expression.context import Context
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import MULTILINESTRING, MULTIPOINT, POINT, POLYGON, GeometryArray
from qgserver.providers.batch import Batch
from qgserver.symbology.effect import EffectStack, effects, read_effects
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.paint import paint_symbol
from qgserver.symbology.symbol import read_symbol

SIZE = 100
SQUARE = np.array([(30.0, 30.0), (60.0, 30.0), (60.0, 60.0), (30.0, 60.0), (30.0, 30.0)])
ABSURD = ("1e9", "-1e9", "nan", "inf", "", "x")
NUMBERS = (
    "blur_level offset_distance offset_angle spread opacity scale_x shear_y rotation translate_x contrast saturation "
    "blend_mode draw_mode brightness blur_method grayscale_mode"
)
SOURCE = '<effect type="drawSource"/>'
BLUE = '<effect type="dropShadow"><prop k="color" v="0,0,255"/><prop k="blend_mode" v="0"/>{}</effect>'


def stack_of(inner: str, enabled: str = "1") -> str:
    return f'<effect type="effectStack" enabled="{enabled}">{inner}</effect>'


def read(xml: str, problems: Problems | None = None) -> EffectStack | None:
    return read_effects(etree.fromstring(xml), "layer", problems or Problems())


def painted(layer: str, effect: str, kind: int = POLYGON, coords: np.ndarray = SQUARE) -> Pixels:
    xml = f'<symbol type="x"><layer class="{layer}"><prop k="color" v="255,0,0"/>{effect}</layer></symbol>'
    symbol = read_symbol(etree.fromstring(xml), "layer", Problems())
    one = np.array([0, 1], dtype=np.int64)
    steps = {MULTIPOINT: 1, MULTILINESTRING: 2}.get(kind, len(coords))
    many = np.arange(0, len(coords) + 1, steps)
    parts = np.arange(len(many))
    geometry = GeometryArray(np.array([kind], np.uint8), coords, many, parts, one * (len(parts) - 1))
    canvas = Canvas(SIZE, SIZE)
    batch = Batch(np.zeros(1, np.int64), {}, None)
    env = Env(RenderScale(4.0, 1.0, 1000.0), Context(), batch, Extent(0.0, 0.0, SIZE, SIZE))
    paint_symbol(canvas, env, symbol, Shapes(geometry, np.zeros(1, np.int64)))
    return canvas.pixels().copy()


def test_a_plain_source_is_no_effect() -> None:
    assert read(stack_of(SOURCE)) is None
    assert read(stack_of(BLUE.format(""), enabled="0")) is None
    assert read(stack_of('<effect type="drawSource"><prop k="opacity" v="0.5"/></effect>')) is not None


def test_an_unknown_effect_is_left_out_and_noted() -> None:
    problems = Problems()
    assert read(stack_of(SOURCE + '<effect type="sparkle"/>'), problems) is None
    assert [item.element for item in problems.items] == ["effect sparkle"]


@pytest.mark.parametrize(
    ("props", "level"),
    [
        ({"blur_level": "4"}, 1.058),
        ({"blur_level": "4", "blur_unit": "MM"}, 4.0),
        ({}, 2.645),
        ({"blur_level": "x"}, 2.645),
    ],
)
def test_blur_levels_without_a_unit_are_pixels(props: dict[str, str], level: float) -> None:
    for name in ("blur", "dropShadow", "outerGlow"):
        inner = "".join(f'<prop k="{key}" v="{value}"/>' for key, value in props.items())
        stack = read(f'<effect type="{name}">{inner}</effect>')
        assert stack is not None
        effect = stack.effects[0]
        length = getattr(effect, "level" if name == "blur" else "blur")
        assert (length.value, length.unit) == (pytest.approx(level), "MM")


def test_effects_that_are_all_off_leave_nothing() -> None:
    off = '<effect type="drawSource"><prop k="enabled" v="0"/></effect>'
    assert not painted("SimpleFill", stack_of(off)).any()


def test_a_modifier_changes_what_effects_below_are_made_from() -> None:
    move = '<effect type="transform"><prop k="translate_x" v="10"/><prop k="draw_mode" v="{}"/></effect>'
    shadow = BLUE.format('<prop k="blur_level" v="0"/><prop k="offset_distance" v="0"/>')
    modified = painted("SimpleFill", stack_of(shadow + move.format(0)))
    assert modified[45, 45].tolist() == [0, 0, 0, 0]
    assert modified[45, 85].tolist() == [255, 0, 0, 255]
    rendered = painted("SimpleFill", stack_of(shadow + move.format(1)))
    assert rendered[45, 45].tolist() == [255, 0, 0, 255]
    assert rendered[45, 85].tolist() == [0, 0, 255, 255]
    below = painted("SimpleFill", stack_of(move.format(0) + shadow))
    assert below[45, 45].tolist() == [255, 0, 0, 255]
    assert below[45, 85].tolist() == [0, 0, 0, 0]


def test_a_shadow_lies_where_its_angle_says() -> None:
    shadow = BLUE.format('<prop k="blur_level" v="0"/><prop k="offset_distance" v="5"/><prop k="offset_angle" v="90"/>')
    pixels = painted("SimpleFill", stack_of(shadow + SOURCE))
    assert pixels[45, 55].tolist() == [0, 0, 255, 255]
    assert pixels[45, 75].tolist() == [255, 0, 0, 255]
    assert not pixels[45, 20].any()


def test_each_point_has_its_own_effect() -> None:
    points = np.array([(20.3, 20.0), (21.0, 60.7), (70.0, 70.2)])
    effect = stack_of(BLUE.format("") + SOURCE)
    whole = painted("SimpleMarker", effect, MULTIPOINT, points)
    alone = painted("SimpleMarker", effect, POINT, points[2:])
    assert (whole[62:, 62:] == alone[62:, 62:]).all()


@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize("name", sorted(effects))
def test_absurd_numbers_stop_nothing(name: str, value: str) -> None:
    props = "".join(f'<prop k="{key}" v="{value}"/>' for key in NUMBERS.split())
    effect = stack_of(f'<effect type="{name}">{props}</effect>{SOURCE}')
    start = time.monotonic()
    for layer, kind in (("SimpleFill", POLYGON), ("SimpleMarker", MULTIPOINT)):
        assert painted(layer, effect, kind).any()
    assert time.monotonic() - start < 20


def test_effects_are_around_what_data_define() -> None:
    defined = (
        '<data_defined_properties><Option><Option name="properties" type="Map"><Option name="fillColor">'
        '<Option name="active" value="true"/><Option name="type" value="3"/>'
        '<Option name="expression" value="\'#00ff00\'"/></Option></Option></Option></data_defined_properties>'
    )
    pixels = painted("SimpleFill", stack_of(BLUE.format("") + SOURCE) + defined)
    assert pixels[45, 45].tolist() == [0, 255, 0, 255]
    assert pixels[64, 64, 0] > pixels[64, 64, 1] == 0
    assert (painted("SimpleFill", defined)[45, 45] == pixels[45, 45]).all()


def test_what_is_too_much_for_one_canvas_is_painted_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.column_stack([np.linspace(5.0, 95.0, 9), np.full(9, 50.0)])
    lines = np.repeat(points, 2, axis=0) + np.tile([(0.0, 0.0), (7.0, 3.0)], (9, 1))
    effect = stack_of(BLUE.format("") + SOURCE)
    whole = painted("SimpleLine", effect, MULTILINESTRING, lines)
    monkeypatch.setattr("qgserver.symbology.drawn.TALLEST", 100)
    assert (painted("SimpleLine", effect, MULTILINESTRING, lines) == whole).all()


def test_effects_that_take_too_long_are_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("qgserver.symbology.framed.PATIENCE", -1)
    plain = painted("SimpleFill", "")
    with caplog.at_level("WARNING"):
        assert (painted("SimpleFill", stack_of(BLUE.format("") + SOURCE)) == plain).all()
    assert "1 shapes have none" in caplog.text


@pytest.mark.parametrize("size", ["1e4", "1e9", "0", "-5"])
def test_markers_of_any_size_have_effects(size: str) -> None:
    for name in effects:
        painted(
            "SimpleMarker", f'<prop k="size" v="{size}"/>' + stack_of(f'<effect type="{name}"/>'), POINT, SQUARE[:1]
        )


@pytest.mark.parametrize("coords", [SQUARE * 1e7, SQUARE * np.nan, SQUARE * 0])
def test_odd_shapes_have_effects(coords: np.ndarray) -> None:
    for name in effects:
        painted("SimpleFill", stack_of(f'<effect type="{name}"/>'), POLYGON, coords)
