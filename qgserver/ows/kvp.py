"""Values of parameters that both services take apart alike."""

from __future__ import annotations

import re


def groups(value: str) -> tuple[str, ...]:
    """One item per type or layer: ``(a)(b)`` as its parts, anything else as it is; "" as none."""
    value = value.strip()
    if not value:
        return ()
    if value.startswith("(") and value.endswith(")"):
        return tuple(re.split(r"\)\s*\(", value[1:-1]))
    return (value,)
