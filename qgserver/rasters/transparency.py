"""How transparent the pixels of a raster layer are: by their values, by an alpha band, all together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.color import Color
from qgserver.rasters.model import Cells, Mask, Picture, Values

Shares = NDArray[np.float64]
"""[height, width] opacities, 0..1."""
Ranges = tuple[tuple[float, float], ...]
"""Values from the first to the last, both included."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Pixels whose values lie between ``low`` and ``high`` in each channel are ``percent`` transparent."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    percent: float


@dataclass(frozen=True, slots=True)
class Transparency:
    """The list of a layer; the first entry that fits a pixel counts. ``channels``: the band each of the entries'
    values belongs to (not above 0: a channel that is 0 everywhere)."""

    channels: tuple[int, ...]
    entries: tuple[Entry, ...] = ()


def within(values: Values, ranges: Ranges) -> Mask:
    """bool[height, width]: values that lie in one of the ranges."""
    found: Mask = np.zeros(values.shape, np.bool_)
    for low, high in ranges:
        found |= (values >= low) & (values <= high)
    return found


def opacities(cells: Cells, opacity: float, transparency: Transparency | None, alpha_band: int) -> float | Shares:
    """The opacity of each pixel; one number when it is the same for all."""
    share: float | Shares = opacity
    if transparency is not None:
        share = int(opacity * 255) / 255  # QGIS counts in whole numbers where a layer has a list, be it empty
        if transparency.entries:
            share = _by_entries(cells, transparency, int(opacity * 255))
    if alpha_band > 0:
        alpha = cells.values[alpha_band] / 255.0
        share = share * np.where(cells.nothing[alpha_band], 0.0, np.clip(alpha, 0.0, 1.0))
    return share


def _by_entries(cells: Cells, transparency: Transparency, whole: int) -> Shares:
    shape = (cells.grid.height, cells.grid.width)
    share: Shares = np.full(shape, whole / 255)
    left: Mask = np.ones(shape, np.bool_)
    for entry in transparency.entries:
        fits = left.copy()
        for channel, low, high in zip(transparency.channels, entry.low, entry.high, strict=True):
            if channel > 0:
                fits &= within(cells.values[channel], ((low, high),))
            elif not low <= 0 <= high:
                fits[:] = False
        share[fits] = int(np.float32(whole) * (1 - entry.percent / 100)) / 255
        left &= ~fits
    return share


def faded(picture: Picture, share: float | Shares) -> Picture:
    """The picture, each channel (they are premultiplied) times the opacity and cut off, as QGIS does."""
    if isinstance(share, float):
        table = (np.arange(256) * share).astype(np.uint8)
        return table[picture]
    out: Picture = (picture * share[:, :, None]).astype(np.uint8)
    return out


def on_color(picture: Picture, color: Color) -> Picture:
    """The picture with the layer's colour for nothing where nothing was painted."""
    red, green, blue, alpha = color
    pixel = [round(part * alpha * 255) for part in (blue, green, red)] + [round(alpha * 255)]
    empty = picture[:, :, 3] == 0
    out = picture.copy()
    out[empty] = pixel
    return out
