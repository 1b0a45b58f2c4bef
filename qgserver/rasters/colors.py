"""Pixels as 32-bit words, so that one table look-up colours a cell, and what renderers share about cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qgserver.draw.color import Color
from qgserver.rasters.model import Cells, Mask, Picture, Values

Words = NDArray[np.uint32]
"""Pixels 0xAARRGGBB, premultiplied: in memory B, G, R, A, as a ``Picture`` has them."""
Bytes = NDArray[np.uint8]
Rgba = tuple[int, int, int, int]
"""Red, green, blue, alpha, each 0..255, not premultiplied."""
OPAQUE = np.uint32(0xFF000000)


def to_picture(words: Words) -> Picture:
    """uint32[height, width] as the picture uint8[height, width, 4] that it is; nothing is copied."""
    words = np.ascontiguousarray(words)
    return words.view(np.uint8).reshape(*words.shape, 4)


def blank(cells: Cells) -> Words:
    """A transparent picture of the cells' size."""
    return np.zeros((cells.grid.height, cells.grid.width), dtype=np.uint32)


def packed(red: ArrayLike, green: ArrayLike, blue: ArrayLike, alpha: ArrayLike = 255) -> Words:
    """Channels 0..255 as words; they are not premultiplied here."""
    words: Words = np.asarray(blue).astype(np.uint32)
    for shift, channel in ((8, green), (16, red), (24, alpha)):
        words = words | np.asarray(channel).astype(np.uint32) << np.uint32(shift)
    return words


def to_bytes(color: Color) -> Rgba:
    """A colour as whole numbers."""
    red, green, blue, alpha = (round(share * 255) for share in color)
    return red, green, blue, alpha


def to_color(color: Rgba) -> Color:
    """A colour as shares."""
    red, green, blue, alpha = color
    return red / 255, green / 255, blue / 255, alpha / 255


def nothing(cells: Cells, bands: Sequence[int]) -> Mask:
    """bool[height, width]: where any of the bands has no value; not-a-number is none."""
    found: Mask = np.zeros((cells.grid.height, cells.grid.width), dtype=np.bool_)
    for band in bands:
        found |= cells.nothing[band]
        if cells.values[band].dtype.kind == "f":
            found |= np.isnan(cells.values[band])
    return found


SLAB = 1 << 13
"""Cells worked on at once: so many stay in the processor's cache from one step to the next."""


def in_slabs(items: NDArray[Any], work: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[Any]:
    """``work(items)``, done for some along the first axis at a time."""
    if len(items) <= SLAB:
        return work(items)
    return np.concatenate([work(items[start : start + SLAB]) for start in range(0, len(items), SLAB)])


def by_table(values: Values, paint: Callable[[Values], NDArray[Any]]) -> NDArray[Any]:
    """``paint(values)``: for 8 and 16 bit made once for each possible value where that is less work."""
    kind = values.dtype
    if kind.kind not in "iu" or kind.itemsize > 2 or values.size <= 1 << 8 * kind.itemsize:
        return in_slabs(values.reshape(-1), paint).reshape(values.shape)
    # Numbers below zero stand behind the others: what an unsigned index finds there is theirs.
    unsigned = np.dtype(f"u{kind.itemsize}")
    table = paint(np.arange(1 << 8 * kind.itemsize).astype(unsigned).view(kind))
    found: NDArray[Any] = table[values.view(unsigned)]
    return found
