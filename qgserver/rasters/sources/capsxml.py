"""Capabilities of other servers, read so that they can do no harm."""

from __future__ import annotations

import math
from collections.abc import Iterator

from lxml import etree

Element = etree._Element
LINK = "{http://www.w3.org/1999/xlink}href"


def parse(body: bytes) -> Element | None:
    """The root element; None for what is not well formed or declares entities. A DTD that is only named (WMS 1.1.1
    does so) is not fetched."""
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and next(dtd.iterentities(), None) is not None:  # type: ignore[union-attr] # stubs lack it
        return None
    return root


def children(element: Element, name: str) -> Iterator[Element]:
    """Children of that local name, in whatever namespace."""
    yield from element.iterfind(f"{{*}}{name}")


def find(element: Element | None, *names: str) -> Element | None:
    """The first descendant along local names."""
    for name in names:
        element = None if element is None else next(children(element, name), None)
    return element


def text(element: Element | None, *names: str) -> str:
    """The text of ``find``, without blanks around; "" without one."""
    found = find(element, *names)
    return "" if found is None else (found.text or "").strip()


def numbers(words: str) -> tuple[float, ...]:
    """Finite numbers separated by blanks or commas; () when any word is none."""
    try:
        found = tuple(float(word) for word in words.replace(",", " ").split())
    except ValueError:
        return ()
    return found if all(math.isfinite(one) for one in found) else ()
