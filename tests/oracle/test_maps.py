"""Maps against the pictures QGIS Server 3.22 drew of the same projects, data and requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from qgserver.app import create_application
from qgserver.settings import Settings
from tests.pictures import disagreement

FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = [json.loads(line) for line in (FIXTURES / "maps.jsonl").read_text().splitlines()]
ALLOWED = 0.03
"""Share of drawn pixels that may disagree."""


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(create_application(Settings(project_roots=(str(FIXTURES),))))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_map_is_the_one_qgis_draws(client: Client, case: dict[str, Any]) -> None:
    answer = client.get(f"/?MAP={FIXTURES / case['project']}&{case['query']}")
    assert (answer.status_code, answer.mimetype) == (200, "image/png"), answer.text
    assert disagreement((FIXTURES / case["expected"]).read_bytes(), answer.data) <= ALLOWED
