"""Files of tiles."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from qgserver.errors import ProviderError
from qgserver.geo.extent import Extent
from qgserver.providers import Sources
from qgserver.providers.uri import parse_datasource
from qgserver.rasters.model import Grid
from qgserver.rasters.open import open_raster
from tests.unit.rasters.otherserver import picture, tile_color

HALF = 20037508.342789244


def test_tiles_of_a_file_are_colors(tmp_path: Path) -> None:
    path = tmp_path / "world.mbtiles"
    file = sqlite3.connect(path)
    file.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
    file.execute("CREATE TABLE tiles (zoom_level INTEGER, tile_column INTEGER, tile_row INTEGER, tile_data BLOB)")
    values = {"name": "w", "format": "png", "minzoom": "1", "maxzoom": "1", "bounds": "-180,-85.05,180,85.05"}
    file.executemany("INSERT INTO metadata VALUES (?, ?)", values.items())
    tiles = [(1, x, 1 - y, picture(256, 256, tile_color(1, x, y))) for x in (0, 1) for y in (0, 1)]
    file.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", tiles)
    file.commit()
    file.close()
    sources = Sources()
    try:
        for url in (str(path), f"file://{path}"):
            source = open_raster(parse_datasource("wms", f"type=mbtiles&url={url}", "/"), sources)
            assert [band.dtype for band in source.info().bands] == ["uint32"]
            cells = source.read(Grid(Extent(-HALF, -HALF, HALF, HALF), 4, 4), (1,))
            corners = [cells.values[1][y, x] for y in (1, 2) for x in (1, 2)]
            found = [tuple(np.array([one]).view(np.uint8)[[2, 1, 0, 3]].tolist()) for one in corners]
            assert found == [tile_color(1, x, y) for y in (0, 1) for x in (0, 1)]
            assert source.read(Grid(Extent(3 * HALF, 0.0, 4 * HALF, HALF), 4, 4), (1,)).nothing[1].all()
            assert source.identify(0.0, 0.0) == ()
    finally:
        sources.close()


@pytest.mark.parametrize("url", ["", "relative.mbtiles", "http://example.org/a.mbtiles", "/vsicurl/http://a/b.mbtiles"])
def test_only_files_are_opened(url: str) -> None:
    with pytest.raises(ProviderError):
        open_raster(parse_datasource("wms", f"type=mbtiles&url={url}", "/"), Sources())
