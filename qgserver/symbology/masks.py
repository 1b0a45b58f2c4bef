"""Selective masks: which symbol layers are left out where others, or labels, want room; and the sheets on which what
wants room is painted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from qgserver.draw.canvas import Canvas

SEPARATOR = ";"


@dataclass(frozen=True, slots=True)
class SymbolLayerRef:
    """A symbol layer of a map layer (by id): either by its own ``uid`` (QGIS 3.30), or by the name of the class that
    its symbol is for (``symbol``) and its number among the symbol's layers, perhaps within sub-symbols (``path``)."""

    layer: str
    symbol: str = ""
    path: tuple[int, ...] = ()
    uid: str = ""


def read_references(text: str) -> frozenset[SymbolLayerRef]:
    """``layer,symbol,0;layer,symbol,1,0;...`` or ``layer,{uid};...``; what is neither is left out."""
    found = (_reference(part) for part in text.split(SEPARATOR) if part.strip())
    return frozenset(reference for reference in found if reference is not None)


def _reference(text: str) -> SymbolLayerRef | None:
    layer, _, rest = text.strip().partition(",")
    if not rest:
        return None
    parts = rest.split(",")
    if len(parts) == 1:
        return SymbolLayerRef(layer, uid=parts[0])
    first = len(parts)  # a class may have commas in its name: the numbers are what ends the text
    while first > 1 and parts[first - 1].isdecimal():
        first -= 1
    if first == len(parts):
        return None
    return SymbolLayerRef(layer, ",".join(parts[:first]), tuple(map(int, parts[first:])))


@dataclass(frozen=True, slots=True)
class MaskSheets:
    """The masks of a map: for each layer (by id) that has something to leave out, a sheet of the map's size. What is
    painted there, in whatever colour, is where it leaves that out. ``right``, ``down``: pixels by which the canvas
    being painted begins before the map."""

    sheets: Mapping[str, Canvas]
    right: int = 0
    down: int = 0

    def of(self, references: Iterable[SymbolLayerRef]) -> tuple[Canvas, ...]:
        """The sheets of the layers referred to that are in the map."""
        ids = dict.fromkeys(reference.layer for reference in references)
        return tuple(self.sheets[name] for name in sorted(ids) if name in self.sheets)

    def shifted(self, right: int, down: int) -> MaskSheets:
        """The same for painting on a canvas that begins so many pixels before the map."""
        return replace(self, right=right, down=down)
