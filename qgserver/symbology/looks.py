"""Painters of brushes and pens: what SimpleFill and SimpleLine come down to once sizes and colours are settled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qgserver.draw.areas import Look, draw_areas, draw_sequence, stroke_each
from qgserver.draw.brush import fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.paths import Paths
from qgserver.draw.pen import is_thin, stroke
from qgserver.geo.geometry import LINESTRING, POLYGON, GeometryArray, Ints, offsets
from qgserver.symbology.env import Painter, Shapes, chunks
from qgserver.symbology.framed import EDGE, Bounds

NONE = -1
"""The number of features that are not drawn."""


@dataclass(frozen=True, slots=True)
class LookPainter:
    """Paints lines and polygons with one look, moved by (``dx``, ``dy``) pixels. Lines ignore the brush."""

    look: Look
    dx: float = 0.0
    dy: float = 0.0

    @property
    def moved(self) -> bool:
        return bool(self.dx or self.dy)

    def bounds(self) -> Bounds:
        """QGIS's box of a drawing has half of the pen's width, both in whole pixels, around the geometry (measured)."""
        width = self.look.pen.width if self.look.pen else 0.0
        half = int(width + 0.5) // 2
        return Bounds(self.dx - half, self.dy - half, self.dx + half, self.dy + half, 3 * width + EDGE)

    def __call__(self, canvas: Canvas, shapes: Shapes) -> None:
        for paths, features in paths_of(shapes.geometry):
            if canvas.antialias == "exact":
                self._in_order(canvas, self._placed(paths), features)
                continue
            self.together(canvas, shapes)
            return

    def _placed(self, paths: Paths) -> Paths:
        return paths.translate(self.dx, self.dy) if self.moved else paths

    def _in_order(self, canvas: Canvas, paths: Paths, features: Ints) -> None:
        if paths.closed:
            draw_areas(canvas, paths, features, self.look.brush, self.look.pen)
        elif self.look.pen:
            stroke_each(canvas, paths, features, self.look.pen)

    def together(self, canvas: Canvas, shapes: Shapes) -> None:
        """Many at once: all filled, then all outlined."""
        brush, pen = self.look.brush, self.look.pen
        if brush is not None:
            for part in chunks(shapes):
                for area, _ in paths_of(part.geometry):
                    if area.closed:
                        fill(canvas, self._placed(area), brush, winding=len(part) > 1)
        if pen is not None:
            for part in (shapes,) if is_thin(canvas, pen) else chunks(shapes):
                for paths, _ in paths_of(part.geometry):
                    stroke(canvas, self._placed(paths), pen)


def paths_of(geometry: GeometryArray) -> Iterator[tuple[Paths, Ints]]:
    """The lines of a geometry as open paths and its rings as closed ones (two items only when it has both), each with
    offsets int64[n+1]: the paths of feature i."""
    if not len(geometry.coords):
        return
    kinds = geometry.ring_kinds()
    closed = kinds == POLYGON
    features = geometry.parts[geometry.features]
    if closed.all() or not closed.any():
        yield Paths(geometry.coords, geometry.rings, bool(closed[0])), features
        return
    everything = Paths(geometry.coords, geometry.rings, False)
    for chosen, is_closed in ((kinds == LINESTRING, False), (closed, True)):
        some = everything.take(chosen.nonzero()[0])
        before = offsets(chosen.astype("int64"))
        yield Paths(some.coords, some.starts, is_closed), before[features]


def in_turn(painters: Sequence[tuple[Painter, Ints]]) -> Painter:
    """A painter for features of the batch that each have one of these: (painter, numbers of the features)."""
    which = {row: number for number, (_, rows) in enumerate(painters) for row in rows.tolist()}
    looks = {number: painter.look for number, (painter, _) in enumerate(painters) if isinstance(painter, LookPainter)}
    if len(looks) == len(painters) and not any(isinstance(p, LookPainter) and p.moved for p, _ in painters):
        return _looks_in_turn(looks, which)

    def paint(canvas: Canvas, shapes: Shapes) -> None:
        start, numbers = 0, [which.get(row, NONE) for row in shapes.rows.tolist()]
        for stop in range(1, len(numbers) + 1):
            if stop == len(numbers) or numbers[stop] != numbers[start]:
                if numbers[start] != NONE:
                    painters[numbers[start]][0](canvas, shapes.slice(start, stop))
                start = stop

    return paint


def _looks_in_turn(looks: Mapping[int, Look], which: Mapping[int, int]) -> Painter:
    looks = {NONE: Look(), **looks}

    def paint(canvas: Canvas, shapes: Shapes) -> None:
        numbers = [which.get(row, NONE) for row in shapes.rows.tolist()]
        used = {number: looks[number] for number in dict.fromkeys(numbers)}
        for paths, features in paths_of(shapes.geometry):
            draw_sequence(canvas, paths, features, used, np.array(numbers, dtype=np.int64))

    return paint
