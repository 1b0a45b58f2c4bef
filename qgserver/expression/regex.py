"""Regular expressions (PCRE's dialect, as QGIS's) with a time limit: no pattern of a client hangs a worker."""

from __future__ import annotations

from functools import lru_cache

import regex as engine

from qgserver.errors import ExpressionError

_GROUP = engine.compile(r"\\(\d)")

TIMEOUT = 0.5
"""Seconds for one call."""


@lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> engine.Pattern[str]:
    """The compiled pattern. Raises ``ExpressionError`` when it is none."""
    if len(pattern) > 10_000:
        raise ExpressionError("The regular expression is too long")
    try:
        return engine.compile(pattern, engine.VERSION0)
    except (engine.error, OverflowError, RecursionError) as error:
        raise ExpressionError(f"Invalid regular expression '{pattern[:100]}': {error}") from error


def search(pattern: str, text: str) -> engine.Match[str] | None:
    """The first match anywhere in the text."""
    try:
        return compile_pattern(pattern).search(text, timeout=TIMEOUT)
    except TimeoutError as error:
        raise ExpressionError("The regular expression takes too long") from error


def find_all(pattern: str, text: str) -> list[engine.Match[str]]:
    """All matches, left to right, without overlaps."""
    try:
        return list(compile_pattern(pattern).finditer(text, timeout=TIMEOUT))
    except TimeoutError as error:
        raise ExpressionError("The regular expression takes too long") from error


def replace_all(pattern: str, text: str, replacement: str) -> str:
    """The text with every match replaced; ``\\1`` to ``\\9`` in the replacement stand for captured groups."""
    parts = _GROUP.split(replacement)
    pieces: list[str] = []
    at = 0
    for match in find_all(pattern, text):
        pieces.append(text[at : match.start()])
        for index, part in enumerate(parts):
            group = int(part) if index % 2 else -1
            pieces.append(part if group < 0 else (match.group(group) or "") if group <= match.re.groups else "")
        at = match.end()
    return "".join([*pieces, text[at:]])
