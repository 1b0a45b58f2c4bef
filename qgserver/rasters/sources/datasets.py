"""Open GDAL datasets: who reads takes one for himself, afterwards it waits for the next.

A dataset must not be read by two threads, and opening one costs more than most readings. Nothing is open in a process
that has just forked: ``Sources`` starts anew there.
"""

from __future__ import annotations

import os
import re
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import rasterio
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.vrt import WarpedVRT

from qgserver.errors import ProviderError
from qgserver.geo.extent import Extent
from qgserver.rasters.model import BandInfo, Grid, RasterInfo

MAX_OPEN = 32
"""Idle datasets kept: each holds a file."""
WARP_TOLERANCE = 0.2
"""Pixels by which the approximated grid of a turned raster may be off (QGIS's value)."""
_OPTIONS = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE",  # side files are found by name; folders may hold a million tiles
    "GDAL_HTTP_CONNECTTIMEOUT": 5,
    "GDAL_HTTP_TIMEOUT": 20,
}
Stamp = tuple[int, int, int]
Key = tuple[str, tuple[tuple[str, str], ...]]
_opening = threading.Lock()
_SECRET = re.compile(r"""//[^/@\s]+@|\b(?:password|pwd|token|sig)=[^&\s'"]*""", re.IGNORECASE)
"""What the log must not hold of services and databases that GDAL reads."""
ERRORS = (RasterioError, OSError, ValueError, OverflowError, MemoryError, SystemError)
"""What rasterio raises where a file is not as it should be."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A dataset at work: ``dataset`` is what is read (a warped view of ``base`` where its axes are turned or mirrored),
    ``masked``: a mask of the file counts as one more band, its alpha; ``scales``: (factor, offset) of each band."""

    base: Any
    dataset: Any
    info: RasterInfo
    masked: bool
    scales: tuple[tuple[float, float], ...]

    def close(self) -> None:
        """Let go of the file."""
        if self.dataset is not self.base:
            self.dataset.close()
        self.base.close()


class Datasets:
    """The datasets of a process that nobody reads at the moment, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: OrderedDict[int, tuple[Key, Stamp | None, Opened]] = OrderedDict()

    @contextmanager
    def use(self, path: str, options: Mapping[str, str]) -> Iterator[Opened]:
        """An open dataset, the caller's own for the while. One whose file has changed is opened anew.

        Raises ProviderError when it can't be opened or read.
        """
        key = (path, tuple(sorted(options.items())))
        try:
            stamp = _stamp(path)
            opened = self._taken(key, stamp) or _open(path, options)
            try:
                yield opened
            except BaseException:
                opened.close()
                raise
        except ERRORS as error:
            detail = _SECRET.sub("***", f"{path}: {type(error).__name__}: {error}")
            raise ProviderError("The layer's raster can't be read", detail=detail) from error
        self._give_back(key, stamp, opened)

    def close(self) -> None:
        """Close all that is idle."""
        with self._lock:
            idle, self._idle = list(self._idle.values()), OrderedDict()
        for _, _, opened in idle:
            opened.close()

    def _taken(self, key: Key, stamp: Stamp | None) -> Opened | None:
        with self._lock:
            mine = [place for place, (other, _, _) in self._idle.items() if other == key]
            old = [self._idle.pop(place)[2] for place in mine if self._idle[place][1] != stamp]
            fresh = [place for place in mine if place in self._idle]
            found = self._idle.pop(fresh[-1])[2] if fresh else None
        for opened in old:
            opened.close()
        return found

    def _give_back(self, key: Key, stamp: Stamp | None, opened: Opened) -> None:
        with self._lock:
            self._idle[id(opened)] = (key, stamp, opened)
            last = self._idle.popitem(last=False)[1][2] if len(self._idle) > MAX_OPEN else None
        if last is not None:
            last.close()


def _stamp(path: str) -> Stamp | None:
    """The state of a plain file; None for what GDAL alone understands (services, archives, parts of files)."""
    if not path.startswith("/") or path.startswith("/vsi"):
        return None
    state = os.stat(path)
    return state.st_mtime_ns, state.st_size, state.st_ino


def _open(path: str, options: Mapping[str, str]) -> Opened:
    with _opening, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.Env(**_OPTIONS):
            base = rasterio.open(path, **options)
            try:
                return _described(base)
            except BaseException:
                base.close()
                raise


def _described(base: Any) -> Opened:
    if not base.count:
        raise ValueError("it has no bands")
    dataset = WarpedVRT(base, tolerance=WARP_TOLERANCE) if _is_turned(base) else base
    masked = dataset.mask_flag_enums[0] == [MaskFlags.per_dataset]
    scales = tuple(zip(dataset.scales, dataset.offsets, strict=True))
    bands = [_band(dataset, number, scales[number - 1]) for number in range(1, dataset.count + 1)]
    if masked:
        bands.append(BandInfo("uint8", f"Band {len(bands) + 1}", interpretation="Alpha"))
    grid = Grid(_extent(dataset), dataset.width, dataset.height)
    return Opened(base, dataset, RasterInfo(grid, tuple(bands)), masked, scales)


def _is_turned(base: Any) -> bool:
    """True for what QGIS looks at through a warped view: turned, mirrored, or placed by control points."""
    placed = base.transform
    if placed.is_identity:
        return bool(base.gcps[0]) or base.rpcs is not None
    return bool(placed.a < 0 or placed.b or placed.d or placed.e > 0)


def _extent(dataset: Any) -> Extent:
    """A file that is nowhere lies below the x axis, a unit for a pixel."""
    if dataset.transform.is_identity:
        return Extent(0.0, float(-dataset.height), float(dataset.width), 0.0)
    placed = dataset.transform
    right, bottom = placed.c + placed.a * dataset.width, placed.f + placed.e * dataset.height
    return Extent(placed.c, bottom, right, placed.f)


def _band(dataset: Any, number: int, scale: tuple[float, float]) -> BandInfo:
    kind = dataset.dtypes[number - 1]
    if scale != (1.0, 0.0):
        kind = "float32" if kind in ("uint8", "int8", "uint16", "int16", "float32") else "float64"
    meaning = dataset.colorinterp[number - 1]
    text = dataset.descriptions[number - 1]
    return BandInfo(
        dtype=kind,
        name=f"Band {number}" + (f": {text}" if text else ""),
        nodata=dataset.nodatavals[number - 1],
        palette=_palette(dataset, number) if meaning == ColorInterp.palette else {},
        interpretation="" if meaning == ColorInterp.undefined else meaning.name.capitalize(),
    )


def _palette(dataset: Any, number: int) -> Mapping[int, tuple[float, float, float, float]]:
    try:
        table = dataset.colormap(number)
    except ValueError:
        return {}
    return {
        value: (red / 255, green / 255, blue / 255, alpha / 255) for value, (red, green, blue, alpha) in table.items()
    }
