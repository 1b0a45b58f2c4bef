"""Addresses with parameters."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

_PLAIN = "/:,"
"""Characters that other servers expect as they are (``image/png``, ``EPSG:3857``, lists)."""


def with_query(url: str, pairs: Sequence[tuple[str, str]]) -> str:
    """An address with parameters behind those that it has already, which they replace."""
    parts = urlsplit(url)
    names = {name.upper() for name, _ in pairs}
    kept = [
        (name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name.upper() not in names
    ]
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe=_PLAIN)}" for name, value in (*kept, *pairs))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def decimal(value: float) -> str:
    """A number without an exponent and with all its digits."""
    text = f"{Decimal(repr(value)):f}"
    return text.removesuffix(".0")
