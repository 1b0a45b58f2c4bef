"""Names of CRSs, and their properties as QGIS 3.22 gives them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from qgserver.geo.crs import MAX_NAME, Crs, crs_from_definition, parse_crs
from qgserver.geo.extent import Extent

UTM33 = "+proj=utm +zone=33 +datum=WGS84 +units=m +no_defs"


@pytest.mark.parametrize(
    ("text", "authid"),
    [
        ("EPSG:2154", "EPSG:2154"),
        (" epsg:4326 ", "EPSG:4326"),
        ("urn:ogc:def:crs:EPSG::2154", "EPSG:2154"),
        ("URN:OGC:DEF:CRS:EPSG:6.9:4326", "EPSG:4326"),
        ("urn:x-ogc:def:crs:EPSG:4326", "EPSG:4326"),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "EPSG:4326"),
        ("https://www.opengis.net/def/crs/OGC/1.3/CRS84", "OGC:CRS84"),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", "EPSG:4326"),
        ("CRS:84", "OGC:CRS84"),
        ("CRS:83", "OGC:CRS83"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84"),
        ("urn:ogc:def:crs:OGC:2:84", "OGC:CRS84"),
        ("IGNF:LAMB93", "IGNF:LAMB93"),
        ("ESRI:54009", "ESRI:54009"),
        ("EPSG:900913", "EPSG:3857"),
    ],
)
def test_names_of_clients(text: str, authid: str) -> None:
    crs = parse_crs(text)
    assert crs is not None
    assert crs.authid == authid


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4326",
        "EPSG:",
        "EPSG:999999",
        "EPSG:5773",  # heights only
        "EPSG:4978",  # geocentric
        "EPSG:9122",  # a unit
        "USER:100000",
        UTM33,
        "+init=epsg:4326",
        "+proj=pipeline +step +proj=hgridshift +grids=@/etc/passwd",
        "/etc/passwd",
        "file:/etc/passwd",
        "http://127.0.0.1/crs.wkt",
        "http://www.opengis.net/def/crs/EPSG/0/../../x",
        'GEOGCS["x",DATUM["y",SPHEROID["z",6378137,298]]]',
        "EPSG:4326+5773",
        "EPSG:4326\x00",
        "EPSG:" + "1" * MAX_NAME,
        "urn:ogc:def:crs,crs:EPSG::4326,crs:EPSG::5773",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    assert parse_crs(text) is None


def test_own_crs_of_the_project_has_its_number() -> None:
    own = crs_from_definition("USER:100000", "", UTM33)
    assert own is not None
    assert parse_crs("USER:100000", [own]) == own
    assert own.units == "meters"


@pytest.mark.parametrize(
    ("name", "inverted", "units", "geographic"),
    [
        ("EPSG:4326", True, "degrees", True),
        ("CRS:84", False, "degrees", True),
        ("EPSG:3857", False, "meters", False),
        ("EPSG:3346", True, "meters", False),
        ("EPSG:3413", False, "meters", False),  # both axes point south
        ("EPSG:5514", False, "meters", False),
        ("EPSG:2193", True, "meters", False),
        ("EPSG:2263", False, "feet", False),  # US survey feet
        ("EPSG:7415", False, "meters", False),  # compound: the plane decides
        ("EPSG:27572", False, "meters", False),
    ],
)
def test_axes_and_units_of_qgis(name: str, inverted: bool, units: str, geographic: bool) -> None:
    crs = parse_crs(name)
    assert crs is not None
    assert (crs.inverted_axes, crs.units, crs.is_geographic) == (inverted, units, geographic)


def test_description_urn_and_area() -> None:
    crs = Crs("EPSG:2154", "EPSG:2154")
    assert crs.description == "RGF93 v1 / Lambert-93"
    assert crs.urn == "urn:ogc:def:crs:EPSG::2154"
    assert crs.url == "http://www.opengis.net/def/crs/EPSG/0/2154"
    assert crs.area_of_use == Extent(-9.86, 41.15, 10.38, 51.56)
    assert crs.meters_per_unit == 1.0


def test_registered_number_of_a_project_decides_over_its_wkt() -> None:
    assert crs_from_definition("epsg:2154", "whatever", UTM33) == parse_crs("EPSG:2154")


def test_wkt_helps_when_the_registry_does_not_know_the_number() -> None:
    assert parse_crs("EPSG:999999") is None
    crs = crs_from_definition("EPSG:999999", "", UTM33)
    assert crs is not None
    assert crs.authid == "EPSG:999999"
    assert crs.units == "meters"


def test_nonsense_in_a_project_is_an_unknown_crs_not_an_error() -> None:
    assert crs_from_definition("", "", "") is None
    crs = crs_from_definition("USER:1", "nonsense", "")
    assert crs is not None
    assert (crs.proj, crs.units, crs.inverted_axes) == (None, "<unknown>", False)


@pytest.mark.parametrize(
    ("authid", "urn"),
    [
        ("EPSG:3857", "urn:ogc:def:crs:EPSG::3857"),
        ("EPSG:4326", "urn:ogc:def:crs:EPSG::4326"),
        ("OGC:CRS84", "urn:ogc:def:crs:OGC::CRS84"),
    ],
)
def test_crs_known_by_heart_are_as_proj_has_them(authid: str, urn: str) -> None:
    ours, proj = Crs(authid, authid), Crs("", urn)
    for name in ("is_geographic", "inverted_axes", "units", "meters_per_unit", "description", "area_of_use"):
        assert getattr(ours, name) == getattr(proj, name), name


def test_common_maps_do_not_load_proj() -> None:
    code = (
        "import sys; from qgserver.geo.crs import parse_crs; from qgserver.geo.transform import get_transform\n"
        "web, gps = parse_crs('EPSG:3857'), parse_crs('CRS:84')\n"
        "assert get_transform(gps, web).extent(gps.area_of_use) and web.units\n"
        "assert 'pyproj' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
