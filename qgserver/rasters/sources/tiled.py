"""Services of pictures: what XYZ, WMTS and WMS sources have in common."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np

from qgserver.errors import ProviderError
from qgserver.geo.extent import Extent
from qgserver.providers.uri import DataSource
from qgserver.rasters.colors import Words
from qgserver.rasters.images import decoded
from qgserver.rasters.model import AS_IS, MAP_S, BandInfo, Cells, Grid, RasterInfo, Reading
from qgserver.rasters.remote import Remote, Wanted
from qgserver.rasters.tiles import Tile, TileMatrix, nearest_matrix, needed, paste

MAX_TILE_PIXELS = 2048 * 2048
TILE_KEPT_S = 300.0
"""How long a tile is good if its server does not say."""
COLORS = (BandInfo("uint32", "Band 1"),)
"""The one band of such sources: pixels."""
NOWHERE = RasterInfo(Grid(Extent(0.0, 0.0, 0.0, 0.0), 0, 0), COLORS, sized=False)
"""What a source is whose server does not say."""


@dataclass(frozen=True, slots=True)
class Service:
    """A server as a project's author wrote it down: who asks it, and the headers it wants."""

    remote: Remote
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def fetch(self, url: str, until: float, keep_s: float = 0.0) -> bytes | None:
        """What is at an address, with the headers only where it is on the author's server."""
        own = urlsplit(url).netloc == urlsplit(self.url).netloc
        return self.remote.get(Wanted(url, self.headers if own else {}, keep_s), until)


def read_service(source: DataSource, remote: Remote) -> Service:
    """``url``, ``username``, ``password``, ``http-header:...`` (before QGIS 3.26 ``referer``). Raises ProviderError for
    credentials that are in QGIS's own store."""
    if source.params.get("authcfg"):
        raise ProviderError("The layer needs credentials of QGIS's own store, which is not read here")
    headers = {
        name.removeprefix("http-header:").title(): _one_line(value)
        for name, value in source.params.items()
        if name.startswith("http-header:")
    }
    if referer := source.params.get("referer"):
        headers.setdefault("Referer", _one_line(referer))
    if user := source.params.get("username"):
        pair = f"{user}:{source.params.get('password', '')}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode('ascii')}"
    return Service(remote, source.params.get("url", ""), headers)


def _one_line(value: str) -> str:
    """A header's value, as far as it is one."""
    return value.partition("\n")[0].partition("\r")[0].encode("latin-1", "replace").decode("latin-1")


def deadline(reading: Reading) -> float:
    """Until when (of ``time.monotonic``) what is read may be waited for."""
    return time.monotonic() + MAP_S if reading.until is None else reading.until


def colored(grid: Grid, words: Words, bands: Sequence[int]) -> Cells:
    """Pixels as cells: what is transparent is nothing."""
    nothing = words == 0
    return Cells(grid, dict.fromkeys(bands, words), dict.fromkeys(bands, nothing))


def blank(grid: Grid) -> Words:
    """No pixels at all."""
    return np.zeros((grid.height, grid.width), dtype=np.uint32)


def draw_tiles(service: Service, matrix: TileMatrix, grid: Grid, address: Callable[[Tile], str], until: float) -> Words:
    """The picture of a grid, of the tiles of one level at the addresses that ``address`` gives."""
    out = blank(grid)
    tiles = needed(matrix, grid)
    if tiles is None:
        service.remote.warn(urlsplit(service.url).netloc, "a map would need too many of its tiles")
        return out
    lock = threading.Lock()

    def draw(tile: Tile) -> None:
        data = service.fetch(address(tile), until, TILE_KEPT_S)
        if not data:
            return
        pixels = decoded(data, MAX_TILE_PIXELS)
        if pixels is None:
            service.remote.warn(urlsplit(service.url).netloc, "a tile is no picture, or too large a one")
            return
        with lock:
            paste(out, grid, tile, pixels)

    service.remote.each(tiles, draw)
    return out


@dataclass(frozen=True, slots=True)
class Pyramid:
    """Tiles of several levels: what they cover, and where each is."""

    info: RasterInfo
    matrices: Sequence[TileMatrix]
    address: Callable[[Tile], str]


class TiledSource:
    """Tiles of a service. ``load`` gives the pyramid before a moment of ``time.monotonic``, None if there is none to
    be had: then nothing is drawn."""

    def __init__(self, service: Service, load: Callable[[float], Pyramid | None]) -> None:
        self._service = service
        self._load = load

    def info(self, reading: Reading = AS_IS) -> RasterInfo:
        """See ``RasterSource``."""
        pyramid = self._load(deadline(reading))
        return NOWHERE if pyramid is None else pyramid.info

    def read(self, grid: Grid, bands: Sequence[int], reading: Reading = AS_IS) -> Cells:
        """See ``RasterSource``."""
        until = deadline(reading)
        pyramid = self._load(until) if bands else None
        if pyramid is None or not pyramid.matrices:
            return colored(grid, blank(grid), bands)
        matrix = nearest_matrix(pyramid.matrices, grid.cell_width)
        return colored(grid, draw_tiles(self._service, matrix, grid, pyramid.address, until), bands)

    def identify(self, x: float, y: float, plain: frozenset[int] = frozenset()) -> Sequence[float | None]:
        """See ``RasterSource``: colours are no values."""
        return ()

    def close(self) -> None:
        """See ``RasterSource``: connections are the process's."""
