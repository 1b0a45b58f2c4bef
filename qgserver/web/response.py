"""Answers: Werkzeug's ``Response``, and the headers that all of them carry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from werkzeug.http import dump_options_header
from werkzeug.wrappers import Response

from qgserver.web.request import Request

__all__ = ["Response", "document", "finish", "preflight", "stream"]

XML = "text/xml; charset=utf-8"
ALLOWED = "GET, HEAD, POST, OPTIONS"


def document(body: bytes | str, content_type: str = XML, status: int = 200) -> Response:
    """A whole answer of known length. With status 200 it carries an ETag, so that a client may ask again cheaply."""
    response = Response(body, status=status, content_type=content_type)
    if status == 200:
        response.add_etag()
        response.headers["Cache-Control"] = "no-cache"
    return response


def stream(chunks: Iterable[bytes], content_type: str = XML) -> Response:
    """An answer written while it is made. ``chunks`` is closed (``close()``) when the client has had enough."""
    return Response(chunks, content_type=content_type)
