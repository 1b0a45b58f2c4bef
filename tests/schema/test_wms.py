"""Every XML answer of WMS against OGC's DTD (1.1.1) and schemas (1.3.0)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import schemas
from werkzeug.test import Client

from qgserver.app import Application
from qgserver.settings import Settings

FIXTURES = Path(__file__).parents[2] / "fixtures"
PROJECTS = [FIXTURES / "projects/tree.qgs", FIXTURES / "demo/world.qgs"]
WMS = "http://www.opengis.net/wms http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd"
SLD = "http://www.opengis.net/sld http://schemas.opengis.net/sld/1.1.0/sld_capabilities.xsd"
EXCEPTION = "http://www.opengis.net/ogc http://schemas.opengis.net/wms/1.3.0/exceptions_1_3_0.xsd"
FAULTS = [
    {"REQUEST": "Foo"},
    {"REQUEST": ""},
    {"REQUEST": "GetMap"},
    {"REQUEST": "GetMap", "LAYERS": "<nope>&\x01", "CRS": "EPSG:2154"},
    {"REQUEST": "GetCapabilities", "MAP": "nowhere.qgs"},
]


def ask(project: Path, query: Mapping[str, str]) -> bytes:
    settings = Settings(project_file=str(project), wms_max_width=5000)
    return Client(Application(settings)).get("/", query_string={"SERVICE": "WMS", **query}).data


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.stem)
def test_capabilities_111(project: Path) -> None:
    schemas.check_dtd(ask(project, {"REQUEST": "GetCapabilities", "VERSION": "1.1.1"}))


@pytest.mark.parametrize("project", PROJECTS, ids=lambda path: path.stem)
def test_capabilities_130(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    own = tmp_path_factory.getbasetemp() / "qgs.xsd"
    own.write_bytes(ask(project, {"REQUEST": "GetSchemaExtension"}))
    document = ask(project, {"REQUEST": "GetCapabilities", "VERSION": "1.3.0"})
    schemas.check(document, WMS, SLD, f"http://www.qgis.org/wms {own}")


@pytest.mark.parametrize("query", FAULTS, ids=str)
def test_exceptions(query: Mapping[str, str]) -> None:
    schemas.check_dtd(ask(PROJECTS[0], query | {"VERSION": "1.1.1"}))
    schemas.check(ask(PROJECTS[0], query | {"VERSION": "1.3.0"}), EXCEPTION)
