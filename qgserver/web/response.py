"""Answers: Werkzeug's ``Response``, and the headers that all of them carry."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from werkzeug.http import dump_options_header
from werkzeug.wrappers import Response

from qgserver.web.request import Request

__all__ = ["Response", "attached", "document", "finish", "preflight", "stream"]

XML = "text/xml; charset=utf-8"
ALLOWED = "GET, HEAD, POST, OPTIONS"


def document(body: bytes | str, content_type: str = XML) -> Response:
    """A whole answer of known length, with an ETag so that a client may ask again cheaply."""
    response = Response(body, content_type=content_type)
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    return response


def stream(chunks: Iterable[bytes], content_type: str = XML) -> Response:
    """An answer written while it is made. ``chunks`` is closed (``close()``) when the client has had enough."""
    return Response(chunks, content_type=content_type)


def attached(response: Response, name: str) -> Response:
    """The answer as a file to be saved under that name."""
    response.headers["Content-Disposition"] = dump_options_header("attachment", _file_name(name))
    return response


def preflight(request: Request) -> Response:
    """The answer to OPTIONS: what may be sent, and to a browser's preflight which of its headers."""
    response = Response(status=204, headers={"Allow": ALLOWED})
    if "access-control-request-method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = ALLOWED
        response.headers["Access-Control-Max-Age"] = "86400"
        wanted = request.headers.get("access-control-request-headers", "")
        if wanted and "\n" not in wanted and "\r" not in wanted:
            response.headers["Access-Control-Allow-Headers"] = wanted
    return response


def finish(response: Response, request: Request, origins: tuple[str, ...]) -> Response:
    """The answer with the headers that do not depend on the operation: CORS (on errors and images too), the file
    name of FILE_NAME, and 304 when the client already has what it asks for."""
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    if response.status_code == 405:
        headers["Allow"] = ALLOWED
    origin = request.headers.get("origin", "")
    if "*" in origins:
        headers["Access-Control-Allow-Origin"] = "*"
    elif origins:
        headers.add("Vary", "Origin")
        if origin in origins:
            headers["Access-Control-Allow-Origin"] = origin
    name = "".join(c for c in request.get("FILE_NAME")[:255] if c.isprintable())
    if name and response.status_code == 200:
        attached(response, name)
    if request.method in ("GET", "HEAD") and response.status_code == 200 and "ETag" in headers:
        environ = {"REQUEST_METHOD": request.method}
        if "if-none-match" in request.headers:
            environ["HTTP_IF_NONE_MATCH"] = request.headers["if-none-match"]
        response.make_conditional(environ)
    return response


def _file_name(name: str) -> dict[str, str]:
    """Parameters of Content-Disposition: headers are latin-1, so other names go as RFC 5987 has it."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return {"filename": plain} | ({} if name.isascii() else {"filename*": f"UTF-8''{quote(name)}"})
