"""Small readings of XML attributes and texts, each with a default: nothing in a project file can be relied on."""

from __future__ import annotations

import math

from lxml import etree

from qgserver.geo.extent import Extent

Element = etree._Element

FALSE_WORDS = frozenset(("", "0", "false"))
"""What Qt takes for false in a text; everything else is true."""


def text(parent: Element | None, path: str, default: str = "") -> str:
    """The text of the first element at ``path``, or ``default``."""
    found = None if parent is None else parent.findtext(path)
    return default if found is None else found


def flag(value: str | None, default: bool = False) -> bool:
    """A boolean as QGIS writes it (``1``, ``true``, ``True``, ``0``, ...), ``default`` when absent."""
    return default if value is None else value.strip().lower() not in FALSE_WORDS


def number(value: str | None, default: float = 0.0) -> float:
    """A finite number, else ``default``."""
    try:
        result = float(value) if value else default
    except ValueError:
        return default
    return result if math.isfinite(result) else default


def integer(value: str | None, default: int = 0) -> int:
    """A whole number (``"3.0"`` counts), else ``default``."""
    return int(number(value, default))


def extent(element: Element | None) -> Extent | None:
    """``xmin ymin xmax ymax`` children as a box; None when absent or null (all zero, inverted or not finite)."""
    if element is None:
        return None
    sides = [number(element.findtext(side), math.nan) for side in ("xmin", "ymin", "xmax", "ymax")]
    box = Extent(*sides)
    return None if box.is_empty or not any(sides) else box


def xml_text(element: Element) -> str:
    """The element as text, without what follows it."""
    return etree.tostring(element, encoding="unicode", with_tail=False)
