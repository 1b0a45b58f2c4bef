"""Geometry as GML and GeoJSON. Expected texts: the numbers as QGIS Server 3.22 printed them, the element structure of
GML 2.1.2 clause 4 and GML 3.1.1 clause 10, the examples of RFC 7946 appendix A."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
import shapely
from lxml import etree

from qgserver.geo.geometry import GeometryArray
from qgserver.geo.wkb import decode
from qgserver.ows import geojson
from qgserver.ows.geometrytext import plain_numbers, rounded
from qgserver.ows.gml import GmlStyle, box_texts, geometry_texts

GML = "http://www.opengis.net/gml"


def array(*wkts: str | None) -> GeometryArray:
    return decode([None if wkt is None else shapely.to_wkb(shapely.from_wkt(wkt), output_dimension=4) for wkt in wkts])


def outline(text: bytes) -> str:
    """Element names and texts, without attributes and prefixes."""

    def walk(element: etree._Element) -> str:
        inner = "".join(walk(child) for child in element) or element.text or ""
        return f"{etree.QName(element).localname}({inner})"

    return walk(
        etree.fromstring(text.replace(b"<gml:", f'<gml:X xmlns:gml="{GML}"><gml:'.encode(), 1) + b"</gml:X>")[0]
    )


@pytest.mark.parametrize(
    ("wkt", "gml2", "gml3"),
    [
        ("POINT(7.1 43.5)", "Point(coordinates(7.1,43.5))", "Point(pos(7.1 43.5))"),
        (
            "LINESTRING(843356.42 6517333.33, 844331 6517894.09)",
            "LineString(coordinates(843356.42,6517333.33 844331,6517894.09))",
            "LineString(posList(843356.42 6517333.33 844331 6517894.09))",
        ),
        (
            "POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))",
            "Polygon(outerBoundaryIs(LinearRing(coordinates(0,0 4,0 4,4 0,0)))"
            "innerBoundaryIs(LinearRing(coordinates(1,1 2,1 2,2 1,1))))",
            "Polygon(exterior(LinearRing(posList(0 0 4 0 4 4 0 0)))interior(LinearRing(posList(1 1 2 1 2 2 1 1))))",
        ),
        (
            "MULTIPOINT(1 2,3 4)",
            "MultiPoint(pointMember(Point(coordinates(1,2)))pointMember(Point(coordinates(3,4))))",
            "MultiPoint(pointMember(Point(pos(1 2)))pointMember(Point(pos(3 4))))",
        ),
        (
            "MULTILINESTRING((1 2,3 4))",
            "MultiLineString(lineStringMember(LineString(coordinates(1,2 3,4))))",
            "MultiCurve(curveMember(LineString(posList(1 2 3 4))))",
        ),
        (
            "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))",
            "MultiPolygon(polygonMember(Polygon(outerBoundaryIs(LinearRing(coordinates(0,0 1,0 1,1 0,0)))))"
            "polygonMember(Polygon(outerBoundaryIs(LinearRing(coordinates(5,5 6,5 6,6 5,5))))))",
            "MultiSurface(surfaceMember(Polygon(exterior(LinearRing(posList(0 0 1 0 1 1 0 0)))))"
            "surfaceMember(Polygon(exterior(LinearRing(posList(5 5 6 5 6 6 5 5))))))",
        ),
        (
            "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4))",
            "MultiGeometry(geometryMember(Point(coordinates(1,2)))geometryMember(LineString(coordinates(1,2 3,4))))",
            "MultiGeometry(geometryMember(Point(pos(1 2)))geometryMember(LineString(posList(1 2 3 4))))",
        ),
    ],
)
def test_every_type_in_gml(wkt: str, gml2: str, gml3: str) -> None:
    geometry = array(wkt, None)
    for version, expected in ((2, gml2), (3, gml3)):
        text, empty = geometry_texts(geometry, GmlStyle(version, "EPSG:2154", 3))  # type: ignore[arg-type]
        assert outline(text) == expected
        assert empty == b""


def test_only_the_outer_element_names_the_crs() -> None:
    text = geometry_texts(array("MULTIPOINT(1 2,3 4)"), GmlStyle(3, 'a"<b', 3))[0]
    assert text.startswith(b'<gml:MultiPoint srsName="a&quot;&lt;b">')
    assert text.count(b"srsName") == 1


def test_swapped_axes_heights_and_promotion() -> None:
    style = GmlStyle(3, "urn:ogc:def:crs:EPSG::4326", 6, swap=True, multi=True)
    text = geometry_texts(array("POINT Z(4.836433 45.744557 838.42)"), style)[0]
    assert outline(text) == "MultiPoint(pointMember(Point(pos(45.744557 4.836433 838.42))))"
    assert b'srsDimension="3"' in text
    flat = geometry_texts(array("POINT Z(4.836433 45.744557 838.42)"), GmlStyle(2, "EPSG:4326", 6))[0]
    assert outline(flat) == "Point(coordinates(4.836433,45.744557))"


def test_boxes() -> None:
    geometry = array("LINESTRING(842773.85 6517767.16, 849281.25 6522039.78)", None)
    box, none = box_texts(geometry.boxes(), GmlStyle(2, "EPSG:2154", 3))
    assert outline(box) == "Box(coordinates(842773.85,6517767.16 849281.25,6522039.78))"
    assert none == b""
    envelope = box_texts(geometry.boxes(), GmlStyle(3, "EPSG:2154", 3, swap=True))[0]
    assert outline(envelope) == "Envelope(lowerCorner(6517767.16 842773.85)upperCorner(6522039.78 849281.25))"


@pytest.mark.parametrize(
    ("wkt", "expected"),
    [
        ("POINT(100 0)", {"type": "Point", "coordinates": [100.0, 0.0]}),
        ("POINT Z(1 2 838.42)", {"type": "Point", "coordinates": [1, 2, 838.42]}),
        ("LINESTRING(100 0,101 1)", {"type": "LineString", "coordinates": [[100.0, 0.0], [101.0, 1.0]]}),
        (
            "POLYGON((100 0,101 0,101 1,100 0),(100.8 0.8,100.8 0.2,100.2 0.2,100.8 0.8))",
            {
                "type": "Polygon",
                "coordinates": [
                    [[100.0, 0.0], [101.0, 0.0], [101.0, 1.0], [100.0, 0.0]],
                    [[100.8, 0.8], [100.8, 0.2], [100.2, 0.2], [100.8, 0.8]],
                ],
            },
        ),
        ("MULTIPOINT(100 0,101 1)", {"type": "MultiPoint", "coordinates": [[100.0, 0.0], [101.0, 1.0]]}),
        (
            "MULTILINESTRING((100 0,101 1),(102 2,103 3))",
            {"type": "MultiLineString", "coordinates": [[[100, 0], [101, 1]], [[102, 2], [103, 3]]]},
        ),
        (
            "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,9 5,9 9,5 5),(6 6,7 6,7 7,6 6)))",
            {
                "type": "MultiPolygon",
                "coordinates": [
                    [[[0, 0], [1, 0], [1, 1], [0, 0]]],
                    [[[5, 5], [9, 5], [9, 9], [5, 5]], [[6, 6], [7, 6], [7, 7], [6, 6]]],
                ],
            },
        ),
        (
            "GEOMETRYCOLLECTION(POINT(100 0),LINESTRING(101 0,102 1))",
            {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Point", "coordinates": [100.0, 0.0]},
                    {"type": "LineString", "coordinates": [[101.0, 0.0], [102.0, 1.0]]},
                ],
            },
        ),
    ],
)
def test_every_type_in_geojson(wkt: str, expected: object) -> None:
    text, null = geojson.geometry_texts(array(wkt, None), 6)
    assert json.loads(text) == expected
    assert null == b"null"


def test_mixed_types_in_one_batch_stay_apart() -> None:
    wkts = ["POINT(1 2)", None, "POLYGON((0 0,1 0,1 1,0 0))", "LINESTRING(1 2,3 4)"]
    texts = geojson.geometry_texts(array(*wkts), 6)
    assert [json.loads(text) and json.loads(text)["type"] for text in texts] == ["Point", None, "Polygon", "LineString"]


@pytest.mark.parametrize(
    ("value", "precision", "expected"),
    [
        (846198.0693904, 6, "846198.06939"),
        (43.50000000001, 3, "43.5"),
        (-0.0000001, 6, "0"),
        (0.000012, 6, "0.000012"),
        (1e22, 3, "10000000000000000000000"),
        (123456789012.125, 8, "123456789012.125"),
        (1.25, -1, "1"),
    ],
)
def test_numbers(value: float, precision: int, expected: str) -> None:
    style = GmlStyle(3, "", precision)
    text = geometry_texts(decode([shapely.to_wkb(shapely.Point(value, 0))]), style)[0]
    assert outline(text) == f"Point(pos({expected} 0))"


def test_rounding_leaves_numbers_beyond_its_reach_alone() -> None:
    values = np.array([4503599627370497.5, 1.5e300])
    assert rounded(values, 15).tolist() == values.tolist()


def test_plain_numbers_only_touch_numbers() -> None:
    assert plain_numbers(b"[1.0,2.50,1e-7,-1.5e+3]") == b"[1,2.50,0.0000001,-1500]"


def collections() -> Sequence[str]:
    return ["GEOMETRYCOLLECTION EMPTY", "POINT EMPTY", "MULTIPOLYGON EMPTY"]


def test_empty_geometry_is_none() -> None:
    geometry = array(*collections())
    assert geometry_texts(geometry, GmlStyle(3, "EPSG:4326", 6)) == [b"", b"", b""]
    assert geojson.geometry_texts(geometry, 6) == [b"null"] * 3
