"""Projects are read once, and again when their file changes; half-written files are never served."""

from __future__ import annotations

import io
import logging
import os
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from project_xml import layer_xml, project_xml

from qgserver.errors import ProjectError
from qgserver.project import store as store_module
from qgserver.project.model import Project
from qgserver.project.reading import read_project
from qgserver.project.store import ProjectStore, load_project, unpack
from qgserver.settings import Settings


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "PAUSE", 0.001)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the projects that are parsed, as they are."""
    paths: list[str] = []

    def counted(data: bytes, path: str, *args: object) -> Project:
        paths.append(path)
        return read_project(data, path, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(store_module, "read_project", counted)
    return paths


def titled(title: str, body: str = "") -> bytes:
    return project_xml(body).replace(b"<title>t<", f"<title>{title}<".encode())


def zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_read_once_and_again_when_changed(tmp_path: Path, reads: list[str]) -> None:
    path = tmp_path / "p.qgs"
    path.write_bytes(titled("one"))
    store = ProjectStore(Settings())
    first = store.get(str(path))
    assert store.get(str(path)) is first
    path.write_bytes(titled("second"))
    assert store.get(str(path)).title == "second"
    assert len(reads) == 2


@pytest.mark.parametrize("change", ["mtime", "replaced"])
def test_a_change_of_the_same_size_is_seen(tmp_path: Path, change: str) -> None:
    path, other = tmp_path / "p.qgs", tmp_path / "other"
    path.write_bytes(titled("one"))
    status = path.stat()
    store = ProjectStore(Settings())
    store.get(str(path))
    other.write_bytes(titled("two"))
    if change == "mtime":
        path.write_bytes(titled("two"))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    else:
        os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
        other.rename(path)
    assert store.get(str(path)).title == "two"


def test_a_half_written_file_leaves_the_last_good_version_for_a_while(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.qgs"
    path.write_bytes(titled("good"))
    store = ProjectStore(Settings())
    good = store.get(str(path))
    path.write_bytes(titled("longer title")[:-30])
    assert store.get(str(path)) is good
    parsed = len(reads)
    assert store.get(str(path)) is good
    assert len(reads) == parsed  # what does not parse is not tried again until it changes
    monkeypatch.setattr(store_module, "GRACE", 0.0)
    with pytest.raises(ProjectError, match="not available"):
        store.get(str(path))
    path.write_bytes(titled("finished"))
    assert store.get(str(path)).title == "finished"


def test_a_broken_file_without_a_good_version_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "p.qgs"
    path.write_bytes(titled("t")[:-30])
    with pytest.raises(ProjectError) as error:
        ProjectStore(Settings()).get(str(path))
    assert str(tmp_path) not in error.value.message
    assert "not well-formed" in error.value.detail


def test_a_file_that_is_finished_meanwhile_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.qgs"
    path.write_bytes(titled("t")[:-30])

    def finish(seconds: float) -> None:
        path.write_bytes(titled("finished"))

    monkeypatch.setattr(time, "sleep", finish)
    assert ProjectStore(Settings()).get(str(path)).title == "finished"


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "p.qgs"
    path.write_bytes(titled("one"))
    fstat, calls = os.fstat, []

    def grow(descriptor: int) -> os.stat_result:
        status = fstat(descriptor)
        if not calls:
            path.write_bytes(titled("two, longer"))
        calls.append(descriptor)
        return status

    monkeypatch.setattr(os, "fstat", grow)
    assert ProjectStore(Settings()).get(str(path)).title == "two, longer"


def test_a_vanished_project_is_an_error_at_once(tmp_path: Path) -> None:
    path = tmp_path / "p.qgs"
    path.write_bytes(titled("one"))
    store = ProjectStore(Settings())
    store.get(str(path))
    path.unlink()
    with pytest.raises(ProjectError):
        store.get(str(path))


def test_the_store_is_bounded_and_absent_names_take_no_room(tmp_path: Path, reads: list[str]) -> None:
    store = ProjectStore(Settings(project_cache_size=2))
    paths = [tmp_path / f"{name}.qgs" for name in "abc"]
    for path in paths:
        path.write_bytes(titled(path.stem))
    store.get(str(paths[0]))
    store.get(str(paths[1]))
    for number in range(10):
        with pytest.raises(ProjectError):
            store.get(str(tmp_path / f"absent{number}.qgs"))
    store.get(str(paths[0]))
    store.get(str(paths[2]))
    assert len(reads) == 3
    store.get(str(paths[0]))
    assert len(reads) == 3
    store.get(str(paths[1]))
    assert len(reads) == 4


def test_threads_that_want_the_same_project_read_it_once(tmp_path: Path, reads: list[str]) -> None:
    path = tmp_path / "p.qgs"
    path.write_bytes(titled("one"))
    store = ProjectStore(Settings())
    barrier, found = threading.Barrier(8), []

    def get() -> None:
        barrier.wait()
        found.append(store.get(str(path)))

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1
    assert len({id(project) for project in found}) == 1


def test_qgz(tmp_path: Path) -> None:
    path = tmp_path / "p.qgz"
    path.write_bytes(zipped({"p.qgd": b"x", "any name.qgs": titled("packed", layer_xml())}))
    project = ProjectStore(Settings()).get(str(path))
    assert project.title == "packed"
    assert project.layers["id"].source.path == str(tmp_path / "d.gpkg")


def _bomb() -> bytes:
    return zipped({"p.qgs": b"\0" * 3000})


def _lying_bomb() -> bytes:
    """The directory of the archive says 10 bytes, its entry holds 3000."""
    data = _bomb()
    return data.replace((3000).to_bytes(4, "little"), (10).to_bytes(4, "little"))


@pytest.mark.parametrize(
    "make", [lambda: b"PK\x03\x04rubbish", lambda: zipped({"a.txt": b"x"}), lambda: _bomb()[:-40], _bomb, _lying_bomb]
)
def test_broken_qgz(make: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MAX_BYTES", 2000)
    with pytest.raises(ProjectError, match="not available"):
        unpack(make())


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MAX_BYTES", 10)
    path = tmp_path / "p.qgs"
    path.write_bytes(titled("one"))
    with pytest.raises(ProjectError):
        load_project(str(path))


EMBEDDING = """<layer-tree-group><layer-tree-group name="G" checked="Qt::Unchecked"><customproperties>
<property key="embedded" value="1"/><property key="embedded_project" value="./{0}"/>
<property key="embedded-invisible-layers"><value>id</value></property></customproperties></layer-tree-group>
</layer-tree-group>"""
EMBEDDED = """<layer-tree-group><layer-tree-group name="G"><layer-tree-layer id="id"/></layer-tree-group>
</layer-tree-group>"""


def test_embedded_groups_follow_their_project(tmp_path: Path, reads: list[str]) -> None:
    outer, inner = tmp_path / "outer.qgs", tmp_path / "inner.qgs"
    outer.write_bytes(titled("outer", EMBEDDING.format("inner.qgs")))
    store = ProjectStore(Settings())
    assert [problem.element for problem in store.get(str(outer)).problems] == ["embedded"]
    inner.write_bytes(titled("inner", EMBEDDED + layer_xml()))
    project = store.get(str(outer))
    assert list(project.layers) == ["id"]
    assert [(leaf.name, leaf.checked) for leaf in project.tree.leaves()] == [("name", False)]
    assert store.get(str(outer)) is project
    inner.write_bytes(titled("inner", EMBEDDED + layer_xml("<shortname>s</shortname>")))
    assert store.get(str(outer)).layers["id"].published == "s"


def test_projects_that_embed_each_other_end(tmp_path: Path) -> None:
    for name, other in (("a.qgs", "b.qgs"), ("b.qgs", "a.qgs")):
        (tmp_path / name).write_bytes(titled(name, EMBEDDING.format(other)))
    assert load_project(str(tmp_path / "a.qgs")).layers == {}


def test_an_embedded_layer_keeps_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "inner.qgs").write_bytes(titled("inner", layer_xml()))
    body = '<projectlayers><maplayer embedded="1" project="./sub/inner.qgs" id="{}"/></projectlayers>'
    (tmp_path / "outer.qgs").write_bytes(titled("outer", body.format("id")))
    project = load_project(str(tmp_path / "outer.qgs"))
    assert project.layers["id"].source.path == str(tmp_path / "sub" / "d.gpkg")
    (tmp_path / "outer.qgs").write_bytes(titled("outer", body.format("other")))
    assert [problem.layer for problem in load_project(str(tmp_path / "outer.qgs")).problems] == ["other"]


def test_problems_are_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "p.qgs"
    path.write_bytes(titled("t", '<projectlayers><maplayer type="mesh"><id>m</id></maplayer></projectlayers>'))
    store = ProjectStore(Settings())
    logger = logging.getLogger("qgserver")
    logger.addHandler(caplog.handler)
    try:
        store.get(str(path))
        store.get(str(path))
    finally:
        logger.removeHandler(caplog.handler)
    assert sum("mesh" in record.getMessage() for record in caplog.records) == (2 if logger.propagate else 1)
