"""Attributes of raster elements as numbers, whatever a file holds."""

from __future__ import annotations

import math

from lxml import etree


def number(element: etree._Element | None, name: str, default: float = 0.0) -> float:
    """A finite number, else ``default``."""
    try:
        value = float("" if element is None else element.get(name, ""))
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def integer(element: etree._Element | None, name: str, default: int = 0) -> int:
    """A whole number, else ``default``; a fraction is cut off."""
    value = number(element, name, default)
    return int(value) if abs(value) < 2**31 else default


def flag(element: etree._Element | None, name: str, default: bool = False) -> bool:
    """``1`` or ``true``."""
    text = "" if element is None else element.get(name, "")
    return default if not text else text.strip().lower() in ("1", "true")
