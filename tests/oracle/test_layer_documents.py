"""GetStyles, DescribeLayer and GetContext against QGIS Server 3.22's answers to the same requests."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = {
    "getstyles.xml": "GetStyles&VERSION=1.1.1&LAYERS=polyshort,lines,pts",
    "describelayer.xml": "DescribeLayer&VERSION=1.1.1&SLD_VERSION=1.1.0&LAYERS=polyshort,lines",
    "context.xml": "GetContext",
}


@pytest.fixture(scope="module")
def client() -> Client:
    return Client(Application(Settings(project_file=str(FIXTURES / "projects" / "tree.qgs"))))


def meaning(text: bytes) -> list[tuple[str, str, dict[str, str]]]:
    """Elements in order with text and attributes; addresses and schema locations are left out, boxes are rounded."""
    found = []
    for element in etree.fromstring(text, etree.XMLParser(remove_comments=True)).iter():
        attributes = {str(name): str(value) for name, value in element.attrib.items() if "href" not in str(name)}
        attributes.pop("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", None)
        attributes.pop("{http://www.w3.org/1999/xlink}type", None)
        words = (element.text or "").strip()
        if element.tag.endswith("Corner"):
            words = " ".join(f"{float(number):.3g}" for number in words.split())
        found.append((str(element.tag), words, attributes))
    return found


@pytest.mark.parametrize("name", CASES)
def test_as_qgis_answers(client: Client, name: str) -> None:
    answer = client.get(f"/?SERVICE=WMS&REQUEST={CASES[name]}")
    assert answer.status_code == 200
    assert meaning(answer.data) == meaning((FIXTURES / "expected" / "wms" / name).read_bytes())


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("GetStyles&LAYERS=nix", "LayerNotDefined"),
        ("GetStyles", "MissingParameterValue"),
        ("DescribeLayer&LAYERS=lines", "MissingParameterValue"),
        ("DescribeLayer&LAYERS=lines&SLD_VERSION=1.0.0", "InvalidParameterValue"),
    ],
)
def test_faults(client: Client, query: str, code: str) -> None:
    answer = client.get(f"/?SERVICE=WMS&VERSION=1.3.0&REQUEST={query}")
    assert (answer.status_code, code in answer.text) == (400, True)
