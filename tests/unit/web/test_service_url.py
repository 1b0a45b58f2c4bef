"""The address in capabilities: whose word counts, and what of the request is in it."""

from __future__ import annotations

import pytest

from qgserver.settings import Settings
from qgserver.web.request import Request
from qgserver.web.service_url import is_trusted, service_url, with_separator

LOOPBACK = {"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http"}
STRANGER = {"REMOTE_ADDR": "203.0.113.7", "wsgi.url_scheme": "http"}
PROXIED = {"host": "inner:8080", "x-forwarded-host": "maps.example, inner", "x-forwarded-proto": "https, http"}


def url(request: Request, **settings: str) -> str:
    return service_url(request, Settings(**settings), "WMS")


@pytest.mark.parametrize(
    ("headers", "env", "expected"),
    [
        ({"host": "h:8080"}, LOOPBACK, "http://h:8080/ows"),
        ({"host": "h"}, LOOPBACK | {"HTTPS": "on"}, "https://h/ows"),
        (PROXIED, LOOPBACK, "https://maps.example/ows"),
        (PROXIED, {}, "https://maps.example/ows"),
        (PROXIED, STRANGER, "http://inner:8080/ows"),
        ({"forwarded": 'host="a.example:444";proto=https, host=b'}, LOOPBACK, "https://a.example:444/ows"),
        (PROXIED | {"x-forwarded-prefix": "/qgis/"}, LOOPBACK, "https://maps.example/qgis/ows"),
        ({"host": "h", "x-qgis-service-url": "https://x.example/wms?"}, LOOPBACK, "https://x.example/wms"),
        ({"host": "h", "x-qgis-wms-service-url": "https://x.example/wms?"}, STRANGER, "http://h/ows"),
        ({"host": 'h"><script>'}, LOOPBACK | {"SERVER_NAME": "s", "SERVER_PORT": "81"}, "http://s:81/ows"),
        ({"host": "h", "x-forwarded-host": "evil/<x>"}, LOOPBACK, "http://h/ows"),
    ],
)
def test_origin(headers: dict[str, str], env: dict[str, str], expected: str) -> None:
    assert url(Request(headers=headers, env=env, path="/ows")) == expected


def test_settings_and_project_go_first() -> None:
    request = Request(headers=PROXIED, env=LOOPBACK, params={"MAP": "/p.qgs"})
    assert url(request, service_url="https://s.example/") == "https://s.example/"
    assert url(request, service_url="https://s", wms_service_url="https://w") == "https://w"
    assert service_url(request, Settings(), "WMS", "http://own.example/wms?") == "http://own.example/wms"


def test_map_stays_in_the_query() -> None:
    request = Request(headers={"host": "h"}, env=LOOPBACK, params={"MAP": "/a b/é&.qgs", "SERVICE": "WMS"}, path="/é")
    assert url(request) == "http://h/%C3%A9?MAP=/a%20b/%C3%A9%26.qgs"
    assert with_separator(url(request)).endswith(".qgs&")
    assert with_separator("http://h/") == "http://h/?"


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("", True), ("10.1.1.1", False), ("junk", False)],
)
def test_trust(peer: str, trusted: bool) -> None:
    assert is_trusted({"REMOTE_ADDR": peer}, Settings().trusted_proxies) is trusted
