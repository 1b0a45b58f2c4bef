"""From the values of a label's expression to the texts that are shown."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from qgserver.expression.values import Value, to_text
from qgserver.labeling.block import wrapped
from qgserver.labeling.settings import ABOVE, BELOW, DirectionSymbols, Replacement, Wording

LONGEST = 2_000
"""Characters of a label that are looked at."""
LARGEST, MOST_DECIMALS = 1e60, 30
"""Numbers beyond stay as they are."""


def label_text(value: Value, wording: Wording) -> str:
    """The text of a label, "" for none; lines are parted by ``\\n``."""
    text = to_text(value)[:LONGEST]
    if not text:
        return ""
    text = replaced(text, wording.replacements)
    if wording.format_numbers:
        text = formatted(text, wording.decimals, wording.plus_sign)
    return wrapped(text, wording.wrap_character, wording.wrap_length, wording.wrap_at_most)


def replaced(text: str, replacements: Sequence[Replacement]) -> str:
    """The text after all replacements, one after the other."""
    for item in replacements:
        text = _pattern(item).sub(item.replace.replace("\\", "\\\\"), text)
    return text


@lru_cache(maxsize=1024)
def _pattern(item: Replacement) -> re.Pattern[str]:
    pattern = re.escape(item.match)
    return re.compile(
        rf"\b{pattern}\b" if item.whole_word else pattern, re.NOFLAG if item.case_sensitive else re.IGNORECASE
    )


def formatted(text: str, decimals: int, plus_sign: bool) -> str:
    """A text that is a number with so many decimals, in the plain form that QGIS Server writes (measured); any other
    text as it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number) or abs(number) > LARGEST:
        return text
    return f"{'+' if plus_sign and number > 0 else ''}{number:.{min(max(decimals, 0), MOST_DECIMALS)}f}"


def directed(text: str, symbols: DirectionSymbols, reversed_: bool) -> str:
    """The text with the symbol that says which way its line runs; ``reversed_``: the text runs against the line."""
    before = reversed_ != symbols.reverse
    symbol = symbols.left if before else symbols.right
    if symbols.where == ABOVE:
        return f"{symbol}\n{text}"
    if symbols.where == BELOW:
        return f"{text}\n{symbol}"
    return symbol + text if before else text + symbol
