"""Smooth scaling of pictures as Qt does it (measured: within 2 levels of 255)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Singles = NDArray[np.float32]

_SLAB = 64
"""Rows worked on at once: the floats of a big picture would be many times its size."""


def _enlarged(rows: Singles, size: int) -> Singles:
    """Bilinear between pixel centres, along axis 0."""
    count = len(rows)
    position = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
    before = position.astype(np.int64)
    share = (position - before).astype(np.float32)[:, None, None]
    first = rows[before]
    first += share * (rows[np.minimum(before + 1, count - 1)] - first)
    return first


def _reduced(rows: Singles, size: int) -> Singles:
    """Mean over what each new pixel covers of the old ones, along axis 0."""
    count = len(rows)
    edges = np.arange(size + 1) * count / size
    pixel = np.minimum(edges.astype(np.int64), count - 1)
    share = (edges - pixel).astype(np.float32)[:, None, None]
    sums = np.zeros((count + 1, *rows.shape[1:]), np.float32)  # sums of bytes: exact up to 65,000 rows
    np.cumsum(rows, axis=0, out=sums[1:])
    until = share * rows[pixel]
    until += sums[pixel]
    mean: Singles = np.diff(until, axis=0)
    mean *= np.float32(size / count)
    return mean


def _along_rows(pixels: Pixels, size: int) -> Pixels:
    """uint8[h, w, 4] to uint8[size, w, 4]."""
    if size == len(pixels):
        return pixels
    scale = _enlarged if size > len(pixels) else _reduced
    out = np.empty((size, *pixels.shape[1:]), np.uint8)
    for begin in range(0, pixels.shape[1], _SLAB):
        slab = np.s_[:, begin : begin + _SLAB]
        out[slab] = scale(pixels[slab].astype(np.float32), size) + np.float32(0.5)
    return out


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """uint8[height, width, 4] of uint8[h, w, 4], premultiplied."""
    tall = _along_rows(pixels, height)
    return _along_rows(tall.swapaxes(0, 1), width).swapaxes(0, 1)
