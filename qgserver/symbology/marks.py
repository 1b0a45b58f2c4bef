"""The shapes of SimpleMarker on the box -1..1, y down (scaled by half the marker's size)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qgserver.draw.paths import FILL_TOLERANCE, Paths, arc_curves, flatten_bezier, single_path
from qgserver.geo.geometry import Floats

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Curved:
    """A piece of the unit circle: cubic ``curves`` float64[k, 4, 2], and what follows them in straight lines."""

    curves: Floats
    tail: Points = ()
    closed: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A shape: its lines, and whether it has an area (a cross or an arc has none, its fill is ignored)."""

    shape: Paths | Curved
    filled: bool = True

    @property
    def is_straight(self) -> bool:
        """Whether it has no curves."""
        return isinstance(self.shape, Paths)

    def outline(self, width: float, height: float, degrees: float, tolerance: float = FILL_TOLERANCE) -> Paths:
        """The shape at a size in pixels, turned clockwise around its centre. ``tolerance``: how flat curves become,
        which depends on the size and shows in small markers."""
        scale, shape = np.array((width / 2, height / 2)), self.shape
        if isinstance(shape, Paths):
            return Paths(rotated(shape.coords * scale, degrees), shape.starts, shape.closed)
        placed = rotated((shape.curves * scale).reshape(-1, 2), degrees).reshape(-1, 4, 2)
        line = flatten_bezier(placed, tolerance)
        if shape.tail:
            line = np.concatenate([line, rotated(np.array(shape.tail) * scale, degrees)])
        elif shape.closed:
            line = line[:-1]
        return single_path(line, shape.closed)


def rotated(coords: Floats, degrees: float) -> Floats:
    """Points turned clockwise (y down) around the origin."""
    if not degrees:
        return coords
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    turned: Floats = coords @ np.array([[cos, sin], [-sin, cos]])
    return turned


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


def _sector(start: float, span: float) -> Curved:
    """A piece of the disc: arc counter-clockwise from +x (y up), closed to the centre."""
    return Curved(_arc(start, span), ((0.0, 0.0),))


def _open_arc(start: float, span: float) -> Curved:
    return Curved(_arc(start, span), closed=False)


def _arc(start: float, span: float) -> Floats:
    return arc_curves(math.radians(start), math.radians(span))


SQUARE = ((-1, -1), (1, -1), (1, 1), (-1, 1))
INNER_STAR = math.cos(math.radians(72)) / math.cos(math.radians(36))
HALF_ROOT3 = math.sqrt(3) / 2

_MARKS: dict[str, tuple[Callable[[], Paths | Curved], bool]] = {
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
    "circle": (lambda: Curved(_arc(0, 360)), True),
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
