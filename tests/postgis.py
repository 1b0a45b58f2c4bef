"""A throw-away PostgreSQL with PostGIS: own directory, unix socket only, gone when the tests end."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

USER = "postgres"
ORACLE_SQL = Path(__file__).parents[1] / "fixtures/data/postgis.sql"
"""The tables of the ``postgis`` projects in ``fixtures``."""

_OPTIONS = "-c listen_addresses= -k {folder} -F -c full_page_writes=off -c synchronous_commit=off -c max_connections=60"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server. ``folder`` holds the socket, ``programs`` initdb, pg_ctl and psql."""

    folder: Path
    programs: Path

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = _OPTIONS.format(folder=self.folder)
        self._run("pg_ctl", "-w", "-D", self.folder / "data", "-l", self.folder / "log", "-o", options, "start")

    def stop(self) -> None:
        """Stop it, cutting off whoever is connected."""
        self._run("pg_ctl", "-w", "-D", self.folder / "data", "-m", "immediate", "stop")

    def dsn(self, database: str) -> str:
        """The connection string of a database, in the form of QGIS's data sources too."""
        return f"host={self.folder} user={USER} dbname={database}"

    def create(self, name: str, template: str = "template0") -> str:
        """Make a database and return its connection string."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.dsn(name)

    def load(self, database: str, script: Path) -> None:
        """Run a file of SQL (COPY with data included)."""
        psql = [self.programs / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", self.dsn(database), "-f", script]
        subprocess.run(psql, check=True, stdout=subprocess.DEVNULL)

    def _run(self, program: str, *arguments: object) -> None:
        """Run a program as the server's user: PostgreSQL refuses to be root."""
        user = USER if os.geteuid() == 0 else None
        command = [str(self.programs / program), *map(str, arguments)]
        subprocess.run(command, check=True, user=user, group=user, cwd=self.folder, stdout=subprocess.DEVNULL)


def programs() -> Path | None:
    """Where PostgreSQL's own programs lie, None when there is no server."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4].split(".")[0]))
    initdb = found[-1] if found else shutil.which("initdb")
    return Path(initdb).parent if initdb else None


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A new server with a template database ``gis`` that has PostGIS. Without PostgreSQL the test is skipped, in CI it
    fails."""
    where = programs()
    if where is None:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("PostgreSQL is not installed: no initdb under /usr/lib/postgresql")
    folder = Path(tempfile.mkdtemp(prefix="qgserver-pg-", dir="/tmp"))  # sockets have short names
    cluster = Cluster(folder, where)
    try:
        if os.geteuid() == 0:
            entry = pwd.getpwnam(USER)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        folder.chmod(0o755)
        cluster._run("initdb", "-D", folder / "data", "-U", USER, "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8")
        cluster.start()
        try:
            with psycopg.connect(cluster.create("gis"), autocommit=True) as connection:
                connection.execute("CREATE EXTENSION postgis")
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_numbers = count()


def new_database(cluster: Cluster) -> str:
    """The connection string of a new database with PostGIS."""
    return cluster.create(f"test{next(_numbers)}", "gis")
