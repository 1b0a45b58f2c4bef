"""Our WFS answers against those of QGIS Server 3.22 to the same requests (``fixtures/expected/wfs``).

Compared is what XML and JSON mean: elements, attributes, texts; not prefixes, attribute order or white space. The box
of a whole collection may be ours: QGIS's is at times in another CRS than it says, or rounded inwards.
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
EXPECTED = FIXTURES / "expected" / "wfs"
IGNORED = ("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", "timeStamp")

OGC = 'xmlns="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml"'
MATH = (
    f"<Filter {OGC}><PropertyIsGreaterThan><Add><PropertyName>a</PropertyName><PropertyName>b</PropertyName></Add>"
    "<Literal>30</Literal></PropertyIsGreaterThan></Filter>"
)
BOX = "4.826255,45.736968,4.878597,45.76482"
CASES = {
    "dft_all_1.1.0.xml": "DescribeFeatureType",
    "dft_two_1.0.0.xml": "DescribeFeatureType&TYPENAME=pts,parents",
    "get_pts_1.0.0.xml": "GetFeature&TYPENAME=pts&MAXFEATURES=6",
    "get_nogeom_1.0.0.xml": "GetFeature&TYPENAME=parents&MAXFEATURES=6",
    "get_short_1.0.0.xml": "GetFeature&TYPENAME=shortn&MAXFEATURES=6",
    "get_short_1.1.0.xml": "GetFeature&TYPENAME=shortn&MAXFEATURES=6",
    "get_world_1.1.0.xml": "GetFeature&TYPENAME=world&MAXFEATURES=6",
    "get_pz_1.1.0.xml": "GetFeature&TYPENAME=pz&MAXFEATURES=6",
    "get_two_1.1.0.xml": "GetFeature&TYPENAME=pts,parents&MAXFEATURES=6",
    "startonly_1.0.0.xml": "GetFeature&TYPENAME=pts&STARTINDEX=9",
    "srsurn_1.0.0.xml": "GetFeature&TYPENAME=pts&SRSNAME=urn:ogc:def:crs:EPSG::4326",
    "srsurn_1.1.0.xml": "GetFeature&TYPENAME=pts&SRSNAME=urn:ogc:def:crs:EPSG::4326",
    "fid_1.0.0.xml": "GetFeature&FEATUREID=pts.3,pts.5",
    "geomcent_1.0.0.xml": "GetFeature&TYPENAME=pts&GEOMETRYNAME=CENTROID",
    "geomext_1.1.0.xml": "GetFeature&TYPENAME=pts&GEOMETRYNAME=EXTENT",
    "bboxcrs_1.1.0.xml": f"GetFeature&TYPENAME=pts&SRSNAME=EPSG:2154&BBOX={BOX},EPSG:4326",
    "prop_1.1.0.xml": "GetFeature&TYPENAME=pts&PROPERTYNAME=num,name",
    "sortd_1.1.0.xml": "GetFeature&TYPENAME=pts&SORTBY=kind ASC,val DESC",
    "hits_1.1.0.xml": "GetFeature&TYPENAME=pts&RESULTTYPE=hits",
    "expf_1.1.0.xml": 'GetFeature&TYPENAME=pts&EXP_FILTER="num" > 4 AND "val" < 90',
    "json_pol_1.1.0.json": "GetFeature&TYPENAME=pol&OUTPUTFORMAT=GeoJSON&MAXFEATURES=3",
    "ogc_math_1.1.0.xml": f"GetFeature&TYPENAME=pts&FILTER={MATH}&PROPERTYNAME=num,name",
}
POST_LIKE = f"""<?xml version="1.0" encoding="UTF-8"?>
<wfs:GetFeature service="WFS" version="1.0.0" xmlns:wfs="http://www.opengis.net/wfs" xmlns:ogc="http://www.opengis.net/ogc"
 xmlns:qgs="http://www.qgis.org/gml" maxFeatures="20">
 <wfs:Query typeName="qgs:pts">
  <ogc:PropertyName>num</ogc:PropertyName><ogc:PropertyName>name</ogc:PropertyName>
  <ogc:Filter {OGC}>
   <ogc:PropertyIsLike wildCard="*" singleChar="#" escapeChar="!">
    <ogc:PropertyName>name</ogc:PropertyName><ogc:Literal>B*</ogc:Literal>
   </ogc:PropertyIsLike>
  </ogc:Filter>
 </wfs:Query>
</wfs:GetFeature>"""


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(Application(Settings(project_file=str(FIXTURES / "projects" / "wfs.qgs"))))


def meaning(text: bytes) -> Any:
    if text.lstrip().startswith(b"{"):
        document = json.loads(text)
        document.pop("bbox", None)
        return document
    root = etree.fromstring(text)
    for child in root:
        if child.tag == "{http://www.opengis.net/gml}boundedBy":
            root.remove(child)
    return _element(root)


def _element(element: etree._Element) -> tuple[object, ...]:
    attributes = {key: value for key, value in element.attrib.items() if key not in IGNORED}
    return element.tag, attributes, (element.text or "").strip(), [_element(child) for child in element]


@pytest.mark.parametrize("name", CASES)
def test_kvp(client: Client, name: str) -> None:
    version = Path(name).stem.rpartition("_")[2]
    pairs = [pair.split("=", 1) for pair in f"SERVICE=WFS&VERSION={version}&REQUEST={CASES[name]}".split("&")]
    answer = client.get("/", query_string=dict(pairs))
    assert answer.status_code == 200
    assert meaning(answer.data) == meaning((EXPECTED / name).read_bytes())


def test_post(client: Client) -> None:
    answer = client.post("/", data=POST_LIKE, content_type="text/xml")
    assert answer.status_code == 200
    assert meaning(answer.data) == meaning((EXPECTED / "post_like_1.0.0.xml").read_bytes())
