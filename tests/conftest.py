"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgis import ORACLE_SQL, Cluster, new_database, running_cluster

from qgserver.providers import Sources

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A throw-away PostgreSQL with PostGIS, started when the first test asks for it."""
    with running_cluster() as started:
        yield started


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> str:
    """The connection string of an empty database with PostGIS, one for each module."""
    return new_database(cluster)


@pytest.fixture(scope="session")
def oracle_service(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pg_service.conf (for PGSERVICEFILE) with ``qgserver_oracle``, the database of the ``postgis`` projects."""
    cluster.create("qgserver_oracle", "gis")
    cluster.load("qgserver_oracle", ORACLE_SQL)
    file = tmp_path_factory.mktemp("service") / "pg_service.conf"
    file.write_text(f"[qgserver_oracle]\nhost={cluster.folder}\nuser=postgres\ndbname=qgserver_oracle\n")
    return file


@pytest.fixture
def sources() -> Iterator[Sources]:
    """Open data sources, closed after the test."""
    opened = Sources(statement_timeout_ms=5000, connect_timeout_s=2)
    yield opened
    opened.close()
