"""Texts with expressions in them: ``<b>[% "name" %]</b>``."""

from __future__ import annotations

import re
from functools import lru_cache

from qgserver.errors import ExpressionError
from qgserver.expression.context import Frame
from qgserver.expression.nodes import Node
from qgserver.expression.parser import parse
from qgserver.expression.rows import compile_row
from qgserver.expression.values import to_text

_PLACE = re.compile(r"\[%(.*?)%\]", re.DOTALL)


@lru_cache(maxsize=256)
def split_template(text: str) -> tuple[str | Node, ...]:
    """Pieces of text and the expressions between them, in order. What does not parse stays text, as in QGIS."""
    parts: list[str | Node] = []
    at = 0
    for match in _PLACE.finditer(text):
        try:
            node = parse(match[1])
        except ExpressionError:
            continue
        parts += [text[at : match.start()], node]
        at = match.end()
    return (*parts, text[at:])


def expand(text: str, frame: Frame) -> str:
    """The text with every ``[% expression %]`` replaced by its value; nothing where it fails."""
    parts = []
    for part in split_template(text):
        if not isinstance(part, str):
            frame.budget.spend(100)
            part = _value(part, frame)
        parts.append(part)
    result = "".join(parts)
    frame.budget.allow(len(result))
    return result


def _value(node: Node, frame: Frame) -> str:
    try:
        return to_text(compile_row(node)(frame))
    except ExpressionError:
        return ""
