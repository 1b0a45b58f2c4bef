"""Whatever a client sends, the answer is a map or an OGC exception, never an error we did not foresee."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

PROJECT = Path(__file__).parents[2] / "fixtures/projects/tree.qgs"
APPLICATION = Application(Settings(project_file=str(PROJECT), max_pixels=100_000))

GOOD = {
    "SERVICE": "WMS",
    "VERSION": "1.3.0",
    "REQUEST": "GetMap",
    "LAYERS": "lines,polyshort",
    "STYLES": "",
    "CRS": "EPSG:2154",
    "BBOX": "842000,6517000,850000,6523000",
    "WIDTH": "20",
    "HEIGHT": "15",
    "FORMAT": "image/png",
}
NAMES = st.sampled_from(
    [*GOOD, "FILTER", "SELECTION", "OPACITIES", "BGCOLOR", "DPI", "TRANSPARENT", "EXCEPTIONS", "SRS"]
)
NUMBERS = st.sampled_from(["0", "-1", "1e308", "-1e308", "1e-308", "nan", "inf", "0.1", "20", "99999", "5e-324", ""])
VALUES = st.one_of(
    st.text(max_size=20),
    NUMBERS,
    st.lists(NUMBERS, min_size=4, max_size=4).map(",".join),
    st.lists(st.sampled_from(["lines", "g1", "nope", "default", "second", ""]), max_size=4).map(",".join),
    st.sampled_from(["EPSG:4326", "EPSG:3857", "CRS:84", "EPSG:2193", "EPSG:3031", "EPSG:0", "IGNF:LAMB93", "INIMAGE"]),
    st.sampled_from(['lines:"num" > 1', "lines:'", "lines:1 = 1 AND NOT ( 2 IS NULL )", "lines:( ) (", "lines:1;2:3"]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4), st.sampled_from(["1.1.1", "1.3.0"]))
def test_no_request_is_unforeseen(changes: dict[str, str], version: str) -> None:
    answer = Client(APPLICATION).get("/", query_string=GOOD | {"VERSION": version} | changes)
    assert "Internal error" not in answer.text if answer.mimetype != "image/png" else answer.data.startswith(b"\x89PNG")
