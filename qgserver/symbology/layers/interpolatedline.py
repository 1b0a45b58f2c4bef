"""InterpolatedLine: lines whose width and colour change from start to end. The opacity of the symbol does not count
(measured)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.paths import Paths, arc, single_path
from qgserver.draw.patterns import Gradient, fill_with
from qgserver.geo.geometry import Floats
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.looks import paths_of
from qgserver.symbology.options import Length, Options
from qgserver.symbology.properties import Convert, as_number
from qgserver.symbology.shader import EXACT, ColorShader, Stops, WidthScale, read_shader, read_width_scale
from qgserver.symbology.symbol import SymbolLayer, layers

BLACK: Color = (0.0, 0.0, 0.0, 1.0)
BY_VALUE = 1
LARGEST = 1e5
"""Pixels: wider lines are drawn this wide."""
OUTLINE = 1.0
"""Pixels that a line is wider than asked for: QGIS outlines it with a pen."""
Pair = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a segment: its ends float64[2, 2] (one point for a disc), the widths there in pixels, the colours on
    the way, and which end is round."""

    ends: Floats
    widths: tuple[float, float]
    stops: Stops
    caps: tuple[bool, bool] = (True, True)


@layers.register("InterpolatedLine")
@dataclass(frozen=True, slots=True, kw_only=True)
class InterpolatedLine(SymbolLayer):
    """Attributes are the options of the same names; the four values at the ends are data-defined alone. ``shader`` None
    with one colour, ``widths`` None with one ``width`` (which has the unit of all)."""

    color: Color = BLACK
    shader: ColorShader | None = None
    width: Length = Length(0.26)
    widths: WidthScale | None = None
    start_width_value: float = 0.0
    end_width_value: float = 0.0
    start_color_value: float = 0.0
    end_color_value: float = 0.0

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "lineStartWidthValue": ("start_width_value", as_number),
        "lineEndWidthValue": ("end_width_value", as_number),
        "lineStartColorValue": ("start_color_value", as_number),
        "lineEndColorValue": ("end_color_value", as_number),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        color = options.color("single_color", default=BLACK)
        by_value = options.integer("coloring_method") == BY_VALUE
        return cls(
            color=color,
            shader=read_shader(options, color) if by_value else None,
            width=options.length("line_width", default=0.26),
            widths=read_width_scale(options) if options.flag("width_varying_is_variable_width") else None,
        )

    def painter(self, env: Env) -> Painter:
        unit = Length(1.0, self.width.unit, self.width.map_unit_scale).pixels(env.scale)

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            for paths, features in paths_of(shapes.geometry.drop_nonfinite()):
                lines = [_line(paths, number) for number in range(len(paths))]
                for first, last in pairwise(features.tolist()):
                    for piece in self._pieces(lines[first:last], unit):
                        _paint_piece(canvas, piece)

        return paint

    def _pieces(self, lines: list[Floats], unit: float) -> Iterator[Piece]:
        """What is drawn of a feature's lines: values begin anew in each, and reach the end's after the length of all
        of them together (measured)."""
        total = sum(_lengths(line).sum() for line in lines)
        for line in lines:
            ways = np.concatenate([[0.0], np.cumsum(_lengths(line))]) / (total or 1.0)
            widths = self.start_width_value + ways * (self.end_width_value - self.start_width_value)
            colors = self.start_color_value + ways * (self.end_color_value - self.start_color_value)
            for i in np.flatnonzero(np.diff(ways) > 0).tolist():
                ends = slice(i, i + 2)
                yield from self._segment(line[ends], tuple(widths[ends]), tuple(colors[ends]), unit)

    def _segment(self, ends: Floats, widths: Pair, colors: Pair, unit: float) -> Iterator[Piece]:
        """What is drawn of one segment, by the values at its ends."""
        if self.widths is not None and any(self.widths.is_ignored(value) for value in widths):
            return
        begin, finish = (self._width(value) * unit for value in widths)
        if self.shader is None:
            yield Piece(ends, (begin, finish), ((0.0, self.color),))
            return
        if self.shader.kind == EXACT:
            for share, value, color in self.shader.places(*colors):
                width = self._width(value) * unit  # QGIS takes it from the colour's value, not from the width's
                yield Piece(
                    ends[:1] + share * (ends[1:] - ends[:1]), (width - OUTLINE, width - OUTLINE), ((0.0, color),)
                )
            return
        first, last = _inside(colors, self.shader.limits)
        if first <= last:
            ends = ends[:1] + np.array([[first], [last]]) * (ends[1:] - ends[:1])
            values, (begin, finish) = (
                tuple(a + share * (b - a) for share in (first, last)) for a, b in (colors, (begin, finish))
            )
            yield Piece(ends, (begin, finish), self.shader.stops(*values), (first == 0, last == 1))

    def _width(self, value: float) -> float:
        width = self.width.value if self.widths is None else self.widths.width(value)
        return min(max(width, 0.0), LARGEST)


def _line(paths: Paths, number: int) -> Floats:
    """The vertices of a path, rings with their first once more."""
    line = paths.coords[paths.starts[number] : paths.starts[number + 1]]
    if paths.closed and len(line) and (line[0] != line[-1]).any():
        return np.concatenate([line, line[:1]])
    return line


def _lengths(line: Floats) -> Floats:
    found: Floats = np.hypot(*np.diff(line, axis=0).T) if len(line) > 1 else np.empty(0)
    return found


def _inside(values: Pair, limits: Pair) -> Pair:
    """From and to which share of the way between two values they lie within the limits; from > to: nowhere."""
    first, last = values
    if first == last:
        return (0.0, 1.0) if limits[0] <= first <= limits[1] else (1.0, 0.0)
    crossings = sorted((limit - first) / (last - first) for limit in limits)
    return max(0.0, crossings[0]), min(1.0, crossings[1])


def _paint_piece(canvas: Canvas, piece: Piece) -> None:
    outline = _outline(piece)
    if len(piece.stops) == 1:
        fill(canvas, outline, Brush(piece.stops[0][1]))
        return
    (x1, y1), (x2, y2) = piece.ends.tolist()
    gradient = Gradient(0, piece.stops, (x1, y1), (x2, y2))
    fill_with(canvas, outline, gradient.pattern(canvas, (0.0, 0.0, 1.0, 1.0)))


def _outline(piece: Piece) -> Paths:
    """Straight sides, and half a disc at the ends that are vertices of the line (measured)."""
    (x1, y1), (x2, y2) = piece.ends[0].tolist(), piece.ends[-1].tolist()
    direction = math.degrees(math.atan2(y1 - y2, x2 - x1))
    sides = []
    for x, y, width, start, rounded in (
        (x1, y1, piece.widths[0], direction + 90, piece.caps[0]),
        (x2, y2, piece.widths[1], direction - 90, piece.caps[1]),
    ):
        radius = (width + OUTLINE) / 2
        half = arc((x - radius, y - radius, 2 * radius, 2 * radius), start, 180.0)
        sides.append(half if rounded else half[[0, -1]])
    return single_path(np.concatenate(sides), True)
