"""GML feature info against OGC's schemas: GML 2.1.2 in WFS 1.0.0, GML 3.1.1 in WFS 1.1.0."""

from __future__ import annotations

from pathlib import Path

import pytest
import schemas
from lxml import etree
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

FIXTURES = Path(__file__).parents[2] / "fixtures"
QGS = "http://qgis.org/gml"
MIME = "application/vnd.ogc.gml"


def feature_types(document: bytes, gml: str) -> str:
    """A schema that declares the feature types of a document: WMS has no request for one. GML 3 features have QGIS's
    ``fid`` of GML 2."""
    members = etree.fromstring(document).iter("{*}featureMember")
    names = sorted({etree.QName(member[0]).localname for member in members})
    fid = '<attribute name="fid" type="string"/>' if "3.1.1" in gml else ""
    types = "".join(
        f'<element name="{name}" substitutionGroup="gml:_Feature"><complexType><complexContent>'
        '<extension base="gml:AbstractFeatureType"><sequence>'
        '<any namespace="##targetNamespace" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>'
        f"</sequence>{fid}</extension></complexContent></complexType></element>"
        for name in names
    )
    return (
        '<schema xmlns="http://www.w3.org/2001/XMLSchema" xmlns:gml="http://www.opengis.net/gml"'
        f' targetNamespace="{QGS}" elementFormDefault="qualified">'
        f'<import namespace="http://www.opengis.net/gml" schemaLocation="{gml}"/>'
        f'<element name="geometry" type="gml:GeometryPropertyType"/>{types}</schema>'
    )


SITE = "http://schemas.opengis.net"


@pytest.mark.parametrize(
    ("mime", "wfs", "gml"),
    [
        (MIME, f"{SITE}/wfs/1.0.0/WFS-basic.xsd", f"{SITE}/gml/2.1.2/feature.xsd"),
        (f"{MIME}/3.1.1", f"{SITE}/wfs/1.1.0/wfs.xsd", f"{SITE}/gml/3.1.1/base/gml.xsd"),
    ],
    ids=["gml2", "gml3"],
)
@pytest.mark.parametrize("point", [("0", "299"), ("43", "268")], ids=["nothing", "features"])
def test_gml(tmp_path: Path, mime: str, wfs: str, gml: str, point: tuple[str, str]) -> None:
    text = (FIXTURES / "projects/featureinfo.qgs").read_text().replace("../data/", f"{FIXTURES}/data/")
    project = tmp_path / "geometry.qgs"
    entry = '<WMSAddWktGeometry type="QString">true</WMSAddWktGeometry>'
    project.write_text(text.replace("</properties>", f"{entry}</properties>"))
    query = {
        "SERVICE": "WMS",
        "VERSION": "1.1.1",
        "REQUEST": "GetFeatureInfo",
        "QUERY_LAYERS": "pol,pts,lin",
        "SRS": "EPSG:2154",
        "BBOX": "842000,6517000,850000,6523000",
        "WIDTH": "400",
        "HEIGHT": "300",
        "X": point[0],
        "Y": point[1],
        "FEATURE_COUNT": "5",
        "FI_POINT_TOLERANCE": "30" if point[0] != "0" else "0",
        "WITH_GEOMETRY": "TRUE",
        "INFO_FORMAT": mime,
    }
    answer = Client(Application(Settings(project_file=str(project)))).get("/", query_string=query)
    assert answer.status_code == 200 and (b"featureMember" in answer.data) == (point[0] != "0")
    assert (b"<qgs:geometry>" in answer.data) == (point[0] != "0")
    own = tmp_path / "qgs.xsd"
    own.write_text(feature_types(answer.data, gml))
    schemas.check(answer.data, f"http://www.opengis.net/wfs {wfs}", f"{QGS} {own}")
