"""Our feature info against that of QGIS Server 3.22 to the same requests (``fixtures/expected/info``).

Compared is what XML and JSON mean, and text as it stands. GML has a box of the collection that QGIS leaves out though
GML 2 wants it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

FIXTURES = Path(__file__).parents[2] / "fixtures"
EXPECTED = FIXTURES / "expected" / "info"
SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
GML = "application/vnd.ogc.gml"

MAP = {
    "SERVICE": "WMS",
    "REQUEST": "GetFeatureInfo",
    "VERSION": "1.3.0",
    "CRS": "EPSG:2154",
    "BBOX": "842000,6517000,850000,6523000",
    "WIDTH": "400",
    "HEIGHT": "300",
    "FEATURE_COUNT": "10",
}
CASES = {
    "pol_plain.txt": ("pol", 43, 268, "text/plain"),
    "pol_xml.xml": ("pol", 43, 268, "text/xml"),
    "lin_xml.xml": ("lin", 140, 199, "text/xml"),
    "pol_gml2.xml": ("pol", 143, 259, GML),
    "lin_gml3.xml": ("lin", 140, 199, f"{GML}/3.1.1"),
    "pol_json.json": ("pol", 205, 255, "application/json"),
    "lin_geojson.json": ("lin", 140, 199, "application/geo+json"),
    "pts_gml3.xml": ("pts", 145, 245, f"{GML}/3.1.1"),
    "maptip_xml.xml": ("pts", 340, 243, "text/xml"),
    "count_json.json": ("pts", 340, 243, "application/json"),
    "miss_plain.txt": ("pts", 0, 299, "text/plain"),
    "miss_gml2.xml": ("pts", 0, 299, GML),
    "miss_json.json": ("pts", 0, 299, "application/json"),
}
MORE = {
    "maptip_xml.xml": {"WITH_MAPTIP": "TRUE"},
    "count_json.json": {"FEATURE_COUNT": "2", "FI_POINT_TOLERANCE": "400"},
}
OTHER_CRS = {
    "gfi4326.xml": ("EPSG:4326", "45.7360998,4.8262550,45.7918276,4.9309894"),
    "gfi3035.xml": ("EPSG:3035", "2527163.4900636,3918151.9360729,2533878.6985018,3926670.6623162"),
}


def ask(project: Path, **query: str) -> bytes:
    answer = Client(Application(Settings(project_file=str(project)))).get("/", query_string={**MAP, **query})
    assert answer.status_code == 200, answer.data
    return answer.data


def meaning(text: bytes) -> Any:
    if text.startswith(b"{"):
        return json.loads(text)
    if not text.startswith(b"<?xml"):
        return text.decode().split()
    root = etree.fromstring(text)
    for child in root.findall("{http://www.opengis.net/gml}boundedBy"):
        root.remove(child)
    root.attrib.pop(SCHEMA_LOCATION, None)
    return _element(root)


def _element(element: etree._Element) -> tuple[object, ...]:
    return element.tag, dict(element.attrib), (element.text or "").strip(), [_element(child) for child in element]


@pytest.mark.parametrize("name", CASES)
def test_formats(name: str) -> None:
    layer, column, row, mime = CASES[name]
    query = {"LAYERS": layer, "QUERY_LAYERS": layer, "I": str(column), "J": str(row), "INFO_FORMAT": mime}
    answer = ask(FIXTURES / "projects/featureinfo.qgs", **query, **MORE.get(name, {}))
    assert meaning(answer) == meaning((EXPECTED / name).read_bytes())


def test_empty_tables() -> None:
    answer = ask(FIXTURES / "projects/featureinfo.qgs", QUERY_LAYERS="pts", I="0", J="299", INFO_FORMAT="text/html")
    assert answer.split() == (EXPECTED / "miss_html.html").read_bytes().split()


@pytest.mark.parametrize("name", OTHER_CRS)
def test_other_crs(name: str) -> None:
    crs, box = OTHER_CRS[name]
    size = {"WIDTH": "200", "HEIGHT": "150", "I": "100", "J": "75", "FEATURE_COUNT": "1"}
    answer = ask(FIXTURES / "projects/crs.qgz", QUERY_LAYERS="world", CRS=crs, BBOX=box, INFO_FORMAT="text/xml", **size)
    assert meaning(answer) == meaning((EXPECTED / name).read_bytes())
