"""Density of points on a grid of cells."""

from __future__ import annotations

import numpy as np

from qgserver.geo.geometry import Floats, Ints

STAMP, CELL, TRANSFORM = 3.5e-6, 1.3e-9, 4.2e-9
"""Seconds to add a kernel, for each of its cells, and for n log2 n cells of a convolution (measured)."""


def heat(points: Floats, weights: Floats, radius: int, shape: tuple[int, int]) -> Floats:
    """float64[height, width]: the sum of the kernels of all points (float64[n, 2] in cells, x and y), each times its
    weight. As in QGIS a point stands on a whole cell (towards zero) and the kernel is quartic: (1 - (d / radius)^2)^2.
    """
    tall, wide = shape
    values = np.zeros(shape)
    cells = np.trunc(points)
    near = (cells > -radius).all(axis=1) & (cells[:, 0] < wide + radius) & (cells[:, 1] < tall + radius)
    if radius < 1 or not near.any():
        return values
    at = cells[near].astype(np.int64) + radius  # counted from the corner of the frame around the picture
    padded = wide + 2 * radius
    keys, where = np.unique(at[:, 1] * padded + at[:, 0], return_inverse=True)
    sums: Floats = np.bincount(where, weights=weights[near]).astype(np.float64)
    kernel = quartic(radius)
    frame = (tall + 2 * radius) * padded
    if len(keys) * (STAMP + CELL * kernel.size) > TRANSFORM * frame * np.log2(frame):
        return _convolved(keys, sums, kernel, shape)
    return _stamped(keys, sums, kernel, shape)


def quartic(radius: int) -> Floats:
    """float64[2r+1, 2r+1], the kernel around its middle."""
    along = np.arange(-radius, radius + 1, dtype=np.float64) / radius
    inside = np.maximum(1.0 - along[:, None] ** 2 - along**2, 0.0)
    kernel: Floats = inside**2
    return kernel


def _stamped(keys: Ints, sums: Floats, kernel: Floats, shape: tuple[int, int]) -> Floats:
    """Kernel after kernel."""
    radius = len(kernel) // 2
    frame = np.zeros((shape[0] + 4 * radius, shape[1] + 4 * radius))
    rows, columns = np.divmod(keys, shape[1] + 2 * radius)
    side = len(kernel)
    for row, column, total in zip(rows.tolist(), columns.tolist(), sums.tolist(), strict=True):
        frame[row : row + side, column : column + side] += kernel * total
    return frame[2 * radius : 2 * radius + shape[0], 2 * radius : 2 * radius + shape[1]]


def _convolved(keys: Ints, sums: Floats, kernel: Floats, shape: tuple[int, int]) -> Floats:
    """All kernels at once, by Fourier transforms of whole pictures."""
    radius = len(kernel) // 2
    size = shape[0] + 2 * radius, shape[1] + 2 * radius
    masses = np.zeros(size[0] * size[1])
    masses[keys] = sums
    # cyclic: what wraps around lands in the frame, which is cut off
    turned = np.zeros(size)
    turned[: len(kernel), : len(kernel)] = kernel
    turned = np.roll(turned, (-radius, -radius), axis=(0, 1))
    spectrum = np.fft.rfft2(masses.reshape(size)) * np.fft.rfft2(turned)
    values = np.fft.irfft2(spectrum, size)[radius : radius + shape[0], radius : radius + shape[1]]
    values[np.abs(values) < np.abs(values).max() * 1e-12] = 0.0
    return values
