"""Every project of the shared folder is read, and says what QGIS Server says of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from settings_facts import Difference, differences

from qgserver.project.check import report
from qgserver.project.store import load_project

SHARED = Path(os.environ.get("QGSERVER_SHARED", Path(__file__).parents[3] / "shared")) / "testdata"
FOLDERS = (SHARED / "oracle", SHARED / "real")

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared test data at {SHARED}"),
]

COMPOSERS_OF_QGIS_2 = {"sample_project.qgs", "project_state.qgs", "project_use_layerids.qgs", "relations.qgs"}


def _is_known(project: str, found: Difference) -> bool:
    """QGIS 2's composers are not read (and noted as a problem)."""
    return found.where == "layouts" and Path(project).name in COMPOSERS_OF_QGIS_2


def _projects() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in folder.rglob("*.qg[sz]"))


def _settings() -> list[tuple[Path, str, Path]]:
    """(folder, project, expected document) of every GetProjectSettings that QGIS Server answered."""
    found = []
    for folder in FOLDERS:
        for file in sorted((folder / "requests").glob("*.jsonl")):
            requests = (json.loads(line) for line in file.read_text().splitlines())
            found += [
                (folder, request["project"], folder / request["expected"])
                for request in requests
                if "GetProjectSettings" in (request.get("query") or "") and request["status"] == 200
            ]
    return found


def test_every_project_is_read_and_checked() -> None:
    projects = _projects()
    assert len(projects) > 220
    for path in projects:
        project = load_project(str(path))
        assert project.layers or project.tree.children == ()
        report(project)


def test_every_project_says_what_qgis_server_says() -> None:
    found = [
        (project, difference)
        for folder, project, expected in _settings()
        for difference in differences(load_project(str(folder / project)), expected.read_bytes())
        if not _is_known(project, difference)
    ]
    assert found == []
