"""Circles in and around shapes: the pole of inaccessibility, the smallest enclosing circle."""

from __future__ import annotations

import heapq
import itertools
import math

import numpy as np
import shapely

from qgserver.errors import ExpressionError
from qgserver.expression.geometries import Coordinates, Geometry
from qgserver.expression.shapes import azimuth

MAX_CELLS = 20_000


def pole(geometry: Geometry, tolerance: float) -> Geometry:
    """The inner point farthest from the edges, by halving the most promising square until nothing better than
    ``tolerance`` can be found; the first guesses are the centres of the outer ring and of the box (as in QGIS)."""
    parts = shapely.get_parts(geometry)
    points = [_pole_of_part(part, tolerance) for part in parts]
    best = max(points, key=lambda found: found[0])
    return shapely.points(best[1], best[2])


def _pole_of_part(part: Geometry, tolerance: float) -> tuple[float, float, float]:
    """Distance, x and y."""
    x1, y1, x2, y2 = part.bounds
    size = min(x2 - x1, y2 - y1)
    if size == 0:
        return 0.0, x1, y1
    edge = part.boundary
    shapely.prepare(part)

    def distance(x: float, y: float) -> float:
        place = shapely.points(x, y)
        away = float(shapely.distance(place, edge))
        return away if shapely.intersects(part, place) else -away

    half = size / 2
    middle = shapely.centroid(shapely.polygons(shapely.get_exterior_ring(part)))
    guesses = ((middle.x, middle.y), ((x1 + x2) / 2, (y1 + y2) / 2))
    best = max(((distance(x, y), x, y) for x, y in guesses), key=lambda guess: guess[0])
    order = itertools.count()
    heap: list[tuple[float, int, float, float, float, float]] = []

    def add(x: float, y: float, half: float) -> None:
        away = distance(x, y)
        heapq.heappush(heap, (-(away + half * math.sqrt(2)), next(order), away, x, y, half))

    columns, rows = math.ceil((x2 - x1) / size), math.ceil((y2 - y1) / size)
    if columns * rows > MAX_CELLS:
        raise ExpressionError("The polygon is too narrow")
    for column, row in itertools.product(range(columns), range(rows)):
        add(x1 + column * size + half, y1 + row * size + half, half)
    while heap:
        reach, made, away, x, y, half = heapq.heappop(heap)
        if away > best[0]:
            best = (away, x, y)
        if -reach - best[0] <= tolerance or made > MAX_CELLS:
            continue  # the centre of one that is left may still be better than the best so far
        for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            add(x + dx * half / 2, y + dy * half / 2, half / 2)
    return best


def smallest_circle(points: Coordinates) -> tuple[float, float, float, float] | None:
    """Centre x, y, radius, and the azimuth (degrees) of the point the circle starts at; None without points."""
    if not len(points):
        return None
    hull = shapely.convex_hull(shapely.MultiPoint(points))
    _, first = np.unique(points, axis=0, return_index=True)
    rows = points[np.sort(first)]
    circle = shapely.minimum_bounding_circle(hull)
    radius = float(shapely.minimum_bounding_radius(hull))
    x, y = float(circle.centroid.x), float(circle.centroid.y)
    far = rows[np.abs(np.hypot(rows[:, 0] - x, rows[:, 1] - y) - radius) <= 1e-9 * max(radius, 1.0)]
    for a, b in itertools.combinations(far, 2):
        if math.isclose(math.dist(a, b), 2 * radius, rel_tol=1e-9):
            return x, y, radius, azimuth(*(b - a))
    return x, y, radius, 0.0
