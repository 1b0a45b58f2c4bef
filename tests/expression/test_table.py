"""Our values against QGIS's, from the table in ``fixtures`` and from the big one beside the checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SMALL = ROOT / "fixtures/expressions"
BIG = ROOT.parent / "shared/testdata/expressions"


def run(cases: Path, fixtures: Path, least: float) -> subprocess.CompletedProcess[str]:
    """The program as ``./check`` and others call it."""
    command = [sys.executable, HERE / "run.py", cases, "--fixtures", fixtures, "--min", str(least)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_values_are_those_of_qgis() -> None:
    done = run(SMALL / "cases.jsonl", SMALL / "fixtures.json", 99.5)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_a_share_below_the_minimum_fails(tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    cases.write_text(
        '{"id":"a","group":"syntax","expr":"1+1","result":{"type":"int","value":2}}\n'
        '{"id":"b","group":"syntax","expr":"1+1","result":{"type":"int","value":3}}\n'
    )
    done = run(cases, SMALL / "fixtures.json", 51)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "1 of 2 agree: 50.00 %"


@pytest.mark.shared
def test_values_of_the_whole_table() -> None:
    if not BIG.exists():
        pytest.skip("the big table is not beside the checkout")
    done = run(BIG / "given.jsonl", BIG / "fixtures.json", 99.5)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
