"""Whatever a client sends to GetFeatureInfo, the answer is one of its formats or an OGC exception."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

PROJECT = Path(__file__).parents[2] / "fixtures/projects/featureinfo.qgs"
APPLICATION = Application(Settings(project_file=str(PROJECT)))

GOOD = {
    "SERVICE": "WMS",
    "REQUEST": "GetFeatureInfo",
    "QUERY_LAYERS": "pts,pol,lin",
    "CRS": "EPSG:2154",
    "BBOX": "842000,6517000,850000,6523000",
    "WIDTH": "400",
    "HEIGHT": "300",
    "INFO_FORMAT": "text/xml",
}
POINT = {"I": "38", "J": "261"}
NUMBERS = st.sampled_from(["0", "-1", "1", "400", "1e308", "-1e308", "1e-308", "nan", "inf", "0.1", "99999999999", ""])
FORMATS = ["text/plain", "text/html", "text/xml", "application/vnd.ogc.gml", "application/json", "\x00"]
AREAS = [
    "POLYGON((0 0,1e308 0,1e308 1e308,0 0))",
    "POLYGON((nan nan,1 1,2 2,nan nan))",
    "POLYGON((842000 6517000,850000 6523000,850000 6517000,842000 6523000,842000 6517000))",
    "POLYGON((0 0,0 0,0 0))",
    "GEOMETRYCOLLECTION(POINT(842000 6517000))",
    "CIRCULARSTRING(0 0,1 1,2 0)",
    "POINT EMPTY",
    "POINT Z(1 2",
]
FILTERS = ['pts:"num" > 1', 'pol:"nope" = 1', "pts:", ";", "<Filter/>", "(<Filter/>)", "\x00"]
BOXES = st.lists(NUMBERS, min_size=4, max_size=4).map(",".join)
SIZES = ("I", "J", "WIDTH", "HEIGHT", "DPI", "FEATURE_COUNT", "FI_POINT_TOLERANCE", "WMS_PRECISION")
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "QUERY_LAYERS": st.lists(st.sampled_from(["pts", "pol", "parents", "nope", ""]), max_size=4).map(",".join),
        "LAYERS": st.sampled_from(["pts", "nope", ""]),
        "CRS": st.sampled_from(["EPSG:4326", "CRS:84", "EPSG:3031", "EPSG:27700", "EPSG:0", ""]),
        "BBOX": st.one_of(BOXES, st.sampled_from(["-180,-90,180,90", "-1e9,-1e9,1e9,1e9", "45,4,46,5"])),
        "INFO_FORMAT": st.one_of(st.sampled_from(FORMATS), st.text(max_size=10)),
        "FILTER_GEOM": st.one_of(st.sampled_from(AREAS), st.text(max_size=10)),
        "FILTER": st.one_of(st.sampled_from(FILTERS), st.text(max_size=10)),
        "WITH_MAPTIP": st.just("TRUE"),
        "WITH_GEOMETRY": st.just("TRUE"),
        **dict.fromkeys(SIZES, NUMBERS),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHANGES, st.booleans(), st.sampled_from(["1.1.1", "1.3.0"]))
def test_no_request_is_unforeseen(changes: dict[str, str], pointed: bool, version: str) -> None:
    query = GOOD | (POINT if pointed else {}) | {"VERSION": version} | changes
    answer = Client(APPLICATION).get("/", query_string=query)
    assert "Internal error" not in answer.text
