"""The public address of a service, as it stands in capabilities.

First of: the project's own entry; the settings; headers of a trusted proxy that name it whole; the address of the
request, as trusted proxies report it. It keeps the port of ``Host`` and, of the query, only ``MAP``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import quote

from qgserver.settings import Network, Settings
from qgserver.web.request import Request

_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_SCHEME = re.compile(r"https?", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s<>\"'\\^`{|}]+", re.IGNORECASE)


def service_url(request: Request, settings: Settings, service: str, of_project: str = "") -> str:
    """Address of a service, without a trailing ``?`` or ``&``. ``of_project`` is the entry ``WMSUrl`` or ``WFSUrl``."""
    fixed = of_project or _of_settings(settings, service)
    trusted = is_trusted(request.env, settings.trusted_proxies)
    if not fixed and trusted:
        fixed = next(
            (
                value
                for name in (f"x-qgis-{service.lower()}-service-url", "x-qgis-service-url")
                if _URL.fullmatch(value := request.headers.get(name, "").strip())
            ),
            "",
        )
    address = (fixed or _origin(request, trusted) + _prefix(request, trusted) + _path(request)).rstrip("?&")
    if "MAP" in request.params and not fixed:
        # Later slashes and colons stay readable, as in the URLs people type.
        address += f"?MAP={quote(request.params['MAP'], safe='/:')}"
    return address


def with_separator(url: str) -> str:
    """The address as a prefix to which parameters can be appended (WMS 1.3.0 clause 6.3.3)."""
    return url + ("&" if "?" in url else "?")


def is_trusted(env: Mapping[str, str], proxies: tuple[Network, ...]) -> bool:
    """True when the peer is a proxy whose word counts: a listed address, or a unix socket (no address at all)."""
    peer = env.get("REMOTE_ADDR", "").strip()
    if not peer or peer.startswith("unix:"):
        return True
    try:
        address = ipaddress.ip_address(peer.split("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in proxies)


def _of_settings(settings: Settings, service: str) -> str:
    own = {"WMS": settings.wms_service_url, "WFS": settings.wfs_service_url}
    return own.get(service, "") or settings.service_url


def _first(value: str) -> str:
    """The first of ``https, http``: what the outermost proxy saw."""
    return value.split(",")[0].strip()


def _forwarded(value: str) -> dict[str, str]:
    """Pairs of the first element of ``Forwarded`` (RFC 7239)."""
    pairs = (piece.partition("=") for piece in _first(value).split(";"))
    return {name.strip().lower(): text.strip().strip('"') for name, _, text in pairs}


def _origin(request: Request, trusted: bool) -> str:
    env, headers = request.env, request.headers
    scheme = "https" if env.get("HTTPS", "").lower() in ("on", "1") else env.get("wsgi.url_scheme", "http")
    host = headers.get("host", "")
    if trusted:
        forwarded = _forwarded(headers.get("forwarded", ""))
        seen_host = forwarded.get("host") or _first(headers.get("x-forwarded-host", ""))
        seen_scheme = forwarded.get("proto") or _first(headers.get("x-forwarded-proto", ""))
        scheme = seen_scheme if _SCHEME.fullmatch(seen_scheme) else scheme
        host = seen_host if _HOST.fullmatch(seen_host) else host
    if not _HOST.fullmatch(host):
        port = env.get("SERVER_PORT", "")
        usual = {"http": "80", "https": "443"}.get(scheme.lower())
        host = (env.get("SERVER_NAME") or "localhost") + (f":{port}" if port.isdigit() and port != usual else "")
    return f"{scheme.lower()}://{host}"


def _prefix(request: Request, trusted: bool) -> str:
    """The path a proxy cut off, when it says so."""
    prefix = _first(request.headers.get("x-forwarded-prefix", "")) if trusted else ""
    if not prefix.startswith("/") or prefix.startswith("//"):
        return ""
    prefix = quote(prefix.rstrip("/"), safe="/%:@~!$&'()*+,;=-._")
    return "" if request.path == prefix or request.path.startswith(prefix + "/") else prefix


def _path(request: Request) -> str:
    path = "/" + request.path.lstrip("/")
    with suppress(UnicodeError):
        path = path.encode("latin-1").decode("utf-8")
    return quote(path, safe="/%:@~!$&'()*+,;=-._")
