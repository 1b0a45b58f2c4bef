"""Headers that every answer carries."""

from __future__ import annotations

import pytest

from qgserver.web.request import Request
from qgserver.web.response import Response, document, finish, preflight


def test_a_document_is_sent_again_only_when_it_changed() -> None:
    tag = finish(document("<a/>"), Request(), ()).headers["ETag"]
    again = finish(document("<a/>"), Request(headers={"if-none-match": tag}), ())
    assert again.status_code == 304
    assert finish(document("<b/>"), Request(headers={"if-none-match": tag}), ()).status_code == 200


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        (("*",), "https://a", "*"),
        (("https://a",), "https://a", "https://a"),
        (("https://a",), "https://b", None),
        ((), "https://a", None),
    ],
)
def test_cors_on_errors_too(origins: tuple[str, ...], origin: str, allowed: str | None) -> None:
    response = finish(Response("no", status=400), Request(headers={"origin": origin}), origins)
    assert response.headers.get("Access-Control-Allow-Origin") == allowed


def test_preflight() -> None:
    headers = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    response = preflight(Request("OPTIONS", headers=headers))
    assert response.status_code == 204
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert response.headers["Access-Control-Allow-Headers"] == "content-type"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("map.png", "attachment; filename=map.png"),
        ("Zürich.png", "attachment; filename=Z_rich.png; filename*=UTF-8''Z%C3%BCrich.png"),
        ('a"\r\nSet-Cookie: x', 'attachment; filename="a\\"Set-Cookie: x"'),
    ],
)
def test_file_name(name: str, header: str) -> None:
    response = finish(Response("x"), Request(params={"FILE_NAME": name}), ())
    assert response.headers["Content-Disposition"] == header
