"""Filters of pixels that paint effects are made of. They work on stacks: arrays [n, height, width, channels] of n
pictures of one size, so that many small ones cost little more than one. ``Pixels`` are uint8[n, h, w, 4] in the order
of ``Canvas.pixels`` (B, G, R, A), premultiplied."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.color import Color

Pixels = NDArray[np.uint8]
Light = NDArray[np.float32]

_GRAIN = np.float32(16)
"""Values are followed in sixteenths."""
_WEIGHTS = (14, 10, 8, 6, 5, 5, 4, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2)
"""Sixteenths of the difference to the next pixel that are taken on, for levels 1 to 17; 1 beyond."""
SMEAR_REACH = 160
"""Pixels after which the strongest smear has faded away."""
MAX_RADIUS = 500
"""The widest Gaussian in pixels."""
_FARTHEST = 400
"""Pixels up to which distances are measured."""
_FINE = 64
"""Pixels up to which they are measured from every pixel."""
_NOWHERE = np.float32(1e12)


def smeared(pixels: Pixels, level: int) -> Pixels:
    """What QGIS calls stack blur: every pixel goes some way from the one before it to its own value, down and up, to
    the right and to the left. Any number of channels. ``level`` below 1 changes nothing."""
    if level < 1 or not pixels.size:
        return pixels
    share = np.float32(_WEIGHTS[level - 1] if level <= len(_WEIGHTS) else 1) / _GRAIN
    values = pixels.astype(np.float32) * _GRAIN
    for axis in (1, 2):
        rows = np.ascontiguousarray(np.moveaxis(values, axis, 0))
        _smear(rows, share)
        _smear(rows[::-1], share)
        values = np.moveaxis(rows, 0, axis)
    smooth: Pixels = (values / _GRAIN).astype(np.uint8)
    return smooth


def _smear(rows: Light, share: np.float32) -> None:
    """Along the first axis, in place; whole sixteenths, then whole values, rounded towards zero as QGIS does."""
    state = rows[0].copy()
    step = np.empty_like(state)
    for row in rows[1:]:
        np.subtract(row, state, out=step)
        np.multiply(step, share, out=step)
        np.trunc(step, out=step)
        np.add(state, step, out=state)
        row[...] = state
    np.divide(rows, _GRAIN, out=rows)
    np.floor(rows, out=rows)
    np.multiply(rows, _GRAIN, out=rows)


def gaussian(pixels: Pixels, radius: int) -> Pixels:
    """Blur with a bell curve that ends at ``radius`` (three times its deviation); the edge goes on beyond the picture.
    A radius below 1 changes nothing."""
    if radius < 1 or not pixels.size:
        return pixels
    radius = min(radius, MAX_RADIUS)
    values = pixels.astype(np.float32)
    for axis in (2, 1):
        lines = np.ascontiguousarray(np.moveaxis(values, axis, 0))
        mixed = _bell(len(lines), radius) @ lines.reshape(len(lines), -1)
        values = np.moveaxis(np.floor(mixed + np.float32(1e-3)).reshape(lines.shape), 0, axis)
    return np.ascontiguousarray(values.astype(np.uint8))


def _bell(size: int, radius: int) -> Light:
    """float32[size, size]: how much of each pixel of a line goes into each."""
    steps = np.arange(-radius, radius + 1)
    weights = np.exp(-(steps**2) / (2 * (radius / 3) ** 2))
    sources = np.clip(np.arange(size)[:, None] + steps, 0, size - 1) + np.arange(size)[:, None] * size
    shares = np.tile(weights / weights.sum(), size)
    return np.bincount(sources.ravel(), shares, size * size).reshape(size, size).astype(np.float32)


def faded(pixels: Pixels, opacity: float) -> Pixels:
    """Less opaque pictures."""
    share = min(max(opacity, 0.0), 1.0)
    if share >= 1:
        return pixels
    table = np.rint(np.arange(256) * (int(255 * share) / 255)).astype(np.uint8)
    less: Pixels = table[pixels]
    return less


def tinted(alpha: Pixels, color: Color) -> Pixels:
    """Pictures of one colour, as opaque as ``alpha`` uint8[n, h, w] says (``color``'s own opacity does not count)."""
    shades = np.arange(256)[:, None] * np.array((color[2], color[1], color[0], 1.0))
    table = np.rint(shades).astype(np.uint8).view(np.uint32)[:, 0]
    return np.take(table, alpha)[..., None].view(np.uint8)


def masked(pixels: Pixels, alpha: Pixels) -> Pixels:
    """Pictures only where ``alpha`` uint8[n, h, w] is."""
    product = pixels.astype(np.uint16) * alpha[..., None] + 127
    kept: Pixels = (product // 255).astype(np.uint8)
    return kept


def moved(pixels: Pixels, right: int, down: int) -> Pixels:
    """Pictures of the same size with everything moved by whole pixels; what comes in is transparent."""
    out = np.zeros_like(pixels)
    height, width = pixels.shape[1:3]
    if abs(right) < width and abs(down) < height:
        source = pixels[:, max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)]
        out[:, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = source
    return out


def distances_outside(alpha: Pixels, furthest: float) -> Light:
    """float32[n, h, w]: how far each pixel is from the shapes with these opacities. A partly covered pixel is itself
    that much away. ``inf`` beyond ``furthest`` (no more than a few hundred pixels are measured)."""
    return _measured(alpha, furthest, _weights_outside)


def distances_inside(alpha: Pixels, furthest: float) -> Light:
    """float32[n, h, w]: how far each pixel within the shapes is from the next one that is not fully covered."""
    return _measured(alpha, furthest, _weights_inside)


def _weights_outside(alpha: Pixels) -> Light:
    return np.where(alpha > 0, 1 - alpha / np.float32(255), _NOWHERE)


def _weights_inside(alpha: Pixels) -> Light:
    return np.where(alpha < 255, np.float32(0), _NOWHERE)


def _measured(alpha: Pixels, furthest: float, weights: Callable[[Pixels], Light]) -> Light:
    limit = min(max(furthest, 0.0), _FARTHEST)
    factor = max(math.ceil(limit / _FINE), 1)
    if factor == 1:
        found = _nearest(weights(alpha), math.ceil(limit))
    else:  # long ways are measured on a coarser grid
        coarse = _nearest(weights(_shrunk(alpha, factor)), math.ceil(limit / factor)) * np.float32(factor)
        for axis in (1, 2):
            coarse = _stretched(coarse, factor, alpha.shape[axis], axis)
        found = coarse
    found[found > limit] = np.inf
    return found


def _nearest(weights: Light, steps: int) -> Light:
    """The root of the least (squared distance to a pixel + its weight) within so many ``steps`` across and down."""
    for axis in (1, 2):
        best = weights.copy()
        for step in range(1, min(steps, weights.shape[axis] - 1) + 1):
            near, far = [slice(None)] * 3, [slice(None)] * 3
            near[axis], far[axis] = slice(step, None), slice(None, -step)
            added = weights + np.float32(step * step)
            np.minimum(best[tuple(near)], added[tuple(far)], out=best[tuple(near)])
            np.minimum(best[tuple(far)], added[tuple(near)], out=best[tuple(far)])
        weights = best
    return np.sqrt(weights)


def _shrunk(alpha: Pixels, factor: int) -> Pixels:
    """Means of squares of pixels, rounded up; pixels beyond the edge count as those at it."""
    stack, height, width = alpha.shape
    padded = np.pad(alpha, ((0, 0), (0, -height % factor), (0, -width % factor)), mode="edge")
    squares = padded.reshape(stack, padded.shape[1] // factor, factor, padded.shape[2] // factor, factor)
    means: Pixels = np.ceil(squares.mean(axis=(2, 4))).astype(np.uint8)
    return means


def _stretched(values: Light, factor: int, size: int, axis: int) -> Light:
    """``size`` values along an axis, ``factor`` for each that was there, in straight lines between their middles."""
    places = np.clip((np.arange(size) + 0.5) / factor - 0.5, 0, values.shape[axis] - 1)
    first = places.astype(np.int64)
    share = (places - first).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(3)])
    second = np.minimum(first + 1, values.shape[axis] - 1)
    mixed: Light = np.take(values, first, axis) * (1 - share) + np.take(values, second, axis) * share
    return mixed


def plain_colors(pixels: Pixels) -> Light:
    """float32[..., 3] R, G, B 0..255, not premultiplied (0 where nothing is painted)."""
    alpha = np.maximum(pixels[..., 3:], 1).astype(np.float32)
    colors: Light = np.minimum(np.rint(pixels[..., 2::-1] * (np.float32(255) / alpha)), 255)
    return colors


def with_colors(pixels: Pixels, colors: Light) -> Pixels:
    """The pictures, as opaque as they are, in other colours float32[..., 3] R, G, B 0..255 (not premultiplied)."""
    out = pixels.copy()
    out[..., :3] = np.rint(colors[..., ::-1] * (pixels[..., 3:] / np.float32(255)))
    return out
