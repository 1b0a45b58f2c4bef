"""MaskMarker: what it covers of other layers is left out there; it shows nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.masks import SymbolLayerRef, read_references
from qgserver.symbology.options import Options
from qgserver.symbology.paint import paint_symbol
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing


@layers.register("MaskMarker")
@dataclass(frozen=True, slots=True, kw_only=True)
class MaskMarker(SymbolLayer):
    """``symbol`` is the shape of the mask, ``masked`` what it is for."""

    EFFECTS_APART: ClassVar[bool] = True

    masked: frozenset[SymbolLayerRef] = frozenset()

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(in_sequence=True, masked=read_references(options.text("mask_symbollayers")))

    def painter(self, env: Env) -> Painter:
        symbol, masks = self.symbol, env.masks
        sheets = () if masks is None else masks.of(self.masked)
        if symbol is None or masks is None or not sheets:
            return paint_nothing
        inner = replace(env, masks=None, painters={})
        move = np.array((masks.right, masks.down))

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            geometry = replace(shapes.geometry, coords=shapes.geometry.coords - move)
            for sheet in sheets:
                sheet.antialias = canvas.antialias
                paint_symbol(sheet, inner, symbol, Shapes(geometry, shapes.rows))

        return paint
