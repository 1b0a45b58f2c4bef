"""A small server on the loopback address that answers as other map servers do, well and badly."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from PIL import Image

WMS = """<?xml version="1.0"?>
<!DOCTYPE WMT_MS_Capabilities SYSTEM "http://127.0.0.1:1/never-fetched.dtd">
<WMT_MS_Capabilities version="{version}" xmlns:xlink="http://www.w3.org/1999/xlink"><Service>{limits}</Service>
<Capability><Request><GetMap><DCPType><HTTP><Get><OnlineResource xlink:href="{link}"/></Get></HTTP></DCPType></GetMap>
</Request><Layer><LatLonBoundingBox minx="-180" miny="-85" maxx="180" maxy="85"/>
<BoundingBox SRS="EPSG:3857" CRS="EPSG:3857" minx="-20037508" miny="-20037508" maxx="20037508" maxy="20037508"/>
<Layer><Name>a</Name></Layer><Layer><Name>b</Name></Layer></Layer></Capability></WMT_MS_Capabilities>"""
MATRIX = """<TileMatrix><ows:Identifier>m{0}</ows:Identifier><ScaleDenominator>{1}</ScaleDenominator>
<TopLeftCorner>-20037508.3427892 20037508.3427892</TopLeftCorner><TileWidth>256</TileWidth><TileHeight>256</TileHeight>
<MatrixWidth>{2}</MatrixWidth><MatrixHeight>{2}</MatrixHeight></TileMatrix>"""
WMTS = """<Capabilities version="1.0.0" xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1"
xmlns:xlink="http://www.w3.org/1999/xlink"><ows:OperationsMetadata><ows:Operation name="GetTile"><ows:DCP><ows:HTTP>
{get}</ows:HTTP></ows:DCP></ows:Operation></ows:OperationsMetadata><Contents><Layer><ows:Identifier>a</ows:Identifier>
<ResourceURL format="image/png" resourceType="tile"
template="{base}/rest/{{Style}}/{{TileMatrixSet}}/{{TileMatrix}}/{{TileCol}}/{{TileRow}}/{{Time}}.png"/></Layer>
<TileMatrixSet><ows:Identifier>G</ows:Identifier><ows:SupportedCRS>urn:ogc:def:crs:EPSG::3857</ows:SupportedCRS>
{matrices}</TileMatrixSet></Contents></Capabilities>"""
WORLD_SCALE = 559082264.0287178


def picture(width: int, height: int, color: tuple[int, int, int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (width, height), color).save(out, "PNG")
    return out.getvalue()


def tile_color(level: int, column: int, row: int) -> tuple[int, int, int, int]:
    return (40 * level, 20 * column + 10, 20 * row + 10, 255)


class Asked:
    """What the server was asked: paths, and the headers of each."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: Asked

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.asked.paths.append(self.path)
        self.asked.headers.append(dict(self.headers.items()))
        parts = urlsplit(self.path)
        query = {name.lower(): value for name, value in parse_qsl(parts.query)}
        getattr(self, f"_{parts.path.split('/')[1]}", self._nothing)(parts.path, query)

    def _send(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _nothing(self, path: str, query: dict[str, str]) -> None:
        self._send(b"no", 404)

    def _tiles(self, path: str, query: dict[str, str]) -> None:
        level, column, row = map(int, re.findall(r"\d+", path)[:3])
        self._send(picture(256, 256, tile_color(level, column, row)), Cache_Control="max-age=60")

    _rest = _tiles

    def _fresh(self, path: str, query: dict[str, str]) -> None:
        self._send(b"fresh", Cache_Control="no-store")

    def _old(self, path: str, query: dict[str, str]) -> None:
        self._send(b"old", Expires="0")

    def _plain(self, path: str, query: dict[str, str]) -> None:
        self._send(b"plain")

    def _bomb(self, path: str, query: dict[str, str]) -> None:
        self._send(picture(9000, 3, (0, 0, 0, 0)))

    def _broken(self, path: str, query: dict[str, str]) -> None:
        self._send(picture(64, 64, (1, 2, 3, 255))[:-40])

    def _fault(self, path: str, query: dict[str, str]) -> None:
        self._send(b"<ServiceException/>", 500)

    def _huge(self, path: str, query: dict[str, str]) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"\0" * 1_000_000)
        except OSError:
            self.close_connection = True

    def _drip(self, path: str, query: dict[str, str]) -> None:
        try:
            for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 400:
                self.wfile.write(bytes((byte,)))
                time.sleep(0.02)
        except OSError:
            pass
        self.close_connection = True

    def _cut(self, path: str, query: dict[str, str]) -> None:
        self._send(b"once", Connection="keep-alive")
        self.close_connection = True

    def _packed(self, path: str, query: dict[str, str]) -> None:
        self._send(b"\x1f\x8b", Content_Encoding="gzip")

    def _to(self, path: str, query: dict[str, str]) -> None:
        self._send(b"", 302, Location=query["url"])

    def _wms(self, path: str, query: dict[str, str]) -> None:
        if query.get("request") == "GetCapabilities":
            _, _, version, limit = path.split("/")
            limits = f"<MaxWidth>{limit}</MaxWidth><MaxHeight>{limit}</MaxHeight>" if limit != "0" else ""
            text = WMS.format(version=version, limits=limits, link=f"{self.asked.base}{path}?map=x")
            self._send(text.encode())
        else:
            self._send(picture(int(query["width"]), int(query["height"]), (200, 100, 50, 255)))

    def _wmts(self, path: str, query: dict[str, str]) -> None:
        if query.get("request") == "GetCapabilities":
            matrices = "".join(MATRIX.format(level, WORLD_SCALE / 2**level, 2**level) for level in range(4))
            get = f'<ows:Get xlink:href="{self.asked.base}/wmts/x"/>' if path.endswith("/kvp") else ""
            self._send(WMTS.format(base=self.asked.base, matrices=matrices, get=get).encode())
        else:
            level, column, row = int(query["tilematrix"][1:]), int(query["tilecol"]), int(query["tilerow"])
            self._send(picture(256, 256, tile_color(level, column, row)))

    def _entities(self, path: str, query: dict[str, str]) -> None:
        self._send(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><Capability>&x;</Capability></a>')


@contextmanager
def other_server() -> Iterator[Asked]:
    """A running server; it stops at the end."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    handler.asked = Asked(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield handler.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
