"""Names of the columns of delimited text, made so that each is there and is there once."""

from __future__ import annotations

import re
from collections.abc import Sequence

_DEFAULT = re.compile(r"field_([0-9]+)", re.IGNORECASE)


def unique_names(header: Sequence[str], count: int) -> list[str]:
    """``count`` names or more: those of the header; ``field_N`` where it has none; a name that is taken, or is the
    default one of another place, gets a number (measured).

    >>> unique_names(["a", "", "A"], 4)
    ['a', 'field_2', 'A_1', 'field_4']
    """
    names: list[str] = []
    seen: set[str] = set()
    for place in range(max(count, len(header))):
        wanted = (header[place] if place < len(header) else "") or f"field_{place + 1}"
        default = _DEFAULT.fullmatch(wanted)
        foreign = default is not None and int(default[1][:9]) != place + 1
        name, number = wanted, 0
        while name.lower() in seen or (foreign and not number):
            number += 1
            name = f"{wanted}_{number}"
        seen.add(name.lower())
        names.append(name)
    return names
