"""What the model holds of a project is what QGIS Server says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from settings_facts import differences

from qgserver.project.store import load_project

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.mark.parametrize("name", ["tree", "featureinfo", "wms_inspire"])
def test_model_agrees_with_the_settings_qgis_server_tells(name: str) -> None:
    project = load_project(str(FIXTURES / "projects" / f"{name}.qgs"))
    assert differences(project, (FIXTURES / "expected" / f"{name}.settings.xml").read_bytes()) == []
