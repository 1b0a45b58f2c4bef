"""Fetching from other servers: what is refused, bounded, kept and asked again."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Iterator

import pytest

from qgserver.rasters.http import Answer, Connections, FetchError, Rules
from qgserver.rasters.remote import Remote, Wanted, freshness
from tests.unit.rasters.otherserver import Asked, other_server


@pytest.fixture
def server() -> Iterator[Asked]:
    with other_server() as asked:
        yield asked


@pytest.fixture
def connections() -> Iterator[Connections]:
    found = Connections(Rules())
    yield found
    found.close()


@pytest.fixture
def remote() -> Iterator[Remote]:
    found = Remote(Rules())
    yield found
    found.close()


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.org/", "//example.org/", "", "http://", "http://[::1", "http://a:99999/",
        "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y", "http://169.254.169.254/latest/", "http://0.0.0.0:80/",
        "http://[::ffff:169.254.169.254]/", "http://[fe80::1]/", "http://224.0.0.1/", "http://2852039166/",
    ],
)  # fmt: skip
def test_addresses_not_to_be_asked_are_refused(connections: Connections, url: str) -> None:
    with pytest.raises(FetchError) as error:
        connections.get(url, {}, soon())
    assert "address" in error.value.message


def test_only_named_hosts_are_asked_where_there_are_any(server: Asked) -> None:
    for hosts, allowed in ((("127.0.0.1",), True), (("example.org",), False), ((".0.0.1",), True)):
        connections = Connections(Rules(hosts))
        try:
            assert connections.get(f"{server.base}/plain", {}, soon()).body == b"plain" and allowed
        except FetchError as error:
            assert not allowed and "QGSERVER_REMOTE_HOSTS" in error.message
        finally:
            connections.close()


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd00::1", "169.254.169.254"])
def test_other_servers_lead_to_public_addresses_only(address: str) -> None:
    with pytest.raises(FetchError):
        Rules().check(ipaddress.ip_address(address), wanted=False)
    Rules().check(ipaddress.ip_address("93.184.216.34"), wanted=False)


def test_redirects_are_followed_within_bounds(connections: Connections, server: Asked) -> None:
    assert connections.get(f"{server.base}/to?url=/plain", {"Referer": "http://me/"}, soon()).body == b"plain"
    assert [headers.get("Referer") for headers in server.headers] == ["http://me/"] * 2
    local = server.base.replace("127.0.0.1", "localhost")
    for target in (f"{local}/plain", "file:///etc/passwd", "/to?url=/to", "http://169.254.169.254/"):
        with pytest.raises(FetchError):
            connections.get(f"{server.base}/to?url={target}", {}, soon())
    with pytest.raises(FetchError, match="too often"):
        connections.get(f"{server.base}/to?url=/to%3Furl=/to%3Furl=/to%253Furl=/to%25253Furl=/plain", {}, soon())


@pytest.mark.parametrize(("path", "reason"), [("huge", "too large"), ("packed", "compresses"), ("fault", "status 500")])
def test_bad_answers_are_refused(connections: Connections, server: Asked, path: str, reason: str) -> None:
    with pytest.raises(FetchError, match=reason):
        connections.get(f"{server.base}/{path}", {}, soon(20))


def test_a_server_that_drips_does_not_hold_us(connections: Connections, server: Asked) -> None:
    start = time.monotonic()
    with pytest.raises(FetchError, match="too long"):
        connections.get(f"{server.base}/drip", {}, soon(0.3))
    assert time.monotonic() - start < 1.5


def test_a_connection_closed_meanwhile_is_made_anew(connections: Connections, server: Asked) -> None:
    for _ in range(3):
        assert connections.get(f"{server.base}/cut", {}, soon()).body == b"once"
        time.sleep(0.02)


def test_answers_are_kept_as_long_as_they_say(remote: Remote, server: Asked) -> None:
    cases = (("tiles/1/0/0.png", 0, 1), ("fresh", 60, 3), ("old", 60, 3), ("plain", 60, 1), ("plain", 0, 3))
    for path, keep, times in cases:
        url = f"{server.base}/{path}?{keep}"
        del server.paths[:]
        for _ in range(3):
            assert remote.get(Wanted(url, keep_s=keep), soon())
        assert len(server.paths) == times, path
    assert remote.get(Wanted(f"{server.base}/nope"), soon()) is None
    assert remote.get(Wanted(f"{server.base}/nope"), soon()) is None
    assert server.paths.count("/nope") == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 7.0), ({"cache-control": "public, MAX-AGE=90", "age": "30"}, 60.0), ({"cache-control": "max-age=x"}, 0.0),
        ({"cache-control": "private, max-age=90"}, 0.0), ({"expires": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"expires": "never"}, 0.0), ({"cache-control": "max-age=5", "expires": "0"}, 5.0),
    ],
)  # fmt: skip
def test_freshness_is_that_of_rfc_9111(headers: dict[str, str], seconds: float) -> None:
    assert freshness(Answer(b"", headers), 7.0) == seconds


def test_a_dead_server_is_left_alone_and_logged_once(remote: Remote, caplog: pytest.LogCaptureFixture) -> None:
    with other_server() as asked:
        base = asked.base
    with caplog.at_level(logging.WARNING, "qgserver"):
        assert [remote.get(Wanted(f"{base}/plain?key=secret{i}"), soon()) for i in range(3)] == [None] * 3
    assert len(caplog.messages) == 1 and "secret" not in caplog.text
