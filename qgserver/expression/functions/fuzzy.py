"""Fuzzy matching of texts."""

from __future__ import annotations

from qgserver.expression.context import Frame
from qgserver.expression.function import Group
from qgserver.expression.values import utf16_units

function = Group("Fuzzy Matching")


@function("hamming_distance")
def hamming_distance(string1: str, string2: str) -> int | None:
    """How many characters differ; NULL for texts of different length."""
    first, second = utf16_units(string1), utf16_units(string2)
    if len(first) != len(second):
        return None
    return sum(a != b for a, b in zip(first, second, strict=True))


@function("levenshtein")
def levenshtein(frame: Frame, string1: str, string2: str) -> int:
    """How many insertions, deletions and replacements make one text the other."""
    first, second = (utf16_units(text) for text in (string1, string2))
    previous = list(range(len(second) + 1))
    for row, char in enumerate(first, 1):
        frame.budget.spend(len(second) + 1)
        current = [row]
        for column, other in enumerate(second, 1):
            change = previous[column - 1] + (char != other)
            current.append(min(change, previous[column] + 1, current[-1] + 1))
        previous = current
    return previous[-1]


@function("longest_common_substring")
def longest_common_substring(frame: Frame, string1: str, string2: str) -> str | None:
    """The longest run of characters that both texts have; NULL if one of them is empty."""
    if not string1 or not string2:
        return None
    best_length, best_end = 0, 0
    previous = [0] * (len(string2) + 1)
    for row, char in enumerate(string1, 1):
        frame.budget.spend(len(string2) + 1)
        current = [0]
        for column, other in enumerate(string2, 1):
            run = previous[column - 1] + 1 if char == other else 0
            current.append(run)
            if run > best_length:
                best_length, best_end = run, row
        previous = current
    return string1[best_end - best_length : best_end]


_SOUNDS = {
    letter: digit
    for digit, letters in {"1": "BFPV", "2": "CGJKQSXZ", "3": "DT", "4": "L", "5": "MN", "6": "R"}.items()
    for letter in letters
}


@function("soundex")
def soundex(string: str) -> str | None:
    """The sound of a word as a letter and three digits."""
    if not string:
        return None
    # vowels go, but for a first letter
    letters = [char for at, char in enumerate(string.upper()) if "A" <= char <= "Z" and (at == 0 or char in _SOUNDS)]
    if not letters:
        return "000"
    digits = [_SOUNDS[letter] for letter in letters[1:] if letter in _SOUNDS]
    code = "".join(digit for digit, before in zip(digits, ["", *digits], strict=False) if digit != before)
    return (letters[0] + code[:3]).ljust(4, "0")
