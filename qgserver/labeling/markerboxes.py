"""How much room the markers of a layer's points take: what labels keep away from, or begin beside."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from qgserver.draw.units import RenderScale
from qgserver.geo.geometry import Floats, Ints
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.layers.ellipsemarker import EllipseMarker
from qgserver.symbology.layers.simplemarker import SimpleMarker
from qgserver.symbology.layers.svgmarker import SvgMarker
from qgserver.symbology.markers import MarkerLayer
from qgserver.symbology.options import Length
from qgserver.symbology.paint import point_geometry
from qgserver.symbology.symbol import Symbol

Sides = tuple[float, float, float, float]
"""left, bottom, right, top in pixels from the point, y up."""
SMOOTHING: Mapping[type[MarkerLayer], float] = {SimpleMarker: 1.0, EllipseMarker: 1.0, SvgMarker: 0.5}
"""Pixels that QGIS adds to the width and height of markers for their smooth edges, where their outline counts at all
(measured)."""
NO_ROOM: Sides = (math.inf, math.inf, -math.inf, -math.inf)


@dataclass(frozen=True, slots=True)
class MarkerBoxes:
    """The boxes of the markers that a batch's points are drawn with."""

    env: Env
    symbols: Sequence[Symbol]
    fixed: dict[int, Sides] = field(default_factory=dict)

    def sides(self, rows: Ints, numbers: Ints) -> dict[int, Sides]:
        """The box around all the markers of each feature: jobs are (row of the batch, number of its symbol)."""
        found: dict[int, Sides] = {}
        for row, number in zip(rows.tolist(), numbers.tolist(), strict=True):
            found[row] = united(found.get(row, NO_ROOM), self._symbol(number, row))
        return {row: sides for row, sides in found.items() if sides != NO_ROOM}

    def _symbol(self, number: int, row: int) -> Sides:
        symbol = self.symbols[number]
        if any(layer.properties for layer in symbol.layers):
            return _symbol_sides(symbol, self.env, row)
        if number not in self.fixed:
            self.fixed[number] = _symbol_sides(symbol, self.env, row)
        return self.fixed[number]


def united(a: Sides, b: Sides) -> Sides:
    """The box around two."""
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _symbol_sides(symbol: Symbol, env: Env, row: int) -> Sides:
    found = NO_ROOM
    shape = Shapes(point_geometry(np.zeros((1, 2))), np.array([row], dtype=np.int64))
    for layer in symbol.layers:
        for variant, _ in layer.variants(env, shape):
            if isinstance(variant, MarkerLayer):
                found = united(found, _marker_sides(variant, env.scale))
    return found


def _marker_sides(layer: MarkerLayer, scale: RenderScale) -> Sides:
    """The box of one marker with its outline, turned."""
    size = layer.size.pixels(scale)
    width, height = (_pixels(getattr(layer, name, None), scale, size) for name in ("width", "height"))
    aspect = getattr(layer, "aspect", 0.0)
    if aspect > 0:
        height = width * aspect
    pen = SMOOTHING.get(type(layer), 0.0)
    if type(layer) in SMOOTHING and getattr(layer, "stroke_style", "solid") != "no":
        pen += _pixels(getattr(layer, "stroke_width", None), scale, 0.0)
    dx, dy = layer.displacement(scale, width, height)
    angle = math.radians(layer.rotation)
    sin, cos = abs(math.sin(angle)), abs(math.cos(angle))
    half_width = (width * cos + height * sin + pen) / 2
    half_height = (width * sin + height * cos + pen) / 2
    return dx - half_width, -dy - half_height, dx + half_width, -dy + half_height


def _pixels(length: object, scale: RenderScale, default: float) -> float:
    return length.pixels(scale) if isinstance(length, Length) else default


def boxes_at(points: Floats, sides: Floats, height: float) -> Floats:
    """float64[n, 4] left, bottom, right, top: the boxes of markers with ``sides`` float64[n, 4] at points float64[n, 2]
    of engine space, in a picture of ``height`` pixels. QGIS cuts them to whole pixels (counted from above)."""
    boxes = np.column_stack((points, points)) + sides
    boxes[:, 1::2] = height - boxes[:, 1::2]
    boxes = np.trunc(boxes)
    boxes[:, 1::2] = height - boxes[:, 1::2]
    return boxes
