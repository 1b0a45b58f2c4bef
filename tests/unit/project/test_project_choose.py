"""Which project a request is for (QGIS_PROJECT_FILE, MAP), and that nobody can probe the file system by it."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from qgserver.errors import ProjectError
from qgserver.project import choose
from qgserver.project.choose import choose_project
from qgserver.project.store import ProjectStore
from qgserver.settings import Settings


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """``in/a.qgs``, ``in/sub/b.QGZ``, ``out/secret.qgs``, and links between them."""
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    for name in ("in/a.qgs", "in/sub/b.QGZ", "out/secret.qgs", "in/notes.txt"):
        (tmp_path / name).write_text("<qgis/>")
    (tmp_path / "in" / "escape.qgs").symlink_to(tmp_path / "out" / "secret.qgs")
    (tmp_path / "in" / "door").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "inner.qgs").symlink_to(tmp_path / "in" / "a.qgs")
    (tmp_path / "in" / "folder.qgs").mkdir()
    (tmp_path / "in-not").mkdir()
    (tmp_path / "in-not" / "c.qgs").write_text("<qgis/>")
    os.mkfifo(tmp_path / "in" / "pipe.qgs")
    return tmp_path


def test_precedence() -> None:
    settings = Settings(project_file="/p/process.qgs", project_roots=("/m",))
    per_request = {"QGIS_PROJECT_FILE": "/r/request.qgs"}
    assert choose_project(None, {}, settings) == "/p/process.qgs"
    assert choose_project("", {}, settings) == "/p/process.qgs"
    assert choose_project(None, per_request, settings) == "/r/request.qgs"
    assert choose_project("/m/map.qgs", per_request, settings) == "/m/map.qgs"


def test_misspelt_variable_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    choose._warn_of_alias.cache_clear()
    with caplog.at_level(logging.WARNING, "qgserver"):
        for _ in range(3):
            assert choose_project(None, {"QGIS_PROJET_FILE": "/r/a.qgs"}, Settings()) == "/r/a.qgs"
            assert choose_project(None, {}, Settings(project_file_alias="/p/a.qgs")) == "/p/a.qgs"
    assert sum("QGIS_PROJET_FILE" in record.message for record in caplog.records) <= 1
    both = {"QGIS_PROJET_FILE": "/r/wrong.qgs", "QGIS_PROJECT_FILE": "/r/right.qgs"}
    assert choose_project(None, both, Settings()) == "/r/right.qgs"
    assert choose_project(None, {"QGIS_PROJET_FILE": "/r/a.qgs"}, Settings(project_file="/p/b.qgs")) == "/r/a.qgs"


@pytest.mark.parametrize("name", ["a.qgs", "sub/b.QGZ", "inner.qgs", "sub/../a.qgs", "./a.qgs", "absent.qgs"])
def test_map_inside_the_roots(roots: Path, name: str) -> None:
    settings = Settings(project_roots=(str(roots / "empty"), str(roots / "in")))
    expected = os.path.normpath(roots / "in" / name)
    assert choose_project(f"{roots}/in/{name}", {}, settings) == expected
    if name != "absent.qgs":
        assert choose_project(name, {}, settings) == expected


def test_default_root_is_the_folder_of_the_default_project(roots: Path) -> None:
    settings = Settings(project_file=str(roots / "in" / "a.qgs"))
    assert choose_project(str(roots / "in" / "sub" / "b.QGZ"), {}, settings) == str(roots / "in" / "sub" / "b.QGZ")
    assert choose_project("inner.qgs", {"QGIS_PROJECT_FILE": str(roots / "in" / "a.qgs")}, Settings())
    with pytest.raises(ProjectError):
        choose_project(str(roots / "out" / "secret.qgs"), {}, settings)


def test_a_root_may_be_a_link(roots: Path) -> None:
    (roots / "link").symlink_to(roots / "in")
    settings = Settings(project_roots=(str(roots / "link"),))
    assert choose_project("a.qgs", {}, settings)
    assert choose_project(str(roots / "in" / "a.qgs"), {}, settings) == str(roots / "in" / "a.qgs")


def test_links_are_looked_at_again_when_they_lead_elsewhere(roots: Path) -> None:
    (roots / "root").symlink_to(roots / "in")
    settings = Settings(project_roots=(str(roots / "root"),))
    inside = str(roots / "in" / "a.qgs")
    assert choose_project("a.qgs", {}, settings) == choose_project(inside, {}, settings) == inside
    (roots / "root").unlink()
    (roots / "root").symlink_to(roots / "out")
    with pytest.raises(ProjectError):
        choose_project(inside, {}, settings)
    (roots / "out" / "a.qgs").write_text("<qgis/>")
    assert choose_project("a.qgs", {}, settings) == str(roots / "out" / "a.qgs")
    (roots / "out" / "a.qgs").unlink()
    (roots / "out" / "a.qgs").symlink_to(inside)
    with pytest.raises(ProjectError):
        choose_project("a.qgs", {}, settings)


def test_without_roots_map_is_refused_and_the_log_names_the_setting() -> None:
    with pytest.raises(ProjectError) as error:
        choose_project("/any/a.qgs", {}, Settings())
    assert "QGSERVER_PROJECT_ROOTS" in error.value.detail
    with pytest.raises(ProjectError) as error:
        choose_project(None, {}, Settings())
    assert "QGIS_PROJECT_FILE" in error.value.detail


BAD_MAPS = [
    "{root}/out/secret.qgs",
    "{root}/in/../out/secret.qgs",
    "../out/secret.qgs",
    "{root}/in/escape.qgs",
    "{root}/in/door/secret.qgs",
    "{root}/in-not/c.qgs",
    "{root}/in/absent.qgs",
    "{root}/in/folder.qgs",
    "{root}/in/pipe.qgs",
    "{root}/in/notes.txt",
    "{root}/in",
    "{root}/in/a.qgs\0.png",
    "/etc/passwd",
    "x" * 100_000 + ".qgs",
    "é/" * 1000 + ".qgs",
    "\ud800.qgs",
    "file:///etc/passwd.qgs",
    "http://127.0.0.1:1/a.qgs",
    "postgresql:?service=s&schema=s&project=p",
    "geopackage:{root}/in/a.gpkg?projectName=p",
    "GEOPACKAGE:x",
]


@pytest.mark.parametrize("name", BAD_MAPS)
def test_every_bad_map_gives_the_same_error(roots: Path, name: str) -> None:
    settings = Settings(project_roots=(str(roots / "in"),))
    with pytest.raises(ProjectError) as error:
        ProjectStore(settings).get(choose_project(name.format(root=roots), {}, settings))
    assert error.value.message == "The project is not available."
    assert error.value.detail
