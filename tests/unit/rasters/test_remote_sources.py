"""Layers of other servers: which addresses they ask, and what becomes of the answers. Levels, addresses and how tiles
are laid are those of QGIS 3.22."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

from qgserver.errors import ProviderError
from qgserver.geo.extent import Extent
from qgserver.providers import Sources
from qgserver.providers.uri import parse_datasource
from qgserver.rasters.images import decoded
from qgserver.rasters.model import Grid, RasterSource, Reading
from qgserver.rasters.open import open_raster
from qgserver.rasters.sources import xyz
from qgserver.rasters.sources.queries import decimal, with_query
from qgserver.rasters.sources.wmscaps import read_wms
from qgserver.rasters.sources.wmtscaps import read_wmts
from qgserver.rasters.tiles import Tile, TileMatrix, needed, paste
from tests.unit.rasters.otherserver import Asked, other_server, picture, tile_color

WORLD = 2 * xyz.HALF


@pytest.fixture
def server() -> Iterator[Asked]:
    with other_server() as asked:
        yield asked


@pytest.fixture
def sources() -> Iterator[Sources]:
    found = Sources()
    yield found
    found.close()


def opened(sources: Sources, url: str, **params: str) -> RasterSource:
    pairs = "&".join(f"{name.replace('__', ':').replace('_', '-')}={value}" for name, value in params.items())
    return open_raster(parse_datasource("wms", f"url={quote(url, safe='')}&{pairs}", "/"), sources)


def square(resolution: float, pixels: int = 300, middle: tuple[float, float] = (0.0, 0.0)) -> Grid:
    half = resolution * pixels / 2
    x, y = middle
    return Grid(Extent(x - half, y - half, x + half, y + half), pixels, pixels)


@pytest.mark.parametrize(
    ("factor", "level"), [(1.0, 2), (1.45, 2), (1.55, 1), (1.99, 1), (0.51, 3), (1 / 64, 3), (64, 1)]
)
def test_the_level_is_the_one_whose_resolution_is_nearest(
    server: Asked, sources: Sources, factor: float, level: int
) -> None:
    source = opened(sources, f"{server.base}/tiles/{{z}}/{{x}}/{{y}}.png", type="xyz", zmin="1", zmax="3")
    assert source.read(square(WORLD / 1024 * factor), (1,)).values[1].any()
    assert {path.split("/")[2] for path in server.paths} == {str(level)}


def test_tiles_stand_where_qgis_puts_them(server: Asked, sources: Sources) -> None:
    source = opened(sources, f"{server.base}/tiles/{{z}}/{{x}}/{{y}}.png", type="xyz", zmax="5")
    cells = source.read(square(WORLD / 1024), (1,))
    quarters = [cells.values[1][y, x] for y in (149, 150) for x in (149, 150)]
    expected = [tile_color(2, x, y) for y in (1, 2) for x in (1, 2)]
    assert [tuple(np.array([one]).view(np.uint8)[[2, 1, 0, 3]]) for one in quarters] == expected
    assert not cells.nothing[1].any()
    assert source.read(square(WORLD / 1024), (1,), Reading(until=0.0)).values[1].any()  # all is known already
    outside = source.read(square(WORLD / 1024, 10, (2 * WORLD, 0.0)), (1,))
    assert outside.nothing[1].all()


def test_addresses_of_tiles() -> None:
    side = WORLD / 8
    tile = Tile(TileMatrix("3", -xyz.HALF, xyz.HALF, side, side, 8, 8, 1.0), 5, 3)
    for template, expected in (
        ("http://a/{z}/{x}/{y}", "http://a/3/5/3"),
        ("http://a/{z}/{x}/{-y}", "http://a/3/5/4"),
        ("http://a/{q}", "http://a/123"),
        ("http://{s}.a/{Z}", "http://c.a/3"),
        ("http://{switch:u,v,w}.a/?{other}", "http://w.a/?{other}"),
    ):
        assert xyz.address(template, tile) == expected


def test_a_tile_close_to_its_place_is_not_smoothed() -> None:
    stripes = np.tile(np.array([0xFF000000, 0xFFFFFFFF], dtype=np.uint32), (256, 128))
    for length, known in ((257.5, True), (258.5, False)):
        grid = Grid(Extent(0.0, 0.0, 300.0, 300.0), 300, 300)
        out = np.zeros((300, 300), np.uint32)
        paste(out, grid, Tile(TileMatrix("", 0.0, 300.0, length, length, 1, 1, 1.0), 0, 0), stripes)
        assert (set(np.unique(out).tolist()) <= {0, 0xFF000000, 0xFFFFFFFF}) is known


def test_too_many_tiles_are_not_asked_for(server: Asked, sources: Sources, caplog: pytest.LogCaptureFixture) -> None:
    source = opened(sources, f"{server.base}/tiles/{{z}}/{{x}}/{{y}}.png", type="xyz", zmin="9", zmax="9")
    with caplog.at_level(logging.WARNING, "qgserver"):
        assert source.read(square(WORLD / 256), (1,)).nothing[1].all()
    assert not server.paths and "too many" in caplog.text
    matrix = TileMatrix("", 0.0, 0.0, 1.0, 1.0, 9, 9, 1.0)
    assert needed(matrix, Grid(Extent(float("-inf"), 0.0, 1.0, 1.0), 1, 1)) is None


@pytest.mark.parametrize("path", ["bomb", "broken", "fault", "plain", "nope", "drip", "packed"])
def test_what_is_no_picture_draws_nothing(
    server: Asked, sources: Sources, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = opened(sources, f"{server.base}/{path}/{{z}}/{{x}}/{{y}}", type="xyz", zmax="1")
    with caplog.at_level(logging.WARNING, "qgserver"):
        cells = source.read(square(WORLD / 512, 40), (1,), Reading(until=None if path != "drip" else 0.0))
    assert cells.nothing[1].all()
    assert len(caplog.messages) == (0 if path == "nope" else 1)


def test_pictures_are_premultiplied_as_qt_does_it_and_bounded() -> None:
    found = decoded(picture(3, 2, (10, 20, 30, 128)), 10)
    assert found is not None and found.shape == (2, 3)
    assert found[:1, :1].view(np.uint8).tolist() == [[15, 10, 5, 128]]
    assert decoded(picture(3, 4, (0, 0, 0, 0)), 11) is None
    for data in (b"", b"GIF89a", picture(9, 9, (1, 2, 3, 4))[:-30], b"\x89PNG\r\n\x1a\n" + b"\xff" * 99):
        assert decoded(data, 100) is None
    assert Image.MAX_IMAGE_PIXELS is not None  # Pillow's own limit stands


def test_headers_go_to_the_author_s_server(server: Asked, sources: Sources) -> None:
    source = opened(
        sources, f"{server.base}/tiles/{{z}}/{{x}}/{{y}}", type="xyz", zmax="0", username="u", password="p",
        http_header__referer="http%3A%2F%2Fme%2F",
    )  # fmt: skip
    source.read(square(WORLD / 256, 10), (1,))
    assert server.headers[0]["Referer"] == "http://me/" and server.headers[0]["Authorization"] == "Basic dTpw"


def test_credentials_of_qgis_s_store_are_refused_clearly(sources: Sources) -> None:
    with pytest.raises(ProviderError, match="credentials"):
        opened(sources, "http://127.0.0.1/{z}", type="xyz", authcfg="abc1234")


METRES = "BBOX=-1000000,-800000,1000000,800000&CRS=EPSG:3857&WIDTH=250&HEIGHT=200"
LAYERS = "LAYERS=b,a&STYLES=,s1&FORMAT=image/png"
ALL_DPI = "DPI=180&MAP_RESOLUTION=180&FORMAT_OPTIONS=dpi:180"


@pytest.mark.parametrize(
    ("version", "params", "expected"),
    [
        ("1.3.0", {"crs": "EPSG:3857", "dpiMode": "7"}, f"{METRES}&{LAYERS}&{ALL_DPI}&TRANSPARENT=TRUE"),
        (
            "1.1.1",
            {"crs": "EPSG:4326", "dpiMode": "1"},
            f"BBOX=-20,-10,20,10&SRS=EPSG:4326&WIDTH=200&HEIGHT=100&{LAYERS}&DPI=180&TRANSPARENT=TRUE",
        ),
        (
            "1.3.0",
            {"crs": "EPSG:4326", "dpiMode": "0"},
            f"BBOX=-10,-20,10,20&CRS=EPSG:4326&WIDTH=200&HEIGHT=100&{LAYERS}&TRANSPARENT=TRUE",
        ),
        ("1.3.0", {"crs": "EPSG:4326", "dpiMode": "0", "IgnoreAxisOrientation": "1"}, "BBOX=-20,-10,20,10"),
        ("1.3.0", {"crs": "EPSG:3857", "InvertAxisOrientation": "1"}, "BBOX=-800000,-1000000,800000,1000000"),
    ],
)
def test_maps_are_asked_for_as_qgis_does(
    server: Asked, sources: Sources, version: str, params: dict[str, str], expected: str
) -> None:
    path = f"wms/{version}/0"
    source = opened(
        sources, f"{server.base}/{path}", layers="a&layers=b", styles="s1&styles=", format="image/png", **params
    )
    degrees = params["crs"] == "EPSG:4326"
    box = Extent(-20.0, -10.0, 20.0, 10.0) if degrees else Extent(-1e6, -8e5, 1e6, 8e5)
    grid = Grid(box, 200, 100) if degrees else Grid(box, 250, 200)
    cells = source.read(grid, (1,), Reading(dpi=180.9))
    assert np.unique(cells.values[1]).tolist() == [0xFFC86432]
    assert server.paths[0] == f"/{path}?SERVICE=WMS&REQUEST=GetCapabilities"
    assert server.paths[1].startswith(f"/{path}?map=x&SERVICE=WMS&VERSION={version}&REQUEST=GetMap&")
    assert expected in server.paths[1]
    assert not source.info().sized and source.info().grid.extent.width == pytest.approx(360 if degrees else 40075016)


def test_large_maps_are_asked_for_in_pieces(server: Asked, sources: Sources) -> None:
    source = opened(
        sources, f"{server.base}/wms/1.3.0/100", layers="a", styles="", format="image/jpeg", crs="EPSG:3857"
    )
    source.read(Grid(Extent(-1e6, -8e5, 1e6, 8e5), 250, 200), (1,))
    asked = server.paths[1:]
    assert len(asked) == 12 and all("WIDTH=100&HEIGHT=100" in path and "TRANSPARENT" not in path for path in asked)
    assert any("BBOX=-837508,37508,-37508,837508" in path for path in asked)  # pieces begin where the layer does


def test_a_server_without_capabilities_draws_nothing(sources: Sources) -> None:
    with other_server() as asked:
        base = asked.base
    source = opened(sources, f"{base}/wms/1.3.0/0", layers="a", styles="", crs="EPSG:3857")
    assert source.info().grid.extent.width == 0
    assert source.read(square(100.0, 10), (1,)).nothing[1].all()
    assert source.identify(0.0, 0.0) == ()


GET_TILE = "SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=a&STYLE=default&FORMAT=image/png&TILEMATRIXSET=G"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("kvp", f"/wmts/x?{GET_TILE}&TILEMATRIX=m2&TILEROW=1&TILECOL=1&Time=2020"),
        ("rest", "/rest/default/G/m2/1/1/2020.png"),
    ],
)
def test_tiles_of_wmts(server: Asked, sources: Sources, path: str, expected: str) -> None:
    source = opened(
        sources, f"{server.base}/wmts/{path}?SERVICE=WMTS&REQUEST=GetCapabilities", layers="a", styles="default",
        format="image/png", crs="EPSG:3857", tileMatrixSet="G", tileDimensions="Time%3D2020",
    )  # fmt: skip
    assert source.info().crs is not None and source.info().grid.extent.width == pytest.approx(WORLD)
    cells = source.read(square(WORLD / 1024), (1,))
    assert expected in server.paths and len(server.paths) == 5
    assert not cells.nothing[1].any() or path == "rest"


def test_capabilities_with_entities_or_nonsense_are_not_read() -> None:
    entities = (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><WMS_Capabilities><Capability/></WMS_Capabilities>'
    )
    for body in (b"", b"<a>", b"<a/>", entities, b"\xff\xfe"):
        assert read_wms(body) is None and read_wmts(body) is None
    absurd = (
        b"<c><Contents><TileMatrixSet><Identifier>G</Identifier><SupportedCRS>EPSG:3857</SupportedCRS><TileMatrix>"
        b"<TopLeftCorner>nan 0</TopLeftCorner><ScaleDenominator>0</ScaleDenominator></TileMatrix></TileMatrixSet>"
        b"</Contents></c>"
    )
    found = read_wmts(absurd)
    assert found is not None and found.sets["G"].matrices == ()


def test_levels_of_wmts_in_degrees_begin_with_the_latitude() -> None:
    found = read_wmts(
        b"<c><Contents><TileMatrixSet><Identifier>G</Identifier><SupportedCRS>urn:ogc:def:crs:EPSG::4326</SupportedCRS>"
        b"<TileMatrix><Identifier>0</Identifier><ScaleDenominator>279541132.0143589</ScaleDenominator>"
        b"<TopLeftCorner>90 -180</TopLeftCorner><TileWidth>256</TileWidth><TileHeight>256</TileHeight>"
        b"<MatrixWidth>2</MatrixWidth><MatrixHeight>1</MatrixHeight></TileMatrix></TileMatrixSet></Contents></c>"
    )
    assert found is not None
    (matrix,) = found.sets["G"].matrices
    assert (matrix.left, matrix.top, matrix.columns, matrix.rows) == (-180.0, 90.0, 2, 1)
    assert (matrix.width, matrix.height) == pytest.approx((180.0, 180.0), rel=1e-6)


def test_parameters_replace_those_of_the_address() -> None:
    assert with_query("http://a/b?map=/x y&request=q", [("REQUEST", "GetMap"), ("CRS", "EPSG:3857")]) == (
        "http://a/b?map=/x%20y&REQUEST=GetMap&CRS=EPSG:3857"
    )
    assert [decimal(value) for value in (-1e6, 1e-7, 0.1, 1e22)] == ["-1000000", "0.0000001", "0.1", "1" + "0" * 22]
