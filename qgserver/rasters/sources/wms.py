"""Provider ``wms``: tiles of the world (XYZ), WMTS, files of tiles, and maps of another WMS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from urllib.parse import urlsplit

from qgserver.geo.crs import Crs, parse_crs
from qgserver.geo.extent import Extent
from qgserver.providers import Sources
from qgserver.providers.uri import DataSource
from qgserver.rasters.colors import Words
from qgserver.rasters.http import Rules
from qgserver.rasters.images import decoded
from qgserver.rasters.model import AS_IS, Cells, Grid, RasterInfo, RasterSource, Reading
from qgserver.rasters.remote import Remote, Wanted
from qgserver.rasters.sources import wmts, xyz
from qgserver.rasters.sources.queries import decimal, with_query
from qgserver.rasters.sources.tiled import (
    COLORS,
    NOWHERE,
    Service,
    blank,
    colored,
    deadline,
    draw_tiles,
    read_service,
)
from qgserver.rasters.sources.wmscaps import WmsCapabilities, read_wms
from qgserver.rasters.tiles import Tile, TileMatrix, paste

CAPABILITIES_KEPT_S = 3600.0
LARGER = 4
"""Times the pixels asked for that an answer may have: some servers answer for their own idea of resolution."""
OLD = ("1.0", "1.1")
"""Versions whose boxes have x before y in any CRS, and which call it SRS."""


def open_source(source: DataSource, sources: Sources) -> RasterSource:
    """The source of a layer; no server is asked yet. Raises ProviderError for credentials that can't be had."""
    if source.params.get("type") == "mbtiles":
        from qgserver.rasters.sources import mbtiles  # needs GDAL

        return mbtiles.open_file(source, sources)
    remote = sources.shared(Remote, lambda: Remote(Rules(sources.remote_hosts)))
    service = read_service(source, remote)
    if source.params.get("type") == "xyz":
        return xyz.open_tiles(source, service)
    if source.params.get("tileMatrixSet"):
        return wmts.open_tiles(source, service)
    return WmsSource(source, service)


@dataclass(frozen=True, slots=True)
class _Ask:
    """How GetMap of a server is asked."""

    url: str
    version: str
    crs: Crs
    swapped: bool
    extent: Extent
    max_size: tuple[int, int]


class WmsSource:
    """Layers of a WMS. Its capabilities say in which version to talk, and what the layers cover."""

    def __init__(self, source: DataSource, service: Service) -> None:
        self._source = source
        self._service = service
        # QGIS asks for the layers in the reverse order of the source (measured)
        self._layers = source.values("layers")[::-1]
        self._styles = source.values("styles")[::-1]

    def info(self, reading: Reading = AS_IS) -> RasterInfo:
        """See ``RasterSource``."""
        ask = self._ask(deadline(reading))
        return NOWHERE if ask is None else RasterInfo(Grid(ask.extent, 0, 0), COLORS, ask.crs, sized=False)

    def read(self, grid: Grid, bands: Sequence[int], reading: Reading = AS_IS) -> Cells:
        """See ``RasterSource``."""
        until = deadline(reading)
        ask = self._ask(until) if bands else None
        if ask is None:
            return colored(grid, blank(grid), bands)
        draw = self._tiled if max(ask.max_size) > 0 else self._whole
        return colored(grid, draw(ask, grid, reading, until), bands)

    def identify(self, x: float, y: float, plain: frozenset[int] = frozenset()) -> Sequence[float | None]:
        """See ``RasterSource``: colours are no values."""
        return ()

    def close(self) -> None:
        """See ``RasterSource``: connections are the process's."""

    def _ask(self, until: float) -> _Ask | None:
        """How to ask; None when the server does not say or has none of the layers."""
        params, url = self._source.params, self._service.url
        pairs = [("SERVICE", "WMS"), ("REQUEST", "GetCapabilities")]
        wanted = Wanted(with_query(url, pairs), self._service.headers, CAPABILITIES_KEPT_S)
        crs = parse_crs(params.get("crs", ""))
        found = self._service.remote.parsed(wanted, read_wms, until)
        if found is None or crs is None:
            return None
        boxes = [box for layer in self._layers if (box := found.extent(layer, crs)) is not None]
        if not boxes:
            return None
        named = "" if params.get("IgnoreGetMapUrl") == "1" else found.map_url
        swapped = crs.inverted_axes and not found.version.startswith(OLD)
        swapped = (swapped and params.get("IgnoreAxisOrientation") != "1") != (
            params.get("InvertAxisOrientation") == "1"
        )
        return _Ask(named or url, found.version, crs, swapped, reduce(Extent.union, boxes), self._max_size(found))

    def _max_size(self, found: WmsCapabilities) -> tuple[int, int]:
        """The largest picture that may be asked for, 0 for any."""
        sides = []
        for name, limit in zip(("maxWidth", "maxHeight"), found.max_size, strict=True):
            text = self._source.params.get(name, "")
            sides.append(int(text) if text.isdecimal() and int(text) else limit)
        return sides[0], sides[1]

    def _address(self, ask: _Ask, box: Extent, size: tuple[int, int], extra: Sequence[tuple[str, str]]) -> str:
        corners = (box.ymin, box.xmin, box.ymax, box.xmax) if ask.swapped else box.as_tuple()
        crs = "SRS" if ask.version.startswith(OLD) else "CRS"
        form = self._source.params.get("format", "image/png")
        styles = [*self._styles, *[""] * len(self._layers)][: len(self._layers)]
        pairs = [
            ("SERVICE", "WMS"),
            ("VERSION", ask.version),
            ("REQUEST", "GetMap"),
            ("BBOX", ",".join(decimal(corner) for corner in corners)),
            (crs, self._source.params.get("crs", "")),
            ("WIDTH", str(size[0])),
            ("HEIGHT", str(size[1])),
            ("LAYERS", ",".join(self._layers)),
            ("STYLES", ",".join(styles)),
            ("FORMAT", form),
            *extra,
        ]
        if "jpeg" not in form:
            pairs.append(("TRANSPARENT", "TRUE"))
        return with_query(ask.url, pairs)

    def _whole(self, ask: _Ask, grid: Grid, reading: Reading, until: float) -> Words:
        """The map of a grid, in one picture."""
        dpi = str(int(reading.dpi))
        mode = self._source.params.get("dpiMode", "7")
        bits = int(mode) if mode.isdecimal() else 7
        names = (("DPI", dpi), ("MAP_RESOLUTION", dpi), ("FORMAT_OPTIONS", f"dpi:{dpi}"))
        extra = [pair for bit, pair in enumerate(names) if bits >> bit & 1]
        out = blank(grid)
        data = self._service.fetch(self._address(ask, grid.extent, (grid.width, grid.height), extra), until)
        pixels = decoded(data, LARGER * grid.width * grid.height) if data else None
        if pixels is not None:
            box = grid.extent
            whole = TileMatrix("", box.xmin, box.ymax, box.width, box.height, 1, 1, grid.cell_width)
            paste(out, grid, Tile(whole, 0, 0), pixels)
        elif data:
            self._service.remote.warn(urlsplit(ask.url).netloc, "a map is no picture, or too large a one")
        return out

    def _tiled(self, ask: _Ask, grid: Grid, reading: Reading, until: float) -> Words:
        """The map of a grid in pieces as large as the server makes them, which begin where the layer does (measured:
        without a word on their resolution)."""
        width, height = (side or 2000 for side in ask.max_size)
        wide, tall = width * grid.cell_width, height * grid.cell_height
        box = ask.extent
        columns, rows = (int(length / side) + 1 for length, side in ((box.width, wide), (box.height, tall)))
        matrix = TileMatrix("", box.xmin, box.ymax, wide, tall, columns, rows, grid.cell_width)

        def address(tile: Tile) -> str:
            left, top = box.xmin + tile.column * wide, box.ymax - tile.row * tall
            return self._address(ask, Extent(left, top - tall, left + wide, top), (width, height), ())

        return draw_tiles(self._service, matrix, grid, address, until)
