"""Parameters and requests of GetFeature: WFS 1.1.0 clause 14.7.3, and the vendor rules measured on QGIS Server."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from qgserver.errors import OwsError
from qgserver.ows.closedworld import PublishedField, read_expression
from qgserver.ows.wfs.params import Bbox, Parameters, SortKey, document, read_parameters
from qgserver.ows.wfs.query import Query, read_get_feature
from qgserver.web.request import Request


def kvp(**params: str) -> tuple[Query, ...]:
    return read_get_feature(Request(params=params)).queries


@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("TYPENAME", "a, b", "type_names", ("a", "b")),
        ("TYPENAME", "(a)(b)", "type_names", ("a", "b")),
        ("MAXFEATURES", "0", "max_features", 0),
        ("MAXFEATURES", "-1", "max_features", None),
        ("SORTBY", "kind ASC,val D, x+DESC,y", "sort_by",
         (SortKey("kind"), SortKey("val", False), SortKey("x", False), SortKey("y"))),
        ("BBOX", "1,2,3,4.5", "bbox", Bbox((1, 2, 3, 4.5))),
        ("BBOX", "1,2,3,4,urn:ogc:def:crs:EPSG::4326", "bbox", Bbox((1, 2, 3, 4), "urn:ogc:def:crs:EPSG::4326")),
        ("RESULTTYPE", "hits", "result_type", "HITS"),
        ("PROPERTYNAME", "(a,b)(c)", "property_names", ("a,b", "c")),
        ("FILTER", "(<a>)(</a>) (<b c='>)('/>)", "filters", ("<a>)(</a>", "<b c='>)('/>")),
        ("FILTER", "(<a/>)", "filters", ("<a/>",)),
        ("FILTER", "<a>)(</a>", "filters", ("<a>)(</a>",)),
        ("GEOMETRYNAME", "extent", "geometry_name", "EXTENT"),
        ("STARTINDEX", " ", "start_index", 0),
    ],
)  # fmt: skip
def test_readers(name: str, value: str, attribute: str, expected: object) -> None:
    assert getattr(read_parameters({name: value}), attribute) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAXFEATURES", "abc"),
        ("MAXFEATURES", "-5"),
        ("STARTINDEX", "-1"),
        ("BBOX", "1,2"),
        ("BBOX", "1,2,3,inf"),
        ("RESULTTYPE", "maybe"),
        ("MAXFEATURES", "9" * 5000),
    ],
)
def test_bad_values_name_the_parameter(name: str, value: str) -> None:
    with pytest.raises(OwsError) as caught:
        read_parameters({name: value})
    assert (caught.value.code, caught.value.locator) == ("InvalidParameterValue", name)
    assert len(caught.value.message) < 200


def test_types_come_from_feature_ids() -> None:
    assert kvp(FEATUREID="points.1,poly.2,points.3") == (
        Query("points", fids=("points.1", "points.3")),
        Query("poly", fids=("poly.2",)),
    )


def test_keys_may_hold_anything() -> None:
    known = {"points", "points.b"}
    request = Request(params={"FEATUREID": "app:points.1,points.a/b:c.d,points.b.7"})
    assert read_get_feature(request, "1.1.0", known).queries == (
        Query("points", fids=("points.1", "points.a/b:c.d")),
        Query("points.b", fids=("points.b.7",)),
    )


@pytest.mark.parametrize("params", [
    {"TYPENAME": "(a)" * 201},
    {"FEATUREID": ",".join(f"a{n}.1" for n in range(20_000))},
])  # fmt: skip
def test_a_request_holds_a_limited_number_of_queries(params: dict[str, str]) -> None:
    with pytest.raises(OwsError) as caught:
        kvp(**params)
    assert caught.value.status == 413


def test_prefixes_are_stripped_and_parts_belong_to_their_type() -> None:
    first, second = kvp(
        TYPENAME="app:a,b", PROPERTYNAME="(app:x,a/y)(*)", EXP_FILTER="(1 = 1)(2 = 2)", SRSNAME="EPSG:1"
    )
    assert (first.type_name, first.properties, first.expression) == ("a", ("x", "y"), "1 = 1")
    assert (second.type_name, second.properties, second.expression) == ("b", None, "2 = 2")
    assert kvp(TYPENAME="a", EXP_FILTER="(1 = 1) AND (2 = 2)")[0].expression == "(1 = 1) AND (2 = 2)"


@pytest.mark.parametrize(
    ("params", "locator"),
    [
        ({}, "typename"),
        ({"TYPENAME": "a", "FEATUREID": "a.1", "BBOX": "1,2,3,4"}, "filter"),
        ({"TYPENAME": "a", "BBOX": "1,2,3,4", "FILTER": "<Filter/>"}, "filter"),
        ({"FEATUREID": "17"}, "featureid"),
        ({"FEATUREID": "." * 9999}, "featureid"),
        ({"TYPENAME": "a,b", "PROPERTYNAME": "(x)(y)(z)"}, "propertyname"),
        ({"TYPENAME": "a,b", "FILTER": "<Filter/>"}, "filter"),
        ({"TYPENAME": "a", "FILTER": "<Filter"}, ""),
        ({"TYPENAME": "a", "FILTER": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Filter>&e;</Filter>'}, ""),
    ],
)
def test_contradictions(params: dict[str, str], locator: str) -> None:
    with pytest.raises(OwsError) as caught:
        kvp(**params)
    assert (caught.value.status, caught.value.locator) == (400, locator)


DOCUMENT = """<?xml version="1.0"?>
<w:GetFeature service="WFS" version="1.1.0" xmlns:w="http://www.opengis.net/wfs" xmlns:o="http://www.opengis.net/ogc"
 xmlns:my="http://www.qgis.org/gml">
 <w:Query typeName="my:pts" srsName="EPSG:3857">
  <w:PropertyName>my:pts/my:num</w:PropertyName><w:PropertyName>geometry</w:PropertyName>
  <o:Filter><o:FeatureId fid="pts.1"/></o:Filter>
  <o:SortBy><o:SortProperty><o:PropertyName>my:num</o:PropertyName><o:SortOrder>DESC</o:SortOrder></o:SortProperty></o:SortBy>
 </w:Query>
 <w:Query typeName="pol"/>
</w:GetFeature>"""


def test_document() -> None:
    request = Request("POST", {"MAXFEATURES": "5"}, DOCUMENT.encode())
    found = read_get_feature(request)
    first, second = found.queries
    assert (first.type_name, first.properties, first.srs_name) == ("pts", ("num", "geometry"), "EPSG:3857")
    assert first.sort_by == (SortKey("num", False),)
    assert isinstance(first.filter, etree._Element)
    assert second == Query("pol")
    assert found.params == Parameters(max_features=5)


PROPERTIES = (PublishedField("num", "num", "int", alias="Number"),)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('"num" >', 400),
        ('"hidden" = 1', 400),
        ('"nosuch" = 1', 400),
        ("@project_path = 1", 403),
        ("nosuchfunction(1)", 400),
    ],
)
def test_closed_world(text: str, status: int) -> None:
    with pytest.raises(OwsError) as caught:
        read_expression(text, PROPERTIES, hides=True, locator="EXP_FILTER")
    assert (caught.value.status, caught.value.locator) == (status, "EXP_FILTER")


def test_published_fields_are_found_in_any_case_and_by_alias() -> None:
    expected = read_expression('"num" > 1', PROPERTIES, hides=True, locator="EXP_FILTER")
    for text in ('"NUM" > 1', "number > 1"):
        assert read_expression(text, PROPERTIES, hides=True, locator="EXP_FILTER") == expected


def test_the_page_of_parameters_is_up_to_date() -> None:
    page = Path(__file__).parents[3] / "docs" / "wfs-parameters.md"
    assert page.read_text() == document()
