"""``qgserver check``: what of a project is not served or drawn."""

from __future__ import annotations

from pathlib import Path

from project_xml import CRS, layer_xml, project_xml, read

from qgserver.errors import Problem, Problems
from qgserver.expression.function import functions
from qgserver.expression.functions import load_all
from qgserver.project.check import NULL_FUNCTIONS, report
from qgserver.project.reading import read_project
from qgserver.providers import Sources

TREE = '<layer-tree-group><layer-tree-layer id="{}" name="leaf"/></layer-tree-group>'
PROJECT_CRS = f"<projectCrs>{CRS}</projectCrs>"
GOOD = f"<srs>{CRS}</srs>"


def found(body: str) -> set[tuple[str, str]]:
    """(layer, element) of each problem."""
    project = read_project(project_xml(PROJECT_CRS + body), "/srv/p.qgs", Problems())
    return {(problem.layer, problem.element) for problem in report(project)}


def test_a_project_without_problems() -> None:
    assert report(read(PROJECT_CRS + TREE.format("id") + layer_xml(GOOD))) == []


def test_project_without_crs() -> None:
    assert report(read()) == [
        Problem("", "projectCrs", "the project has no CRS: WMS offers EPSG:4326 and EPSG:3857 only")
    ]


def test_layers() -> None:
    tree = TREE.format("id")
    assert found(tree + layer_xml()) == {("name", "srs")}
    assert found(layer_xml(GOOD)) == {("name", "layer-tree-group")}
    assert found(tree) == {("leaf", "layer-tree-layer")}
    labels = '<labeling type="simple"><settings><placement placement="99"/></settings></labeling>'
    assert found(tree + layer_xml(GOOD + labels)) == {("name", "labeling")}
    join = '<vectorjoins><join joinLayerId="gone"/></vectorjoins>'
    assert found(tree + layer_xml(GOOD + join)) == {("name", "vectorjoins")}


def test_functions_that_only_a_desktop_has() -> None:
    load_all()
    assert all(name in functions for name in NULL_FUNCTIONS)
    tip = "<mapTip>[% map_credits('x') %] [% \"a\" %]</mapTip>"
    virtual = '<expressionfields><field name="v" expression="parameter(\'p\')" type="2"/></expressionfields>'
    rule = (
        '<renderer-v2 type="RuleRenderer"><rules><rule symbol="0" filter="current_value(\'a\') > 1"/></rules>'
        '<symbols><symbol name="0" type="fill"/></symbols></renderer-v2>'
    )
    project = read(PROJECT_CRS + TREE.format("id") + layer_xml(GOOD + tip + virtual, renderer=rule))
    assert [problem.reason.partition("(")[0] for problem in report(project)] == [
        "current_value",
        "map_credits",
        "parameter",
    ]


def test_sources() -> None:
    tree, layer = TREE.format("id"), layer_xml(GOOD)
    secret = layer.replace("./d.gpkg|layername=t", "./d.gpkg|layername=t|authcfg=abcdefg")
    assert found(tree + secret) == {("name", "datasource")}
    unknown = layer.replace(">ogr<", ">mdal<")
    assert found(tree + unknown) == {("name", "datasource")}


def test_sources_are_opened_when_given(tmp_path: Path) -> None:
    data = project_xml(PROJECT_CRS + TREE.format("id") + layer_xml(GOOD))
    project = read_project(data, str(tmp_path / "p.qgs"), Problems())
    sources = Sources()
    try:
        (problem,) = report(project, sources)
    finally:
        sources.close()
    assert (problem.layer, problem.element) == ("name", "datasource")
    assert str(tmp_path) not in problem.reason


def test_problems_of_reading_come_with_their_layer() -> None:
    mesh = '<projectlayers><maplayer type="mesh"><id>m</id><layername>M</layername></maplayer></projectlayers>'
    assert ("M", "maplayer") in found(mesh)
