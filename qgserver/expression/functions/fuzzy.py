"""Fuzzy matching of texts."""

from __future__ import annotations

from qgserver.expression.context import Frame
from qgserver.expression.function import Group

function = Group("Fuzzy Matching")


@function("hamming_distance")
def hamming_distance(string1: str, string2: str) -> int | None:
    """How many characters differ; NULL for texts of different length."""
    units = [text.encode("utf-16-le", "surrogatepass") for text in (string1, string2)]
    if len(units[0]) != len(units[1]):
        return None
    return sum(units[0][at : at + 2] != units[1][at : at + 2] for at in range(0, len(units[0]), 2))


@function("levenshtein")
def levenshtein(frame: Frame, string1: str, string2: str) -> int:
    """How many insertions, deletions and replacements make one text the other."""
    previous = list(range(len(string2) + 1))
    for row, char in enumerate(string1, 1):
        frame.budget.spend(len(string2) + 1)
        current = [row]
        for column, other in enumerate(string2, 1):
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
    letters = [letter for letter in string.upper() if "A" <= letter <= "Z"]
    if not letters:
        return "000"
    digits = [_SOUNDS[letter] for letter in letters[1:] if letter in _SOUNDS]
    code = "".join(digit for digit, before in zip(digits, ["", *digits], strict=False) if digit != before)
    return (letters[0] + code[:3]).ljust(4, "0")
