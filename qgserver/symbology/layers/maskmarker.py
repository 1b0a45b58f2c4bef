"""MaskMarker: what it covers of other layers is left out there; it shows nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from qgserver.symbology.options import Options
from qgserver.symbology.symbol import SymbolLayer, layers


@layers.register("MaskMarker")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaskMarker(SymbolLayer):
    """``symbol`` is the shape of the mask."""

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(in_sequence=True)
