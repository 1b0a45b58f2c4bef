"""Values of parameters that both services take apart alike."""

from __future__ import annotations

import re

_BETWEEN_FILTERS = re.compile(r"(?<=>)\s*\)\s*\(\s*(?=<[^/])")


def filter_groups(value: str) -> tuple[str, ...]:
    """XML documents, one per type or layer: ``(<a/>)(<b/>)``. What brackets they hold themselves is theirs."""
    value = value.strip()
    if value.startswith("(") and value.endswith(")"):
        return tuple(_BETWEEN_FILTERS.split(value[1:-1]))
    return (value,) if value else ()


def groups(value: str) -> tuple[str, ...]:
    """One item per type or layer: ``(a)(b)`` as its parts, anything else as it is; "" as none."""
    value = value.strip()
    if not value:
        return ()
    if value.startswith("(") and value.endswith(")"):
        return tuple(re.split(r"\)\s*\(", value[1:-1]))
    return (value,)
