"""Every answer to a Transaction against OGC's schemas of its version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemas
from lxml import etree
from transactions import World, make_world

SITE = "http://schemas.opengis.net"
WFS = "http://www.opengis.net/wfs"
ANSWERS = {
    "1.0.0": f"{WFS} {SITE}/wfs/1.0.0/WFS-transaction.xsd",
    "1.1.0": f"{WFS} {SITE}/wfs/1.1.0/wfs.xsd",
    "2.0.0": f"{WFS}/2.0 {SITE}/wfs/2.0/wfs.xsd",
}
EXCEPTIONS = {
    "1.0.0": f"http://www.opengis.net/ogc {SITE}/wfs/1.0.0/OGC-exception.xsd",
    "1.1.0": f"http://www.opengis.net/ows {SITE}/ows/1.0.0/owsExceptionReport.xsd",
    "2.0.0": f"http://www.opengis.net/ows/1.1 {SITE}/ows/1.1.0/owsExceptionReport.xsd",
}
CAPABILITIES = {**ANSWERS, "1.0.0": f"{WFS} {SITE}/wfs/1.0.0/WFS-capabilities.xsd"}
VERSIONS = pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "2.0.0"])

INSERT = "<wfs:Insert{}><qgs:pts><qgs:num>7</qgs:num></qgs:pts><qgs:pts><qgs:num>8</qgs:num></qgs:pts></wfs:Insert>"
PROPERTY = "<wfs:Property><wfs:Name>num</wfs:Name><wfs:Value>{}</wfs:Value></wfs:Property>"
UPDATE = f"<wfs:Update typeName='pts'>{PROPERTY}</wfs:Update>"
DELETE = "<wfs:Delete typeName='{}'><ogc:Filter><ogc:FeatureId fid='pts.1'/></ogc:Filter></wfs:Delete>"
DONE = {
    "all": INSERT.format(" handle='a&lt;&quot;b'") + UPDATE.format(1) + DELETE.format("pts") + INSERT.format(""),
    "no insert": UPDATE.format(2) + DELETE.format("pts"),
}
FAILED = {
    "value": (UPDATE.format("x&lt;y"), 400),
    "type": (DELETE.format("nosuch"), 400),
    "permission": (DELETE.format("areas"), 403),
    "nothing": ("", 400),
}


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = make_world("geopackage", tmp_path, request)
    yield made
    made.application.sources.close()


@VERSIONS
@pytest.mark.parametrize("name", DONE)
def test_success(world: World, version: str, name: str) -> None:
    status, answer = world.post(DONE[name], version)
    assert status == 200
    schemas.check(etree.tostring(answer), ANSWERS[version])


@VERSIONS
@pytest.mark.parametrize("name", FAILED)
def test_failure(world: World, version: str, name: str) -> None:
    body, expected = FAILED[name]
    status, answer = world.post(body, version)
    told = version == "1.0.0" and name in ("value", "type")  # as FAILED in an answer
    assert status == (200 if told else expected)
    schemas.check(etree.tostring(answer), (ANSWERS if told else EXCEPTIONS)[version])


@VERSIONS
def test_capabilities_with_transactions(world: World, version: str) -> None:
    answer = world.client.get("/", query_string={"SERVICE": "WFS", "VERSION": version, "REQUEST": "GetCapabilities"})
    assert b"Transaction" in answer.data
    schemas.check(answer.data, CAPABILITIES[version])
