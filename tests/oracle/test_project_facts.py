"""What the model holds of a project is what QGIS Server says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from settings_facts import differences, geographic_boxes

from qgserver.project.store import load_project

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.mark.parametrize("name", ["tree", "featureinfo", "wms_inspire"])
def test_model_agrees_with_the_settings_qgis_server_tells(name: str) -> None:
    project = load_project(str(FIXTURES / "projects" / f"{name}.qgs"))
    assert differences(project, (FIXTURES / "expected" / f"{name}.settings.xml").read_bytes()) == []


@pytest.mark.parametrize("name", ["tree", "featureinfo", "wms_inspire"])
def test_extents_are_those_qgis_server_advertises(name: str) -> None:
    project = load_project(str(FIXTURES / "projects" / f"{name}.qgs"))
    boxes = geographic_boxes((FIXTURES / "expected" / f"{name}.settings.xml").read_bytes())
    compared = 0
    for layer in project.layers.values():
        if layer.wgs84_extent is not None and layer.published in boxes:
            assert layer.wgs84_extent.as_tuple() == pytest.approx(boxes[layer.published], abs=2e-6)
            compared += 1
    assert compared >= 3
