"""Texts with expressions in them: ``<b>[% "name" %]</b>``."""

from __future__ import annotations

import re

from qgserver.errors import ExpressionError
from qgserver.expression.context import Frame
from qgserver.expression.parser import parse
from qgserver.expression.rows import compile_row
from qgserver.expression.values import to_text

_PLACE = re.compile(r"\[%(.*?)%\]", re.DOTALL)


def expand(text: str, frame: Frame) -> str:
    """The text with every ``[% expression %]`` replaced by its value; nothing where it fails."""
    parts = _PLACE.split(text)
    for at in range(1, len(parts), 2):
        frame.budget.spend(100)
        try:
            parts[at] = to_text(compile_row(parse(parts[at].strip()))(frame))
        except ExpressionError:
            parts[at] = ""
    result = "".join(parts)
    frame.budget.allow(len(result))
    return result
