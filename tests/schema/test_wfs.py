"""Every XML answer of WFS against OGC's schemas of its version; features against the schema we describe them by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import schemas
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

FIXTURES = Path(__file__).parents[2] / "fixtures"
PROJECTS = [FIXTURES / "projects/wfs.qgs", FIXTURES / "demo/world.qgs"]
SITE = "http://schemas.opengis.net"
WFS = "http://www.opengis.net/wfs"
WFS_20 = f"{WFS}/2.0 {SITE}/wfs/2.0/wfs.xsd"
CAPABILITIES = {
    "1.0.0": f"{WFS} {SITE}/wfs/1.0.0/WFS-capabilities.xsd",
    "1.1.0": f"{WFS} {SITE}/wfs/1.1.0/wfs.xsd",
    "2.0.0": WFS_20,
}
FEATURES = {
    "1.0.0": f"{WFS} {SITE}/wfs/1.0.0/WFS-basic.xsd",
    "1.1.0": f"{WFS} {SITE}/wfs/1.1.0/wfs.xsd",
    "2.0.0": WFS_20,
}
EXCEPTIONS = {
    "1.0.0": f"http://www.opengis.net/ogc {SITE}/wfs/1.0.0/OGC-exception.xsd",
    "1.1.0": f"http://www.opengis.net/ows {SITE}/ows/1.0.0/owsExceptionReport.xsd",
    "2.0.0": f"http://www.opengis.net/ows/1.1 {SITE}/ows/1.1.0/owsExceptionReport.xsd",
}
VERSIONS = pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "2.0.0"])
TYPES = ["pts", "pol", "lin_layer", "world", "parents", "pz", "shortn"]
QUERIES = [
    *({"TYPENAME": name} for name in TYPES),
    {"TYPENAME": "pts,parents,shortn"},
    {"TYPENAME": "shortn", "SRSNAME": "urn:ogc:def:crs:EPSG::4326"},
    {"TYPENAME": "pol", "BBOX": "0,0,1,1"},
    {"TYPENAME": "pts", "MAXFEATURES": "0"},
    {"TYPENAME": "pts", "GEOMETRYNAME": "CENTROID", "FEATUREID": "pts.1"},
]
FAULTS = [
    ({"REQUEST": "Foo"}, "request"),
    ({"REQUEST": ""}, "request"),
    ({"REQUEST": "GetFeature"}, "typename{s}"),
    ({"REQUEST": "GetFeature", "TYPENAME": '<no">&\x01'}, "typename"),
    ({"REQUEST": "DescribeFeatureType", "TYPENAME": "nosuch"}, "typename"),
    ({"REQUEST": "DescribeFeatureType", "OUTPUTFORMAT": "foo"}, "outputFormat"),
    ({"REQUEST": "GetFeature", "TYPENAME": "pts", "OUTPUTFORMAT": "foo"}, "outputFormat"),
    ({"REQUEST": "GetFeature", "TYPENAME": "pts", "PROPERTYNAME": "nosuch"}, "propertyname"),
    ({"REQUEST": "GetFeature", "TYPENAME": "pts", "SORTBY": "nosuch"}, "sortby"),
    ({"REQUEST": "GetFeature", "TYPENAME": "pts", "SRSNAME": "EPSG:99999"}, "SRSNAME"),
    ({"REQUEST": "GetFeature", "TYPENAME": "pts", "EXP_FILTER": "@project_path"}, "EXP_FILTER"),
]


def ask(project: Path, version: str, query: Mapping[str, str]) -> tuple[int, bytes]:
    client = Client(Application(Settings(project_file=str(project))))
    answer = client.get("/", query_string={"SERVICE": "WFS", "VERSION": version, **query})
    return answer.status_code, answer.data


@VERSIONS
@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.stem)
def test_capabilities(project: Path, version: str) -> None:
    status, document = ask(project, version, {"REQUEST": "GetCapabilities"})
    assert status == 200
    schemas.check(document, CAPABILITIES[version])


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Our own schema of all types, in each version."""
    files = {}
    for version in FEATURES:
        status, document = ask(PROJECTS[0], version, {"REQUEST": "DescribeFeatureType"})
        assert status == 200
        files[version] = tmp_path_factory.mktemp("schema") / f"{version}.xsd"
        files[version].write_bytes(document)
    return files


@VERSIONS
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: "&".join(query.values()))
def test_features(version: str, query: Mapping[str, str], described: Mapping[str, Path]) -> None:
    status, document = ask(PROJECTS[0], version, {"REQUEST": "GetFeature", **query})
    assert status == 200
    schemas.check(document, FEATURES[version], f"http://www.qgis.org/gml {described[version]}")


@pytest.mark.parametrize("version", ["1.1.0", "2.0.0"])
def test_hits(version: str) -> None:
    status, document = ask(PROJECTS[0], version, {"REQUEST": "GetFeature", "TYPENAME": "pts", "RESULTTYPE": "hits"})
    assert status == 200
    schemas.check(document, FEATURES[version])


@pytest.mark.parametrize(
    "query",
    [
        {"REQUEST": "GetFeature", "TYPENAMES": "(pts)(parents)(pts)", "COUNT": "4"},
        {"REQUEST": "GetFeature", "TYPENAMES": "(pts)(pol)", "COUNT": "0"},
        {"REQUEST": "GetFeature", "TYPENAMES": "pts", "COUNT": "1", "STARTINDEX": "1"},
        {"REQUEST": "GetFeature", "TYPENAMES": "pts", "PROPERTYNAME": "geometry"},
        {"REQUEST": "GetFeature", "RESOURCEID": "pts.1,pol.1"},
        {"REQUEST": "GetFeature", "STOREDQUERY_ID": "urn:ogc:def:query:OGC-WFS::GetFeatureById", "ID": "pol.1"},
        {"REQUEST": "GetPropertyValue", "TYPENAMES": "pts", "VALUEREFERENCE": "@gml:id"},
        {"REQUEST": "GetPropertyValue", "TYPENAMES": "pol", "VALUEREFERENCE": "qgs:geometry", "COUNT": "1"},
        {"REQUEST": "GetPropertyValue", "TYPENAMES": "pts", "VALUEREFERENCE": "pts/num[1]"},
        {"REQUEST": "GetPropertyValue", "TYPENAMES": "pts", "VALUEREFERENCE": "num", "RESULTTYPE": "hits"},
        {"REQUEST": "ListStoredQueries"},
        {"REQUEST": "DescribeStoredQueries"},
    ],
    ids=lambda query: "&".join(query.values()),
)
def test_answers_of_wfs_2_alone(query: Mapping[str, str], described: Mapping[str, Path]) -> None:
    status, document = ask(PROJECTS[0], "2.0.0", query)
    assert status == 200
    schemas.check(document, WFS_20, f"http://www.qgis.org/gml {described['2.0.0']}")


@VERSIONS
@pytest.mark.parametrize(("query", "locator"), FAULTS, ids=str)
def test_exceptions(version: str, query: Mapping[str, str], locator: str) -> None:
    status, document = ask(PROJECTS[0], version, query)
    assert status >= 400
    name = locator.format(s="s" if version == "2.0.0" else "")
    assert f'locator="{name}"'.encode() in document
    schemas.check(document, EXCEPTIONS[version])


@pytest.mark.parametrize(
    "query",
    [
        {"REQUEST": "GetFeature"},
        {"SERVICE": "WFS"},
        {"SERVICE": "", "REQUEST": "GetFeature"},
        {"VERSION": "1.1.0", "REQUEST": "GetCapabilities"},
        {"SERVICE": "WFS", "REQUEST": "GetFeature", "TYPENAME": "pts"},
        {"SERVICE": "WFS", "REQUEST": "DescribeFeatureType", "TYPENAME": "pts"},
    ],
    ids=str,
)
def test_a_missing_service_request_or_version_is_told_in_ows_1_0(query: Mapping[str, str]) -> None:
    """WFS 1.1.0 clause 7.7 and OWS Common 1.0 table 20; the OGC test suite asks for this."""
    client = Client(Application(Settings(project_file=str(PROJECTS[0]))))
    answer = client.get("/", query_string=dict(query))
    assert answer.status_code == 400
    assert b'exceptionCode="MissingParameterValue"' in answer.data
    schemas.check(answer.data, EXCEPTIONS["1.1.0"])


def test_a_missing_service_without_a_version_is_told_in_ows_1_1() -> None:
    """OWS Common 1.1: who asks for the capabilities of no version is answered in the highest."""
    answer = Client(Application(Settings(project_file=str(PROJECTS[0])))).get(
        "/", query_string={"REQUEST": "GetCapabilities"}
    )
    assert answer.status_code == 400
    schemas.check(answer.data, EXCEPTIONS["2.0.0"])
