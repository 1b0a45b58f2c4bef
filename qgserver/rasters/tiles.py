"""Tile pyramids: which tiles a picture needs, and how it is made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats, Ints
from qgserver.rasters.colors import Words
from qgserver.rasters.model import Grid

MOST_TILES = 256
"""A picture that needs more has none of them: that many are asked for only where a level is missing."""
CLOSE = 2
"""Pixels by which a tile may be larger or smaller than its place without being resampled smoothly (measured)."""
MARGIN = 1e-6
"""Of a tile: what a picture must reach into one to need it."""


@dataclass(frozen=True, slots=True)
class TileMatrix:
    """One level: ``columns`` x ``rows`` tiles, the first with its left upper corner at (left, top), each ``width`` x
    ``height`` units of the CRS. ``resolution`` is what decides which level is taken, in units per pixel."""

    name: str
    left: float
    top: float
    width: float
    height: float
    columns: int
    rows: int
    resolution: float


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of a matrix, counted from 0."""

    matrix: TileMatrix
    column: int
    row: int


def nearest_matrix(matrices: Sequence[TileMatrix], resolution: float) -> TileMatrix:
    """The level whose resolution differs least, the finer one of two (measured: their difference counts, not their
    ratio)."""
    return min(sorted(matrices, key=lambda one: one.resolution), key=lambda one: abs(one.resolution - resolution))


def needed(matrix: TileMatrix, grid: Grid) -> list[Tile] | None:
    """The tiles of a level under a grid; None when they are too many."""
    box = grid.extent
    left = (box.xmin - matrix.left) / matrix.width + MARGIN
    right = (box.xmax - matrix.left) / matrix.width - MARGIN
    top = (matrix.top - box.ymax) / matrix.height + MARGIN
    bottom = (matrix.top - box.ymin) / matrix.height - MARGIN
    if not all(math.isfinite(edge) for edge in (left, right, top, bottom)):
        return None
    columns = range(max(math.floor(left), 0), min(math.floor(right), matrix.columns - 1) + 1)
    rows = range(max(math.floor(top), 0), min(math.floor(bottom), matrix.rows - 1) + 1)
    if len(columns) * len(rows) > MOST_TILES:
        return None
    return [Tile(matrix, column, row) for row in rows for column in columns]


@dataclass(frozen=True, slots=True)
class _Axis:
    """Pixels ``span`` of a picture that a tile covers along one axis, and where their middles lie in the tile, in its
    pixels."""

    span: slice
    places: Floats
    smooth: bool


def paste(out: Words, grid: Grid, tile: Tile, pixels: Words) -> None:
    """Put a tile, of whatever size in pixels, into the picture ``out`` of ``grid``."""
    matrix, box = tile.matrix, grid.extent
    left = (matrix.left + tile.column * matrix.width - box.xmin) / grid.cell_width
    top = (box.ymax - matrix.top + tile.row * matrix.height) / grid.cell_height
    columns = _axis(left, matrix.width / grid.cell_width, grid.width, pixels.shape[1])
    rows = _axis(top, matrix.height / grid.cell_height, grid.height, pixels.shape[0])
    if not len(columns.places) or not len(rows.places):
        return
    smooth = columns.smooth or rows.smooth
    out[rows.span, columns.span] = (_smooth if smooth else _plain)(pixels, rows.places, columns.places)


def _axis(start: float, length: float, count: int, size: int) -> _Axis:
    """``start`` and ``length``: where the tile lies in a picture of ``count`` pixels; ``size``: its own pixels."""
    smooth = abs(length - size) > CLOSE
    if not smooth:
        # At whole pixels, so that nothing is lost or doubled.
        stop = math.floor(start + length + 0.5)
        start = math.floor(start + 0.5)
        length = stop - start
    first, last = max(math.ceil(start - 0.5), 0), min(math.ceil(start + length - 0.5), count)
    span = slice(first, max(first, last))
    middles = np.arange(span.start, span.stop, dtype=np.float64) + 0.5
    return _Axis(span, (middles - start) * (size / length), smooth)


def _plain(pixels: Words, rows: Floats, columns: Floats) -> Words:
    found: Words = pixels[_whole(rows, pixels.shape[0])][:, _whole(columns, pixels.shape[1])]
    return found


def _whole(places: Floats, size: int) -> Ints:
    return np.clip(np.floor(places).astype(np.int64), 0, size - 1)


def _smooth(pixels: Words, rows: Floats, columns: Floats) -> Words:
    """Between the middles of four pixels; at the edge of the tile its own pixels go on."""
    channels = np.ascontiguousarray(pixels).view(np.uint8).reshape(*pixels.shape, 4)
    (first, second, share) = _between(rows, pixels.shape[0])
    part = channels[first] * (1 - share)[:, None, None] + channels[second] * share[:, None, None]
    (first, second, share) = _between(columns, pixels.shape[1])
    mixed = part[:, first] * (1 - share)[None, :, None] + part[:, second] * share[None, :, None]
    words: Words = np.ascontiguousarray((mixed + 0.5).astype(np.uint8)).view(np.uint32)[..., 0]
    return words


def _between(places: Floats, size: int) -> tuple[Ints, Ints, NDArray[np.float32]]:
    shifted = places - 0.5
    first = np.floor(shifted)
    share = (shifted - first).astype(np.float32)
    low = first.astype(np.int64)
    return np.clip(low, 0, size - 1), np.clip(low + 1, 0, size - 1), share


def quadkey(column: int, row: int, level: int) -> str:
    """Microsoft's name of a tile: one digit for each level."""

    def digits() -> Iterator[str]:
        for bit in reversed(range(level)):
            yield str((column >> bit & 1) + 2 * (row >> bit & 1))

    return "".join(digits())
