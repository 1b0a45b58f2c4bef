"""Parameters of requests: one row each, read and checked in one place.

Each service has a table of rows (``ows/wms/params``, ``ows/wfs/params``); ``page`` is how it is documented.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from qgserver.errors import OwsError

T = TypeVar("T")


class Source(Protocol):
    """Where values are: a request, or a map of upper-case names to values."""

    def get(self, name: str, /) -> str | None:
        """The value as sent."""


@dataclass(frozen=True, slots=True)
class Parameter(Generic[T]):
    """One row: the names it goes by, the main one first, how its text is read (``ValueError`` = not valid), what it is
    without. ``kind`` is ``vendor`` for QGIS's (or another vendor's) own, the version for one that only that has."""

    names: tuple[str, ...]
    read: Callable[[str], T]
    default: T
    doc: str
    kind: str = ""

    def text(self, source: Source) -> str:
        """The value as sent, without surrounding blanks; "" when absent under all its names."""
        for name in self.names:
            value = (source.get(name) or "").strip()
            if value:
                return value
        return ""

    def of(self, source: Source) -> T:
        """The value. Raises ``OwsError`` InvalidParameterValue."""
        text = self.text(source)
        return self._value(text) if text else self.default

    def required(self, source: Source) -> T:
        """The value; ``OwsError`` MissingParameterValue when there is none."""
        text = self.text(source)
        if not text:
            name = self.names[0]
            raise OwsError("MissingParameterValue", f"The {name} parameter is missing.", locator=name)
        return self._value(text)

    def _value(self, text: str) -> T:
        try:
            return self.read(text)
        except ValueError as error:
            name = self.names[0]
            reason = f"{name} ('{text[:80]}') is not valid: {error}."
            raise OwsError("InvalidParameterValue", reason, locator=name) from None


def text(value: str) -> str:
    """Any text."""
    return value


def number(value: str) -> float:
    """A finite number."""
    try:
        result = float(value)
    except ValueError:
        raise ValueError("it must be a number") from None
    if not math.isfinite(result):
        raise ValueError("it must be finite")
    return result


def page(service: str, module: str, notes: str, rows: Iterable[Parameter[object]]) -> str:
    """The page of a service's parameters; ``module`` is where its table is."""

    def lines() -> Iterator[str]:
        yield f"# Parameters of {service}\n"
        yield f"Names in any case. {notes}This page is made by `{module}.document`.\n"
        yield "| parameter | other names | | meaning |\n| --- | --- | --- | --- |"
        for row in sorted(rows, key=lambda row: row.names[0]):
            yield f"| {row.names[0]} | {' '.join(row.names[1:])} | {row.kind} | {row.doc} |"

    return "\n".join(lines()) + "\n"
