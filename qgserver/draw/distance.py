"""How far pixels lie inside a shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats


def distances(inside: NDArray[np.bool_], furthest: float) -> Floats:
    """float64 of the same shape: for each pixel that is inside, how far the next one is that is not (what lies beyond
    the picture is not); 0 outside. What is further than ``furthest`` may be given as any greater number."""
    padded = np.pad(inside, 1)
    squares = _down(padded) ** 2
    best = squares.copy()
    step = 1
    while step * step < best.max() and step <= furthest + 1 and step < padded.shape[1]:
        np.minimum(best[:, step:], squares[:, :-step] + step * step, out=best[:, step:])
        np.minimum(best[:, :-step], squares[:, step:] + step * step, out=best[:, :-step])
        step += 1
    found: Floats = np.sqrt(best[1:-1, 1:-1])
    return found


def _down(inside: NDArray[np.bool_]) -> Floats:
    """The distance to the next pixel outside in the same column."""
    rows = np.arange(inside.shape[0], dtype=np.float64)[:, None]
    above = np.maximum.accumulate(np.where(inside, -np.inf, rows), axis=0)
    below = np.minimum.accumulate(np.where(inside, np.inf, rows)[::-1], axis=0)[::-1]
    return np.minimum(rows - above, below - rows)


def blurred(pixels: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    """Three box blurs in each direction, together as wide as ``radius``; pixels beyond the edge repeat it."""
    reach = max(radius // 2, 1)
    values = pixels.astype(np.float64)
    for axis in (0, 1):
        for _ in range(3):
            values = _box_blur(values, reach, axis)
    return np.rint(values).astype(np.uint8)


def _box_blur(values: Floats, reach: int, axis: int) -> Floats:
    edges = [(0, 0)] * values.ndim
    edges[axis] = (reach + 1, reach)
    sums = np.cumsum(np.pad(values, edges, mode="edge"), axis=axis)
    width = 2 * reach + 1
    upper = np.take(sums, np.arange(width, sums.shape[axis]), axis=axis)
    lower = np.take(sums, np.arange(0, sums.shape[axis] - width), axis=axis)
    blurred_values: Floats = (upper - lower) / width
    return blurred_values
