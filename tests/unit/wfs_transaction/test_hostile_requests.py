"""Text that tries to be SQL while features are read, and transactions of which QGIS Server keeps a half."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest
from transactions import KINDS, World, make_world

EVIL = (
    "x' OR '1'='1",
    "x'; DROP TABLE pts; --",
    'x" OR 1=1 --',
    "x') UNION SELECT secret FROM pts --",
    "\\'; DELETE FROM pts; --",
    "%(name)s %s {} $1 ? :1",
    "x' || (SELECT secret FROM pts LIMIT 1) || '",
)


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = make_world(request.param, tmp_path, request)
    made.done("<wfs:Insert><qgs:world><qgs:num>9</qgs:num></qgs:world></wfs:Insert>")
    yield made
    made.application.sources.close()


def _like(text: str) -> str:
    name = "<ogc:PropertyName>name</ogc:PropertyName>"
    literal = f"<ogc:Literal>{text.replace('&', '&amp;').replace('<', '&lt;')}</ogc:Literal>"
    marks = 'wildCard="%" singleChar="_" escapeChar="!"'
    both = f"<ogc:PropertyIsEqualTo>{name}{literal}</ogc:PropertyIsEqualTo>"
    both += f"<ogc:PropertyIsLike {marks}>{name}{literal}</ogc:PropertyIsLike>"
    return f'<ogc:Filter xmlns:ogc="http://www.opengis.net/ogc"><ogc:And>{both}</ogc:And></ogc:Filter>'


def test_values_stay_values(world: World) -> None:
    """As a literal the text matches no feature."""
    before = world.dump()
    for text in EVIL:
        doubled = text.replace("\\", "\\\\").replace("'", "''")
        for query in ({"FILTER": _like(text)}, {"EXP_FILTER": f"\"name\" = '{doubled}'"}):
            status, answer = world.get(REQUEST="GetFeature", TYPENAME="pts", OUTPUTFORMAT="GeoJSON", **query)
            assert (status, orjson.loads(answer)["features"]) == (200, []), text
    assert world.dump() == before


NAMES = ("SORTBY", "PROPERTYNAME", "FEATUREID", "BBOX", "EXP_FILTER", "SRSNAME", "TYPENAME")


def test_names_stay_names(world: World) -> None:
    """Where a name is wanted the text is none: an error or no feature, never SQL, and nothing of what is hidden."""
    before = world.dump()
    for name, text in product(NAMES, EVIL):
        form = "GML3" if name == "SRSNAME" else "GeoJSON"  # which is in degrees always
        query = {"REQUEST": "GetFeature", "TYPENAME": "pts", "OUTPUTFORMAT": form}
        query[name] = f"pts.{text}" if name == "FEATUREID" else text
        status, answer = world.get(**query)
        if status == 200:
            assert orjson.loads(answer)["features"] == [], (name, text)
        else:
            assert status in (400, 403, 501), (name, text)  # a blank in TYPENAME asks for a join
            assert b"exceptionCode" in answer
        assert b"database" not in answer
    assert world.dump() == before


def test_what_is_deleted_by_kvp_is_what_is_named(world: World) -> None:
    before = world.dump()
    for text in EVIL:
        for name, value in (("FEATUREID", f"pts.{text}"), ("FEATUREID", text), ("EXP_FILTER", text)):
            world.get(REQUEST="Transaction", OPERATION="DELETE", TYPENAME="pts", **{name: value})
        world.client.get(f"/?SERVICE=WFS&VERSION=1.1.0&REQUEST=Transaction&OPERATION=DELETE&TYPENAME={quote(text)}")
    assert world.dump() == before


INSERT = "<wfs:Insert><qgs:{0}><qgs:num>7</qgs:num></qgs:{0}></wfs:Insert>"
ROW = '<ogc:Filter><ogc:FeatureId fid="pts.1"/></ogc:Filter>'
NAME = "<wfs:Property><wfs:Name>name</wfs:Name><wfs:Value>x</wfs:Value></wfs:Property>"
UPDATE = f'<wfs:Update typeName="pts">{NAME}{ROW}</wfs:Update>'


@pytest.mark.parametrize(
    "failing",
    [
        '<wfs:Delete typeName="areas"><ogc:Filter><ogc:FeatureId fid="areas.1"/></ogc:Filter></wfs:Delete>',
        "<wfs:Insert><qgs:world><qgs:num>abc</qgs:num></qgs:world></wfs:Insert>",
        "<wfs:Insert><qgs:nosuch><qgs:num>1</qgs:num></qgs:nosuch></wfs:Insert>",
        '<wfs:Update typeName="pts"><wfs:Property><wfs:Name>nosuch</wfs:Name></wfs:Property></wfs:Update>',
        "<wfs:Insert><qgs:world><qgs:num>1</qgs:num><qgs:secret>x</qgs:secret></qgs:world></wfs:Insert>",
        '<wfs:Delete typeName="pts"/>',
    ],
    ids=["not permitted", "no number", "no type", "no property", "hidden", "no filter"],
)
def test_a_half_is_never_kept(world: World, failing: str) -> None:
    """QGIS Server 3.22 commits each action by itself, and reports failures beside successes."""
    before = world.dump()
    good = INSERT.format("pts") + UPDATE + INSERT.format("solid")
    for body, version in product((failing + good, good + failing), ("1.0.0", "1.1.0")):
        status, answer = world.post(body, version)
        words = [str(element.tag).rpartition("}")[2] for element in answer.iter()]
        assert status >= 400 or "FAILED" in words
        assert world.dump() == before


def test_the_same_without_the_failure_is_kept_whole(world: World) -> None:
    before = [len(rows) for rows in world.dump()]
    assert world.post(INSERT.format("pts") + UPDATE + INSERT.format("solid"))[0] == 200
    assert [len(rows) for rows in world.dump()] == [
        count + more for count, more in zip(before, (1, 0, 1, 0), strict=True)
    ]
    assert world.query("SELECT name FROM pts WHERE fid = 1") == [("x",)]
