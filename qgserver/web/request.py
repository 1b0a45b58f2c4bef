"""A WSGI environ as a frozen ``Request``: one map of parameters, wherever and however they were sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from qgserver.errors import OwsError
from qgserver.web.xmlbody import parse, read_root

MAX_QUERY = 256 * 1024
"""Bytes of a query string or a form; gunicorn, Apache and NGINX stop far below in a request line."""
MAX_PARAMETERS = 1000

XML_SERVICES = {
    "http://www.opengis.net/wfs": {"SERVICE": "WFS", "VERSION": "1.1.0"},
    "http://www.opengis.net/wfs/2.0": {"SERVICE": "WFS", "VERSION": "2.0.0"},
}
"""Namespaces of request documents that tell the service and its version even without the attributes."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    ``params``: upper-case names to decoded values, the last one of a repeated name; parameters of a POST body go over
    those of the URL. ``body``: the XML document of a POST, else empty. ``headers``: lower-case names to values.
    ``env``: the CGI variables of the gateway that choose projects and build URLs (``QGIS_*``, ``REMOTE_ADDR``, ...).
    """

    method: str = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """The value of a parameter (upper-case name)."""
        return self.params.get(name, default)

    @property
    def is_xml(self) -> bool:
        """True when the request itself is an XML document, kept in ``body``."""
        return bool(self.body)


def read_request(environ: Mapping[str, Any], max_body: int) -> Request:
    """The request of a WSGI environ. Raises ``OwsError``: body or query too large (413, 414), not XML (400)."""
    query = _raw(environ.get("QUERY_STRING", ""))
    if len(query) > MAX_QUERY:
        raise OwsError("InvalidParameterValue", "The query string is too long.", status=414)
    params = parse_query(query)
    method = str(environ.get("REQUEST_METHOD", "GET")).upper()
    body = b""
    if method == "POST":
        body, posted = _read_post(environ, max_body)
        params.update(posted)
    return Request(
        method=method,
        params=params,
        body=body,
        path=_path(environ),
        headers={key[5:].replace("_", "-").lower(): str(value) for key, value in _client_headers(environ)},
        env={key: value for key, value in environ.items() if _is_env(key) and isinstance(value, str)},
    )


_ENV = frozenset(
    [
        "REMOTE_ADDR",
        "SERVER_NAME",
        "SERVER_PORT",
        "SCRIPT_NAME",
        "PATH_INFO",
        "REQUEST_URI",
        "RAW_URI",
        "HTTPS",
        "wsgi.url_scheme",
    ]
)


def _is_env(name: str) -> bool:
    return name in _ENV or name.startswith(("QGIS_", "QGSERVER_"))


def _client_headers(environ: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    # "Proxy: ..." of a client would arrive as HTTP_PROXY, which HTTP libraries take for their own setting.
    return ((key, value) for key, value in environ.items() if key.startswith("HTTP_") and key != "HTTP_PROXY")


def _path(environ: Mapping[str, Any]) -> str:
    """The path as the client sent it. SCRIPT_NAME and PATH_INFO are split differently by every gateway (Debian's
    ``fastcgi_params`` sets no PATH_INFO at all), so only the whole counts."""
    uri = str(environ.get("REQUEST_URI") or environ.get("RAW_URI") or "")
    if uri:
        if not uri.startswith("/"):
            uri = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "", uri)
        path = uri.split("?", 1)[0].split("#", 1)[0]
        return path or "/"
    return (str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))) or "/"


def _raw(value: str) -> bytes:
    """Bytes behind a WSGI string (PEP 3333: latin-1); some servers decode UTF-8 themselves."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape")


def parse_query(query: bytes) -> dict[str, str]:
    """Parameters of ``a=b&c=d``: names upper-case, last of a repeated name wins, ``+`` and ``%XX`` decoded, UTF-8
    with latin-1 as the second guess. Empty pieces and pieces without a name are passed over."""
    params: dict[str, str] = {}
    pieces = query.split(b"&", MAX_PARAMETERS + 1)
    if len(pieces) > MAX_PARAMETERS:
        raise OwsError("InvalidParameterValue", "The request has too many parameters.", status=400)
    for piece in pieces:
        name, _, value = piece.partition(b"=")
        key = _decode(name).strip().upper()
        if key:
            params[key] = _decode(value)
    return params


def _decode(value: bytes) -> str:
    if b"%" in value or b"+" in value:
        value = unquote_to_bytes(value.replace(b"+", b" "))
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text.replace("\0", "") if "\0" in text else text


def _read_post(environ: Mapping[str, Any], max_body: int) -> tuple[bytes, dict[str, str]]:
    """(XML document or empty, parameters) of a POST. A body that is no XML is taken for a form, as QGIS does."""
    body = _read_body(environ, max_body)
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") or body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        root = read_root(body)
        params = {name.upper(): value for name, value in root.attributes.items()}
        params["REQUEST"] = root.name
        if root.name == "GetCapabilities":
            params |= _negotiation(body)
        return body, XML_SERVICES.get(root.namespace, {}) | params
    kind = str(environ.get("CONTENT_TYPE", "")).split(";")[0].strip().lower()
    if not start:
        return b"", {}
    if kind.endswith("xml"):
        raise OwsError("OperationParsingFailed", "The body of the request is not an XML document.")
    if len(body) > MAX_QUERY:
        raise OwsError("InvalidParameterValue", "The form in the request is too long.", status=413)
    return b"", parse_query(body.strip())


def _negotiation(body: bytes) -> dict[str, str]:
    """``AcceptVersions`` of a GetCapabilities document (OWS Common clause 7.2.4), as the parameter."""
    accepted = parse(body).iter("{*}AcceptVersions")
    versions = [(item.text or "").strip() for element in accepted for item in element]
    return {"ACCEPTVERSIONS": ",".join(versions)} if versions else {}


def _read_body(environ: Mapping[str, Any], max_body: int) -> bytes:
    """The whole body, chunked or not, never more than ``max_body`` bytes."""
    too_large = OwsError("InvalidParameterValue", "The body of the request is too large.", status=413)
    try:
        # Werkzeug's stream stops at Content-Length or at the end of chunks, and at the limit.
        stream = get_input_stream(dict(environ), max_content_length=max_body)
        return stream.read()
    except RequestEntityTooLarge:
        raise too_large from None
    except (ClientDisconnected, OSError):
        raise OwsError("NoApplicableCode", "The body of the request did not arrive whole.") from None
