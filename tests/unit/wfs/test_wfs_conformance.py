"""What QGIS Server and MapServer miss in OGC's test suites for WFS 1.0.0, 1.1.0 and 2.0, one test each."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from lxml import etree
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

PROJECT = Path(__file__).parents[3] / "fixtures/projects/wfs.qgs"
OWS_10, OWS_11 = "http://www.opengis.net/ows", "http://www.opengis.net/ows/1.1"
WFS, OGC, QGS = "http://www.opengis.net/wfs", "http://www.opengis.net/ogc", "http://www.qgis.org/gml"


@cache
def client() -> Client:
    return Client(Application(Settings(project_file=str(PROJECT))))


def get(query: str, **headers: str) -> tuple[int, etree._Element]:
    answer = client().get(f"/?{query}", headers=headers)
    return answer.status_code, etree.fromstring(answer.data)


def post(document: str) -> tuple[int, etree._Element]:
    answer = client().post("/", data=document.encode(), content_type="text/xml")
    return answer.status_code, etree.fromstring(answer.data)


def exception(root: etree._Element, namespace: str) -> tuple[str | None, str | None, str | None]:
    """Version of the report, code and locator."""
    assert root.tag == f"{{{namespace}}}ExceptionReport"
    (found,) = root.iter(f"{{{namespace}}}Exception")
    return root.get("version"), found.get("exceptionCode"), found.get("locator")


# -- 1.1.0 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "locator"),
    [
        ("VERSION=1.1.0&REQUEST=GetCapabilities", "service"),
        ("VERSION=1.1.0&REQUEST=GetFeature&TYPENAME=pts", "service"),
        ("SERVICE=WFS&VERSION=1.1.0", "request"),
        ("SERVICE=WFS&VERSION=1.1.0&request~GetCapabilities!service~WFS", "request"),
        ("SERVICE=WFS&REQUEST=GetFeature&TYPENAME=pts", "version"),
        ("SERVICE=WFS&REQUEST=DescribeFeatureType&TYPENAME=pts", "version"),
    ],
)
def test_a_missing_parameter_is_named(query: str, locator: str) -> None:
    status, root = get(query)
    assert (status, exception(root, OWS_10)) == (400, ("1.0.0", "MissingParameterValue", locator))


@pytest.mark.parametrize(
    ("document", "root"),
    [
        (f'<GetCapabilities xmlns="{WFS}"/>', "WFS_Capabilities"),
        (f'<GetFeature xmlns="{WFS}"><Query typeName="pts"/></GetFeature>', "FeatureCollection"),
        (
            f'<DescribeFeatureType version="1.1.0" xmlns="{WFS}"><TypeName>pts</TypeName></DescribeFeatureType>',
            "schema",
        ),
    ],
)
def test_a_document_without_service_is_a_request_of_wfs(document: str, root: str) -> None:
    status, answer = post(document)
    assert (status, etree.QName(answer).localname) == (200, root)
    assert answer.get("version") in ("1.0", "1.1.0", None)


@pytest.mark.parametrize(
    "query",
    [
        "REQUEST=GetFeature&TYPENAME=nosuch",
        "REQUEST=DescribeFeatureType&TYPENAME=nosuch",
        "REQUEST=GetFeature&TYPENAME=pts&PROPERTYNAME=nosuch",
        f"REQUEST=GetFeature&TYPENAME=pts&FILTER=<Filter xmlns='{OGC}'><PropertyIsNull>"
        "<PropertyName>nosuch</PropertyName></PropertyIsNull></Filter>",
        "REQUEST=GetFeature&TYPENAME=pts&SORTBY=nosuch",
    ],
)
def test_unknown_names_are_exceptions(query: str) -> None:
    status, root = get(f"SERVICE=WFS&VERSION=1.1.0&{query}")
    assert status == 400
    assert exception(root, OWS_10)[1] == "InvalidParameterValue"


@pytest.mark.parametrize("request_name", ["GetFeature", "DescribeFeatureType"])
@pytest.mark.parametrize("prefix", ["app", "qgs", "anything"])
def test_any_prefix_will_do(request_name: str, prefix: str) -> None:
    base = f"SERVICE=WFS&VERSION=1.1.0&REQUEST={request_name}&TYPENAME={prefix}:pts&NAMESPACE=xmlns({prefix}={QGS})"
    status, root = get(base)
    assert status == 200
    assert len(root) > 1


def test_types_of_no_namespace_are_found_by_prefixes_of_the_clients_own() -> None:
    document = (
        f'<wfs:GetFeature version="1.1.0" xmlns:wfs="{WFS}" xmlns:mine="http://mine" xmlns:ogc="{OGC}">'
        '<wfs:Query typeName="mine:pts"><wfs:PropertyName>mine:num</wfs:PropertyName>'
        "<ogc:Filter><ogc:PropertyIsEqualTo>"
        "<ogc:PropertyName>mine:num</ogc:PropertyName><ogc:Literal>3</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>"
        "</wfs:Query></wfs:GetFeature>"
    )
    status, root = post(document)
    assert status == 200
    assert [found.text for found in root.iter(f"{{{QGS}}}num")] == ["3"]


def test_ids_are_told_as_eid_too() -> None:
    _, root = get("SERVICE=WFS&VERSION=1.1.0&REQUEST=GetCapabilities")
    assert [etree.QName(item).localname for item in root.iterfind(f".//{{{OGC}}}Id_Capabilities/*")] == ["EID", "FID"]


# -- 1.0.0 ------------------------------------------------------------------------------------------------------------


def test_formats_are_those_of_the_schema_and_operations_come_before_the_box() -> None:
    _, root = get("SERVICE=WFS&VERSION=1.0.0&REQUEST=GetCapabilities")
    (formats,) = root.iter(f"{{{WFS}}}ResultFormat")
    assert [etree.QName(item).localname for item in formats] == ["GML2"]
    for kind in root.iter(f"{{{WFS}}}FeatureType"):
        names = [etree.QName(item).localname for item in kind]
        assert "LatLongBoundingBox" not in names or names.index("Operations") < names.index("LatLongBoundingBox")


# -- 2.0 --------------------------------------------------------------------------------------------------------------


def test_a_missing_service_is_a_client_error() -> None:
    status, root = get("REQUEST=GetCapabilities")
    assert (status, exception(root, OWS_11)) == (400, ("2.0.0", "MissingParameterValue", "service"))


def test_capabilities_without_a_version_are_the_newest_and_complete() -> None:
    _, root = get("SERVICE=WFS&REQUEST=GetCapabilities", Host="maps.example:8081")
    space = {"ows": OWS_11, "xlink": "http://www.w3.org/1999/xlink", "wfs": f"{WFS}/2.0"}
    assert root.get("version") == "2.0.0"
    for name in ("GetFeature", "GetPropertyValue"):
        path = f"//ows:Operation[@name='{name}']/ows:Parameter[@name='resolve']//ows:Value/text()"
        assert "local" in root.xpath(path, namespaces=space)
    addresses = set(root.xpath("//@xlink:href[starts-with(., 'http')]", namespaces=space))
    assert addresses == {"http://maps.example:8081/"}
    claims = {
        found.get("name"): found.findtext(f"{{{OWS_11}}}DefaultValue") for found in root.iter(f"{{{OWS_11}}}Constraint")
    }
    for name, claimed in {
        "ImplementsBasicWFS": "TRUE", "ImplementsTransactionalWFS": "TRUE", "ImplementsLockingWFS": "FALSE",
        "ImplementsResultPaging": "TRUE", "ImplementsStandardJoins": "FALSE", "ManageStoredQueries": "FALSE",
    }.items():  # fmt: skip
        assert claims[name] == claimed, name


def test_dates_are_plain_and_what_may_be_null_is_nillable() -> None:
    _, root = get("SERVICE=WFS&VERSION=2.0.0&REQUEST=DescribeFeatureType&TYPENAMES=pts")
    elements = {found.get("name"): found for found in root.iter("{http://www.w3.org/2001/XMLSchema}element")}
    assert (elements["day"].get("type"), elements["ts"].get("type")) == ("date", "dateTime")
    assert (elements["note"].get("nillable"), elements["note"].get("minOccurs")) == ("true", "0")
    assert elements["geometry"].get("type") == "gml:PointPropertyType"


def test_transactions_are_not_claimed_where_nothing_can_be_changed() -> None:
    project = PROJECT.parents[1] / "demo/world.qgs"
    answer = Client(Application(Settings(project_file=str(project)))).get("/?SERVICE=WFS&REQUEST=GetCapabilities")
    path = "string(//*[@name='ImplementsTransactionalWFS']/*[local-name() = 'DefaultValue'])"
    assert etree.fromstring(answer.data).xpath(path) == "FALSE"
