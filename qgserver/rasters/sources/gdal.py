"""Provider ``gdal``: any raster file that GDAL reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling as Method
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from rasterio.windows import Window

from qgserver.providers import Sources
from qgserver.providers.uri import DataSource
from qgserver.rasters.model import AS_IS, Cells, Grid, Mask, RasterInfo, Reading, Resampling, Values
from qgserver.rasters.sources.datasets import Datasets, Opened

NEAREST: Resampling = "nearestNeighbour"
MOST_CELLS = 1 << 25
"""Cells that are read to make fewer of them."""
SAME = 1.1
"""Cells coarser than the source's by less than this may be resampled either way (QGIS's value)."""
_METHODS: dict[Resampling, Method] = {
    "nearestNeighbour": Method.nearest,
    "bilinear": Method.bilinear,
    "cubic": Method.cubic,
    "cubicSpline": Method.cubic_spline,
    "lanczos": Method.lanczos,
    "average": Method.average,
    "mode": Method.mode,
    "gauss": Method.gauss,
}


@dataclass(frozen=True, slots=True)
class _Side:
    """An axis in units of the CRS: where the wanted cells begin and how long one is, where the source's begin and how
    long one is; ``down``: counted from the top."""

    begin: float
    cell: float
    origin: float
    own: float
    down: bool


@dataclass(frozen=True, slots=True)
class _Axis:
    """Columns (rows) of a window on a source, counted in its cells: ``count`` wanted ones, each ``step`` wide, from
    ``begin`` to ``end``; ``size`` is the source's; ``side`` is the same in units of the CRS."""

    begin: float
    end: float
    step: float
    count: int
    size: int
    side: _Side

    def inside(self) -> slice:
        """The wanted cells that lie in the source, by their middles."""
        first = max(_round(-self.begin / self.step), 0)
        last = min(_round((self.size - self.begin) / self.step), self.count)
        return slice(first, max(first, last))

    def divided(self, parts: float) -> _Axis:
        """As many times finer cells of the same window."""
        count = max(_round(self.count * parts), 1)
        side = replace(self.side, cell=self.side.cell * self.count / count)
        return replace(self, step=(self.end - self.begin) / count, count=count, side=side)

    def whole(self) -> tuple[int, int]:
        """The whole cells of the source that the window touches: from, number."""
        first = math.floor(self.begin) if self.begin > 0 else 0
        last = math.floor(self.end) if self.end < self.size else self.size - 1
        return first, last - first + 1

    def places(self, first: int, length: int, read: int) -> NDArray[np.int64]:
        """Which of the ``read`` cells that stand for ``length`` of the source from ``first`` on lies under the middle
        of each wanted cell that is inside."""
        inside, side = self.inside(), self.side
        own = side.own * length / read
        steps = np.full(inside.stop - inside.start, side.cell if side.down else side.cell / own)
        # Middles on an edge fall to either side by the last digits, so they are added up in QGIS's order.
        if side.down:
            steps *= -1
            steps[:1] = side.begin - (inside.start + 0.5) * side.cell
            position = (side.origin - first * side.own - np.add.accumulate(steps)) / own
        else:
            start = side.begin + (inside.start + 0.5) * side.cell
            steps[:1] = (start - (side.origin + first * side.own)) / own
            position = np.add.accumulate(steps)
        return np.clip(np.floor(position), 0, read - 1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Window:
    """Where a grid lies on a source."""

    columns: _Axis
    rows: _Axis

    @property
    def coarser(self) -> float:
        """How many cells of the source a wanted one covers, on the axis where it covers more."""
        return max(self.columns.step, self.rows.step)


class GdalSource:
    """A raster file. Datasets come from those of the process, so one object serves all threads."""

    def __init__(self, source: DataSource, datasets: Datasets) -> None:
        self._path = _path(source)
        self._options = {
            name.removeprefix("option:"): value for name, value in source.params.items() if name.startswith("option:")
        }
        self._datasets = datasets

    def info(self, reading: Reading = AS_IS) -> RasterInfo:
        """See ``RasterSource``."""
        with self._datasets.use(self._path, self._options) as opened:
            return opened.info

    def read(self, grid: Grid, bands: Sequence[int], reading: Reading = AS_IS) -> Cells:
        """See ``RasterSource``."""
        shape = (grid.height, grid.width)
        values: dict[int, Values] = {}
        nothing: dict[int, Mask] = {}
        with self._datasets.use(self._path, self._options) as opened:
            window = _window(grid, opened.info.grid)
            inside = (window.rows.inside(), window.columns.inside())
            empty = any(part.start >= part.stop for part in inside)
            there = [] if empty else [band for band in bands if 0 < band <= len(opened.info.bands)]
            for band, found in zip(there, _read(opened, there, window, reading), strict=True):
                mask = _nodata(opened, band, found, band in reading.plain)
                values[band], nothing[band] = _placed(_scaled(opened, band, found), mask, inside, shape)
        for band in bands:
            values.setdefault(band, np.zeros(shape, np.uint8))
            nothing.setdefault(band, np.ones(shape, np.bool_))
        return Cells(grid, values, nothing)

    def identify(self, x: float, y: float, plain: frozenset[int] = frozenset()) -> Sequence[float | None]:
        """See ``RasterSource``."""
        with self._datasets.use(self._path, self._options) as opened:
            grid = opened.info.grid
            box = grid.extent
            if not (box.xmin <= x <= box.xmax and box.ymin <= y <= box.ymax):
                return ()
            column = min(int((x - box.xmin) / grid.cell_width), grid.width - 1)
            row = min(int((box.ymax - y) / grid.cell_height), grid.height - 1)
            bands = range(1, len(opened.info.bands) + 1)
            found = _raw(opened, bands, Window(column, row, 1, 1), (1, 1), NEAREST)
            return [
                None if _nodata(opened, band, value, band in plain)[0, 0] else float(_scaled(opened, band, value)[0, 0])
                for band, value in zip(bands, found, strict=True)
            ]

    def close(self) -> None:
        """See ``RasterSource``: datasets are the process's."""


def open_source(source: DataSource, sources: Sources) -> GdalSource:
    """The source of a raster file. Nothing is opened yet."""
    return GdalSource(source, sources.shared(Datasets, Datasets))


def _path(source: DataSource) -> str:
    """What GDAL opens; ``|layername=`` names a table of a GeoPackage."""
    if source.table and source.path.lower().endswith(".gpkg"):
        return f"GPKG:{source.path}:{source.table}"
    return source.path


def _round(value: float) -> int:
    return math.floor(value + 0.5)


def _window(grid: Grid, source: Grid) -> _Window:
    wanted, own = grid.extent, source.extent
    width, height = source.cell_width, source.cell_height
    columns = _Axis(
        (wanted.xmin - own.xmin) / width,
        (wanted.xmax - own.xmin) / width,
        grid.cell_width / width,
        grid.width,
        source.width,
        _Side(wanted.xmin, grid.cell_width, own.xmin, width, False),
    )
    rows = _Axis(
        (own.ymax - wanted.ymax) / height,
        (own.ymax - wanted.ymin) / height,
        grid.cell_height / height,
        grid.height,
        source.height,
        _Side(wanted.ymax, grid.cell_height, own.ymax, height, True),
    )
    return _Window(columns, rows)


def _read(opened: Opened, bands: Sequence[int], window: _Window, reading: Reading) -> list[Values]:
    """The values of the wanted cells inside the source."""
    if not bands:
        return []
    method = _method(opened, bands[0], window.coarser, reading)
    if method == NEAREST:
        return _nearest(opened, bands, window)
    inside = (window.rows.inside(), window.columns.inside())
    shape = (inside[0].stop - inside[0].start, inside[1].stop - inside[1].start)
    if not _is_near(opened, bands[0], window.coarser, reading):
        most = math.sqrt(MOST_CELLS / max(window.columns.count * window.rows.count, 1))
        parts = min(reading.max_oversampling, window.coarser, most)
        finer = _Window(window.columns.divided(parts), window.rows.divided(parts))
        return [_reduced(values, shape, method) for values in _nearest(opened, bands, finer)]
    return _raw(opened, bands, Window(*_clipped(window.columns, window.rows)), shape, method)


def _nearest(opened: Opened, bands: Sequence[int], window: _Window) -> list[Values]:
    """The values under the middles of the wanted cells."""
    (left, width), (top, height) = window.columns.whole(), window.rows.whole()
    count = (_fewer(height, window.rows.step), _fewer(width, window.columns.step))
    found = _raw(opened, bands, Window(left, top, width, height), count, NEAREST)
    down, across = window.rows.places(top, height, count[0]), window.columns.places(left, width, count[1])
    return [_taken(values, down, across) for values in found]


def _reduced(values: Values, shape: tuple[int, int], method: Resampling) -> Values:
    """Fewer cells. What is nothing counts like a value, as in QGIS."""
    height, width = values.shape
    place = {"transform": Affine.scale(2.0), "dtype": values.dtype, "count": 1, "width": width, "height": height}
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", **place) as file:
            file.write(values, 1)
        with memory.open() as file:
            fewer: Values = file.read(1, out_shape=shape, resampling=_METHODS[method])
    return fewer


def _fewer(length: int, step: float) -> int:
    """Cells to read for ``length`` of the source: fewer where wanted ones are coarser, never finer ones."""
    return length if step <= 1 else max(_round(length / step), 1)


def _taken(values: Values, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Values:
    """``values[rows][:, columns]``; as it is where these are all, in order."""
    for axis, places in ((0, rows), (1, columns)):
        if len(places) != values.shape[axis] or places[0] or places[-1] != len(places) - 1:
            values = values.take(places, axis=axis)
    return values


def _clipped(columns: _Axis, rows: _Axis) -> tuple[float, float, float, float]:
    """The part of the source that is wanted: column, row, width, height."""
    left, top = max(columns.begin, 0.0), max(rows.begin, 0.0)
    right, bottom = min(columns.end, float(columns.size)), min(rows.end, float(rows.size))
    return left, top, right - left, bottom - top


def _method(opened: Opened, band: int, coarser: float, reading: Reading) -> Resampling:
    """How values are resampled; never what is a number of a colour."""
    finer, fewer = reading.zoomed_in, reading.zoomed_out
    if opened.info.bands[band - 1].palette:
        return NEAREST
    if coarser < 1:
        return finer
    return finer if coarser < SAME and fewer == NEAREST else fewer


def _is_near(opened: Opened, band: int, coarser: float, reading: Reading) -> bool:
    """Whether the file has cells that are fine enough, and not too fine: from those on GDAL may resample."""
    overviews = opened.dataset.overviews(band) if band <= opened.dataset.count else []
    return any(coarser / factor <= max(reading.max_oversampling, SAME) for factor in (1, *overviews))


def _raw(
    opened: Opened, bands: Sequence[int], window: Window, shape: tuple[int, int], method: Resampling
) -> list[Values]:
    """What the file holds, one array a band."""
    alpha = len(opened.info.bands) if opened.masked else 0
    plain = [band for band in bands if band != alpha]
    options: dict[str, Any] = {"window": window, "resampling": _METHODS[method]}
    found: dict[int, Values] = {}
    if plain:
        read = opened.dataset.read(plain, out_shape=(len(plain), *shape), **options)
        found = dict(zip(plain, read, strict=True))
    if alpha in bands:
        found[alpha] = opened.dataset.read_masks(1, out_shape=shape, **options)
    return [found[band] for band in bands]


def _nodata(opened: Opened, band: int, values: Values, plain: bool) -> Mask:
    """bool[h, w]: where the file says that there is nothing. Not-a-number is nothing whatever it says."""
    kind = values.dtype
    mask: Mask = np.isnan(values) if kind.kind == "f" else np.zeros(values.shape, np.bool_)
    nodata = opened.info.bands[band - 1].nodata
    if nodata is None or plain or math.isnan(nodata):
        return mask
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        if math.isfinite(nodata) and nodata == int(nodata) and limits.min <= nodata <= limits.max:
            mask |= values == kind.type(int(nodata))
        return mask
    with np.errstate(over="ignore"):
        mask |= values == kind.type(nodata)
    return mask


def _scaled(opened: Opened, band: int, values: Values) -> Values:
    """Values as the band means them."""
    if band > len(opened.scales) or opened.scales[band - 1] == (1.0, 0.0):
        return values
    factor, offset = opened.scales[band - 1]
    return (values * factor + offset).astype(opened.info.bands[band - 1].dtype)


def _placed(values: Values, mask: Mask, inside: tuple[slice, slice], shape: tuple[int, int]) -> tuple[Values, Mask]:
    """Values and mask on the whole grid: outside the source is nothing."""
    if values.shape == shape:
        return values, mask
    whole, nothing = np.zeros(shape, values.dtype), np.ones(shape, np.bool_)
    whole[inside], nothing[inside] = values, mask
    return whole, nothing
