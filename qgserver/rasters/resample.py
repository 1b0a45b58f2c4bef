"""The finished picture of a raster, resampled: the source is coloured at another resolution first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.resize import resized
from qgserver.rasters.model import Grid, Picture
from qgserver.rasters.pipe import PictureResampling

Paint = Callable[[Grid], Picture]
Singles = NDArray[np.float32]

_UNSIZED = 2.0
"""Cells of services: QGIS asks for twice as many and reduces them."""
_MOST_PIXELS = 1 << 25
"""Pixels of a picture that is made to be reduced."""
_SLAB = 64
"""Rows made at once: the floats of a picture are many times its size."""
_THIRD = 0.333
"""Where the inner points of a cubic patch lie on its tangents (QGIS's value)."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """``method`` ("" = none) resamples a picture ``factor`` times as fine as the wanted one."""

    method: str = ""
    factor: float = 1.0

    @property
    def border(self) -> int:
        """Cells of the source around the wanted ones that are looked at (measured; no more for cubic)."""
        return math.ceil(self.factor)


def resampled(paint: Paint, grid: Grid, source: Grid | None, settings: PictureResampling) -> Picture:
    """The picture of ``grid``; ``paint`` gives those of other grids, ``source`` is the source's own grid (None: it
    gives any resolution)."""
    plan = _plan(grid, source, settings)
    if not plan.method:
        return paint(grid)
    wide, (left, top) = _with_border(grid, source, plan.border)
    finer = Grid(wide.extent, max(round(wide.width * plan.factor), 1), max(round(wide.height * plan.factor), 1))
    picture = paint(finer)
    if plan.factor > 1:
        return resized(picture, wide.width, wide.height)[top : top + grid.height, left : left + grid.width]
    rows = _Steps.of(finer.height, wide.height, range(top, top + grid.height))
    columns = _Steps.of(finer.width, wide.width, range(left, left + grid.width))
    return (cubic if plan.method == "cubic" else linear)(picture, rows, columns)


def _plan(grid: Grid, source: Grid | None, settings: PictureResampling) -> _Plan:
    if not settings.zoomed_in and not settings.zoomed_out:
        return _Plan()
    most = min(settings.max_oversampling, max(math.sqrt(_MOST_PIXELS / (grid.width * grid.height)), 1.0))
    factor = _UNSIZED if source is None else min(grid.cell_width / source.cell_width, most)
    if (factor < 1 and not settings.zoomed_in) or (factor > 1 and not settings.zoomed_out):
        factor = 1.0
    method = settings.zoomed_in if factor < 1 else settings.zoomed_out
    return _Plan() if factor == 1 else _Plan(method, factor)


def _with_border(grid: Grid, source: Grid | None, border: int) -> tuple[Grid, tuple[int, int]]:
    """The grid with ``border`` cells of the source around it (in whole cells of its own size, nearly), and how many
    columns and rows that is on each side."""
    if source is None:
        return grid, (0, 0)
    extent = grid.extent.grown(border * source.cell_width)
    width = round(grid.width * extent.width / grid.extent.width)
    height = round(grid.height * extent.height / grid.extent.height)
    return Grid(extent, width, height), ((width - grid.width) // 2, (height - grid.height) // 2)


# -- enlarging ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Steps:
    """New pixels along an axis: each lies between the old ones ``before`` and ``before + 1`` (the last one: on it), by
    the ``share`` of the way."""

    before: NDArray[np.int64]
    share: NDArray[np.float64]

    @classmethod
    def of(cls, count: int, size: int, wanted: range) -> _Steps:
        """Some of ``size`` pixels that come in the place of ``count``."""
        position = np.clip((np.arange(wanted.start, wanted.stop) + 0.5) * (count / size) - 0.5, 0, count - 1)
        before = np.minimum(position.astype(np.int64), max(count - 2, 0))
        return cls(before, position - before)

    def part(self, rows: slice) -> _Steps:
        """Some of them."""
        return _Steps(self.before[rows], self.share[rows])

    def after(self, count: int) -> NDArray[np.int64]:
        """The old pixels behind them."""
        return np.minimum(self.before + 1, count - 1)


def linear(picture: Picture, rows: _Steps, columns: _Steps) -> Picture:
    """Straight from pixel to pixel, in Qt's whole numbers: 256 steps, along the rows first, fractions cut off."""
    across = _linear(picture.swapaxes(0, 1), columns).swapaxes(0, 1)
    return _linear(across, rows)


def _linear(values: Picture, steps: _Steps) -> Picture:
    share = (steps.share * 256).astype(np.uint16)[:, None, None]
    out: Picture = np.empty((len(steps.before), *values.shape[1:]), np.uint8)
    for start in range(0, len(out), _SLAB):
        part = slice(start, start + _SLAB)
        first = values[steps.before[part]].astype(np.uint16)
        second = values[steps.after(len(values))[part]].astype(np.uint16)
        out[part] = (first * (256 - share[part]) + second * share[part]) >> 8
    return out


def cubic(picture: Picture, rows: _Steps, columns: _Steps) -> Picture:
    """By Bézier patches between the centres of the pixels, as QGIS makes them: tangents are those of the neighbours
    along rows and columns, and the patches have no twist."""
    values = picture.swapaxes(0, 1).astype(np.float32)
    flat = _blended(values, columns).swapaxes(0, 1)
    curved = _bent(_tangents(values), columns).swapaxes(0, 1) + flat
    tangents = _tangents(flat)
    out: Picture = np.empty((len(rows.before), len(columns.before), 4), np.uint8)
    for start in range(0, len(out), _SLAB):
        part = slice(start, start + _SLAB)
        some = rows.part(part)
        made = np.clip(_blended(curved, some) + _bent(tangents, some), 0, 255)
        np.minimum(made, made[:, :, 3:], out=made)
        out[part] = made + np.float32(0.5)
    return out


def _blended(values: Singles, steps: _Steps) -> Singles:
    """Values along axis 0, without tangents."""
    weight = (steps.share**2 * (3 - 2 * steps.share)).astype(np.float32)[:, None, None]
    first = values[steps.before]
    first += weight * (values[steps.after(len(values))] - first)
    return first


def _bent(tangents: Singles, steps: _Steps) -> Singles:
    """What the tangents along axis 0 add."""
    inner = 3 * _THIRD * steps.share * (1 - steps.share)
    leaving, arriving = ((inner * part).astype(np.float32)[:, None, None] for part in (1 - steps.share, -steps.share))
    added: Singles = leaving * tangents[steps.before] + arriving * tangents[steps.after(len(tangents))]
    return added


def _tangents(values: Singles) -> Singles:
    """Half the difference of both neighbours along axis 0; at the ends a quarter of that to the one there is."""
    out = np.zeros_like(values)
    if len(values) > 1:
        out[1:-1] = (values[2:] - values[:-2]) / 2
        out[0], out[-1] = (values[1] - values[0]) / 4, (values[-1] - values[-2]) / 4
    return out
