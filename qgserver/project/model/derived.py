"""What follows from a part of the project alone: made at first need, then kept as long as that part is.

A function of a ``Project``, a ``Layer`` or a ``Style`` that requests call again and again carries ``@once``. Nothing of
a request or of a data source may go into it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypeVar, cast

Known = dict[object, object]
"""Function -> what it gave. A changed copy (``dataclasses.replace``) starts with an empty one."""


class _Part(Protocol):
    @property
    def derived(self) -> Known: ...


P = TypeVar("P", bound=_Part)
T = TypeVar("T")


def once(make: Callable[[P], T]) -> Callable[[P], T]:
    """Decorator: remember the result with the argument. Threads that come at the same time may each make it."""

    @wraps(make)
    def remembered(part: P) -> T:
        known = part.derived
        if make not in known:
            known[make] = make(part)
        return cast(T, known[make])

    return remembered
