"""WMTS: tiles of the levels that a server's capabilities name."""

from __future__ import annotations

import re
from urllib.parse import quote

from qgserver.geo.extent import Extent
from qgserver.providers.uri import DataSource
from qgserver.rasters.model import Grid, RasterInfo
from qgserver.rasters.remote import Wanted
from qgserver.rasters.sources.queries import with_query
from qgserver.rasters.sources.tiled import COLORS, Pyramid, Service, TiledSource
from qgserver.rasters.sources.wmtscaps import TileSet, WmtsCapabilities, read_wmts
from qgserver.rasters.tiles import Tile

CAPABILITIES_KEPT_S = 3600.0
_DOCUMENT = re.compile(r"service=wmts|wmtscapabilities\.xml", re.IGNORECASE)
"""An address that is the document's own; others are asked for it."""
_HOLE = re.compile(r"\{([^{}]+)\}")


def open_tiles(source: DataSource, service: Service) -> TiledSource:
    """The source of ``url``, ``layers``, ``styles``, ``format``, ``tileMatrixSet``, ``tileDimensions``."""
    url = service.url
    if not _DOCUMENT.search(url):
        url = with_query(url, [("SERVICE", "WMTS"), ("REQUEST", "GetCapabilities"), ("VERSION", "1.0.0")])
    wanted = Wanted(url, service.headers, CAPABILITIES_KEPT_S)

    def load(until: float) -> Pyramid | None:
        found = service.remote.parsed(wanted, read_wmts, until)
        tiles = None if found is None else found.sets.get(source.params.get("tileMatrixSet", ""))
        return None if found is None or tiles is None or not tiles.matrices else _pyramid(source, found, tiles)

    return TiledSource(service, load)


def _pyramid(source: DataSource, found: WmtsCapabilities, tiles: TileSet) -> Pyramid:
    first = tiles.matrices[0]
    box = Extent(first.left, first.top - first.rows * first.height, first.left + first.columns * first.width, first.top)
    info = RasterInfo(Grid(box, 0, 0), COLORS, tiles.crs, sized=False)
    names = {name: source.params.get(name, "") for name in ("layers", "styles", "format", "tileMatrixSet")}
    dimensions = dict(pair.split("=", 1) for pair in source.params.get("tileDimensions", "").split(";") if "=" in pair)
    template = found.templates.get((names["layers"], names["format"]), "")

    def by_template(tile: Tile) -> str:
        values = {
            "style": names["styles"],
            "tilematrixset": names["tileMatrixSet"],
            "tilematrix": tile.matrix.name,
            "tilerow": str(tile.row),
            "tilecol": str(tile.column),
            **{name.lower(): value for name, value in dimensions.items()},
        }
        return _HOLE.sub(lambda hole: quote(values.get(hole[1].lower(), ""), safe=""), template)

    def by_query(tile: Tile) -> str:
        pairs = [
            ("SERVICE", "WMTS"),
            ("REQUEST", "GetTile"),
            ("VERSION", "1.0.0"),
            ("LAYER", names["layers"]),
            ("STYLE", names["styles"]),
            ("FORMAT", names["format"]),
            ("TILEMATRIXSET", names["tileMatrixSet"]),
            ("TILEMATRIX", tile.matrix.name),
            ("TILEROW", str(tile.row)),
            ("TILECOL", str(tile.column)),
            *dimensions.items(),
        ]
        return with_query(found.tile_url, pairs)

    return Pyramid(info, tiles.matrices, by_query if found.tile_url else by_template)
