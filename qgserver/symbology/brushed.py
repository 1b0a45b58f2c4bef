"""What LineburstLine and RasterLine share: wide lines painted with a brush that runs along them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

import numpy as np

from qgserver.draw.bands import MakeBrush, paint_band
from qgserver.draw.canvas import Canvas
from qgserver.draw.pen import Cap, Join, Pen, stroke_with
from qgserver.geo.geometry import GeometryArray
from qgserver.symbology.along import track
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.lines import filtered_rings, is_polygonal, offset_lines, offset_polygons
from qgserver.symbology.looks import paths_of
from qgserver.symbology.options import Length, Options
from qgserver.symbology.symbol import SymbolLayer, paint_nothing

OPAQUE = (0.0, 0.0, 0.0, 1.0)
SMALLEST, LARGEST = 1e-3, 4000.0
"""Pixels: lines of other widths are not drawn."""
FARTHEST = 1e4
"""Pixels: what lies beyond is drawn in to here."""
T = TypeVar("T", bound="BrushedLine")


@dataclass(frozen=True, slots=True, kw_only=True)
class BrushedLine(SymbolLayer):
    """Attributes are the options of the same names."""

    width: Length = Length(1.0)
    cap: Cap = "round"
    join: Join = "round"
    offset: Length = Length(0.0)
    ring_filter: int = 0

    def brush(self, env: Env, canvas: Canvas, width: float) -> MakeBrush | None:
        """What a line of so many pixels is painted with; None when there is nothing."""
        return None

    def painter(self, env: Env) -> Painter:
        width = self.width.pixels(env.scale)
        if not SMALLEST <= width <= LARGEST:
            return paint_nothing
        pen = Pen(OPAQUE, max(width, 1.0), cap=self.cap, join=self.join)

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            brush = self.brush(env, canvas, width)
            if brush is None:
                return
            for paths, _ in paths_of(self._prepared(shapes.geometry, env)):
                brushed = Canvas(canvas.width, canvas.height, "none")
                for start, stop in pairwise(paths.starts.tolist()):
                    line = track(paths.coords[start:stop], paths.closed)
                    if line is not None:
                        paint_band(brushed, line.coords, line.closed, width, brush)
                stroke_with(canvas, paths, pen, brushed)

        return paint

    def _prepared(self, geometry: GeometryArray, env: Env) -> GeometryArray:
        offset = self.offset.pixels(env.scale)
        geometry = geometry.drop_nonfinite()
        if offset:
            geometry = (offset_polygons if is_polygonal(geometry) else offset_lines)(geometry, offset)
        geometry = filtered_rings(geometry, self.ring_filter)
        return replace(geometry, coords=np.clip(geometry.coords, -FARTHEST, FARTHEST))


def read_brushed(layer: T, options: Options) -> T:
    """The layer with the attributes that all such lines have."""
    return replace(
        layer,
        width=options.length("line_width", default=1.0),
        cap=options.cap("capstyle"),
        join=options.join(),
        offset=options.length("offset", default=0.0),
        ring_filter=options.integer("ring_filter"),
    )
