"""One map of parameters out of whatever a client sends."""

from __future__ import annotations

import io
from typing import Any

import pytest

from qgserver.errors import OwsError
from qgserver.web.request import Request, parse_query, read_request

GET_FEATURE = (
    b'<?xml version="1.0"?><w:GetFeature xmlns:w="http://www.opengis.net/wfs" version="1.1.0" maxFeatures="3"/>'
)


def read(query: str = "", body: bytes | None = None, content_type: str = "", **environ: Any) -> Request:
    environ = {"REQUEST_METHOD": "GET", "QUERY_STRING": query, "PATH_INFO": "/", **environ}
    if body is not None:
        environ |= {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
    return read_request(environ, 1000)


@pytest.mark.parametrize(
    ("query", "params"),
    [
        (b"service=WMS&Request=GetMap", {"SERVICE": "WMS", "REQUEST": "GetMap"}),
        (b"LAYERS=a&layers=b", {"LAYERS": "b"}),
        (b"&&a=1&&=2&c&", {"A": "1", "C": ""}),
        (b"a=x+y%20z%2Bw", {"A": "x y z+w"}),
        (b"a=%C3%A9&b=%E9", {"A": "é", "B": "é"}),
        (b"a=%zz&b=%&c=100%", {"A": "%zz", "B": "%", "C": "100%"}),
        (b"a=1=2", {"A": "1=2"}),
        (b"a=x%00y", {"A": "xy"}),
    ],
)
def test_queries(query: bytes, params: dict[str, str]) -> None:
    assert parse_query(query) == params


def test_raw_utf8_in_the_query_as_fastcgi_passes_it() -> None:
    assert read("LAYERS=" + "Flüsse".encode().decode("latin-1")).get("LAYERS") == "Flüsse"


def test_a_form_goes_over_the_query() -> None:
    request = read("LAYERS=a&MAP=m", b"layers=b%20c", "application/x-www-form-urlencoded; charset=UTF-8")
    assert request.params == {"LAYERS": "b c", "MAP": "m"}
    assert not request.is_xml


def test_xml_gives_request_service_and_attributes() -> None:
    request = read("MAP=m", GET_FEATURE, "text/plain")
    assert request.params == {
        "MAP": "m",
        "REQUEST": "GetFeature",
        "SERVICE": "WFS",
        "VERSION": "1.1.0",
        "MAXFEATURES": "3",
    }
    assert request.body == GET_FEATURE


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "OperationParsingFailed", 400),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "OperationParsingFailed", 400),
        (b"<", "OperationParsingFailed", 400),
        (b"a" * 1001, "InvalidParameterValue", 413),
    ],
)
def test_hostile_bodies(body: bytes, code: str, status: int) -> None:
    with pytest.raises(OwsError) as caught:
        read(body=body)
    assert (caught.value.code, caught.value.status) == (code, status)


def test_a_body_that_ends_too_soon() -> None:
    with pytest.raises(OwsError) as caught:
        read_request({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "10", "wsgi.input": io.BytesIO(b"a=1")}, 100)
    assert caught.value.code == "NoApplicableCode"


@pytest.mark.parametrize("query", ["a=" + "x" * 300_000, "&".join(f"a{i}=1" for i in range(1001))])
def test_endless_queries(query: str) -> None:
    with pytest.raises(OwsError):
        read(query)


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"SCRIPT_NAME": "/qgis", "PATH_INFO": "/x"}, "/qgis/x"),
        ({"REQUEST_URI": "/ows/a%20b?MAP=m", "SCRIPT_NAME": "/other"}, "/ows/a%20b"),
        ({"RAW_URI": "http://h:1/ows?x"}, "/ows"),
        ({"PATH_INFO": ""}, "/"),
    ],
)
def test_the_path_is_the_whole_one(environ: dict[str, str], path: str) -> None:
    assert read(**environ).path == path


def test_the_proxy_header_is_not_kept() -> None:
    request = read(HTTP_PROXY="http://evil", HTTP_HOST="h", QGIS_PROJECT_FILE="/p.qgs", SECRET="x")
    assert request.headers == {"host": "h"}
    assert request.env == {"QGIS_PROJECT_FILE": "/p.qgs", "PATH_INFO": "/"}
