"""Filter Encoding 2.0 (OGC 09-026r2): times, distances, ids among conditions, properties of GML itself."""

from __future__ import annotations

import datetime as dt
import math

import pytest
import shapely
from lxml import etree
from pyproj import Geod

from qgserver.errors import OwsError
from qgserver.expression.nodes import Binary, Call, Chain, FieldRef, In, Literal, Node
from qgserver.geo.crs import Crs, parse_crs
from qgserver.ows.closedworld import PublishedField
from qgserver.ows.fes import Filter, Scope, read_filter
from qgserver.ows.fesdistance import nearby

PROPERTIES = (
    PublishedField("num", "num", "int"),
    PublishedField("day", "day", "date"),
    PublishedField("ts", "ts", "datetime"),
    PublishedField("until", "until", "datetime"),
)
DAY, TS = FieldRef("day"), FieldRef("ts")
LAMBERT, WGS84 = parse_crs("EPSG:2154"), parse_crs("EPSG:4326")
NEVER = Literal(False)


def key(fid: str) -> str:
    return fid.removeprefix("pts.") if fid.startswith("pts.") else ""


def read(xml: str, crs: Crs | None = LAMBERT, srs_name: str = "") -> Filter:
    text = (
        '<Filter xmlns="http://www.opengis.net/fes/2.0" xmlns:gml="http://www.opengis.net/gml/3.2"'
        f' xmlns:qgs="http://www.qgis.org/gml">{xml}</Filter>'
    )
    scope = Scope(PROPERTIES, crs=crs, srs_name=srs_name, key=key, type_name="pts")
    return read_filter(etree.fromstring(text), scope)


def ref(name: str) -> str:
    return f"<ValueReference>{name}</ValueReference>"


def instant(text: str) -> str:
    return f"<gml:TimeInstant gml:id='t'><gml:timePosition>{text}</gml:timePosition></gml:TimeInstant>"


def period(begin: str, end: str) -> str:
    return (
        f"<gml:TimePeriod gml:id='t'><gml:beginPosition>{begin}</gml:beginPosition>"
        f"<gml:endPosition>{end}</gml:endPosition></gml:TimePeriod>"
    )


def both(first: Node, second: Node) -> Node:
    return Chain("AND", (first, second))


NOON = dt.datetime(2011, 2, 4, 12)
SPRING = period("2011-02-04T12:00:00Z", "2011-05-01")
MAY = dt.datetime(2011, 5, 1)


@pytest.mark.parametrize(
    ("xml", "node"),
    [
        (f"<After>{ref('ts')}{instant('2011-02-04T14:00:00+02:00')}</After>", Binary(">", TS, Literal(NOON))),
        (f"<After>{ref('ts')}{SPRING}</After>", Binary(">", TS, Literal(MAY))),
        (f"<Before>{ref('ts')}{SPRING}</Before>", Binary("<", TS, Literal(NOON))),
        (f"<During>{ref('qgs:ts')}{SPRING}</During>",
         both(Binary(">", TS, Literal(NOON)), Binary("<", TS, Literal(MAY)))),
        (f"<Begins>{ref('ts')}{SPRING}</Begins>", Binary("=", TS, Literal(NOON))),
        (f"<Ends>{ref('ts')}{SPRING}</Ends>", Binary("=", TS, Literal(MAY))),
        (f"<TEquals>{ref('ts')}{instant('2011-05')}</TEquals>",
         both(Binary("=", TS, Literal(MAY)), Binary("=", TS, Literal(MAY)))),
        (f"<AnyInteracts>{ref('ts')}{SPRING}</AnyInteracts>",
         both(Binary(">=", TS, Literal(NOON)), Binary("<=", TS, Literal(MAY)))),
        (f"<After>{ref('ts')}<Literal>2011-02-04T12:00:00Z</Literal></After>", Binary(">", TS, Literal(NOON))),
        (f"<After>{ref('ts')}<Literal>{SPRING}</Literal></After>", Binary(">", TS, Literal(MAY))),
        (f"<During>{ref('ts')}<Literal>2011-02-04T12:00:00/2011-05-01</Literal></During>",
         both(Binary(">", TS, Literal(NOON)), Binary("<", TS, Literal(MAY)))),
        (f"<After>{ref('ts')}{ref('until')}</After>", Binary(">", TS, FieldRef("until"))),
        # a date is the first moment of its day
        (f"<After>{ref('day')}{instant('2011-02-04')}</After>", Binary(">", DAY, Literal(dt.date(2011, 2, 4)))),
        (f"<Before>{ref('day')}{instant('2011-02-04T12:00:00Z')}</Before>",
         Binary("<=", DAY, Literal(dt.date(2011, 2, 4)))),
        (f"<TEquals>{ref('day')}{instant('2011-02-04T12:00:00Z')}</TEquals>", both(NEVER, NEVER)),
        # what no instant can do
        (f"<Meets>{ref('ts')}{SPRING}</Meets>", NEVER),
        (f"<TContains>{ref('ts')}{instant('2011')}</TContains>", NEVER),
        (f"<During>{ref('ts')}{instant('2011')}</During>", NEVER),
    ],
)  # fmt: skip
def test_times(xml: str, node: Node) -> None:
    assert read(xml).where == node


def test_open_ends_reach_to_the_end_of_time() -> None:
    open_end = SPRING.replace("<gml:endPosition>2011-05-01<", '<gml:endPosition indeterminatePosition="unknown"><')
    where = read(f"<During>{ref('ts')}{open_end}</During>").where
    assert where == both(Binary(">", TS, Literal(NOON)), Binary("<", TS, Literal(dt.datetime.max)))


@pytest.mark.parametrize(
    "xml",
    [
        f"<After>{ref('num')}{instant('2011')}</After>",
        f"<After>{ref('ts')}{instant('yesterday')}</After>",
        f"<After>{ref('ts')}{instant('2011-13-01')}</After>",
        f"<After>{ref('ts')}{instant('0001-01-01T00:00:00+14:00')}</After>",
        f"<After>{ref('ts')}{instant('9' * 500)}</After>",
        f"<After>{ref('hidden')}{instant('2011')}</After>",
        f"<After>{ref('ts')}{ref('hidden')}</After>",
        f"<After>{ref('ts')}</After>",
        f"<During>{ref('ts')}<gml:TimePeriod/></During>",
        f"<After>{ref('ts')}<gml:Point/></After>",
    ],
)
def test_what_is_no_time(xml: str) -> None:
    with pytest.raises(OwsError) as caught:
        read(xml)
    assert caught.value.status == 400
    assert len(caught.value.message) < 400


POINT = "<gml:Point gml:id='p'><gml:pos>{}</gml:pos></gml:Point>"


def near(name: str, distance: str, uom: str = "", at: str = "10 20") -> str:
    unit = f' uom="{uom}"' if uom else ""
    return f"<{name}>{ref('geometry')}{POINT.format(at)}<Distance{unit}>{distance}</Distance></{name}>"


@pytest.mark.parametrize(
    ("uom", "factor"),
    [
        ("", 1), ("m", 1), ("metres", 1), ("km", 1000), ("urn:ogc:def:uom:EPSG::9001", 1), ("ft", 0.3048),
        ("http://www.opengis.net/def/uom/UCUM/0/km", 1000), ("nmi", 1852), ("#m", 1),
    ],
)  # fmt: skip
def test_distances_on_the_plane(uom: str, factor: float) -> None:
    found = read(near("DWithin", "3", uom))
    distance = Call("distance", (Call("$geometry"), Literal(shapely.Point(10, 20))))
    assert found.where == Binary("<=", distance, Literal(3 * factor))
    assert found.extent is not None
    assert found.extent.as_tuple() == pytest.approx(
        (10 - 3 * factor, 20 - 3 * factor, 10 + 3 * factor, 20 + 3 * factor)
    )
    beyond = read(near("Beyond", "3", uom))
    assert (beyond.where, beyond.extent) == (Binary(">", distance, Literal(3 * factor)), None)


@pytest.mark.parametrize("latitude", [0.0, 45.0, -80.0])
@pytest.mark.parametrize("metres", [10.0, 5000.0, 1e6])
def test_distances_on_the_globe_are_those_of_the_geodesic(latitude: float, metres: float) -> None:
    area = nearby(shapely.Point(7, latitude), WGS84, str(metres / 1000), "km").geometry
    for azimuth in (0, 77, 190, 300):
        for factor, inside in ((0.999, True), (1.001, False)):
            x, y, _ = Geod(ellps="WGS84").fwd(7, latitude, azimuth, metres * factor)
            assert area.contains(shapely.Point(x, y)) == inside


def test_degrees_are_degrees_of_a_geographic_crs() -> None:
    found = nearby(shapely.Point(1, 2), WGS84, "0.5", "rad")
    assert found.distance == pytest.approx(math.degrees(0.5))


@pytest.mark.parametrize(
    ("distance", "uom", "crs"),
    [
        ("-1", "m", LAMBERT), ("nan", "m", LAMBERT), ("inf", "", LAMBERT), ("far", "m", LAMBERT), ("", "m", LAMBERT),
        ("1", "parsec", LAMBERT), ("1", "deg", LAMBERT), ("1e12", "m", WGS84), ("9" * 400, "km", WGS84),
    ],
)  # fmt: skip
def test_what_is_no_distance(distance: str, uom: str, crs: Crs) -> None:
    with pytest.raises(OwsError) as caught:
        read(near("DWithin", distance, uom), crs)
    assert (caught.value.status, caught.value.locator) == (400, "filter")


def test_ids_among_conditions() -> None:
    ids_sent = "".join(f'<ResourceId rid="{fid}"/>' for fid in ("pts.7", "pts.a b", "pol.1"))
    xml = f"<Or>{ids_sent}<PropertyIsNil>{ref('num')}</PropertyIsNil></Or>"
    ids = (In(Call("$id"), (Literal(7),)), In(Call("$id"), (Literal("a b"),)))
    assert read(xml).where == Chain("OR", (*ids, NEVER, Binary("IS", FieldRef("num"), Literal(None))))


def test_what_is_nil_has_no_reason() -> None:
    assert read(f'<PropertyIsNil nilReason="withheld">{ref("num")}</PropertyIsNil>').where == NEVER


def test_properties_that_gml_gives_to_all_features_are_absent() -> None:
    for name in ("gml:name", "gml:description", "gml:identifier"):
        where = read(f"<PropertyIsNull>{ref(name)}</PropertyIsNull>").where
        assert where == Binary("IS", Literal(None), Literal(None))
    with pytest.raises(OwsError):
        read(f"<PropertyIsNull>{ref('qgs:name')}</PropertyIsNull>")


def test_the_id_can_be_compared() -> None:
    where = read(f"<PropertyIsEqualTo>{ref('@gml:id')}<Literal>pts.1</Literal></PropertyIsEqualTo>").where
    assert where == Binary("=", Chain("||", (Literal("pts."), Call("$id"))), Literal("pts.1"))
