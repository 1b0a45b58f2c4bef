"""The shapes of SimpleMarker on the box -1..1, y down (scaled by half the marker's size)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qgserver.draw.paths import Paths, arc, circle
from qgserver.geo.geometry import Floats

Points = tuple[tuple[float, float], ...]
UNIT_BOX = (-1.0, -1.0, 2.0, 2.0)
FLATTENING = 64.0
"""Curves are flattened at this size (pixels of radius), then scaled: fine enough for any marker."""


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A shape: its outline and whether it has an area (a cross or an arc has none, its fill is ignored)."""

    paths: Paths
    filled: bool = True


def _ring(*points: tuple[float, float]) -> Paths:
    return Paths(np.array(points, dtype=np.float64), np.array([0, len(points)], dtype=np.int64), True)


def _lines(*lines: Points) -> Paths:
    coords = np.array([point for line in lines for point in line], dtype=np.float64)
    starts = np.cumsum([0, *(len(line) for line in lines)]).astype(np.int64)
    return Paths(coords, starts, False)


def _regular(count: int) -> Paths:
    """A regular polygon with a vertex at the top."""
    angles = [math.radians(360.0 / count * i) for i in range(count)]
    return _ring(*((math.sin(a), -math.cos(a)) for a in angles))


def _star(points: int, inner: float) -> Paths:
    ring = []
    for i in range(2 * points):
        radius = inner if i % 2 else 1.0
        angle = math.pi * i / points
        ring.append((radius * math.sin(angle), -radius * math.cos(angle)))
    return _ring(*ring)


def _octagon(cut: float) -> Paths:
    c = cut
    return _ring((-c, -1), (c, -1), (1, -c), (1, c), (c, 1), (-c, 1), (-1, c), (-1, -c))


def _cross(h: float) -> Paths:
    return _ring(
        (-1, -h), (-h, -h), (-h, -1), (h, -1), (h, -h), (1, -h), (1, h), (h, h), (h, 1), (-h, 1), (-h, h), (-1, h)
    )


def _asterisk(thickness: float = 0.3) -> Paths:
    """Eight arms as wide as ``thickness``, ends cut square (measured on QGIS 3.22)."""
    d = thickness / 2
    inner = d / math.sin(math.radians(22.5))
    ring = []
    for i in range(8):
        a = math.radians(45.0 * i)
        along, across = (math.sin(a), -math.cos(a)), (math.cos(a), math.sin(a))
        ring.append((along[0] - d * across[0], along[1] - d * across[1]))
        ring.append((along[0] + d * across[0], along[1] + d * across[1]))
        b = a + math.radians(22.5)
        ring.append((inner * math.sin(b), -inner * math.cos(b)))
    return _ring(*ring)


def _sector(start: float, span: float) -> Paths:
    """A piece of the disc: arc counter-clockwise from +x (y up), closed to the centre."""
    points = np.vstack([_arc(start, span), np.zeros((1, 2))])
    return Paths(points, np.array([0, len(points)], dtype=np.int64), True)


def _open_arc(start: float, span: float) -> Paths:
    points = _arc(start, span)
    return Paths(points, np.array([0, len(points)], dtype=np.int64), False)


def _arc(start: float, span: float) -> Floats:
    box = tuple(v * FLATTENING for v in UNIT_BOX)
    return arc(box, start, span) / FLATTENING  # type: ignore[arg-type]


def _disc() -> Paths:
    ring = circle(0.0, 0.0, FLATTENING, FLATTENING)
    return Paths(ring.coords / FLATTENING, ring.starts, True)


SQUARE = ((-1, -1), (1, -1), (1, 1), (-1, 1))
INNER_STAR = math.cos(math.radians(72)) / math.cos(math.radians(36))
HALF_ROOT3 = math.sqrt(3) / 2

_MARKS: dict[str, tuple[Callable[[], Paths], bool]] = {
    "square": (lambda: _ring(*SQUARE), True),
    "quarter_square": (lambda: _ring((-1, -1), (0, -1), (0, 0), (-1, 0)), True),
    "half_square": (lambda: _ring((-1, -1), (0, -1), (0, 1), (-1, 1)), True),
    "diagonal_half_square": (lambda: _ring((-1, -1), (1, 1), (-1, 1)), True),
    "square_with_corners": (lambda: _octagon(0.6072), True),
    "octagon": (lambda: _octagon(1 / (1 + math.sqrt(2))), True),
    "diamond": (lambda: _ring((-1, 0), (0, 1), (1, 0), (0, -1)), True),
    "pentagon": (lambda: _regular(5), True),
    "hexagon": (lambda: _regular(6), True),
    "decagon": (lambda: _regular(10), True),
    "triangle": (lambda: _ring((-1, 1), (1, 1), (0, -1)), True),
    "left_half_triangle": (lambda: _ring((0, 1), (1, 1), (0, -1)), True),
    "right_half_triangle": (lambda: _ring((-1, 1), (0, 1), (0, -1)), True),
    "equilateral_triangle": (lambda: _ring((-HALF_ROOT3, 0.5), (HALF_ROOT3, 0.5), (0, -1)), True),
    "star": (lambda: _star(5, INNER_STAR), True),
    "diamond_star": (lambda: _star(4, 0.382), True),
    "arrow": (
        lambda: _ring((0, -1), (0.5, -0.5), (0.25, -0.5), (0.25, 1), (-0.25, 1), (-0.25, -0.5), (-0.5, -0.5)),
        True,
    ),
    "filled_arrowhead": (lambda: _ring((0, 0), (-1, 1), (-1, -1)), True),
    "arrowhead": (lambda: _lines(((-1, -1), (0, 0), (-1, 1))), False),
    "cross_fill": (lambda: _cross(0.2), True),
    "cross": (lambda: _lines(((-1, 0), (1, 0)), ((0, -1), (0, 1))), False),
    "cross2": (lambda: _lines(((-1, -1), (1, 1)), ((1, -1), (-1, 1))), False),
    "line": (lambda: _lines(((0, -1), (0, 1))), False),
    "asterisk_fill": (lambda: _asterisk(), True),
    "shield": (lambda: _ring((1, 0.5), (1, -1), (-1, -1), (-1, 0.5), (0, 1)), True),
    "trapezoid": (lambda: _ring((0.5, -0.5), (1, 0.5), (-1, 0.5), (-0.5, -0.5)), True),
    "parallelogram_left": (lambda: _ring((1, 0.5), (0.5, -0.5), (-1, -0.5), (-0.5, 0.5)), True),
    "parallelogram_right": (lambda: _ring((0.5, 0.5), (1, -0.5), (-0.5, -0.5), (-1, 0.5)), True),
    "circle": (_disc, True),
    "semi_circle": (lambda: _sector(0, 180), True),
    "third_circle": (lambda: _sector(90, 120), True),
    "quarter_circle": (lambda: _sector(90, 90), True),
    "half_arc": (lambda: _open_arc(0, 180), False),
    "third_arc": (lambda: _open_arc(90, 120), False),
    "quarter_arc": (lambda: _open_arc(90, 90), False),
}
ALIASES = {"rectangle": "square", "regular_star": "star", "x": "cross2", "pyramid": "triangle"}

_made: dict[str, Mark] = {}


def mark(name: str) -> Mark:
    """The shape of that name; a circle for a name nobody knows (as QGIS draws)."""
    key = ALIASES.get(name.lower(), name.lower())
    if key not in _MARKS:
        key = "circle"
    if key not in _made:
        make, filled = _MARKS[key]
        _made[key] = Mark(make(), filled)
    return _made[key]
