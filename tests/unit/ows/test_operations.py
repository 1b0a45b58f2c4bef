"""Which service, version and operation a request means."""

from __future__ import annotations

import pytest

import qgserver.ows.wfs
import qgserver.ows.wms  # noqa: F401
from qgserver.errors import OwsError
from qgserver.ows.operations import check_service, find_operation, negotiate, service_of
from qgserver.web.request import Request, parse_query


def request(query: str) -> Request:
    return Request(params=parse_query(query.encode()))


@pytest.mark.parametrize(
    ("query", "service", "version"),
    [
        ("SERVICE=WMS&REQUEST=GetCapabilities", "WMS", "1.3.0"),
        ("SERVICE=WMS&REQUEST=GetMap&VERSION=1.1.1", "WMS", "1.1.1"),
        ("SERVICE=WMS&VERSION=1.0.0", "WMS", "1.1.1"),
        ("SERVICE=WMS&VERSION=1.2.0", "WMS", "1.1.1"),
        ("SERVICE=WMS&VERSION=9.9.9", "WMS", "1.3.0"),
        ("SERVICE=WMS&VERSION=abc", "WMS", "1.3.0"),
        ("SERVICE=WMS&WMTVER=1.1.0&REQUEST=map", "WMS", "1.1.1"),
        ("REQUEST=capabilities", "WMS", "1.1.1"),
        ("REQUEST=GetMap", "WMS", "1.3.0"),
        ("SERVICE=WFS", "WFS", "1.1.0"),
        ("SERVICE=WFS&VERSION=1.0.0", "WFS", "1.0.0"),
        ("REQUEST=GetFeature", "WFS", "1.1.0"),
        ("SERVICE=WFS&ACCEPTVERSIONS=10.0.0,1.0.0,2.0.0", "WFS", "1.0.0"),
        ("SERVICE=WFS&REQUEST=GetCapabilities", "WFS", "2.0.0"),
        ("SERVICE=WFS&REQUEST=GetFeature&VERSION=2.0.2", "WFS", "2.0.0"),
    ],
)
def test_service_and_version(query: str, service: str, version: str) -> None:
    assert service_of(request(query)) == service
    assert negotiate(service, request(query)) == version


@pytest.mark.parametrize(
    ("query", "code", "locator"),
    [
        ("REQUEST=GetCapabilities", "MissingParameterValue", "service"),
        ("REQUEST=GetFeature", "MissingParameterValue", "service"),
        ("SERVICE=XYZ&REQUEST=GetMap", "InvalidParameterValue", "service"),
        ("SERVICE=wms&REQUEST=GetMap", "InvalidParameterValue", "service"),
    ],
)
def test_service_is_required(query: str, code: str, locator: str) -> None:
    with pytest.raises(OwsError) as caught:
        check_service(request(query), service_of(request(query)))
    assert (caught.value.code, caught.value.locator) == (code, locator)


def test_no_common_version() -> None:
    with pytest.raises(OwsError) as caught:
        negotiate("WFS", request("ACCEPTVERSIONS=3.0.0"))
    assert caught.value.code == "VersionNegotiationFailed"


def test_wms_maps_need_no_service() -> None:
    check_service(request("REQUEST=GetMap"), "WMS")


@pytest.mark.parametrize(
    ("name", "code", "status"), [("", "MissingParameterValue", 400), ("Foo", "OperationNotSupported", 501)]
)
def test_unknown_requests(name: str, code: str, status: int) -> None:
    with pytest.raises(OwsError) as caught:
        find_operation("WMS", name, "1.3.0")
    assert (caught.value.code, caught.value.status, caught.value.locator) == (code, status, "request")


def test_old_names() -> None:
    assert find_operation("WMS", "capabilities", "1.1.1").name == "GetCapabilities"
    assert find_operation("WMS", "getmap", "1.3.0") is find_operation("WMS", "map", "1.1.1")
