"""``<properties>``: the project's key/value tree."""

from __future__ import annotations

import math

from qgserver.project.reading.elements import Element, flag, integer, number

_TEXT_TRUE = frozenset(("true", "enabled"))


class Entries:
    """Project entries by their path (``WMSInspire/activated``). Absent ones give the default."""

    def __init__(self, properties: Element | None) -> None:
        self._items: dict[str, Element] = {}
        if properties is not None:
            self._index(properties, "")

    def _index(self, parent: Element, prefix: str) -> None:
        for child in parent:
            # keys that are no XML name: <properties name="key">
            name = child.get("name", "") if child.tag == "properties" else str(child.tag)
            # A key may be named like the items of a list; only keys have a type.
            if child.tag != "value" or "type" in child.attrib:
                self._items[prefix + name] = child
                self._index(child, prefix + name + "/")

    def text(self, key: str, default: str = "") -> str:
        element = self._items.get(key)
        return default if element is None else element.text or ""

    def integer(self, key: str, default: int) -> int:
        return integer(self.text(key).strip(), default)

    def number(self, key: str, default: float) -> float:
        return number(self.text(key).strip(), default)

    def flag(self, key: str, default: bool = False) -> bool:
        """A boolean of any type (``true``, ``1``, ``True``)."""
        return flag(self.text(key)) if key in self._items else default

    def flag_text(self, key: str) -> bool:
        """A boolean that QGIS Server compares as text: ``true`` or ``enabled``; the integer 1 is false (measured)."""
        element = self._items.get(key)
        if element is None:
            return False
        value = (element.text or "").strip().lower()
        return flag(value) if element.get("type") == "bool" else value in _TEXT_TRUE

    def texts(self, key: str) -> tuple[str, ...]:
        """A QStringList, empty items left out; a single text counts as a list of one."""
        return tuple(item for item in self.all_texts(key) if item.strip())

    def all_texts(self, key: str) -> tuple[str, ...]:
        """A QStringList with its empty items, for lists that run parallel to another."""
        element = self._items.get(key)
        if element is None:
            return ()
        items = [value.text or "" for value in element.iterfind("value")]
        if not items and element.get("type") == "QString":
            items = [element.text or ""]
        return tuple(items)

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of numbers; what is none becomes NaN."""
        return tuple(number(item.strip(), math.nan) for item in self.texts(key))

    def children(self, key: str) -> tuple[str, ...]:
        """Names of the entries right below ``key``."""
        prefix = key + "/"
        return tuple(
            path.removeprefix(prefix)
            for path in self._items
            if path.startswith(prefix) and "/" not in path.removeprefix(prefix)
        )
