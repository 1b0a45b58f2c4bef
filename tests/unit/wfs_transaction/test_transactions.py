"""Transactions over both sources that can be written: what is stored, what is refused and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from transactions import KINDS, World, ids, make_world, total

POINT = '<gml:Point srsName="EPSG:2154"><gml:pos>700000.5 6600000.25</gml:pos></gml:Point>'
SQUARE = (
    "<gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>0 0 1 0 1 1 0 0</gml:posList></gml:LinearRing>"
    "</gml:exterior></gml:Polygon>"
)


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = make_world(request.param, tmp_path, request)
    yield made
    made.application.sources.close()


def feature(layer: str = "pts", geometry: str = "", **values: str) -> str:
    shape = f"<qgs:geometry>{geometry}</qgs:geometry>" if geometry else ""
    parts = "".join(f"<qgs:{name}>{value}</qgs:{name}>" for name, value in values.items())
    return f"<qgs:{layer}>{shape}{parts}</qgs:{layer}>"


def insert(*features: str, **attributes: str) -> str:
    given = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<wfs:Insert{given}>{''.join(features)}</wfs:Insert>"


def where(condition: str) -> str:
    return f"<ogc:Filter>{condition}</ogc:Filter>"


def fid(*names: str) -> str:
    return where("".join(f'<ogc:FeatureId fid="{name}"/>' for name in names))


def equal(name: str, value: object) -> str:
    return where(
        f"<ogc:PropertyIsEqualTo><ogc:PropertyName>{name}</ogc:PropertyName><ogc:Literal>{value}</ogc:Literal>"
        "</ogc:PropertyIsEqualTo>"
    )


def update(condition: str, kind: str = "pts", handle: str = "", **values: str | None) -> str:
    parts = "".join(
        f"<wfs:Property><wfs:Name>{name}</wfs:Name>"
        + ("" if value is None else f"<wfs:Value>{value}</wfs:Value>")
        + "</wfs:Property>"
        for name, value in values.items()
    )
    return f'<wfs:Update typeName="{kind}" handle="{handle}">{parts}{condition}</wfs:Update>'


def delete(condition: str, kind: str = "pts", handle: str = "") -> str:
    return f'<wfs:Delete typeName="qgs:{kind}" handle="{handle}">{condition}</wfs:Delete>'


# -- what is stored -------------------------------------------------------------------------------------------------


def test_values_of_every_type_come_back_as_they_were_sent(world: World) -> None:
    sent = {
        "num": "7", "name": "é &amp; 'x'; DROP TABLE pts --", "ratio": "12.5", "flag": "true", "day": "2022-02-03",
        "stamp": "2022-02-03T04:05:06", "code": "abc",
    }  # fmt: skip
    (made,) = world.done(insert(feature(geometry=POINT, **sent)))
    _, answer = world.get(REQUEST="GetFeature", FEATUREID=made)
    text = answer.decode().replace("<![CDATA[", "").replace("]]>", "").replace("&amp;", "&")
    for name, value in sent.items():
        ending = ".000" if name == "stamp" else ""
        assert f"<qgs:{name}>{value.replace('&amp;', '&')}{ending}</qgs:{name}>" in text
    assert "<qgs:kind>kind 7</qgs:kind>" in text
    assert '<gml:pos srsDimension="2">700000.5 6600000.25</gml:pos>' in text.replace(
        ' xmlns="http://www.opengis.net/gml"', ""
    )


def test_ids_come_in_the_order_of_the_request_with_the_handle_of_their_insert(world: World) -> None:
    status, answer = world.post(
        insert(*(feature(num=str(n)) for n in range(5)), handle="many")
        + delete(fid("pts.1"))
        + insert(feature("world", num="1"), feature(num="9", name="x"), handle="mixed")
        + update(fid("pts.2", "pts.3"), name="new")
    )
    assert status == 200
    assert ids(answer) == ["pts.4", "pts.5", "pts.6", "pts.7", "pts.8", "world.1", "pts.9"]
    handles = [found.get("handle") for found in answer.iter("{http://www.opengis.net/wfs}Feature")]
    assert handles == ["many"] * 5 + ["mixed"] * 2
    assert [total(answer, kind) for kind in ("Inserted", "Updated", "Deleted")] == [7, 2, 1]
    assert world.query("SELECT num FROM pts ORDER BY fid") == [(2,), (3,), (0,), (1,), (2,), (3,), (4,), (9,)]


def test_actions_run_in_the_order_of_the_request(world: World) -> None:
    world.done(insert(feature(num="50")) + update(equal("num", 50), name="seen") + delete(equal("name", "seen")))
    assert world.query("SELECT num FROM pts ORDER BY fid") == [(1,), (2,), (3,)]


def test_empty_and_nil_values_are_null(world: World) -> None:
    world.done(update(fid("pts.1"), name=None, ratio="") + update(fid("pts.2"), name=" \n"))
    nil = '<wfs:Property><wfs:Name>code</wfs:Name><wfs:Value xsi:nil="true">x</wfs:Value></wfs:Property>'
    world.done(f'<wfs:Update typeName="pts">{nil}{fid("pts.3")}</wfs:Update>')
    world.done(insert('<qgs:pts><qgs:num>4</qgs:num><qgs:name xsi:nil="true"/><qgs:fid/><qgs:geometry/></qgs:pts>'))
    assert world.query("SELECT fid, name, code FROM pts ORDER BY fid") == [(n, None, None) for n in (1, 2, 3, 4)]


def test_a_collection_may_be_inserted(world: World) -> None:
    members = f"<gml:featureMember>{feature(num='7')}</gml:featureMember>"
    members += f"<gml:featureMembers>{feature(num='8')}{feature(num='9')}</gml:featureMembers>"
    made = world.done(insert(f"<wfs:FeatureCollection>{members}</wfs:FeatureCollection>"))
    assert made == ["pts.4", "pts.5", "pts.6"]


def test_filters_select_what_is_changed(world: World) -> None:
    world.done(insert(feature(num="7", geometry=POINT)))
    box = '<gml:Envelope srsName="EPSG:2154"><gml:lowerCorner>700000 6600000</gml:lowerCorner>'
    box += "<gml:upperCorner>700001 6600001</gml:upperCorner></gml:Envelope>"
    status, answer = world.post(update(where(f"<ogc:BBOX>{box}</ogc:BBOX>"), name="inside"))
    assert (status, total(answer, "Updated")) == (200, 1)
    status, answer = world.post(delete(equal("name", "nobody is called so")))
    assert (status, total(answer, "Deleted")) == (200, 0)
    status, answer = world.post(update("", code="all"))
    assert total(answer, "Updated") == 4
    assert world.query("SELECT name FROM pts WHERE code = 'all' ORDER BY fid") == [
        ("Ada",), ("Bob",), (None,), ("inside",),
    ]  # fmt: skip


def test_defaults_for_updates_are_made_anew_for_each_feature(world: World) -> None:
    world.done(update(fid("pts.1", "pts.2", "pts.3"), code="x"))
    assert world.query("SELECT touched FROM pts ORDER BY fid") == [("by Ada",), ("by Bob",), ("by nobody",)]
    world.done(insert(feature(num="7", name="Eve"), feature(num="8", kind="own")))
    assert world.query("SELECT kind, touched FROM pts WHERE fid > 3 ORDER BY fid") == [
        ("kind 7", "by Eve"), ("own", "by nobody"),
    ]  # fmt: skip


def test_a_default_may_look_at_the_layer(world: World) -> None:
    world.done(insert(feature(num="7")))
    assert world.query("SELECT ratio FROM pts WHERE num = 7") == [(4.0,)]


def test_a_soft_constraint_only_warns_in_a_form(world: World) -> None:
    assert world.done(insert(feature(num="7", ratio="-1")))


def test_delete_by_kvp(world: World) -> None:
    status, _ = world.get(REQUEST="Transaction", OPERATION="Delete", TYPENAME="pts", FEATUREID="pts.1,pts.99")
    assert status == 200
    assert world.get(REQUEST="Transaction", OPERATION="Delete", TYPENAME="pts", EXP_FILTER="num = 2")[0] == 200
    assert world.query("SELECT fid FROM pts") == [(3,)]
    for more in (
        {},
        {"FEATUREID": "pts"},
        {"EXP_FILTER": "secret = 'x'"},
        {"FEATUREID": "pts.3", "OPERATION": "Insert"},
    ):
        query = {"REQUEST": "Transaction", "OPERATION": "Delete", "TYPENAME": "pts", **more}
        assert world.get(**query)[0] == 400
    assert (
        world.client.head(
            "/?SERVICE=WFS&VERSION=1.1.0&REQUEST=Transaction&OPERATION=Delete&FEATUREID=pts.3"
        ).status_code
        == 405
    )
    assert world.query("SELECT fid FROM pts") == [(3,)]


# -- geometry -------------------------------------------------------------------------------------------------------

HERE = (4.826255, 45.7361)
THERE = (842015.4, 6516827.1)  # HERE by PROJ, to a metre


@pytest.mark.parametrize(
    ("shape", "srs"),
    [
        ("<gml:Point srsName='EPSG:4326'><gml:pos>4.826255 45.7361</gml:pos></gml:Point>", ""),
        ("<gml:Point srsName='urn:ogc:def:crs:EPSG::4326'><gml:pos>45.7361 4.826255</gml:pos></gml:Point>", ""),
        (
            "<gml:Point srsName='http://www.opengis.net/def/crs/EPSG/0/4326'><gml:pos>45.7361 4.826255</gml:pos>"
            "</gml:Point>", "",
        ),
        (
            "<gml:Point srsName='http://www.opengis.net/gml/srs/epsg.xml#4326'>"
            "<gml:coordinates>4.826255,45.7361</gml:coordinates></gml:Point>", "",
        ),
        ("<gml:Point><gml:coordinates>4.826255,45.7361</gml:coordinates></gml:Point>", "EPSG:4326"),
        ("<gml:Point><gml:pos>45.7361 4.826255</gml:pos></gml:Point>", "urn:x-ogc:def:crs:EPSG:4326"),
    ],
)  # fmt: skip
def test_axes_follow_the_form_of_the_name(world: World, shape: str, srs: str) -> None:
    attributes = {"srsName": srs} if srs else {}
    world.done(
        insert(feature(num="7", geometry=shape), **attributes) + insert(feature("world", shape, num="1"), **attributes)
    )
    assert world.points()[4] == pytest.approx(THERE, abs=2000)
    _, answer = world.get(REQUEST="GetFeature", TYPENAME="world", OUTPUTFORMAT="GeoJSON")
    assert '"coordinates":[4.826255,45.7361]' in answer.decode().replace(" ", "")


def test_geometry_is_made_to_fit_the_layer(world: World) -> None:
    multi = f"<gml:MultiSurface><gml:surfaceMember>{SQUARE}</gml:surfaceMember></gml:MultiSurface>"
    alone = f"<gml:MultiPoint><gml:pointMember>{POINT}</gml:pointMember></gml:MultiPoint>"
    deep = '<gml:Point srsName="EPSG:2154"><gml:pos>1 2 3</gml:pos></gml:Point>'
    world.done(
        insert(feature("areas", SQUARE, num="1"), feature("areas", multi, num="2"))
        + insert(feature("pts", alone, num="7"), feature("pts", deep, num="8"))
        + insert(feature("solid", deep, num="1"), feature("solid", POINT, num="2"))
    )
    _, answer = world.get(REQUEST="GetFeature", TYPENAME="areas", OUTPUTFORMAT="GeoJSON")
    assert answer.count(b'"type":"MultiPolygon"') == 2
    assert world.points()[5] == (1, 2)
    _, answer = world.get(REQUEST="GetFeature", TYPENAME="solid")
    assert b'srsDimension="3">1 2 3<' in answer
    assert b'srsDimension="3">700000.5 6600000.25 0<' in answer


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("pts", SQUARE),
        ("areas", POINT),
        ("pts", "<gml:Point><gml:pos>1</gml:pos></gml:Point>"),
        ("pts", "<gml:Point><gml:pos>1 nan</gml:pos></gml:Point>"),
        ("pts", "<gml:Point srsName='EPSG:99999'><gml:pos>1 2</gml:pos></gml:Point>"),
        ("pts", "<gml:Point srsName='EPSG:4326'><gml:pos>1e300 2e300</gml:pos></gml:Point>"),
        ("pts", "<gml:MultiPoint/>"),
        ("pts", "<gml:Sphere/>"),
        ("pts", "POINT(1 2)"),
        ("pts", POINT + POINT),
    ],
)
def test_what_is_no_geometry_for_the_layer_is_refused(world: World, kind: str, shape: str) -> None:
    world.refused(insert(feature(kind, shape, num="7"), handle="h"))
    assert world.refused(update("", kind, "h", geometry=shape))[1] == "h"


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"num": "abc"}, "num"),
        ({"num": "1.5"}, "num"),
        ({"num": "99999999999999999999"}, "num"),
        ({"num": ""}, "num"),
        ({"ratio": "1_0"}, "ratio"),
        ({"ratio": "1e999"}, "ratio"),
        ({"flag": "maybe"}, "flag"),
        ({"day": "2022-02-30"}, "day"),
        ({"stamp": "noon"}, "stamp"),
        ({"code": "much too long"}, "code"),
        ({"name": "a name that is far longer than its constraint wants"}, "name"),
        ({"fixed": "x"}, "fixed"),
        ({"secret": "x"}, "secret"),
        ({"nosuch": "1"}, "nosuch"),
        ({"fid": "x"}, "fid"),
        ({"name": "<qgs:deep>x</qgs:deep>"}, "name"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_whole(world: World, values: dict[str, str], told: str) -> None:
    good = insert(feature(num="70")) + delete(fid("pts.1"))
    code, locator, text = world.refused(good + insert(feature(**{"num": "7", **values}), handle="third"))
    assert (code, locator) == ("InvalidValue", "third")
    assert told in text
    code, locator, text = world.refused(good + update(fid("pts.2"), handle="third", **values))
    assert (code, locator) == ("InvalidValue", "third")
    assert told in text


def test_a_missing_value_is_refused(world: World) -> None:
    assert world.refused(insert(feature(name="x"))) == ("InvalidValue", "Insert:pts", "Field num must have a value.")
    assert world.done(insert(feature("pts", num="4")))
    world.refused(insert(feature(num="5"), feature(num="6", name="x" * 50)))


def test_what_the_source_refuses_leaves_nothing(world: World) -> None:
    """The third action fails inside the source: the key is taken."""
    code, locator, text = world.refused(
        insert(feature(num="7")) + update(fid("pts.1"), name="new") + insert(feature(num="8", fid="2"), handle="third")
    )
    assert (code, locator) == ("InvalidValue", "third")
    assert "unique" in text
    assert "pts" not in text


@pytest.mark.parametrize(
    ("action", "code", "status"),
    [
        (insert(feature("locked", num="1")), "OperationNotSupported", 403),
        (update(fid("locked.1"), "locked", name="x"), "OperationNotSupported", 403),
        (delete(fid("areas.1"), "areas"), "OperationNotSupported", 403),
        (insert(feature("nosuch", num="1")), "InvalidParameterValue", 400),
        (insert(feature("shapes", num="1")), "OperationNotSupported", 400),
        (update("", "wide", double="1"), "InvalidValue", 400),
        (update(equal("double", 2), "wide", name="x"), "InvalidParameterValue", 400),
        (update(equal("secret", "x"), name="x"), "InvalidParameterValue", 400),
        (update(where("<ogc:Function name='eval'><ogc:Literal>1</ogc:Literal></ogc:Function>"), name="x"), "", 403),
        (delete(""), "MissingParameterValue", 400),
        (delete(where("<ogc:Nonsense/>")), "InvalidParameterValue", 400),
        ("<wfs:Update typeName='pts'/>", "MissingParameterValue", 400),
        ("<wfs:Insert/>", "MissingParameterValue", 400),
        (insert(feature(num="1"), idgen="UseExisting"), "InvalidParameterValue", 400),
        ("<wfs:LockId>7</wfs:LockId>", "InvalidParameterValue", 400),
        ("<wfs:Native safeToIgnore='false'/>", "InvalidParameterValue", 400),
        ("<wfs:Drop/>", "OperationParsingFailed", 400),
        ("", "MissingParameterValue", 400),
        (insert(*(feature(num=str(n)) for n in range(51))), "InvalidParameterValue", 413),
    ],
)
def test_what_must_not_be_done_is_refused(world: World, action: str, code: str, status: int) -> None:
    before = world.dump()
    answered, answer = world.post(insert(feature(num="7")) * bool(action) + action)
    assert answered == status
    assert code in (answer[0].get("exceptionCode") or "")
    assert world.dump() == before


def test_a_source_that_is_not_there(world: World) -> None:
    status, answer = world.post(insert(feature("other", num="1"), handle="h"))
    assert (status, answer[0].get("exceptionCode"), answer[0].get("locator")) == (500, "OperationProcessingFailed", "h")
    assert "nowhere" not in (answer[0][0].text or "")


def test_two_sources_in_one_transaction_are_refused(world: World) -> None:
    code, locator, text = world.refused(insert(feature(num="7")) + insert(feature("other", num="7")))
    assert (code, locator) == ("OperationNotSupported", "Transaction")
    assert "one data source" in text


def test_a_failed_transaction_in_1_0_0(world: World) -> None:
    before = world.dump()
    status, answer = world.post(insert(feature(num="7")) + insert(feature(num="x"), handle="h"), "1.0.0")
    assert status == 200
    assert [found.tag.rpartition("}")[2] for found in answer.iter()] == [
        "WFS_TransactionResponse", "TransactionResult", "Status", "FAILED", "Locator", "Message",
    ]  # fmt: skip
    assert answer.findtext(".//{*}Locator") == "h"
    assert world.dump() == before
    status, answer = world.post(insert(feature("locked", num="7")), "1.0.0")
    assert (status, answer.tag.rpartition("}")[2]) == (403, "ServiceExceptionReport")


def test_capabilities_tell_what_is_allowed(world: World) -> None:
    _, answer = world.get(REQUEST="GetCapabilities")
    text = "".join(answer.decode().split())
    assert '<ows:Operationname="Transaction">' in text
    types = {part.partition("<")[0]: part for part in text.split("<Name>")[1:]}
    assert "<Operation>Delete</Operation>" in types["pts"]
    assert "<Operation>Delete</Operation>" not in types["areas"]
    assert "<Operation>Insert</Operation>" in types["areas"]
    assert "<Operation>Insert</Operation>" not in types["locked"]


# -- hostile requests -----------------------------------------------------------------------------------------------


def test_the_endless_loops_of_qgis_server_end(world: World) -> None:
    """QGIS Server 3.22 never answers these two and holds the file locked meanwhile."""
    assert world.refused(insert(feature(num="7", nosuch="1")))[0] == "InvalidValue"
    status, _ = world.get(REQUEST="Transaction", OPERATION="DELETE", TYPENAME="pts", FEATUREID="pts.1")
    assert status == 200
    assert world.done(insert(feature(num="7")))


def test_text_never_becomes_sql(world: World) -> None:
    evil = "x'); DROP TABLE pts; --"
    (made,) = world.done(insert(feature(num="7", name=evil)))
    world.done(update(equal("name", evil), code="%s") + update(fid(made), name='"%(x)s'))
    assert world.query("SELECT name, code FROM pts WHERE num = 7") == [('"%(x)s', "%s")]
    for name in ('num" = 1; --', "geom", "num'"):
        world.post(f'<wfs:Update typeName="pts"><wfs:Property><wfs:Name>{name.replace(chr(34), "&quot;")}</wfs:Name>'
                   f"<wfs:Value>1</wfs:Value></wfs:Property>{fid('pts.1')}</wfs:Update>")  # fmt: skip
    world.post(delete(fid("pts.1 OR 1=1", "pts.1'; --", "areas.1", "pts.", "pts.9999999999999999999999")))
    assert len(world.query("SELECT 1 FROM pts")) == 4


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE x [<!ENTITY a 'b'>]><Transaction xmlns='http://www.opengis.net/wfs' version='1.1.0'/>",
        "<Transaction xmlns='http://www.opengis.net/wfs' version='1.1.0'><Insert><pts><num>1</num>",
        "<Transaction xmlns='http://www.opengis.net/wfs' version='1.1.0'><Insert>" + "<a>" * 300,
    ],
    ids=["entity", "cut off", "deep"],
)
def test_a_broken_document_is_refused(world: World, document: str) -> None:
    answer = world.client.post("/", data=document, content_type="text/xml")
    assert (answer.status_code, b"OperationParsingFailed" in answer.data) == (400, True)


def test_a_tree_that_would_fill_the_memory_is_refused(world: World) -> None:
    many = "".join('<ogc:FeatureId fid="a"/>' for _ in range(200_001))
    assert world.refused(delete(where(many)))[0] == "InvalidParameterValue"


def test_too_many_features_are_refused(world: World) -> None:
    for _ in range(2):
        world.done(insert(*(feature(num=str(n)) for n in range(30))))
    assert world.refused(update("", name="x"))[0] == "OperationProcessingFailed"


# -- at the same time -----------------------------------------------------------------------------------------------


def test_writers_that_want_the_same_features(world: World) -> None:
    """Half of them take two features in one order, half in the other: the database finds deadlocks, the server tries
    again, and every change is there once."""

    def write(number: int) -> list[int]:
        rows = [update(fid(f"pts.{n}"), code=str(number)) for n in (1, 2)]
        body = "".join(rows if number % 2 else reversed(rows)) + insert(feature(num=str(100 + number)))
        return [world.post(body)[0] for _ in range(5)]

    with ThreadPoolExecutor(4) as pool:
        states = [state for found in pool.map(write, range(4)) for state in found]
    assert states == [200] * 20
    assert len(world.query("SELECT 1 FROM pts WHERE num >= 100")) == 20
    assert len({code for (code,) in world.query("SELECT code FROM pts WHERE fid IN (1, 2)")}) == 1


def test_a_geometry_in_too_many_crs_is_refused(world: World) -> None:
    many = (f"<gml:Point srsName='EPSG:{code}'><gml:pos>1 2</gml:pos></gml:Point>" for code in range(2154, 2180))
    assert world.refused(insert(*(feature(num="1", geometry=shape) for shape in many)))[0] == "InvalidValue"
