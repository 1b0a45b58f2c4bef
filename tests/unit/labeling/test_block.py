"""Text laid out as labels: sizes and positions measured on QGIS."""

import pytest

from qgserver.draw.fonts import Font
from qgserver.draw.units import RenderScale
from qgserver.labeling.block import capitalized, typesetter, wrapped
from qgserver.labeling.textformat import CAMEL, FIRST_UPPER, LOWER, TITLE, UPPER, TextFormat
from qgserver.symbology.options import Length

DEJAVU = "DejaVu Sans"


def font(size: float) -> Font:
    return Font(DEJAVU, size)


@pytest.mark.parametrize(
    ("dpi", "pixels"), [(25.4 / 0.28, 13), (96, 13), (120, 17)]
)  # 10 points: 12.599, 13.33, 16.67 pixels
def test_sizes_are_whole_pixels(dpi: float, pixels: int) -> None:
    style = TextFormat(DEJAVU, size=Length(10, "Point"))
    found = style.font(RenderScale(dpi / 25.4, 1.0, 1000.0))
    assert found is not None
    assert found.size == pixels


@pytest.mark.parametrize("size", [0.4, -1.0, 1e9, float("nan"), float("inf")])
def test_sizes_that_can_not_be_drawn_have_no_font(size: float) -> None:
    assert TextFormat(size=Length(size, "Pixel")).font(RenderScale(3.57, 1.0, 1000.0)) is None


def test_the_box_of_three_lines() -> None:
    assert typesetter(TextFormat(), font(20)).block("a\nb\nc").height == 72
    assert typesetter(TextFormat(line_height=1.5), font(20)).block("a\nb\nc").height == 96


def test_the_last_baseline_is_a_quarter_of_the_ascent_above_the_bottom() -> None:
    block = typesetter(TextFormat(), font(20)).block("a\nb")
    assert block.baselines == (0.25 * 19 + 24, 0.25 * 19)


def test_widths_add_up_from_advances_in_sixtyfourths() -> None:
    assert typesetter(TextFormat(), font(13)).block("HHH").width == pytest.approx(29.297, abs=0.001)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (UPPER, "THE LORD OF THE RINGS"),
        (LOWER, "the lord of the rings"),
        (FIRST_UPPER, "The Lord Of The Rings"),
        (TITLE, "The Lord of the Rings"),
        (CAMEL, "TheLordOfTheRings"),
    ],
)
def test_capitals(mode: int, expected: str) -> None:
    assert capitalized("the lord of the rings", mode) == expected


def test_lines_break_at_the_wrap_character_and_between_words() -> None:
    assert wrapped("a;b;;c", ";") == "a\nb\n\nc"
    assert wrapped("one two three four", "", 9) == "one two\nthree\nfour"
    assert wrapped("one two three four", "", 5, longest=False) == "one two\nthree\nfour"


def test_markup_gives_colours_and_lines_and_breaks() -> None:
    block = typesetter(TextFormat(html=True), font(20)).block(
        'a<br><span style="color:#ff0000">b</span> &amp; <u>c</u>'
    )
    assert len(block.lines) == 2
    assert [piece.text for piece in block.lines[1].pieces] == ["b", " & ", "c"]
    assert block.lines[1].pieces[0].color == (1.0, 0.0, 0.0, 1.0)
    assert block.lines[1].pieces[2].lines


def test_hostile_markup_ends() -> None:
    block = typesetter(TextFormat(html=True), font(9)).block(
        "<b>" * 5000 + "x" + "</i>" * 5000 + "<script>alert(1)</script>"
    )
    assert [piece.text for piece in block.lines[0].pieces] == ["x"]
