"""Projects for the web servers: the bundled map, a second project beside it, and a table large enough to stream."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from doors import ROOT, Doors

DEMO = ROOT / "fixtures" / "demo"
COPIES = 40


@pytest.fixture(scope="session")
def projects() -> Iterator[Path]:
    """A folder that the servers' user can read: ``world.qgs``, and in ``more/`` the project ``flüsse.qgs`` with a
    layer of that name and 50,000 cities."""
    folder = Path(tempfile.mkdtemp(prefix="qgserver-projects-"))
    (folder / "more").mkdir()
    for name in ("world.qgs", "world.gpkg"):
        shutil.copy(DEMO / name, folder / name)
    shutil.copy(DEMO / "world.gpkg", folder / "more" / "world.gpkg")
    _multiply_cities(folder / "more" / "world.gpkg")
    text = (DEMO / "world.qgs").read_text()
    text = re.sub(r"<shortname>rivers</shortname>", "<shortname>Flüsse</shortname>", text)
    text = text.replace("<title>The world</title>", "<title>More of the world</title>")
    text = text.replace(">The world</WMSServiceTitle>", ">More of the world</WMSServiceTitle>")
    (folder / "more" / "flüsse.qgs").write_text(text)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def doors(projects: Path) -> Doors:
    return Doors({"PROJECT": str(projects / "world.qgs"), "ROOTS": str(projects)})


def _multiply_cities(path: Path) -> None:
    with sqlite3.connect(path) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'cities'")
        for (name,) in triggers.fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        columns = ", ".join(row[1] for row in database.execute("PRAGMA table_info(cities)") if row[1] != "fid")
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {COPIES - 1}) "
        database.execute(f"INSERT INTO cities ({columns}) {numbers} SELECT {columns} FROM cities, n")
        database.execute("UPDATE gpkg_ogr_contents SET feature_count = NULL WHERE table_name = 'cities'")
