"""Text against what Qt 5.15 says of the same fonts (Debian's DejaVu and Liberation)."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from qgserver.draw.canvas import Canvas
from qgserver.draw.fonts import BOLD, Font
from qgserver.draw.text import Line, bidi_levels, draw_paths, draw_text, layout

SANS = Font("DejaVu Sans", 20)
LIBERATION = Font("Liberation Sans", 20)


def ink(line: Line, at: tuple[float, float] = (0.0, 0.0)) -> tuple[float, float, float, float]:
    coords = line.paths(*at).coords
    return (*coords.min(axis=0), *coords.max(axis=0))


@pytest.mark.parametrize(
    ("font", "ascent", "descent", "width"),
    [
        (Font("Liberation Sans", 20), 19, 5, 139.171875),
        (Font("Liberation Sans", 35), 32, 8, 243.65625),
        (Font("Liberation Sans", 42), 39, 9, 292.421875),
        (Font("Liberation Sans", 20, BOLD), 19, 5, 148.390625),
        (Font("DejaVu Sans", 42), 39, 10, 320.625),
        (Font("DejaVu Sans", 13, italic=True), 13, 4, 100.296875),
    ],
)
def test_metrics_are_qts(font: Font, ascent: int, descent: int, width: float) -> None:
    assert (font.ascent, font.descent, layout("Hello AV Wor-ld", font).width) == (ascent, descent, width)


def test_pairs_are_kerned_unless_asked_otherwise() -> None:
    apart = sum(layout(letter, LIBERATION).width for letter in "AV")
    assert layout("AV", LIBERATION).width < apart
    assert layout("AV", Font("Liberation Sans", 20, kerning=False)).width == apart


def test_spacings_widen_letters_and_words() -> None:
    plain = layout("a b", SANS).width
    assert layout("a b", Font("DejaVu Sans", 20, letter_spacing=2)).width == plain + 6
    assert layout("a b", Font("DejaVu Sans", 20, word_spacing=5)).width == plain + 5


def test_a_letter_stands_on_its_baseline() -> None:
    left, top, right, bottom = ink(layout("H", LIBERATION), (100.0, 50.0))
    # the H of Liberation Sans: 168..1312 of 2048 wide, 1409 tall
    assert (left, right) == pytest.approx((100 + 20 * 168 / 2048, 100 + 20 * 1312 / 2048))
    assert (top, bottom) == pytest.approx((50 - 20 * 1409 / 2048, 50))


def test_plain_text_is_put_on_quarters_of_a_pixel() -> None:
    line = layout("H", LIBERATION)
    same = line.snapped_paths(10.3, 20.4, 0.5).coords
    assert np.array_equal(same, line.snapped_paths(10.49, 19.5, 0.5).coords)
    assert same[:, 1].max() == pytest.approx(20)
    assert not np.array_equal(same, line.snapped_paths(10.5, 20.4, 0.5).coords)


def test_right_to_left_text_is_put_in_order() -> None:
    text = "ab \u05d0\u05d1 12"
    assert list(bidi_levels(text)) == [0, 0, 0, 1, 1, 1, 2, 2]
    assert layout(text, SANS).clusters.tolist() == [0, 1, 2, 6, 7, 5, 4, 3]
    assert list(bidi_levels("\u05d0 a")) == [1, 1, 2]


def test_arabic_letters_join_and_marks_sit_on_their_letters() -> None:
    alone = sum(layout(letter, SANS).width for letter in "\u0628\u064a\u062a")
    assert layout("\u0628\u064a\u062a", SANS).width != alone
    accented = layout("e\u0301", SANS)
    assert accented.width == layout("e", SANS).width
    assert ink(accented)[1] < ink(layout("e", SANS))[1]


def test_a_character_the_font_lacks_comes_from_another() -> None:
    line = layout("a\u2603", LIBERATION)  # a snowman, which DejaVu Sans has
    assert line.faces[0] is not line.faces[1]
    assert all(line.glyphs)


def test_a_missing_font_is_told_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = logging.getLogger("qgserver")
    monkeypatch.setattr(logger, "propagate", True)
    monkeypatch.setattr(logger, "handlers", [])
    for size in (10, 12):
        assert layout("text", Font("No Such Family", size)).width > 0
    assert {record.getMessage() for record in caplog.records} == {
        "font 'No Such Family' is not installed: text is drawn with DejaVu Sans"
    }
    assert len({id(record) for record in caplog.records}) == 1


def test_a_named_style_goes_over_weight_and_italic() -> None:
    assert Font("DejaVu Sans", 20, style="Bold Oblique").face is Font("DejaVu Sans", 20, BOLD, italic=True).face
    assert Font("DejaVu Sans", 20, style="No Such Style").face is SANS.face


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "\u202e" * 5000, "a" * 100_000, "\U0010ffff"])
def test_any_text_can_be_laid_out(text: str) -> None:
    assert layout(text, SANS).width >= 0


def test_text_is_filled_with_its_colour() -> None:
    canvas = Canvas(40, 30)
    draw_text(canvas, 5, 25, "I", Font("DejaVu Sans", 20, BOLD), (1.0, 0.0, 0.0, 1.0))
    assert canvas.pixels()[18, 9].tolist() == [0, 0, 255, 255]
    assert canvas.pixels()[5, 30].tolist() == [0, 0, 0, 0]
    draw_paths(canvas, layout("", SANS).paths(0, 0), (1.0, 0.0, 0.0, 1.0))
