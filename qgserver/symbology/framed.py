"""Symbol layers with paint effects. QGIS draws each part of a feature (a point, a line, a polygon) that way by itself,
from the left upper corner of its box; here those of about the same size are worked on together."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from time import monotonic
from typing import Protocol, runtime_checkable

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale
from qgserver.geo.geometry import NULL, Floats, GeometryArray, Ints
from qgserver.geo.wkb import take
from qgserver.symbology.drawn import Box, Drawn, Figures
from qgserver.symbology.effect import FURTHEST, EffectStack
from qgserver.symbology.env import Painter, Shapes
from qgserver.symbology.options import Length, Offset

log = logging.getLogger(__name__)

STACK = 1 << 17
"""Pixels of the pictures that are worked on at once: what stays in the processor's cache is twice as fast."""
HELD = 1 << 21
"""Pixels of the pictures that are held until they are drawn in their order."""
PATIENCE = 20
"""Seconds after which the rest of the shapes is drawn without effects."""
STEPS = 2.0
"""Sizes in an octave by which pictures are sorted."""
MAX_GAP = 256
"""The most that a symbol layer is expected to paint beyond its geometry, in pixels."""
UNSURE = 3.0
"""Times its sizes that a marker of any form may paint around its point; how far it does is seen afterwards."""
EDGE = 4.0
"""Pixels that a symbol layer may paint beyond its sizes."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the box of a drawing lies, in pixels from that of its geometry, and how much further (``gap``) paint
    may go. ``crisp``: it is a ready-made picture."""

    left: float
    top: float
    right: float
    bottom: float
    gap: float = 0.0
    crisp: bool = False


@runtime_checkable
class Bounded(Protocol):
    """A painter that knows its bounds."""

    def bounds(self) -> Bounds: ...


@dataclass(frozen=True, slots=True)
class Paint:
    """A painter and where it paints. ``alike``: the same at all points."""

    painter: Painter
    bounds: Bounds
    alike: bool

    @property
    def gap(self) -> int:
        """Whole pixels between a box and the end of all paint."""
        return math.ceil(min(self.bounds.gap, MAX_GAP))


def paint_of(painter: Painter, extent: float, alike: bool) -> Paint:
    """``extent``: the upper bound of how far it paints around its geometry, if it does not know by itself."""
    if isinstance(painter, Bounded):
        return Paint(painter, painter.bounds(), alike)
    extent = min(UNSURE * extent + EDGE if alike else extent + EDGE, FURTHEST)
    return Paint(painter, Bounds(-extent, -extent, extent, extent), alike)


@dataclass(frozen=True, slots=True)
class _Units:
    """The parts to draw: ``places`` float64[n, 2], the left upper corners; ``boxes`` int64[n, 4] from there, ``seen``
    what of them counts."""

    shapes: Shapes
    places: Floats
    boxes: Ints
    seen: Ints

    def take(self, index: Ints) -> _Units:
        shapes = Shapes(take(self.shapes.geometry, index), self.shapes.rows[index])
        return _Units(shapes, self.places[index], self.boxes[index], self.seen[index])


def around_all(items: Sequence[Bounds]) -> Bounds:
    """Bounds within which all the others lie."""
    if not items:
        return Bounds(0.0, 0.0, 0.0, 0.0)
    return Bounds(
        min(item.left for item in items),
        min(item.top for item in items),
        max(item.right for item in items),
        max(item.bottom for item in items),
        max(item.gap for item in items),
    )


def framed(stack: EffectStack, paint: Paint, scale: RenderScale) -> Painter:
    """A painter that draws what ``paint`` does through the effects."""
    reach = stack.reach(scale)

    def draw(canvas: Canvas, shapes: Shapes) -> None:
        units = _units(shapes, paint, canvas, reach)
        if not len(units.places):
            return
        if paint.alike and len(units.places) == len(units.shapes.geometry.coords):
            figures = _figures(units, paint, canvas, same=True)
            stack.paint(canvas, _once(figures, paint, canvas), scale)
            return
        areas = _areas(units.seen, min(reach, MAX_GAP))
        end = monotonic() + PATIENCE
        for some in _pieces(areas, HELD):
            if monotonic() > end:
                log.warning("effects take more than %d s: %d shapes have none", PATIENCE, len(areas) - some[0])
                paint.painter(canvas, units.take(np.arange(some[0], len(areas))).shapes)
                return
            part = units.take(some)
            found: dict[int, tuple[list[Drawn], int]] = {}
            for group in _groups(part.seen, areas[some], min(reach, MAX_GAP)):
                results = stack.results(_figures(part.take(group), paint, canvas), scale)
                found |= {number: (results, i) for i, number in enumerate(group.tolist())}
            for number in range(len(some)):
                results, i = found[number]
                for result in results:
                    result.put(canvas, i)

    return draw


def _once(figures: Figures, paint: Paint, canvas: Canvas) -> Drawn:
    """What is the same everywhere."""
    if paint.bounds.crisp:
        return figures.stamps(paint.bounds.left, paint.bounds.top, canvas.operator)
    return figures if isinstance(paint.painter, Bounded) else figures.trimmed()


def _figures(units: _Units, paint: Paint, canvas: Canvas, *, same: bool = False) -> Figures:
    first, last = units.seen[:, :2].min(axis=0).tolist(), units.seen[:, 2:].max(axis=0).tolist()
    return Figures(
        paint.painter,
        units.shapes,
        units.places,
        units.boxes,
        Box(*first, *last),
        paint.gap,
        canvas.antialias,
        same,
        paint.bounds.crisp,
    )


def _units(shapes: Shapes, paint: Paint, canvas: Canvas, reach: float) -> _Units:
    """The parts that show in the picture, or whose effects do."""
    around = paint.bounds
    parts = _split(shapes)
    boxes = parts.geometry.boxes()
    limit = reach + paint.gap + max(abs(side) for side in (around.left, around.top, around.right, around.bottom))
    sides = np.array((canvas.width, canvas.height))
    beyond = min(reach, float(sides.max()) / 2)
    near = (boxes[:, :2] < sides + limit).all(axis=1) & (boxes[:, 2:] > -limit).all(axis=1)
    index = np.flatnonzero(near & np.isfinite(boxes).all(axis=1))
    if len(index) < len(boxes):
        parts, boxes = Shapes(take(parts.geometry, index), parts.rows[index]), boxes[index]
    places = boxes[:, :2]
    sizes = np.minimum(boxes[:, 2:] - places, 1e7)
    corner = np.broadcast_to(np.floor((around.left, around.top)), sizes.shape)
    whole = np.column_stack([corner, np.ceil(sizes + np.array((around.right, around.bottom)))])
    first, last = np.floor(-places - beyond), np.ceil(sides - places + beyond)
    corner = np.minimum(np.maximum(whole[:, :2], first), last)
    shown = np.column_stack([corner, np.maximum(np.minimum(whole[:, 2:], last), corner)])
    return _Units(parts, places, whole.astype(np.int64), shown.astype(np.int64))


def _split(shapes: Shapes) -> Shapes:
    """Each part of each feature as a feature of its own; each vertex, where they are points."""
    geometry = shapes.geometry
    counts = np.diff(geometry.features)
    kinds = np.repeat(np.where(geometry.types == NULL, NULL, (geometry.types - 1) % 3 + 1), counts)
    if geometry.part_types is not None:
        kinds = geometry.part_types
    each = np.arange(len(kinds) + 1, dtype=np.int64)
    made = GeometryArray(kinds.astype(np.uint8), geometry.coords, geometry.rings, geometry.parts, each)
    return Shapes(made, np.repeat(shapes.rows, counts))


def _areas(boxes: Ints, margin: float) -> Ints:
    sizes = boxes[:, 2:] - boxes[:, :2] + math.ceil(2 * margin)
    areas: Ints = np.maximum(sizes, 1).prod(axis=1)
    return areas


def _pieces(areas: Ints, limit: int) -> Iterator[Ints]:
    """Numbers of consecutive units that fill up to ``limit`` pixels together (one at least)."""
    filled = np.cumsum(areas)
    start = 0
    while start < len(areas):
        before = int(filled[start - 1]) if start else 0
        stop = max(int(np.searchsorted(filled, before + limit, side="right")), start + 1)
        yield np.arange(start, stop)
        start = stop


def _groups(boxes: Ints, areas: Ints, margin: float) -> Iterator[Ints]:
    """Numbers of units whose boxes are alike, as many as are worked on at once."""
    sizes = np.maximum(boxes[:, 2:] - boxes[:, :2] + 2 * margin, 1.0)
    steps = np.floor(np.log2(sizes) * STEPS).astype(np.int64)
    order = np.lexsort((boxes[:, 1], boxes[:, 0], steps[:, 1], steps[:, 0]))
    keys = np.column_stack([steps, boxes[:, :2]])[order]
    edges = np.flatnonzero((np.diff(keys, axis=0) != 0).any(axis=1)) + 1
    for group in np.split(order, edges):
        for some in _pieces(areas[group], STACK):
            yield group[some]


def extent_of(item: object, scale: RenderScale) -> float:
    """An upper bound, in pixels, of how far something that has sizes paints around its geometry: all of them, and
    those of the symbols within."""
    total = 0.0
    for field in fields(item):  # type: ignore[arg-type]
        value = getattr(item, field.name)
        if isinstance(value, Length) and value.unit != "Percentage":
            total += abs(value.pixels(scale))
        elif isinstance(value, Offset):
            total += sum(map(abs, value.pixels(scale)))
    return total
