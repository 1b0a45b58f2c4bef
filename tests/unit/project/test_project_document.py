"""Hostile and broken project files."""

from __future__ import annotations

import time

import pytest
from project_xml import project_xml

from qgserver.errors import Problems, ProjectError
from qgserver.project.reading import read_project
from qgserver.project.reading.document import parse_document, project_version

LAUGHS = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<html/>",
        project_xml()[:-20],
        b'<!DOCTYPE qgis [<!ENTITY a "x">]><qgis>&a;</qgis>',
        b'<!DOCTYPE qgis [<!ENTITY a SYSTEM "file:///etc/passwd">]><qgis><title>&a;</title></qgis>',
        b'<!DOCTYPE qgis [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]><qgis/>',
        f'<!DOCTYPE qgis [<!ENTITY a "aaaaaaaaaa">{LAUGHS}]><qgis a="&i;">&i;</qgis>'.encode(),
        b"<qgis>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</qgis>",
    ],
)
def test_what_is_no_project_is_refused_with_one_message(data: bytes) -> None:
    started = time.perf_counter()
    with pytest.raises(ProjectError) as error:
        read_project(data, "/srv/secret/p.qgs", Problems())
    assert error.value.message == "The project is not available."
    assert "passwd" not in error.value.detail
    assert time.perf_counter() - started < 2


def test_the_dtd_qgis_names_is_not_fetched() -> None:
    assert parse_document(b'<!DOCTYPE qgis SYSTEM "http://127.0.0.1:1/qgis.dtd"><qgis/>').tag == "qgis"


def test_an_empty_project_is_one() -> None:
    project = read_project(b"<qgis/>", "", Problems(strict=True))
    assert project.version == (2, 0, 0)
    assert project.layers == {}
    assert project.tree.children == ()
    assert project.crs is None


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3.22.16-Białowieża", (3, 22, 16)), ("2.18", (2, 18, 0)), ("", (2, 0, 0)), ("x", (2, 0, 0))],
)
def test_version(version: str, expected: tuple[int, int, int]) -> None:
    assert project_version(parse_document(project_xml(version=version))) == expected
