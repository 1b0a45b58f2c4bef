"""WFS 2.0 (OGC 09-025r1): what the versions before do not have. The data are those of ``fixtures/projects/wfs.qgs``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

PROJECT = Path(__file__).parents[3] / "fixtures/projects/wfs.qgs"
NS = {
    "wfs": "http://www.opengis.net/wfs/2.0",
    "gml": "http://www.opengis.net/gml/3.2",
    "qgs": "http://www.qgis.org/gml",
    "ows": "http://www.opengis.net/ows/1.1",
}
GML_ID = "{http://www.opengis.net/gml/3.2}id"
BY_ID = "urn:ogc:def:query:OGC-WFS::GetFeatureById"


@cache
def client() -> Client:
    return Client(Application(Settings(project_file=str(PROJECT))))


def get(request: str = "GetFeature", **params: str) -> tuple[int, etree._Element]:
    query = {"SERVICE": "WFS", "VERSION": "2.0.0", "REQUEST": request, **params}
    answer = client().get("/", query_string=query)
    return answer.status_code, etree.fromstring(answer.data)


def post(body: str, name: str = "GetFeature", attributes: str = "") -> tuple[int, etree._Element]:
    document = (
        f'<wfs:{name} service="WFS" version="2.0.0" {attributes} xmlns:wfs="{NS["wfs"]}" xmlns:gml="{NS["gml"]}"'
        f' xmlns:fes="http://www.opengis.net/fes/2.0" xmlns:app="{NS["qgs"]}" xmlns:other="http://elsewhere">'
        f"{body}</wfs:{name}>"
    )
    answer = client().post("/", data=document.encode(), content_type="text/xml")
    return answer.status_code, etree.fromstring(answer.data)


def ids(root: etree._Element) -> list[str]:
    return [str(found) for found in root.xpath("//wfs:member/qgs:*/@gml:id", namespaces=NS)]


def counts(root: etree._Element) -> tuple[str | None, str | None]:
    return root.get("numberMatched"), root.get("numberReturned")


def code(root: etree._Element) -> tuple[str | None, str | None]:
    (found,) = root.xpath("//ows:Exception", namespaces=NS)
    return found.get("exceptionCode"), found.get("locator")


# -- pages ----------------------------------------------------------------------------------------------------------


def test_pages_lead_to_one_another() -> None:
    status, first = get(TYPENAMES="pts", COUNT="5", SORTBY="num DESC")
    assert (status, counts(first), first.get("previous")) == (200, ("12", "5"), None)
    assert ids(first) == ["pts.12", "pts.11", "pts.10", "pts.9", "pts.8"]
    middle = follow(first, "next")
    assert ids(middle) == ["pts.7", "pts.6", "pts.5", "pts.4", "pts.3"]
    last = follow(middle, "next")
    assert (ids(last), counts(last), last.get("next")) == (["pts.2", "pts.1"], ("12", "2"), None)
    assert ids(follow(middle, "previous")) == ids(first)


def follow(root: etree._Element, link: str) -> etree._Element:
    address = root.get(link)
    assert address is not None
    return etree.fromstring(client().get("/?" + urlsplit(address).query).data)


def test_the_first_page_before_a_small_start_ends_there() -> None:
    _, root = get(TYPENAMES="pts", COUNT="5", STARTINDEX="2")
    query = parse_qs(urlsplit(root.get("previous") or "").query)
    assert (query["STARTINDEX"], query["COUNT"]) == (["0"], ["2"])


def test_hits_count_all_and_lead_to_the_first_page() -> None:
    _, root = get(TYPENAMES="pts", COUNT="1", RESULTTYPE="hits")
    assert (counts(root), root.get("previous"), len(root)) == (("12", "0"), None, 0)
    assert ids(follow(root, "next")) == ["pts.1"]


def test_a_document_has_pages_too() -> None:
    body = """<wfs:Query typeNames="app:pts"><wfs:PropertyName>app:num</wfs:PropertyName><fes:Filter>
      <fes:PropertyIsGreaterThan><fes:ValueReference>app:num</fes:ValueReference><fes:Literal>3</fes:Literal>
      </fes:PropertyIsGreaterThan></fes:Filter><fes:SortBy><fes:SortProperty><fes:ValueReference>app:num
      </fes:ValueReference><fes:SortOrder>DESC</fes:SortOrder></fes:SortProperty></fes:SortBy></wfs:Query>"""
    status, root = post(body, attributes='count="4" startIndex="1"')
    assert (status, counts(root), ids(root)) == (200, ("9", "4"), ["pts.11", "pts.10", "pts.9", "pts.8"])
    assert ids(follow(root, "next")) == ["pts.7", "pts.6", "pts.5", "pts.4"]
    assert ids(follow(root, "previous")) == ["pts.12"]


# -- several queries --------------------------------------------------------------------------------------------------


def test_each_query_has_its_own_collection() -> None:
    _, root = get(TYPENAMES="(pts)(parents)(pts)", COUNT="14", PROPERTYNAME="(num)(*)(num)")
    inner = root.xpath("wfs:member/wfs:FeatureCollection", namespaces=NS)
    matched = int(inner[1].get("numberMatched"))
    assert counts(inner[0]) == ("12", "12")
    assert sum(int(found.get("numberReturned")) for found in inner) == 14
    assert counts(root) == (str(24 + matched), "14")
    assert ids(inner[0])[0] == "pts.1"


def test_queries_without_features_have_empty_collections() -> None:
    where = "<PropertyIsEqualTo><ValueReference>num</ValueReference><Literal>{}</Literal></PropertyIsEqualTo>"
    filters = "".join(f"(<Filter>{where.format(number)}</Filter>)" for number in (99, 2, 98))
    _, root = get(TYPENAMES="(pts)(pts)(pts)", FILTER=filters)
    inner = root.xpath("wfs:member/wfs:FeatureCollection", namespaces=NS)
    assert [(counts(found), len(found)) for found in inner] == [(("0", "0"), 0), (("1", "1"), 1), (("0", "0"), 0)]


# -- one feature ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [BY_ID, "http://www.opengis.net/def/query/OGC-WFS/0/GetFeatureById"])
def test_get_feature_by_id_answers_the_feature_itself(name: str) -> None:
    for status, root in (
        get(STOREDQUERY_ID=name, ID="pts.3"),
        post(f'<wfs:StoredQuery id="{name}"><wfs:Parameter name="id">pts.3</wfs:Parameter></wfs:StoredQuery>'),
    ):
        assert (status, root.tag, root.get(GML_ID)) == (200, f"{{{NS['qgs']}}}pts", "pts.3")


def test_get_feature_by_id_in_other_formats() -> None:
    query = {"SERVICE": "WFS", "VERSION": "2.0.0", "REQUEST": "GetFeature", "STOREDQUERY_ID": BY_ID}
    answer = client().get("/", query_string={**query, "ID": "pts.3", "OUTPUTFORMAT": "GeoJSON"})
    assert [found["id"] for found in answer.get_json()["features"]] == ["pts.3"]
    assert client().get("/", query_string={**query, "ID": "pts.99", "OUTPUTFORMAT": "GeoJSON"}).status_code == 404


@pytest.mark.parametrize(
    ("params", "status", "expected"),
    [
        ({"STOREDQUERY_ID": BY_ID, "ID": "pts.99"}, 404, ("NotFound", "ID")),
        ({"STOREDQUERY_ID": BY_ID, "ID": "nonsense"}, 404, ("NotFound", "ID")),
        ({"STOREDQUERY_ID": BY_ID}, 400, ("MissingParameterValue", "ID")),
        ({"STOREDQUERY_ID": "urn:nosuch", "ID": "pts.1"}, 400, ("InvalidParameterValue", "id")),
        ({"TYPENAMES": "pts", "RESOURCEID": "pol.1"}, 400, ("InvalidParameterValue", "RESOURCEID")),
        ({"TYPENAMES": "pts,pol"}, 501, ("OperationNotSupported", "typenames")),
        (
            {"TYPENAMES": "x:pts", "NAMESPACES": "xmlns(x,http://elsewhere)"},
            400,
            ("InvalidParameterValue", "typenames"),
        ),
        ({"TYPENAMES": "pts", "COUNT": "many"}, 400, ("InvalidParameterValue", "COUNT")),
        ({"TYPENAMES": "pts", "COUNT": "9" * 40}, 400, ("InvalidParameterValue", "COUNT")),
        ({"TYPENAMES": "pts", "STARTINDEX": "-1"}, 400, ("InvalidParameterValue", "STARTINDEX")),
        ({"TYPENAMES": "pts", "RESOLVE": "remote"}, 400, ("InvalidParameterValue", "RESOLVE")),
        ({"TYPENAMES": "pts", "RESOLVEDEPTH": "deep"}, 400, ("InvalidParameterValue", "RESOLVEDEPTH")),
        ({"TYPENAMES": "pts", "SRSNAME": "urn:ogc:def:crs:EPSG::32690"}, 400, ("InvalidParameterValue", "SRSNAME")),
        ({"TYPENAMES": "pts", "SORTBY": "nosuch"}, 400, ("InvalidParameterValue", "sortby")),
        ({"TYPENAMES": "pts", "OUTPUTFORMAT": "application/x-no"}, 400, ("InvalidParameterValue", "outputFormat")),
        ({}, 400, ("MissingParameterValue", "typenames")),
    ],
)
def test_what_is_wrong_is_told(params: dict[str, str], status: int, expected: tuple[str, str]) -> None:
    answered, root = get(**params)
    assert (answered, code(root)) == (status, expected)


def test_ids_that_are_none_find_nothing() -> None:
    assert counts(get(TYPENAMES="pts", RESOURCEID="test-17,pts.2")[1]) == ("1", "1")


def test_a_prefix_of_another_namespace_means_another_type() -> None:
    assert post('<wfs:Query typeNames="other:pts"/>')[0] == 400
    assert post('<wfs:Query typeNames="app:pts app:pol"/>')[0] == 501
    assert counts(get(TYPENAMES="any:pts", NAMESPACES="xmlns(any,http://www.qgis.org/gml)")[1]) == ("12", "12")


# -- coordinates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("srs_name", "written", "corner"),
    [
        ("", "urn:ogc:def:crs:EPSG::4326", "-7.26 173.23"),
        ("urn:ogc:def:crs:EPSG::4326", "urn:ogc:def:crs:EPSG::4326", "-7.26 173.23"),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "http://www.opengis.net/def/crs/EPSG/0/4326", "-7.26 173.23"),
        ("EPSG:4326", "EPSG:4326", "173.23 -7.26"),
    ],
)
def test_axes_follow_the_name_of_the_crs(srs_name: str, written: str, corner: str) -> None:
    _, root = get(RESOURCEID="world.1", SRSNAME=srs_name)
    (shape,) = root.xpath("//qgs:geometry/*", namespaces=NS)
    assert shape.get("srsName") == written
    assert (shape.xpath("string(.//gml:posList)", namespaces=NS)).startswith(corner)


@pytest.mark.parametrize(
    ("bbox", "found"),
    [
        ("-8,172,-7,174", 1),  # the CRS of the capabilities, whose first axis is latitude
        ("172,-8,174,-7,EPSG:4326", 1),
        ("-8,172,-7,174,urn:ogc:def:crs:EPSG::4326", 1),
        ("172,-8,174,-7", 0),
    ],
)
def test_a_box_without_a_crs_is_in_that_of_the_capabilities(bbox: str, found: int) -> None:
    assert ("world.1" in ids(get(TYPENAMES="world", BBOX=bbox)[1])) == bool(found)


def test_every_geometry_has_its_own_id() -> None:
    _, root = get(TYPENAMES="(pol)(world)(pts)")
    found = [str(one) for one in root.xpath("//@gml:id", namespaces=NS)]
    assert len(found) == len(set(found)) > 60


# -- values -----------------------------------------------------------------------------------------------------------


def values(**params: str) -> list[str]:
    status, root = get("GetPropertyValue", **params)
    assert status == 200
    members = root.xpath("wfs:member", namespaces=NS)
    assert root.get("numberReturned") == str(len(members))
    return ["".join(member.itertext()) for member in members]


def test_values_of_a_property() -> None:
    assert values(TYPENAMES="pts", VALUEREFERENCE="qgs:num", COUNT="3", STARTINDEX="2") == ["3", "4", "5"]
    assert values(TYPENAMES="pts", VALUEREFERENCE="pts/name[1]", RESOURCEID="pts.1") == ["Lyon"]
    assert values(TYPENAMES="pts", VALUEREFERENCE="@gml:id", COUNT="2") == ["pts.1", "pts.2"]
    _, root = get("GetPropertyValue", TYPENAMES="world", VALUEREFERENCE="geometry", COUNT="1")
    assert root.xpath("count(wfs:member/gml:Polygon[@gml:id])", namespaces=NS) == 1


def test_what_is_nil_is_no_value() -> None:
    features = get(TYPENAMES="pts")[1]
    present = features.xpath(
        "//qgs:note[not(@xsi:nil)]", namespaces=NS | {"xsi": "http://www.w3.org/2001/XMLSchema-instance"}
    )
    _, root = get("GetPropertyValue", TYPENAMES="pts", VALUEREFERENCE="note")
    assert counts(root) == (str(len(present)),) * 2
    assert 0 < len(present) < 12


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nosuch",
        "num/..",
        "../pol/num",
        "//num",
        "num[2]",
        "num[@x='1']",
        "document('/etc/passwd')",
        "*",
        "a" * 9999,
    ],
)
def test_paths_are_names_of_properties(path: str) -> None:
    status, root = get("GetPropertyValue", TYPENAMES="pts", VALUEREFERENCE=path)
    assert (status, code(root)) == (400, ("InvalidParameterValue", "valueReference"))


# -- negotiation ------------------------------------------------------------------------------------------------------


def test_documents_negotiate_the_version() -> None:
    for versions, expected in ((("10.0.0", "2.0.0", "1.1.0"), "2.0.0"), (("1.0.0", "2.0.0"), "1.0.0"), ((), "2.0.0")):
        accepted = "".join(f"<ows:Version>{version}</ows:Version>" for version in versions)
        body = (
            f'<GetCapabilities service="WFS" xmlns="{NS["wfs"]}" xmlns:ows="{NS["ows"]}">'
            f"<ows:AcceptVersions>{accepted}</ows:AcceptVersions></GetCapabilities>"
        )
        root = etree.fromstring(client().post("/", data=body.encode(), content_type="text/xml").data)
        assert root.get("version") == expected


def test_requests_of_2_are_none_of_1() -> None:
    answer = client().get("/?SERVICE=WFS&VERSION=1.1.0&REQUEST=GetPropertyValue&TYPENAME=pts")
    assert answer.status_code == 501
    answer = client().get("/?SERVICE=WFS&VERSION=1.1.0&REQUEST=GetFeature&TYPENAME=pts&OUTPUTFORMAT=GML32")
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><wfs:GetFeature xmlns:wfs="%s">&b;</wfs:GetFeature>',
    '<!DOCTYPE x SYSTEM "file:///etc/passwd"><wfs:GetPropertyValue xmlns:wfs="%s" valueReference="x"/>',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/fstab">]><wfs:GetFeature xmlns:wfs="%s">&e;</wfs:GetFeature>',
    '<wfs:GetFeature xmlns:wfs="%s"><wfs:Query',
])  # fmt: skip
def test_hostile_documents(body: str) -> None:
    answer = client().post("/", data=(body % NS["wfs"]).encode(), content_type="text/xml")
    assert answer.status_code == 400
    assert b"root:" not in answer.data
