"""The page at the bare address: a small map viewer (OpenLayers), and the files it is made of.

The files come from the query (``?STATIC=ol.js``), never from the path: every gateway splits paths in its own way, and
a relative ``?...`` is right under each of them. The page learns all else from the services themselves.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from importlib.resources import files

import orjson

from qgserver.web.request import Request
from qgserver.web.response import Response

_TYPES = {
    "ol.js": "text/javascript; charset=utf-8",
    "ol.css": "text/css; charset=utf-8",
    "ol.LICENSE.md": "text/plain; charset=utf-8",
    "viewer.js": "text/javascript; charset=utf-8",
    "viewer.css": "text/css; charset=utf-8",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def viewer_page(title: str = "", visible: Sequence[str] = (), crs: str = "") -> Response:
    """The page. ``title`` is the project's, empty when there is none to show; ``visible`` are the request names of
    the layers that the project shows at first, ``crs`` is its CRS (``EPSG:3857``): the page starts with these."""
    page = _read("viewer.html").decode()
    state = orjson.dumps(list(visible)).decode()
    values = {"title": escape(title or "qgserver"), "visible": escape(state), "crs": escape(crs)}
    body = re.sub(r"\{(\w+)\}", lambda found: values[found[1]], page)
    response = Response(body, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response


def static_file(request: Request) -> Response:
    """The file named by STATIC, or 404. Compressed for those who take it: OpenLayers is a megabyte."""
    name = request.get("STATIC")
    if name not in _TYPES:
        return Response("There is no such file.\n", status=404, content_type="text/plain; charset=utf-8")
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    body, tag = _prepared(name, zipped)
    response = Response(body, content_type=_TYPES[name])
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "no-cache"  # asked for again by its tag: never stale after an update
    response.set_etag(tag)
    return response


@lru_cache
def _prepared(name: str, zipped: bool) -> tuple[bytes, str]:
    data = _read(name)
    if zipped:
        data = gzip.compress(data, 6, mtime=0)
    return data, hashlib.blake2b(data, digest_size=12).hexdigest()


def _read(name: str) -> bytes:
    return (files("qgserver.web") / "static" / name).read_bytes()
