"""OGC filters as expression trees (Filter Encoding 1.0 clause 5-12, 1.1 clause 7-14)."""

from __future__ import annotations

import datetime as dt

import pytest
import shapely
from lxml import etree
from shapely.geometry.base import BaseGeometry

from qgserver.errors import OwsError
from qgserver.expression.nodes import Binary, Call, Chain, FieldRef, Literal, Unary
from qgserver.geo.crs import parse_crs
from qgserver.geo.extent import Extent
from qgserver.ows.closedworld import PublishedField
from qgserver.ows.fes import Filter, Scope, read_filter
from qgserver.ows.fesliterals import like_pattern

PROPERTIES = (
    PublishedField("num", "num", "int"),
    PublishedField("my_name", "my name", "string"),
    PublishedField("val", "val", "double"),
    PublishedField("day", "day", "date"),
    PublishedField("ts", "ts", "datetime"),
    PublishedField("flag", "flag", "bool"),
)
NUM = FieldRef("num")
NAME = FieldRef("my name")


def read(xml: str, srs_name: str = "") -> Filter:
    text = (
        f'<ogc:Filter xmlns:ogc="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml">{xml}</ogc:Filter>'
    )
    return read_filter(etree.fromstring(text), Scope(PROPERTIES, crs=parse_crs("EPSG:2154"), srs_name=srs_name))


def prop(name: str) -> str:
    return f"<ogc:PropertyName>{name}</ogc:PropertyName>"


def lit(text: str) -> str:
    return f"<ogc:Literal>{text}</ogc:Literal>"


def compare(op: str, *operands: str, attributes: str = "") -> str:
    return f"<ogc:PropertyIs{op}{attributes}>{''.join(operands)}</ogc:PropertyIs{op}>"


MARKS = ' wildCard="*" singleChar="." escape="!"'
IS_ONE = compare("EqualTo", prop("num"), lit("1"))


@pytest.mark.parametrize(
    ("xml", "node"),
    [
        (compare("EqualTo", prop("num"), lit("3")), Binary("=", NUM, Literal(3))),
        (compare("NotEqualTo", prop("num"), lit("3")), Binary("<>", NUM, Literal(3))),
        (compare("LessThan", prop("val"), lit(" 40.5 ")), Binary("<", FieldRef("val"), Literal(40.5))),
        (compare("GreaterThanOrEqualTo", lit("2"), prop("num")), Binary(">=", Literal(2), NUM)),
        (compare("EqualTo", prop("qgs:my_name"), lit("3")), Binary("=", NAME, Literal("3"))),
        (compare("EqualTo", prop("pts/my name"), lit("x")), Binary("=", NAME, Literal("x"))),
        (compare("EqualTo", prop("num"), lit("abc")), Binary("=", NUM, Literal("abc"))),
        (
            compare("EqualTo", prop("day"), lit("2021-03-04")),
            Binary("=", FieldRef("day"), Literal(dt.date(2021, 3, 4))),
        ),
        (
            compare("EqualTo", prop("day"), lit("2021-03-04T02:00:00.000+02:00")),
            Binary("=", FieldRef("day"), Literal(dt.date(2021, 3, 4))),
        ),
        (
            compare("EqualTo", prop("day"), lit("2021-03-04Z")),
            Binary("=", FieldRef("day"), Literal(dt.date(2021, 3, 4))),
        ),
        (
            compare("LessThan", prop("day"), lit("2021-03-04T05:06:07Z")),
            Binary("<", FieldRef("day"), Literal("2021-03-04T05:06:07")),
        ),
        (
            compare("EqualTo", prop("ts"), lit("2021-03-04T05:06:07+02:00")),
            Binary("=", FieldRef("ts"), Literal(dt.datetime(2021, 3, 4, 3, 6, 7))),
        ),
        (compare("EqualTo", prop("flag"), lit("true")), Binary("=", FieldRef("flag"), Literal(True))),
        (
            compare("EqualTo", prop("my_name"), lit("Ab"), attributes=' matchCase="false"'),
            Binary("=", Call("lower", (NAME,)), Call("lower", (Literal("Ab"),))),
        ),
        (
            compare("LessThan", prop("my_name"), lit("Ab"), attributes=' matchCase="false"'),
            Binary("<", Call("lower", (NAME,)), Call("lower", (Literal("Ab"),))),
        ),
        (
            compare("EqualTo", prop("num"), lit("3"), attributes=' matchCase="false"'),
            Binary("=", NUM, Literal(3)),
        ),
        (
            compare("GreaterThan", f"<ogc:Add>{prop('num')}{lit('1')}</ogc:Add>", lit("30")),
            Binary(">", Binary("+", NUM, Literal(1)), Literal(30)),
        ),
        (
            compare(
                "EqualTo", f'<ogc:Function name="left">{prop("my_name")}{lit("1")}</ogc:Function>', lit("B")
            ),
            Binary("=", Call("left", (NAME, Literal(1))), Literal("B")),
        ),
        (compare("Null", prop("num")), Binary("IS", NUM, Literal(None))),
        (compare("Null", prop("geometry")), Binary("IS", Call("$geometry"), Literal(None))),
        (
            compare(
                "Between",
                prop("val"),
                f"<ogc:LowerBoundary>{lit('10')}</ogc:LowerBoundary>",
                f"<ogc:UpperBoundary>{lit('60')}</ogc:UpperBoundary>",
            ),
            Chain("AND", (Binary(">=", FieldRef("val"), Literal(10)), Binary("<=", FieldRef("val"), Literal(60)))),
        ),
        (
            compare("Like", prop("my_name"), lit("B*"), attributes=' wildCard="*" singleChar="#" escapeChar="!"'),
            Binary("LIKE", NAME, Literal("B%")),
        ),
        (
            compare("Like", prop("my_name"), lit("B*"), attributes=f'{MARKS} matchCase="false"'),
            Binary("ILIKE", NAME, Literal("B%")),
        ),
        (
            f"<ogc:Not><ogc:Or>{IS_ONE}{compare('Null', prop('num'))}</ogc:Or></ogc:Not>",
            Unary("NOT", Chain("OR", (Binary("=", NUM, Literal(1)), Binary("IS", NUM, Literal(None))))),
        ),
    ],
)  # fmt: skip
def test_operators(xml: str, node: object) -> None:
    assert read(xml).where == node


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("a*b#", "a%b_"), ("50%_", r"50\%\_"), ("!*!#!!", "*#!"), ("a\\", "a\\\\"), ("", "")],
)
def test_like_patterns(pattern: str, expected: str) -> None:
    assert like_pattern(pattern, "*", "#", "!") == expected


def test_ids() -> None:
    xml = '<ogc:FeatureId fid="pts.2"/><ogc:GmlObjectId gml:id="pts.4"/>'
    assert read(xml) == Filter(fids=("pts.2", "pts.4"))


BOX = '<gml:Box srsName="{}"><gml:coordinates>{}</gml:coordinates></gml:Box>'
CORNERS = "<gml:lowerCorner>{}</gml:lowerCorner><gml:upperCorner>{}</gml:upperCorner>"
ENVELOPE = f'<gml:Envelope srsName="{{}}">{CORNERS}</gml:Envelope>'


def bbox(shape: str) -> str:
    return f"<ogc:BBOX>{prop('geometry')}{shape}</ogc:BBOX>"


@pytest.mark.parametrize(
    "shape",
    [
        BOX.format("EPSG:2154", "842000,6517000 846000,6520000"),
        ENVELOPE.format("EPSG:2154", "842000 6517000", "846000 6520000"),
        "<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>842000 6517000 846000 6517000 846000 6520000"
        " 842000 6520000 842000 6517000</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>",
        "<gml:Polygon><gml:outerBoundaryIs><gml:LinearRing><gml:coordinates cs=';' ts='|' decimal=','>842000,0;6517000|"
        "846000;6517000|846000;6520000|842000;6520000|842000;6517000</gml:coordinates></gml:LinearRing></gml:outerBoundaryIs></gml:Polygon>",
    ],
)
def test_geometry_forms(shape: str) -> None:
    found = read(f"<ogc:Intersects>{prop('geometry')}{shape}</ogc:Intersects>")
    assert found.extent == Extent(842000, 6517000, 846000, 6520000)
    assert isinstance(found.where, Call)
    assert found.where.name == "intersects"
    literal = found.where.args[1]
    assert isinstance(literal, Literal)
    assert isinstance(literal.value, BaseGeometry)
    assert shapely.box(842000, 6517000, 846000, 6520000).equals(literal.value)


@pytest.mark.parametrize(
    ("name", "lower", "upper", "request_srs"),
    [
        ("EPSG:4326", "4.826255 45.736968", "4.878597 45.764820", ""),
        ("urn:ogc:def:crs:EPSG::4326", "45.736968 4.826255", "45.764820 4.878597", ""),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "45.736968 4.826255", "45.764820 4.878597", ""),
        ("", "45.736968 4.826255", "45.764820 4.878597", "urn:ogc:def:crs:EPSG::4326"),
    ],
)
def test_axis_order_and_crs_of_filter_geometry(name: str, lower: str, upper: str, request_srs: str) -> None:
    extent = read(bbox(ENVELOPE.format(name, lower, upper)), request_srs).extent
    assert extent is not None
    # PROJ's cs2cs of the same corners.
    assert extent.as_tuple() == pytest.approx((842000, 6517000, 846100, 6520100), abs=150)


def test_a_box_within_and_narrows_the_extent_but_not_within_or() -> None:
    condition = compare("EqualTo", prop("num"), lit("1"))
    box = bbox(BOX.format("EPSG:2154", "0,0 2,2")) + bbox(BOX.format("EPSG:2154", "1,1 3,3"))
    assert read(f"<ogc:And>{condition}{box}</ogc:And>").extent == Extent(1, 1, 2, 2)
    assert read(f"<ogc:Or>{condition}{box}</ogc:Or>").extent is None
    disjoint = f"<ogc:Disjoint>{prop('geometry')}<gml:Point><gml:pos>1 2</gml:pos></gml:Point></ogc:Disjoint>"
    assert read(disjoint).extent is None


DEEP = "<ogc:Not>" * 120 + compare("Null", prop("num")) + "</ogc:Not>" * 120


@pytest.mark.parametrize(
    "xml",
    [
        "",
        compare("EqualTo", prop("hidden"), lit("1")),
        compare("EqualTo", prop("num")),
        compare("EqualTo", prop("num"), "<ogc:Nonsense/>"),
        compare("EqualTo", '<ogc:Function name="nosuch"/>', lit("1")),
        compare("EqualTo", '<ogc:Function name="left"/>', lit("1")),
        "<ogc:And/>",
        "<ogc:DWithin/>",
        "<ogc:FeatureId/>",
        '<ogc:FeatureId fid="a.1"/>' + compare("Null", prop("num")),
        bbox(BOX.format("EPSG:99999", "0,0 1,1")),
        bbox(BOX.format("EPSG:2154", "0,0 nan,1")),
        bbox(BOX.format("EPSG:2154", "0 1")),
        bbox("<gml:Polygon/>"),
        f"<ogc:BBOX>{prop('num')}{BOX.format('EPSG:2154', '0,0 1,1')}</ogc:BBOX>",
        "<gml:Point><gml:pos>1 2</gml:pos></gml:Point>",
        DEEP,
    ],
)
def test_what_is_no_filter_is_a_client_error(xml: str) -> None:
    with pytest.raises(OwsError) as caught:
        read(xml)
    assert (caught.value.status, caught.value.locator) == (400, "filter")
