"""PointPatternFill: areas with a marker at each node of a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.brush import fillable
from qgserver.draw.canvas import Canvas
from qgserver.draw.clipping import clipped_to
from qgserver.draw.patterns import middle
from qgserver.geo.geometry import Floats
from qgserver.symbology.areas import areas, fill_tiled
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.grids import Grid, within
from qgserver.symbology.markers import marker_size
from qgserver.symbology.options import Length, Options
from qgserver.symbology.paint import paint_points
from qgserver.symbology.properties import Convert, as_integer, as_length, as_number
from qgserver.symbology.symbol import Symbol, SymbolLayer, layers, paint_nothing

MAX_TILE = 1500
"""Side in pixels of the largest tile; wider patterns show next to nothing."""
Pair = tuple[float, float]
SHAPE, CENTROID, COMPLETELY = "shape", "centroid_within", "completely_within"


@layers.register("PointPatternFill")
@dataclass(frozen=True, slots=True, kw_only=True)
class PointPatternFill(SymbolLayer):
    """Attributes are the options of the same names; ``symbol`` is the marker. ``displacement``: how far every second
    row and column is moved; ``angle`` in degrees clockwise; ``clip``: what becomes of markers at the edge; they stray
    by up to ``deviation``."""

    distance_x: Length = Length(15.0)
    distance_y: Length = Length(15.0)
    displacement_x: Length = Length(0.0)
    displacement_y: Length = Length(0.0)
    offset_x: Length = Length(0.0)
    offset_y: Length = Length(0.0)
    angle: float = 0.0
    clip: str = SHAPE
    deviation_x: Length = Length(0.0)
    deviation_y: Length = Length(0.0)
    seed: int = 0

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "distanceX": ("distance_x", as_length),
        "distanceY": ("distance_y", as_length),
        "displacementX": ("displacement_x", as_length),
        "displacementY": ("displacement_y", as_length),
        "offsetX": ("offset_x", as_length),
        "offsetY": ("offset_y", as_length),
        "angle": ("angle", as_number),
        "randomOffsetX": ("deviation_x", as_length),
        "randomOffsetY": ("deviation_y", as_length),
        "randomSeed": ("seed", as_integer),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            distance_x=options.length("distance_x", default=15.0),
            distance_y=options.length("distance_y", default=15.0),
            displacement_x=options.length("displacement_x", default=0.0),
            displacement_y=options.length("displacement_y", default=0.0),
            offset_x=options.length("offset_x", default=0.0),
            offset_y=options.length("offset_y", default=0.0),
            angle=options.number("angle"),
            clip=options.text("clip_mode", default=SHAPE),
            deviation_x=options.length("random_deviation_x", default=0.0),
            deviation_y=options.length("random_deviation_y", default=0.0),
            seed=options.integer("seed"),
        )

    def painter(self, env: Env) -> Painter:
        symbol = self.symbol
        distance = self.distance_x.pixels(env.scale), self.distance_y.pixels(env.scale)
        if symbol is None or not all(0.5 <= side <= MAX_TILE / 2 for side in distance):
            return paint_nothing
        moved = self._pair(env, (self.displacement_x, self.displacement_y), distance)
        offset = self._pair(env, (self.offset_x, self.offset_y), distance)
        if self.clip != SHAPE or self.angle % 360 or self.deviation_x.value or self.deviation_y.value:
            return self._node_painter(env, symbol, Grid(distance, moved, offset, self.angle))
        nodes = _nodes(distance, moved, offset)
        varied = bool(symbol.properties) or any(layer.properties for layer in symbol.layers)
        tile = None if varied else _tile(nodes, distance, symbol, env, 0)

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            if tile is not None:
                fill_tiled(canvas, env, shapes, tile)
                return
            for number, row in enumerate(shapes.rows.tolist()):
                fill_tiled(canvas, env, shapes.slice(number, number + 1), _tile(nodes, distance, symbol, env, row))

        return paint

    def _node_painter(self, env: Env, symbol: Symbol, grid: Grid) -> Painter:
        """Draws marker by marker (since QGIS 3.24)."""
        reach = marker_size(symbol, env.scale) / 2 if self.clip == COMPLETELY else 0.0
        stray = np.abs(self._pair(env, (self.deviation_x, self.deviation_y), grid.distance))

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            found = areas(shapes)
            for (owner, rings), box in zip(found, found.boxes, strict=True):
                row = int(shapes.rows[owner])
                nodes = grid.nodes(box)
                if stray.any():
                    nodes += np.random.default_rng((abs(self.seed), row)).uniform(-stray, stray, nodes.shape)
                if self.clip in (CENTROID, COMPLETELY):
                    nodes = within(rings, nodes, reach)
                elif self.clip != SHAPE:
                    nodes = nodes[((nodes >= box[:2]) & (nodes <= box[:2] + box[2:])).all(axis=1)]
                rows = np.full(len(nodes), row)
                if self.clip != SHAPE:
                    paint_points(canvas, env, symbol, nodes, rows)
                    continue
                with clipped_to(canvas, fillable(canvas, rings)):
                    paint_points(canvas, env, symbol, nodes, rows)

        return paint

    def _pair(self, env: Env, lengths: tuple[Length, Length], whole: Pair) -> Pair:
        """Pixels in x and y; percentages are of the distance between markers."""
        x, y = (
            length.value / 100 * side if length.unit == "Percentage" else length.pixels(env.scale)
            for length, side in zip(lengths, whole, strict=True)
        )
        return x, y


def _nodes(distance: Pair, moved: Pair, offset: Pair) -> Floats:
    """Where markers stand float64[n, 2], in a picture of three tiles (of two by two nodes) in each direction."""
    columns, rows = (grid.ravel() for grid in np.meshgrid(np.arange(-2, 9), np.arange(-2, 9)))
    x = columns * distance[0] + (rows % 2) * moved[0] + offset[0] % (2 * distance[0])
    y = rows * distance[1] - (columns % 2) * moved[1] + offset[1] % (2 * distance[1])
    return np.column_stack([x, y])


def _tile(nodes: Floats, distance: Pair, symbol: Symbol, env: Env, row: int) -> Canvas:
    wide, high = max(int(2 * distance[0]), 1), max(int(2 * distance[1]), 1)
    picture = Canvas(3 * wide, 3 * high)
    points = nodes + np.array((wide - 2 * distance[0], high - 2 * distance[1]))
    paint_points(picture, env, symbol, points, np.full(len(nodes), row))
    return middle(picture, wide, high, wide, high)
