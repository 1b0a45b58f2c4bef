"""Arcs to straight lines, as QGIS does it: equal steps of at most one degree, from the arc's ends inwards."""

from __future__ import annotations

import math

import numpy as np

from qgserver.geo.geometry import Floats

STEP = math.pi / 180
"""Largest angle of one segment (QGIS's default for painting and for services)."""


def straighten(points: Floats) -> Floats:
    """The vertices of a circular string as a line: float64[n, d] (d = 2..4: x, y, then z and/or m) -> float64[k, d].

    Every odd vertex lies on the arc between its neighbours; z and m are interpolated along the angle. Vertices after
    the last whole arc are joined by straight lines.
    """
    if len(points) < 3:
        return points
    arcs = [_arc(points[i], points[i + 1], points[i + 2]) for i in range(0, len(points) - 2, 2)]
    tail = points[len(arcs) * 2 + 1 :]
    return np.concatenate([points[:1], *arcs, tail])


def _arc(start: Floats, middle: Floats, end: Floats) -> Floats:
    """The vertices after ``start`` up to and with ``end``."""
    center = _center(start, middle, end)
    if center is None or (start[:2] == middle[:2]).all() or (middle[:2] == end[:2]).all():
        return np.array([middle, end])
    if _cross(start, middle, end) < 0:
        # Clockwise arcs are made from the other end, so both directions of one arc get the same vertices.
        return np.concatenate([_counterclockwise(end, middle, start, center)[::-1], end[None]])
    return np.concatenate([_counterclockwise(start, middle, end, center), end[None]])


def _counterclockwise(start: Floats, middle: Floats, end: Floats, center: tuple[float, float]) -> Floats:
    """The vertices strictly between ``start`` and ``end``."""
    cx, cy = center
    radius = math.hypot(start[0] - cx, start[1] - cy)
    a1, a2, a3 = (math.atan2(p[1] - cy, p[0] - cx) for p in (start, middle, end))
    a2 += 2 * math.pi if a2 < a1 else 0.0
    a3 += 2 * math.pi if a3 <= a1 else 0.0
    steps = math.ceil((a3 - a1) / STEP)
    angles = a1 + (a3 - a1) / steps * np.arange(1, steps)
    out = np.empty((len(angles), len(start)))
    out[:, 0] = cx + radius * np.cos(angles)
    out[:, 1] = cy + radius * np.sin(angles)
    for axis in range(2, len(start)):
        out[:, axis] = np.interp(angles, (a1, a2, a3), (start[axis], middle[axis], end[axis]))
    return out


def _center(start: Floats, middle: Floats, end: Floats) -> tuple[float, float] | None:
    """Centre of the circle through three points, None when they lie on a line. Equal ends mean a whole circle."""
    if (start[:2] == end[:2]).all():
        return (start[0] + middle[0]) / 2, (start[1] + middle[1]) / 2
    bx, by = middle[0] - start[0], middle[1] - start[1]
    ex, ey = end[0] - start[0], end[1] - start[1]
    double_area = 2 * (bx * ey - by * ex)
    if abs(double_area) < 1e-12 * max(bx * bx + by * by, ex * ex + ey * ey):
        return None
    b, e = bx * bx + by * by, ex * ex + ey * ey
    return start[0] + (ey * b - by * e) / double_area, start[1] + (bx * e - ex * b) / double_area


def _cross(start: Floats, middle: Floats, end: Floats) -> float:
    """Below 0 when the way from start over middle to end turns clockwise."""
    return float((middle[0] - start[0]) * (end[1] - start[1]) - (middle[1] - start[1]) * (end[0] - start[0]))
