"""How alike two pictures are: what a person would call the same map."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.float32]
FAR = 40
"""Difference of a channel (0..255) from which a pixel disagrees, once a shift of one pixel is forgiven."""


def load(data: bytes) -> Pixels:
    """Colour over white, and alpha: float32[h, w, 4]."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).astype(np.float32)
    alpha = pixels[..., 3:] / 255
    return np.concatenate([pixels[..., :3] * alpha + 255 * (1 - alpha), pixels[..., 3:]], axis=2)


def _neighbours(pixels: Pixels, choose: Callable[..., Any]) -> Pixels:
    """The least or greatest value of each channel in the 3x3 pixels around."""
    padded = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), mode="edge")
    tall, wide = pixels.shape[:2]
    views = [padded[y : y + tall, x : x + wide] for y in range(3) for x in range(3)]
    return choose.reduce(views)  # type: ignore[attr-defined, no-any-return]


def disagreement(expected: bytes, got: bytes) -> float:
    """Share of the drawn pixels of either picture that the other does not have within a pixel's distance.
    1.0 for pictures of different size."""
    ours, theirs = load(got), load(expected)
    if ours.shape != theirs.shape:
        return 1.0
    gaps = [
        np.maximum(a - _neighbours(b, np.maximum), _neighbours(b, np.minimum) - a).max(axis=2)
        for a, b in ((ours, theirs), (theirs, ours))
    ]
    far = np.maximum(*gaps) > FAR
    colours, counts = np.unique(theirs.reshape(-1, 4), axis=0, return_counts=True)
    paper = colours[counts.argmax()]
    drawn = (np.abs(ours - paper).max(axis=2) > 12) | (np.abs(theirs - paper).max(axis=2) > 12)
    return float(far.sum() / max(drawn.sum(), far.size / 400))
