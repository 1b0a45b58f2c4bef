"""Smooth scaling of pictures as Qt does it (measured: within 2 levels of 255)."""

from __future__ import annotations

import math

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
    ratio = count / size
    edges = np.arange(size + 1) * ratio
    first = edges[:-1].astype(np.int64)
    mean: Singles = np.zeros((size, *rows.shape[1:]), np.float32)
    for step in range(math.ceil(ratio) + 1):
        pixel = first + step
        covered = np.minimum(pixel + 1, edges[1:]) - np.maximum(pixel, edges[:-1])
        share = (np.maximum(covered, 0) / ratio).astype(np.float32)
        part = rows[np.minimum(pixel, count - 1)]
        part *= share[:, None, None]
        mean += part
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
