"""XYZ: square tiles of the world in Web Mercator, twice as many on each side from level to level."""

from __future__ import annotations

import re

from qgserver.geo.crs import parse_crs
from qgserver.geo.extent import Extent
from qgserver.providers.uri import DataSource
from qgserver.rasters.model import Grid, RasterInfo
from qgserver.rasters.sources.tiled import COLORS, Pyramid, Service, TiledSource
from qgserver.rasters.tiles import Tile, TileMatrix, quadkey

HALF = 20037508.342789244
TILE_PIXELS = 256
"""Pixels that decide which level is taken, whatever the tiles have (measured)."""
DEEPEST = 30
LOWEST, HIGHEST = 0, 18
"""Levels where the source does not say."""
_SERVERS = "abc"
_HOLE = re.compile(r"\{(-?[a-z]+)(?::([^{}]*))?\}", re.IGNORECASE)


def open_tiles(source: DataSource, service: Service) -> TiledSource:
    """The source of ``url`` with ``{x} {y} {-y} {z} {q} {s} {switch:a,b}``, levels ``zmin`` to ``zmax``."""
    crs = parse_crs("EPSG:3857")
    info = RasterInfo(Grid(Extent(-HALF, -HALF, HALF, HALF), 0, 0), COLORS, crs, sized=False)
    first = _level(source.params.get("zmin"), LOWEST)
    last = _level(source.params.get("zmax"), HIGHEST)
    matrices = [_matrix(level) for level in range(first, max(first, last) + 1)]
    pyramid = Pyramid(info, matrices, lambda tile: address(service.url, tile))
    return TiledSource(service, lambda until: pyramid)


def _level(text: str | None, default: int) -> int:
    try:
        return min(max(int(text or default), 0), DEEPEST)
    except ValueError:
        return default


def _matrix(level: int) -> TileMatrix:
    count = 1 << level
    side = 2 * HALF / count
    return TileMatrix(str(level), -HALF, HALF, side, side, count, count, side / TILE_PIXELS)


def address(template: str, tile: Tile) -> str:
    """Where a tile is."""
    level = int(tile.matrix.name)

    def filled(hole: re.Match[str]) -> str:
        name, choices = hole[1].lower(), (hole[2] or "").split(",")
        if name == "s" or name == "switch":
            among = choices if choices != [""] else list(_SERVERS)
            return among[(tile.column + tile.row) % len(among)]
        values = {
            "x": tile.column,
            "y": tile.row,
            "-y": tile.matrix.rows - 1 - tile.row,
            "z": level,
            "q": quadkey(tile.column, tile.row, level),
        }
        return str(values.get(name, hole[0]))

    return _HOLE.sub(filled, template)
