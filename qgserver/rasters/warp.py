"""Pictures of rasters in another CRS, as QGIS makes them.

Not by GDAL: a grid of control points says where the map's pixels lie in the source's CRS, straight lines between them
are good enough to a pixel, and each pixel takes the nearest cell of a block that is read at a suitable resolution.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from qgserver.geo.extent import Extent
from qgserver.geo.geometry import Floats
from qgserver.geo.transform import Transform
from qgserver.rasters.model import Grid, Picture

Paint = Callable[[Grid], Picture]

_FEWEST = 3
_SYMMETRIC = 5
"""Rows of control points, and those of a map that lies on both sides of the equator alike."""
_FINER = 0.75
"""Cells of the block against the smallest pixel of the map in the source's CRS."""
_LARGEST = 10
"""Times the map's width and height that a block may have."""
_MOST_CELLS = 1 << 24
"""Cells that a block may have at all."""
_CROWDED = 0.25
"""Share of the pixels from which control points are no gain: then each pixel is reprojected."""


_SLAB = 128
"""Rows of pixels whose places are worked out at once."""


@dataclass(frozen=True, slots=True)
class _Points:
    """Control points over ``target``: ``places`` float64[rows, columns, 2] in the source's CRS (not finite where there
    is no way); ``exact``: they are too many, each pixel is to be reprojected."""

    target: Grid
    places: Floats
    exact: bool = False


def warped(paint: Paint, target: Grid, source: Extent, transform: Transform) -> Picture:
    """The picture of ``target`` (in the map's CRS); ``paint`` gives pictures of grids in the source's CRS, where
    ``source`` is its extent, and ``transform`` leads from there to the map's."""
    points = _control_points(target, transform)
    block = _block(points, source, transform)
    out = np.zeros((target.height, target.width, 4), np.uint8)
    if block is None:
        return out
    picture = paint(block)
    for start in range(0, target.height, _SLAB):
        rows = slice(start, min(start + _SLAB, target.height))
        places = _places(points, rows, transform)
        out[rows] = _nearest(picture, block, places).view(np.uint8).reshape(*places.shape[:2], 4)
    return out


# -- control points -------------------------------------------------------------------------------------------------


def _control_points(target: Grid, transform: Transform) -> _Points:
    """Points so dense that straight lines between them are right to a pixel."""
    back, extent = transform.inverse, target.extent
    middle = abs(extent.ymin + extent.ymax) < extent.height / 2
    rows, columns = _SYMMETRIC if middle else _FEWEST, _FEWEST
    tolerance = min(target.cell_width, target.cell_height)
    while True:
        places = _lattice(extent, rows, columns)
        points = _Points(target, back.points(places.reshape(-1, 2)).reshape(rows, columns, 2))
        bent_down = _is_bent(points.places, places, transform, tolerance)
        bent_across = _is_bent(points.places.swapaxes(0, 1), places.swapaxes(0, 1), transform, tolerance)
        if not bent_down and not bent_across:
            return points
        rows, columns = rows * 2 - 1 if bent_down else rows, columns * 2 - 1 if bent_across else columns
        if rows * columns > _CROWDED * target.width * target.height:
            return replace(points, exact=True)


def _lattice(extent: Extent, rows: int, columns: int) -> Floats:
    """float64[rows, columns, 2]: points over the extent, its edges included, the first row at the top."""
    x, y = np.meshgrid(np.linspace(extent.xmin, extent.xmax, columns), np.linspace(extent.ymax, extent.ymin, rows))
    return np.stack((x, y), axis=-1)


def _is_bent(places: Floats, targets: Floats, transform: Transform, tolerance: float) -> bool:
    """Whether any point between two others along axis 0 lies elsewhere than half-way between them."""
    halfway = (places[:-2:2] + places[2::2]) / 2
    if not (np.isfinite(halfway).all() and np.isfinite(places[1::2]).all()):
        return True
    found = transform.points(halfway.reshape(-1, 2)).reshape(halfway.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        distances = np.square(found - targets[1::2]).sum(axis=-1)
    return not bool((distances <= tolerance * tolerance).all())


# -- the block of the source ----------------------------------------------------------------------------------------


def _block(points: _Points, source: Extent, transform: Transform) -> Grid | None:
    """What to read of the source, finer than its own cells where the map is; None when the map shows nothing of it."""
    legal = points.places[np.isfinite(points.places).all(axis=-1)]
    if not len(legal):
        return None
    low, high = legal.min(axis=0).tolist(), legal.max(axis=0).tolist()
    extent = Extent(low[0], low[1], high[0], high[1]).intersection(source)
    if extent is None or not (extent.width > 0 and extent.height > 0):
        return None
    cell = _FINER * (_exact_cell(points.target, transform) if points.exact else _smallest_cell(points))
    if not cell > 0:
        return None
    columns = min(extent.width / cell, _LARGEST * points.target.width)
    rows = min(extent.height / cell, _LARGEST * points.target.height)
    fewer = min(math.sqrt(_MOST_CELLS / max(columns * rows, 1.0)), 1.0)
    columns, rows = _round(columns * fewer), _round(rows * fewer)
    return Grid(extent, columns, rows) if columns > 0 and rows > 0 else None


def _round(value: float) -> int:
    return math.floor(value + 0.5)


def _smallest_cell(points: _Points) -> float:
    """The length of the smallest pixel's side in the source's CRS. QGIS divides the distance of two control points by
    the pixels a point, not by those an interval."""
    places, target = points.places, points.target
    rows, columns = places.shape[:2]
    across = np.hypot(*np.moveaxis(np.diff(places, axis=1)[:-1], -1, 0)) / (target.width / columns)
    down = np.hypot(*np.moveaxis(np.diff(places, axis=0)[:, :-1], -1, 0)) / (target.height / rows)
    return float(min(across.min(), down.min()))


def _exact_cell(target: Grid, transform: Transform) -> float:
    """The same where there are too many control points: of the boxes of nine pixels."""
    extent, half_width, half_height = target.extent, target.cell_width / 2, target.cell_height / 2
    thirds = np.arange(3) / 3
    x, y = np.meshgrid(extent.xmin + thirds * extent.width, extent.ymin + thirds * extent.height)
    corners = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)]) * (half_width, half_height)
    pixels = np.stack((x.ravel(), y.ravel()), axis=-1)[:, None, :] + corners
    places = transform.inverse.points(pixels.reshape(-1, 2)).reshape(pixels.shape)
    places = places[np.isfinite(places).all(axis=(1, 2))]
    if not len(places):
        return 0.0
    sizes = places.max(axis=1) - places.min(axis=1)
    return float(sizes.min())


# -- pixels ---------------------------------------------------------------------------------------------------------


def _places(points: _Points, rows: slice, transform: Transform) -> Floats:
    """float64[rows, width, 2]: where the middles of some rows of pixels lie in the source's CRS."""
    target = points.target
    down, across = np.arange(rows.start, rows.stop) + 0.5, np.arange(target.width) + 0.5
    if points.exact:
        x = target.extent.xmin + across * target.cell_width
        y = target.extent.ymax - down * target.cell_height
        middles = np.stack(np.meshgrid(x, y), axis=-1)
        exact: Floats = transform.inverse.points(middles.reshape(-1, 2)).reshape(middles.shape)
        return exact
    top = _between(points.places, down / target.height)
    return _between(top.swapaxes(0, 1), across / target.width).swapaxes(0, 1)


def _between(places: Floats, shares: Floats) -> Floats:
    """Points at ``shares`` (0..1) of the way along axis 0, on straight lines between those given."""
    position = shares * (len(places) - 1)
    before = np.minimum(position.astype(np.int64), len(places) - 2)
    share = (position - before)[:, None, None]
    found: Floats = places[before] + share * (places[before + 1] - places[before])
    return found


def _nearest(picture: Picture, block: Grid, places: Floats) -> NDArray[np.uint32]:
    """uint32[rows, width]: the pixels of the block that lie under ``places``; nothing outside of it. As in QGIS, which
    cuts fractions off, the block reaches a cell further to the left and up."""
    columns = (places[:, :, 0] - block.extent.xmin) / block.cell_width
    rows = (block.extent.ymax - places[:, :, 1]) / block.cell_height
    inside = (columns > -1) & (columns < block.width) & (rows > -1) & (rows < block.height)
    words = np.ascontiguousarray(picture).view(np.uint32)[:, :, 0]
    out = np.zeros(inside.shape, np.uint32)
    out[inside] = words[rows[inside].astype(np.int64), columns[inside].astype(np.int64)]
    return out
