"""All of QGIS Server's answers that lie beside the checkout, family by family, against the score that was reached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from postgis import Cluster

SHARED = Path(os.environ.get("QGSERVER_SHARED", Path(__file__).parents[3] / "shared"))
TOOL = SHARED / "tools" / "compare_oracle.py"

pytestmark = [
    pytest.mark.full,
    pytest.mark.shared,
    pytest.mark.postgis,
    pytest.mark.skipif(not TOOL.is_file(), reason=f"no shared test data at {SHARED}"),
]

FLOORS: Mapping[str, Mapping[str, int]] = {
    "oracle": {
        "blend": 99, "crs": 99, "datadefined": 99, "diagrams": 90, "dimension": 95, "effects": 98, "expressions": 99,
        "featureinfo": 99, "formats": 97, "labels": 95, "legend": 95, "masks": 99, "mix": 99, "pgproject": 95,
        "postgis": 95, "raster": 99, "renderer": 99, "scale": 99, "sl_fill": 94, "sl_line": 99, "sl_marker_other": 97,
        "sl_simplemarker": 99, "style_default": 99, "tree": 98, "wfs": 98, "wfst": 95, "wms_caps": 97,
        "wms_params": 93,
    },
    "real": {
        "real_lizmap_plugin": 90, "real_lizmap_web_client": 96, "real_py_qgis_server": 99, "real_qgis_atlasprint": 98,
        "real_qgis_lizmap_server_plugin": 97, "real_qgis_testdata": 94, "real_training_data": 86,
    },
}  # fmt: skip
"""Folder -> family -> the least mean score, of 100."""


@pytest.fixture(scope="module", params=FLOORS)
def scores(
    request: pytest.FixtureRequest, cluster: Cluster, oracle_service: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Mapping[str, int], Mapping[str, float]]]:
    """The floors of a folder, and the mean score of each of its families."""
    folder = SHARED / "testdata" / request.param
    result = tmp_path_factory.mktemp("scores") / "result.json"
    services = result.with_name("pg_service.conf")
    if request.param == "real":
        cluster.create("lizmapdb", "gis")
        for script in ("tests_dataset_schema.sql", "tests_dataset_data.sql"):
            cluster.load("lizmapdb", folder / "lizmap-web-client/tests/qgis-projects/tests" / script)
    lizmap = f"[lizmapdb]\nhost={cluster.folder}\nuser=postgres\ndbname=lizmapdb\n"
    services.write_text(oracle_service.read_text() + lizmap)
    environ = {
        **os.environ,
        "PGSERVICEFILE": str(services),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "QGIS_SERVER_IGNORE_BAD_LAYERS": "true",
        "QGSERVER_PROJECT_ROOTS": "/",
        "QGSERVER_PROJECT_DATABASES": "service=qgserver_oracle",
        "QGSERVER_SVG_PATH": str(SHARED / "testdata" / "oracle" / "svg"),
    }
    families = ",".join(FLOORS[request.param])
    command = [sys.executable, str(TOOL), str(folder), "--wsgi", "qgserver.wsgi:application", "--family", families]
    done = subprocess.run([*command, "--json", str(result)], capture_output=True, text=True, check=False, env=environ)
    assert result.exists(), done.stderr[-2000:]
    found: dict[str, list[float]] = {}
    for answer in json.loads(result.read_text())["results"]:
        found.setdefault(answer["family"], []).append(answer["score"])
    yield FLOORS[request.param], {family: sum(some) / len(some) for family, some in found.items()}


def test_every_family_keeps_its_score(scores: tuple[Mapping[str, int], Mapping[str, float]]) -> None:
    floors, reached = scores
    assert {family: round(reached[family], 2) for family in floors if reached[family] < floors[family]} == {}
