"""Texts. Positions and lengths count UTF-16 units, as QGIS does."""

from __future__ import annotations

from qgserver.expression.context import Frame
from qgserver.expression.function import Group
from qgserver.expression.regex import replace_all, search
from qgserver.expression.values import Value, has_text, to_text

function = Group("String")


@function("lower")
def lower(string: str) -> str:
    """In lower case."""
    return string.lower()


@function("upper")
def upper(string: str) -> str:
    """In upper case."""
    return string.upper()


@function("trim")
def trim(string: str) -> str:
    """Without white space at both ends."""
    return string.strip()


@function("concat", handles_null=True)
def concat(frame: Frame, *values: Value) -> str | None:
    """All values as one text, NULLs skipped."""
    text = "".join([to_text(value) for value in values])
    frame.budget.allow(len(text))
    return text if text or any(has_text(value) for value in values) else None


@function("regexp_replace")
def regexp_replace(frame: Frame, input_string: str, regex: str, replacement: str) -> str:
    """All matches replaced; ``\\\\1`` stands for a captured group."""
    result = replace_all(regex, input_string, replacement)
    frame.budget.allow(len(result))
    return result


@function("regexp_match")
def regexp_match(string: str, regex: str) -> int:
    """Position (from 1) of the first match, 0 without one."""
    match = search(regex, string)
    return match.start() + 1 if match else 0


@function("regexp_substr")
def regexp_substr(input_string: str, regex: str) -> str:
    """What the first group of the first match holds, or the whole match; "" without one."""
    match = search(regex, input_string)
    return "" if match is None else match.group(1 if match.re.groups else 0) or ""
