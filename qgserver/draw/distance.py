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
