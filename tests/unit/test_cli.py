"""The commands ``qgserver serve`` and ``qgserver check``."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from qgserver.cli import main

DEMO = Path(__file__).parents[2] / "fixtures" / "demo" / "world.qgs"


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The running command and the lines it printed before it answers."""
    command = [sys.executable, "-m", "qgserver.cli", "serve", str(DEMO), "--port", "0", "--workers", "1", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(5)]
        yield process, lines
        process.kill()


def test_serve_prints_addresses_that_answer_and_ends_on_sigterm(
    served: tuple[subprocess.Popen[str], list[str]],
) -> None:
    process, lines = served
    urls = dict(line.split() for line in lines)
    assert list(urls) == ["viewer", "WMS", "map", "WFS", "features"]
    for label, url in urls.items():
        assert "MAP=" not in url
        with urllib.request.urlopen(url, timeout=30) as answer:
            body = answer.read()
            kind = answer.headers["Content-Type"]
        if label == "map":
            assert body.startswith(b"\x89PNG")
        elif label == "features":
            assert body.count(b'"Feature"') == 3
        elif label == "viewer":
            assert kind.startswith("text/html")
        else:
            assert re.fullmatch(r".*_?Capabilities", ElementTree.fromstring(body).tag)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_serve_says_why_it_cannot(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["serve", str(tmp_path / "absent.qgs")]) == 2
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", str(DEMO), "--port", str(taken.getsockname()[1])]) == 2
    errors = capsys.readouterr().err
    assert "absent.qgs" in errors
    assert "cannot listen" in errors


def test_check_lists_problems_and_tells_by_its_status(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["check", str(DEMO)]) == 0
    assert main(["check", str(tmp_path / "absent.qgs")]) == 2
    moved = tmp_path / "moved.qgs"
    moved.write_bytes(DEMO.read_bytes())
    capsys.readouterr()
    assert main(["check", "--offline", str(moved)]) == 0
    assert main(["check", str(moved)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("Ocean ") for line in lines)
    assert any(re.match(r"LAYER +ELEMENT +REASON$", line) for line in lines)


def test_check_of_a_project_in_a_database(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "projects.gpkg"
    with sqlite3.connect(path) as stored:
        stored.execute("CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB)")
        stored.execute("INSERT INTO qgis_projects VALUES ('demo', '{}', ?)", (DEMO.read_bytes().hex(),))
    stored.close()
    assert main(["check", "--offline", f"geopackage:{path}?projectName=demo"]) == 0
    assert main(["check", f"geopackage:{path}?projectName=other"]) == 2
    assert main(["serve", "postgresql://me:secret@127.0.0.1:1/?dbname=x&project=p"]) == 2
    assert "secret" not in capsys.readouterr().err


def test_the_command_starts_without_the_heavy_parts() -> None:
    code = "import sys; from qgserver.cli import main\ntry: main(['--version'])\nexcept SystemExit: pass\n"
    code += "print(sorted({'numpy', 'pyproj', 'shapely', 'gunicorn', 'cairo'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout.splitlines()[-1] == "[]"
