"""Settings: read from variables, and documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from qgserver.settings import Settings, document

ROOT = Path(__file__).parents[2]


def test_values_come_from_the_environment() -> None:
    settings = Settings.from_environ(
        {
            "QGSERVER_PROJECT_ROOTS": "/a: /b :",
            "QGSERVER_PROJECT_DATABASES": "service=x; host=/run dbname=y",
            "QGSERVER_CORS": "https://a.example, https://b.example",
            "QGIS_SERVER_IGNORE_BAD_LAYERS": "TRUE",
            "QGIS_SERVER_WMS_MAX_WIDTH": "-1",
            "QGSERVER_TRUSTED_PROXIES": "10.0.0.0/8 ::1",
        }
    )
    assert settings.project_roots == ("/a", "/b")
    assert settings.project_databases == ("service=x", "host=/run dbname=y")
    assert settings.cors == ("https://a.example", "https://b.example")
    assert settings.ignore_bad_layers
    assert settings.wms_max_width == -1
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("QGSERVER_MAX_BODY_BYTES", "a lot"), ("QGSERVER_CACHE_BYTES", "-1"), ("QGSERVER_TRUSTED_PROXIES", "proxy")],
)
def test_a_bad_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.from_environ({name: value})


def test_the_document_is_up_to_date() -> None:
    assert (ROOT / "docs/settings.md").read_text() == document(), "run: python -m qgserver.settings > docs/settings.md"
