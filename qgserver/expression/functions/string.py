"""Texts. Positions and lengths count UTF-16 units, as QGIS does."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from qgserver.errors import ExpressionError
from qgserver.expression import locales
from qgserver.expression.context import Frame
from qgserver.expression.function import Group
from qgserver.expression.regex import find_all, replace_all, search
from qgserver.expression.values import (
    NO_TEXT,
    Value,
    has_text,
    is_geometry,
    text_argument,
    to_int,
    to_text,
    utf16_length,
    utf16_position,
    utf16_slice,
)

function = Group("String")


def keeps_null(implementation: Callable[..., Value]) -> Callable[..., Value]:
    """Decorator: an empty result is NULL when the text it was made of is that of an array, a map or a geometry."""

    @functools.wraps(implementation)
    def wrapped(*args: Value) -> Value:
        result = implementation(*args)
        return None if result == "" and any(arg is NO_TEXT for arg in args[:2]) else result

    return wrapped


@function("lower")
@keeps_null
def lower(string: str) -> str:
    """In lower case."""
    return string.lower()


@function("upper")
@keeps_null
def upper(string: str) -> str:
    """In upper case."""
    return string.upper()


@function("title")
def title(string: str) -> str | None:
    """Every word of two letters and more with a capital first letter, the rest in lower case."""
    words = (_capital(word[0]) + word[1:].lower() if len(word) > 1 else word for word in string.split(" "))
    return " ".join(words) or None


def _capital(letter: str) -> str:
    return letter.upper() if len(letter.upper()) == 1 else letter


@function("trim")
@keeps_null
def trim(string: str) -> str:
    """Without white space at both ends."""
    return string.strip()


@function("ltrim", since="3.32")
@keeps_null
def ltrim(string: str, characters: str = " ") -> str:
    """Without the characters at the start."""
    return string.lstrip(characters)


@function("rtrim", since="3.32")
@keeps_null
def rtrim(string: str, characters: str = " ") -> str:
    """Without the characters at the end."""
    return string.rstrip(characters)


@function("unaccent", since="3.32")
@keeps_null
def unaccent(string: str) -> str:
    """Without accents."""
    import unicodedata

    decomposed = unicodedata.normalize("NFKD", string)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@function("repeat", since="3.44")
def repeat(frame: Frame, text: str, number: int) -> str:
    """The text several times."""
    frame.budget.allow(len(text) * max(number, 0))
    return text * max(number, 0)


@function("length")
def length(frame: Frame, text: Value = "") -> Value:
    """Characters of a text, or the planar length of a line."""
    if is_geometry(text):
        from qgserver.expression.measure import planar_length

        return planar_length(text)
    return utf16_length(to_text(text))


@function("left")
@keeps_null
def left(string: str, length: int) -> str:
    """The first characters; all of them for a negative length."""
    return string if length < 0 else utf16_slice(string, 0, length)


@function("right")
@keeps_null
def right(string: str, length: int) -> str:
    """The last characters; all of them for a negative length."""
    size = utf16_length(string)
    return string if length < 0 or length >= size else utf16_slice(string, size - length, size)


@function("substr", handles_null=True)
def substr(string: Value, start: Value, length: Value = None) -> str | None:
    """A part: ``start`` from 1, negative from the end; a negative length leaves as many out at the end."""
    if string is None or start is None:
        return None
    text = text_argument(string)
    size = utf16_length(text)
    begin = to_int(start)
    begin = begin - 1 if begin > 0 else max(0, size + begin) if begin < 0 else 0
    count = size if length is None else to_int(length)
    if count < 0:
        count = max(0, size + count - begin)
    return None if begin > size or text is NO_TEXT else utf16_slice(text, begin, begin + count)


@function("lpad")
def lpad(frame: Frame, string: str, width: int, fill: str) -> str:
    """Filled on the left with one character, or cut, to a width."""
    return _padded(frame, string, width, fill, left=True)


@function("rpad")
def rpad(frame: Frame, string: str, width: int, fill: str) -> str:
    """Filled on the right with one character, or cut, to a width."""
    return _padded(frame, string, width, fill, left=False)


def _padded(frame: Frame, string: str, width: int, fill: str, left: bool) -> str:
    size = utf16_length(string)
    if size >= width:
        return string if width < 0 else utf16_slice(string, 0, width)
    frame.budget.allow(width)
    padding = (utf16_slice(fill, 0, 1) or "\0") * (width - size)
    return padding + string if left else string + padding


@function("strpos")
def strpos(haystack: str, needle: str) -> int:
    """Position (from 1) of a text in another, 0 when it is not there."""
    at = haystack.find(needle)
    return utf16_position(haystack, at) + 1 if at >= 0 else 0


@function("ascii")
def ascii_(string: str) -> int | None:
    """The code of the first character (UTF-16 unit)."""
    return int.from_bytes(string[0].encode("utf-16-le", "surrogatepass")[:2], "little") if string else None


@function("char")
def char(code: int) -> str:
    """The character of a code."""
    return chr(code & 0xFFFF)


@function("concat", handles_null=True)
def concat(frame: Frame, *values: Value) -> str | None:
    """All values as one text, NULLs skipped."""
    text = "".join([to_text(value) for value in values])
    frame.budget.allow(len(text))
    return text if text or any(has_text(value) for value in values) else None


@function("concat_ws", handles_null=True, since="3.38")
def concat_ws(frame: Frame, separator: Value, *values: Value) -> str | None:
    """All values as one text with a separator between them, NULLs skipped."""
    if separator is None:
        return None
    text = to_text(separator).join([to_text(value) for value in values if value is not None])
    frame.budget.allow(len(text))
    return text


@function("replace")
def replace(frame: Frame, string: str, *rules: Value) -> Value:
    """Texts replaced: by a map, or by one or several texts for one or several others."""
    if len(rules) not in (1, 2):
        raise ExpressionError("replace takes 2 or 3 arguments")
    result = string
    for before, after in _pairs(rules):
        frame.budget.allow(len(result) + result.count(before) * len(after))
        result = result.replace(before, after)
    return None if string is NO_TEXT and not result else result


def _pairs(rules: tuple[Value, ...]) -> list[tuple[str, str]]:
    if len(rules) == 1:
        if not isinstance(rules[0], dict):
            raise ExpressionError("replace needs a map")
        return [(key, to_text(rules[0][key])) for key in sorted(rules[0])]
    before, after = rules
    if not isinstance(before, list):
        if isinstance(after, list):
            raise ExpressionError("replace: arrays of different length")
        return [(to_text(before), to_text(after))]
    replacements = after if isinstance(after, list) else [after] * len(before)
    if len(replacements) != len(before):
        raise ExpressionError("replace: arrays of different length")
    return [(to_text(old), to_text(new)) for old, new in zip(before, replacements, strict=True)]


_PLACE = re.compile(r"%L?(\d{1,2})", re.ASCII)


@function("format")
def format_(frame: Frame, *values: Value) -> str | None:
    """A text with ``%1``, ``%2``, ... filled in. Each value takes the lowest number that is still there."""
    if not values:
        raise ExpressionError("format takes at least one argument")
    text = text_argument(values[0])
    if text is NO_TEXT:
        return None
    for value in values[1:]:
        numbers = [int(number) for number in _PLACE.findall(text)]
        if not numbers:
            break
        lowest, written = min(numbers), to_text(value)
        text = _PLACE.sub(lambda place, n=lowest, w=written: w if int(place[1]) == n else place[0], text)  # type: ignore[misc]
        frame.budget.allow(len(text))
    return text


@function("wordwrap")
@keeps_null
def wordwrap(text: str, length: int, delimiter: str = "") -> str:
    """Broken into lines of at most ``length`` characters (at least, when negative) at a delimiter."""
    if length == 0:
        return text
    cut = delimiter or " "
    return "\n".join([piece for line in text.split("\n") for piece in _wrapped(line, length, cut)])


def _wrapped(line: str, length: int, cut: str) -> list[str]:
    pieces: list[str] = []
    at, last = 0, 0
    while at < len(line):
        hit = -1
        if 0 < length < len(line) - at:
            hit = line.rfind(cut, 0, at + length + len(cut))
        if length < 0 or hit in (-1, last):
            hit = line.find(cut, at + abs(length))
        last = hit if length > 0 else 0
        if hit < 0:
            pieces.append(line[at:])
            return pieces
        pieces.append(line[at:hit])
        at = hit + len(cut)
    return [*pieces, ""]


@function("format_number")
def format_number(
    frame: Frame,
    number: float,
    places: int = 0,
    language: str | None = None,
    omit_group_separators: Value = None,
    trim_trailing_zeroes: Value = None,
) -> str:
    """A number as a language writes it, with thousands separators."""
    if places < 0:
        raise ExpressionError("Number of places must be positive")
    locale = locales.find(language or frame.context.locale)
    if not math.isfinite(number):
        return "nan" if number != number else "inf" if number > 0 else locale.minus + "inf"
    frame.budget.allow(places)
    rounded = Decimal(number).quantize(Decimal(1).scaleb(-min(places, 320)), ROUND_HALF_UP)
    whole, _, fraction = f"{abs(rounded):f}".partition(".")
    if trim_trailing_zeroes:
        fraction = fraction.rstrip("0")
    if not omit_group_separators:
        whole = f"{int(whole):,}".replace(",", locale.group)
    sign = locale.minus if number < 0 else ""
    return sign + whole + (locale.decimal + fraction if fraction else "")


@function("regexp_replace")
@keeps_null
def regexp_replace(frame: Frame, input_string: str, regex: str, replacement: str) -> str:
    """All matches replaced; ``\\\\1`` stands for a captured group."""
    result = replace_all(regex, input_string, replacement)
    frame.budget.allow(len(result))
    return result


@function("regexp_match")
def regexp_match(string: str, regex: str) -> int:
    """Position (from 1) of the first match, 0 without one."""
    match = search(regex, string)
    return utf16_position(string, match.start()) + 1 if match else 0


@function("regexp_substr")
def regexp_substr(input_string: str, regex: str) -> str | None:
    """What the first group of the first match holds, or the whole match; "" without one."""
    match = search(regex, input_string)
    if match is None:
        return ""
    return None if input_string is NO_TEXT else match.group(1 if match.re.groups else 0) or ""


@function("regexp_matches")
def regexp_matches(string: str, regex: str, emptyvalue: Value = "") -> Value:
    """The captured groups of the first match as an array; ``emptyvalue`` for those that took no part."""
    match = search(regex, string)
    return None if match is None else [group or emptyvalue for group in match.groups()]


@function("substr_count", since="3.38")
def substr_count(string: str, substring: str, overlapping: Value = False) -> int:
    """How often a text is in another."""
    if not substring:
        return 0
    if not overlapping:
        return string.count(substring)
    return len(find_all(f"(?={re.escape(substring)})", string))
