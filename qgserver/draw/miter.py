"""Miter joins too sharp for cairo: QGIS cuts their spike flat where cairo falls back to a bevel.

Both sides of the join run on for two pen widths and are joined there by a straight edge (measured on QGIS 3.22), unless
they meet before, which cairo draws as it is.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.limits import segments
from qgserver.draw.paths import Paths
from qgserver.geo.geometry import Floats

REACH = 2.0
"""Pen widths that a side may run on beyond the join's corner."""

CAIRO_LIMIT = math.sqrt(1 + (2 * REACH) ** 2)
"""The same limit as cairo counts it: length of the miter by pen width."""


def joins(paths: Paths) -> tuple[Floats, Floats, Floats, Floats]:
    """Where two segments meet: points, unit directions before and behind float64[j, 2], how far along float64[j]."""
    first, second, owner = segments(paths)
    delta = second - first
    length = np.hypot(delta[:, 0], delta[:, 1])
    real = length > 0
    first, delta, owner, length = first[real], delta[real], owner[real], length[real]
    if not len(owner):
        empty = np.empty((0, 2))
        return empty, empty, empty, np.empty(0)
    unit = delta / length[:, None]
    travelled = np.cumsum(length) - length
    begins = np.searchsorted(owner, owner)
    travelled = travelled - travelled[begins]
    before = np.arange(len(owner)) - 1
    opening = begins == np.arange(len(owner))
    if paths.closed:
        before[opening] = np.searchsorted(owner, owner[opening], side="right") - 1
        keep = np.ones(len(owner), bool)
    else:
        keep = ~opening
    return first[keep], unit[before[keep]], unit[keep], travelled[keep]


def _in_a_dash(travelled: Floats, dashes: tuple[float, ...], offset: float) -> NDArray[np.bool_]:
    if not dashes:
        return np.ones(len(travelled), bool)
    ends = np.cumsum(dashes)
    inside: NDArray[np.bool_] = np.searchsorted(ends, (travelled + offset) % ends[-1], side="right") % 2 == 0
    return inside


def cut_miters(paths: Paths, width: float, dashes: tuple[float, ...], offset: float) -> Paths | None:
    """The polygons to add to a bevelled stroke ``width`` pixels wide; None when no join is that sharp."""
    points, before, behind, travelled = joins(paths)
    cross = before[:, 0] * behind[:, 1] - before[:, 1] * behind[:, 0]
    dot = (before * behind).sum(axis=1)
    sharp = (np.abs(cross) > 2 * REACH * (1 + dot)) | (dot < -1 + 1e-12)
    sharp &= _in_a_dash(travelled, dashes, offset)
    if not sharp.any():
        return None
    points, before, behind = points[sharp], before[sharp], behind[sharp]
    outwards = np.where(cross[sharp] > 0, width / 2, -width / 2)[:, None]
    left = points + outwards * np.stack([before[:, 1], -before[:, 0]], axis=1)
    right = points + outwards * np.stack([behind[:, 1], -behind[:, 0]], axis=1)
    run = REACH * width
    corners = np.stack([points, left, left + run * before, right - run * behind, right], axis=1)
    return Paths(corners.reshape(-1, 2), np.arange(0, 5 * len(points) + 1, 5), True)
