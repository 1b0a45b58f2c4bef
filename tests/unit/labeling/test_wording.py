"""Texts of labels: numbers, replacements, symbols of direction. Expected texts are those QGIS Server drew."""

from __future__ import annotations

import pytest

from qgserver.labeling.settings import ABOVE, BELOW, DirectionSymbols, Replacement, Wording
from qgserver.labeling.wording import directed, formatted, label_text, replaced


@pytest.mark.parametrize(
    ("text", "decimals", "plus_sign", "expected"),
    [
        ("26300", 1, True, "+26300.0"),
        ("12345.67", 0, True, "+12346"),
        ("-1.5", 2, True, "-1.50"),
        ("0", 2, True, "0.00"),
        ("Lyon", 2, True, "Lyon"),
        ("nan", 2, True, "nan"),
        ("1e400", 2, False, "1e400"),
    ],
)
def test_numbers_are_written_plainly(text: str, decimals: int, plus_sign: bool, expected: str) -> None:
    assert formatted(text, decimals, plus_sign) == expected


def test_replacements() -> None:
    items = [Replacement("lyon", "LYONX"), Replacement("ron", r"R\1", True), Replacement("Givor", "no", True, True)]
    assert replaced("Lyon", items) == "LYONX"
    assert replaced("Bron", items) == r"BR\1"
    assert replaced("Givors", items) == "Givors"


def test_null_has_no_text_and_wrapping_comes_last() -> None:
    wording = Wording(replacements=(Replacement("-", " "),), wrap_character=" ")
    assert label_text(None, wording) == ""
    assert label_text("a-b", wording) == "a\nb"
    assert label_text(True, wording) == "true"


def test_direction_symbols() -> None:
    symbols = DirectionSymbols(True)
    assert directed("a", symbols, False) == "a>"
    assert directed("a", symbols, True) == "<a"
    assert directed("a", DirectionSymbols(True, where=ABOVE), False) == ">\na"
    assert directed("a", DirectionSymbols(True, where=BELOW, reverse=True), False) == "a\n<"
