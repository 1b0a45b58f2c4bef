"""What a client is told of an error, and what not."""

from __future__ import annotations

import pytest

from qgserver.errors import ExpressionError, OwsError, ProjectError, ProviderError
from qgserver.ows.exceptions import Report, exception_response, report


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (OwsError("InvalidCRS", "no", locator="CRS"), "InvalidCRS", 400),
        (OwsError("InvalidParameterValue", "no", status=403), "InvalidParameterValue", 403),
        (ProjectError("no", detail="/secret/p.qgs"), "NoApplicableCode", 500),
        (ProviderError("no", detail="password=x"), "NoApplicableCode", 500),
        (ExpressionError("no"), "InvalidParameterValue", 400),
        (ZeroDivisionError("secret"), "NoApplicableCode", 500),
    ],
)
def test_code_and_status(error: Exception, code: str, status: int) -> None:
    found = report(error, "1a2b")
    assert (found.code, found.status) == (code, status)
    assert "secret" not in found.message and "password" not in found.message


def test_the_unforeseen_is_told_by_its_id() -> None:
    assert "1a2b" in report(KeyError("x"), "1a2b").message


def test_text_of_the_client_cannot_become_markup() -> None:
    response = exception_response(Report("X", "<script>&\x00\x1b", 'a"b'), "WMS", "1.3.0")
    assert "&lt;script&gt;&amp;\ufffd\ufffd" in response.get_data(as_text=True)
    assert 'locator="a&quot;b"' in response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("service", "version", "content_type", "root"),
    [
        ("WMS", "1.1.1", "application/vnd.ogc.se_xml", "ServiceExceptionReport"),
        ("WMS", "1.3.0", "text/xml; charset=utf-8", "ServiceExceptionReport"),
        ("WFS", "1.0.0", "text/xml; charset=utf-8", "ServiceExceptionReport"),
        ("WFS", "1.1.0", "text/xml; charset=utf-8", "ExceptionReport"),
        ("", "", "text/xml; charset=utf-8", "ExceptionReport"),
    ],
)
def test_dialects(service: str, version: str, content_type: str, root: str) -> None:
    response = exception_response(Report("X", "m"), service, version)
    assert response.content_type == content_type
    assert f"</{root}>" in response.get_data(as_text=True)
