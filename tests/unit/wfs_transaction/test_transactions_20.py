"""Transactions of WFS 2.0 (clause 15): Replace, ValueReference with its actions, ids, and the axes of numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from lxml import etree
from transactions import KINDS, World, make_world

from qgserver.ows.names import STANDARD_FIELDS
from qgserver.providers import gpkgblob

WFS, FES = "http://www.opengis.net/wfs/2.0", "http://www.opengis.net/fes/2.0"
NS = {"wfs": WFS, "fes": FES, "ows": "http://www.opengis.net/ows/1.1"}


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = make_world(request.param, tmp_path, request)
    yield made
    made.application.sources.close()


def post(world: World, body: str, attributes: str = "") -> tuple[int, etree._Element]:
    document = (
        f'<wfs:Transaction service="WFS" version="2.0.0" {attributes} xmlns:wfs="{WFS}" xmlns:fes="{FES}"'
        ' xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:qgs="http://www.qgis.org/gml"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{body}</wfs:Transaction>'
    )
    answer = world.client.post("/", data=document.encode(), content_type="text/xml")
    return answer.status_code, etree.fromstring(answer.data)


def done(world: World, body: str, attributes: str = "") -> dict[str, object]:
    """Totals and ids by action of a transaction that must succeed."""
    status, root = post(world, body, attributes)
    assert status == 200, etree.tostring(root)
    out: dict[str, object] = {
        etree.QName(item).localname: int(item.text or "") for item in root.iterfind("wfs:TransactionSummary/*", NS)
    }
    for item in root.xpath("*[contains(local-name(), 'Results')]"):
        features = item.findall("wfs:Feature", NS)
        out[etree.QName(item).localname] = [
            (feature.get("handle"), *(one.get("rid") for one in feature)) for feature in features
        ]
    return out


def refused(world: World, body: str, attributes: str = "") -> tuple[int, str | None, str | None]:
    """Status, code and locator of a transaction that must leave nothing behind."""
    before = world.dump()
    status, root = post(world, body, attributes)
    assert world.dump() == before
    (found,) = root.xpath("//ows:Exception", namespaces=NS)
    return status, found.get("exceptionCode"), found.get("locator")


def rid(*names: str) -> str:
    return "<fes:Filter>" + "".join(f'<fes:ResourceId rid="{name}"/>' for name in names) + "</fes:Filter>"


def update(reference: str, value: str | None, condition: str) -> str:
    content = "" if value is None else f"<wfs:Value>{value}</wfs:Value>"
    return (
        f'<wfs:Update handle="u" typeName="qgs:pts"><wfs:Property>{reference}{content}</wfs:Property>'
        f"{condition}</wfs:Update>"
    )


def reference(name: str, action: str = "") -> str:
    return f"<wfs:ValueReference{action and f' action={chr(34)}{action}{chr(34)}'}>{name}</wfs:ValueReference>"


POINT = '<gml:Point gml:id="p" srsName="{}"><gml:pos>{}</gml:pos></gml:Point>'
PTS = "<qgs:pts gml:id='pts.1'><gml:description>of no use</gml:description>{}</qgs:pts>"


def test_all_actions_and_their_ids_in_order(world: World) -> None:
    body = (
        f"<wfs:Insert handle='a'>{PTS.format('<qgs:num>7</qgs:num>')}{PTS.format('<qgs:num>8</qgs:num>')}</wfs:Insert>"
        f"<wfs:Replace handle='r'>{PTS.format('<qgs:num>9</qgs:num>')}{rid('pts.2')}</wfs:Replace>"
        + update(reference("qgs:name[1]"), "Eve", rid("pts.1"))
        + f"<wfs:Delete typeName='qgs:pts'>{rid('pts.3')}</wfs:Delete>"
        f"<wfs:Insert handle='b'>{PTS.format('<qgs:num>6</qgs:num>')}</wfs:Insert>"
    )
    assert done(world, body) == {
        "totalInserted": 3, "totalUpdated": 1, "totalReplaced": 1, "totalDeleted": 1,
        "InsertResults": [("a", "pts.4"), ("a", "pts.5"), ("b", "pts.6")],
        "ReplaceResults": [("r", "pts.2")],
    }  # fmt: skip
    assert world.query("SELECT fid, num, name FROM pts ORDER BY fid") == [
        (1, 1, "Eve"), (2, 9, None), (4, 7, None), (5, 8, None), (6, 6, None),
    ]  # fmt: skip


def test_replace_empties_what_is_not_sent_and_keeps_what_no_client_sees(world: World) -> None:
    _write(world, "UPDATE pts SET secret = 'kept', fixed = 'kept', code = 'abc', day = '2020-01-01' WHERE fid = 1")
    shape = POINT.format("urn:ogc:def:crs:EPSG::2154", "843000 6518000")
    sent = f"<qgs:geometry>{shape}</qgs:geometry><qgs:fid>77</qgs:fid><qgs:num>5</qgs:num><qgs:fixed>new</qgs:fixed>"
    done(world, f"<wfs:Replace>{PTS.format(sent)}{rid('pts.1')}</wfs:Replace>")
    assert world.query("SELECT fid, num, name, code, day, secret, fixed FROM pts WHERE num = 5") == [
        (1, 5, None, None, None, "kept", "kept")
    ]
    assert world.points()[1] == (843000, 6518000)


def _write(world: World, statement: str) -> None:
    """Change the data behind the server's back."""
    if not world.store.endswith(".gpkg"):
        with psycopg.connect(world.store) as database:
            database.execute(statement)  # type: ignore[arg-type]
        return
    with closing(sqlite3.connect(world.store)) as connection:
        gpkgblob.register(connection)
        connection.execute(statement)
        connection.commit()


def test_actions_of_a_property(world: World) -> None:
    done(world, update(reference("name", "replace"), "x", rid("pts.1")))
    done(world, update(reference("name", "remove"), None, rid("pts.2")))
    assert world.query("SELECT name FROM pts ORDER BY fid") == [("x",), (None,), (None,)]
    assert refused(world, update(reference("name", "insertAfter"), "y", rid("pts.1"))) == (400, "InvalidValue", "u")


def test_a_key_that_is_sent_gives_way_to_a_new_one(world: World) -> None:
    found = done(world, f"<wfs:Insert>{PTS.format('<qgs:fid>1</qgs:fid><qgs:num>7</qgs:num>')}</wfs:Insert>")
    assert found["InsertResults"] == [(None, "pts.4")]


@pytest.mark.parametrize(
    ("srs_name", "numbers"),
    [
        ("", "45.75 4.85"),
        ("urn:ogc:def:crs:EPSG::4326", "45.75 4.85"),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "45.75 4.85"),
        ("EPSG:4326", "4.85 45.75"),
    ],
)
@pytest.mark.parametrize("place", ["geometry", "action", "transaction"])
def test_axes_follow_the_name_of_the_crs(world: World, srs_name: str, numbers: str, place: str) -> None:
    named = {place: f'srsName="{srs_name}"' if srs_name else ""}
    point = f'<gml:Point gml:id="p" {named.get("geometry", "")}><gml:pos>{numbers}</gml:pos></gml:Point>'
    body = (
        f"<wfs:Insert {named.get('action', '')}><qgs:world><qgs:num>7</qgs:num><qgs:geometry>{point}</qgs:geometry>"
        "</qgs:world></wfs:Insert>"
    )
    done(world, body, named.get("transaction", ""))
    answer = world.client.get(
        "/?SERVICE=WFS&VERSION=1.1.0&REQUEST=GetFeature&TYPENAME=world&OUTPUTFORMAT=GeoJSON"
    ).get_json()
    assert answer["features"][0]["geometry"]["coordinates"] == [4.85, 45.75]


@pytest.mark.parametrize(
    ("body", "attributes", "expected"),
    [
        ("<wfs:Insert handle='h'><qgs:nosuch/></wfs:Insert>", "", (400, "InvalidValue", "h")),
        ("<wfs:Insert handle='h'><qgs:pts><qgs:nosuch>1</qgs:nosuch></qgs:pts></wfs:Insert>", "",
         (400, "InvalidValue", "h")),
        ("<wfs:Insert handle='h' inputFormat='application/json'><qgs:pts/></wfs:Insert>", "",
         (400, "InvalidParameterValue", "h")),
        (update(reference("gml:description"), "x", rid("pts.1")), "", (400, "InvalidValue", "u")),
        (update(reference("gml:boundedBy"), "<Point xmlns='http://www.opengis.net/kml/2.2'><coordinates>1,2</coordinates>"
         "</Point>", rid("pts.1")), "", (400, "InvalidValue", "u")),
        (f"<wfs:Replace handle='h'><qgs:pts/>{rid('pts.1')}</wfs:Replace>", "", (400, "InvalidValue", "h")),  # num
        ("<wfs:Replace handle='h'><qgs:pts/></wfs:Replace>", "", (400, "MissingParameterValue", "h")),
        (f"<wfs:Replace handle='h'>{rid('pts.1')}</wfs:Replace>", "", (400, "MissingParameterValue", "h")),
        (f"<wfs:Replace handle='h'><qgs:locked><qgs:num>1</qgs:num></qgs:locked>{rid('locked.1')}</wfs:Replace>", "",
         (403, "OperationNotSupported", "h")),
        ("<wfs:Delete typeName='pts'><fes:Filter><fes:PropertyIsEqualTo><fes:ValueReference>secret</fes:ValueReference>"
         "<fes:Literal>x</fes:Literal></fes:PropertyIsEqualTo></fes:Filter></wfs:Delete>", "",
         (400, "InvalidParameterValue", "Delete:pts")),
        (f"<wfs:Delete typeName='pts'>{rid('pts.1')}</wfs:Delete>", 'lockId="7"',
         (400, "InvalidParameterValue", "lockId")),
    ],
)  # fmt: skip
def test_failures_change_nothing(
    world: World, body: str, attributes: str, expected: tuple[int, str | None, str | None]
) -> None:
    first = f"<wfs:Insert>{PTS.format('<qgs:num>7</qgs:num>')}</wfs:Insert>"
    assert refused(world, first + body, attributes) == expected


def test_ids_may_stand_among_conditions(world: World) -> None:
    condition = (
        '<fes:Filter><fes:Or><fes:ResourceId rid="pts.1"/><fes:And><fes:ResourceId rid="pts.2"/>'
        "<fes:PropertyIsEqualTo><fes:ValueReference>name</fes:ValueReference><fes:Literal>nobody</fes:Literal>"
        "</fes:PropertyIsEqualTo></fes:And></fes:Or></fes:Filter>"
    )
    assert done(world, f"<wfs:Delete typeName='pts'>{condition}</wfs:Delete>") == {"totalDeleted": 1}
    assert world.query("SELECT fid FROM pts ORDER BY fid") == [(2,), (3,)]


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_capabilities_offer_no_edits_of_files_that_take_none(world: World, version: str) -> None:
    root = etree.fromstring(world.get(VERSION=version, REQUEST="GetCapabilities")[1])
    offered = {
        str(kind.findtext("{*}Name")): {
            child.text or etree.QName(child).localname for child in kind.find("{*}Operations")
        }
        for kind in root.iter("{*}FeatureType")
    }
    assert offered["pts"] == {"Query", "Insert", "Update", "Delete"}
    assert offered["shapes"] == {"Query"}


def test_properties_of_gml_go_where_there_are_fields_for_them(world: World) -> None:
    for name in STANDARD_FIELDS:
        _write(world, f"ALTER TABLE pts ADD COLUMN {name} TEXT")
    new = (
        "<qgs:pts><gml:description>long</gml:description><gml:identifier codeSpace='x'>17</gml:identifier>"
        "<gml:name>&lt;short&gt;</gml:name><qgs:num>7</qgs:num><qgs:name>own</qgs:name></qgs:pts>"
    )
    done(world, f"<wfs:Insert>{new}</wfs:Insert>")
    done(world, update(reference("gml:name[1]"), "Ada &amp; co", rid("pts.1")))
    columns = "gml_description, gml_identifier, gml_name, name"
    assert world.query(f"SELECT {columns} FROM pts WHERE fid IN (1, 4) ORDER BY fid") == [
        (None, None, "Ada & co", "Ada"), ("long", "17", "<short>", "own"),
    ]  # fmt: skip
    condition = (
        "<Filter xmlns:gml='http://www.opengis.net/gml/3.2'><PropertyIsLike wildCard='*' singleChar='?' escapeChar='!'>"
        "<ValueReference>gml:name</ValueReference><Literal>*short*</Literal></PropertyIsLike></Filter>"
    )
    status, answer = world.get(VERSION="2.0.0", REQUEST="GetFeature", TYPENAMES="pts", FILTER=condition)
    assert status == 200
    (found,) = etree.fromstring(answer).iter("{http://www.qgis.org/gml}pts")
    assert [(etree.QName(item).localname, item.text) for item in found][:3] == [
        ("description", "long"), ("identifier", "17"), ("name", "<short>"),
    ]  # fmt: skip
    described = world.get(VERSION="2.0.0", REQUEST="DescribeFeatureType", TYPENAMES="pts")[1]
    assert b"gml_name" not in described
    assert b"gml_name" in world.get(VERSION="1.1.0", REQUEST="DescribeFeatureType", TYPENAME="pts")[1]


def test_a_field_called_name_is_the_name_of_gml_too(world: World) -> None:
    done(world, update(reference("gml:name[1]"), "Ada &amp; co", rid("pts.1")))
    done(world, "<wfs:Insert><qgs:pts><gml:name>new</gml:name><qgs:num>7</qgs:num></qgs:pts></wfs:Insert>")
    echo = "<qgs:pts><gml:name>both</gml:name><qgs:num>8</qgs:num><qgs:name>{}</qgs:name></qgs:pts>"
    done(world, f"<wfs:Insert>{echo.format('both')}</wfs:Insert>")
    done(world, f"<wfs:Replace>{echo.format('both')}{rid('pts.2')}</wfs:Replace>")
    other = echo.format("own")
    for change in (f"<wfs:Insert>{other}</wfs:Insert>", f"<wfs:Replace>{other}{rid('pts.3')}</wfs:Replace>"):
        assert refused(world, change)[:2] == (400, "InvalidValue")
    assert world.query("SELECT name FROM pts WHERE fid IN (1, 2, 4, 5) ORDER BY fid") == [
        ("Ada & co",), ("both",), ("new",), ("both",),
    ]  # fmt: skip
    status, answer = world.get(VERSION="2.0.0", REQUEST="GetFeature", TYPENAMES="pts", RESOURCEID="pts.4")
    assert status == 200
    (found,) = etree.fromstring(answer).iter("{http://www.qgis.org/gml}pts")
    assert [item.tag for item in found if item.text == "new"] == [
        "{http://www.opengis.net/gml/3.2}name", "{http://www.qgis.org/gml}name",
    ]  # fmt: skip


def test_pages_go_by_key_but_before_2_0_as_a_small_table_lies(world: World) -> None:
    done(world, update(reference("name"), "moved", rid("pts.1")))

    def page(**params: str) -> list[str]:
        status, answer = world.get(REQUEST="GetFeature", **params)
        assert status == 200
        found = etree.fromstring(answer).iter("{http://www.qgis.org/gml}pts")
        return [item.attrib.values()[0] for item in found]

    assert page(VERSION="2.0.0", TYPENAMES="pts", COUNT="2") == ["pts.1", "pts.2"]
    pages = [page(TYPENAME="pts", MAXFEATURES="2", STARTINDEX=start) for start in ("0", "2")]
    lies = ["pts.1", "pts.2", "pts.3"] if world.store.endswith(".gpkg") else ["pts.2", "pts.3", "pts.1"]
    assert pages == [lies[:2], lies[2:]]
