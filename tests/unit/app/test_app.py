"""The border: whatever happens behind it, the client gets an answer it understands, and the log one line."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.errors import OwsError, ProviderError
from qgserver.ows import operations
from qgserver.ows.operations import OperationContext, operation
from qgserver.settings import Settings
from qgserver.web.response import Response, stream

PROJECT = Path(__file__).parents[3] / "fixtures/projects/tree.qgs"


@pytest.fixture
def client(caplog: pytest.LogCaptureFixture) -> Client:
    caplog.set_level(logging.INFO, "qgserver")
    return Client(Application(Settings(project_file=str(PROJECT), cors=("*",), max_body_bytes=1000)))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, client: Client) -> Any:
    """Ask for an operation that does what the test wants."""

    def ask(body: Any, method: str = "GET") -> Any:
        monkeypatch.setattr(operations, "_operations", dict(operations._operations))
        operation("WMS", "Probe")(body)
        return client.open("/?SERVICE=WMS&VERSION=1.3.0&REQUEST=Probe&LAYERS=a%0Ab", method=method)

    return ask


def access_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "qgserver.access"]


def test_one_access_line(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert run(lambda context: Response(b"12345")).data == b"12345"
    (line,) = access_lines(caplog)
    assert "WMS 1.3.0 Probe layers=a\ufffdb status=200 bytes=5 ms=" in line


def test_the_unforeseen_tells_only_its_id(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    def fail(context: OperationContext) -> Response:
        raise KeyError("secret")

    answer = run(fail)
    assert answer.status_code == 500
    assert "secret" not in answer.text and "Traceback" not in answer.text
    (error,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert error.exc_info
    assert error.getMessage().split()[0] in answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_failed_source_is_logged_with_its_layer(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    def fail(context: OperationContext) -> Response:
        raise ProviderError("The data source is not available.", layer="roads", detail="connection refused")

    answer = run(fail)
    assert answer.status_code == 500
    assert "roads" in answer.text and "connection refused" not in answer.text
    (record,) = (record for record in caplog.records if record.levelno == logging.WARNING)
    assert "roads" in record.getMessage() and "connection refused" in record.getMessage()


class Chunks:
    def __init__(self, *chunks: bytes | Exception) -> None:
        self.chunks = chunks
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    def close(self) -> None:
        self.closed += 1


def test_an_error_before_the_first_chunk_is_an_exception(run: Any) -> None:
    chunks = Chunks(OwsError("InvalidParameterValue", "no"))
    answer = run(lambda context: stream(chunks))
    assert answer.status_code == 400
    assert "InvalidParameterValue" in answer.text
    assert chunks.closed == 1


def test_an_error_in_the_middle_breaks_the_answer(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    chunks = Chunks(b"half", ValueError("disk"))
    with pytest.raises(ValueError, match="disk"):
        run(lambda context: stream(chunks)).get_data()
    assert any(record.levelno == logging.ERROR for record in caplog.records)


def test_streams_are_counted_and_closed(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    chunks = Chunks(b"123", b"4567")
    answer = run(lambda context: stream(chunks))
    assert answer.get_data() == b"1234567"
    answer.close()
    assert chunks.closed == 1
    assert "bytes=7" in access_lines(caplog)[0]
    assert "Content-Length" not in answer.headers


@pytest.mark.parametrize("body", [b"12345", Chunks(b"123", b"45")], ids=["whole", "stream"])
def test_head_has_headers_only(run: Any, body: Any) -> None:
    make = (lambda context: Response(body)) if isinstance(body, bytes) else (lambda context: stream(body))
    answer = run(make, "HEAD")
    assert (answer.status_code, answer.get_data()) == (200, b"")
    assert answer.headers.get("Content-Length") == ("5" if isinstance(body, bytes) else None)


def test_methods(client: Client) -> None:
    assert client.options("/?SERVICE=WMS").status_code == 204
    refused = client.delete("/?SERVICE=WMS")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, POST, OPTIONS")


def test_bodies_that_are_too_large(client: Client) -> None:
    answer = client.post("/", data=b"<a>" + b"x" * 1000)
    assert answer.status_code == 413
    assert "ExceptionReport" in answer.text


@pytest.mark.parametrize("name", ["/etc/passwd", "../../../../etc/passwd.qgs", "nowhere.qgs", "x" * 9999])
def test_refused_projects_look_alike(client: Client, name: str) -> None:
    answer = client.get("/", query_string={"SERVICE": "WMS", "REQUEST": "GetCapabilities", "MAP": name})
    reference = client.get("/", query_string={"SERVICE": "WMS", "REQUEST": "GetCapabilities", "MAP": "no.qgs"})
    assert (answer.status_code, answer.data) == (500, reference.data)


def test_wfs_without_request(client: Client) -> None:
    answer = client.get("/?SERVICE=WFS")
    assert answer.status_code == 400
    assert 'exceptionCode="MissingParameterValue" locator="request"' in answer.text


def test_the_bare_address_shows_a_page(client: Client) -> None:
    assert client.get("/").content_type.startswith("text/html")
    without = Client(Application(Settings())).get("/qgis?MAP=/x.qgs")
    assert (without.status_code, without.mimetype) == (200, "text/html")
    assert client.get("/?STATIC=ol.js").status_code == 200
    assert client.get("/?STATIC=../viewer.py").status_code == 404


def test_the_door_opens_without_a_project_and_loads_nothing_heavy() -> None:
    code = "import sys, qgserver.wsgi; print(*(sys.modules.keys() & {'fiona', 'pyogrio', 'rasterio', 'psycopg'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={}, check=True)
    assert done.stdout.strip() == ""
