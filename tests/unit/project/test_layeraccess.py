"""Expressions of a project's author reach its other layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from qgserver.errors import ExpressionError, Problems
from qgserver.expression.columns import to_values
from qgserver.expression.context import Context, Feature, FeatureRequest
from qgserver.project.layeraccess import ProjectLayers
from qgserver.project.layersource import open_layer
from qgserver.project.model import Project, VectorLayer, VirtualField
from qgserver.project.reading import read_project
from qgserver.providers import Sources
from qgserver.providers.batch import concat_batches
from qgserver.providers.protocol import Query

FIXTURES = Path(__file__).parents[3] / "fixtures"
PTS, PARENTS = "pts_layer_000", "parents_layer_002"


@pytest.fixture(scope="module")
def project() -> Project:
    file = FIXTURES / "projects/featureinfo.qgs"
    return read_project(file.read_bytes(), str(file), Problems())


def column(project: Project, sources: Sources, layer: VectorLayer, name: str, context: Context) -> list[object]:
    provider = open_layer(project, layer, sources)
    return to_values(concat_batches(list(provider.read(Query((name,), False, context=context)))).columns[name])


@pytest.mark.parametrize("closed_world", [False, True], ids=["open", "for a client's filter"])
def test_aggregate_in_a_virtual_field(project: Project, sources: Sources, closed_world: bool) -> None:
    layer = project.layers[PTS]
    assert isinstance(layer, VectorLayer)
    totals = column(project, sources, layer, "total", Context(closed_world=closed_world))
    assert totals[:5] == [122, 97, 78, 75, 39]  # the answer of QGIS Server
    assert column(project, sources, layer, "total", Context(closed_world=closed_world)) == totals


def test_layers_by_id_and_name(project: Project, sources: Sources) -> None:
    layers = ProjectLayers(project, lambda layer: open_layer(project, layer, sources))
    parents = layers.layer("parents")
    assert parents is not None and parents.id == PARENTS and layers.layer(PARENTS) is not None
    assert layers.layer("nope") is None and layers.relation("nope") is None
    found = list(parents.features(FeatureRequest(fields=frozenset({"CODE"}), limit=2)))
    assert [list(feature.values) for feature in found] == [["code"], ["code"]]
    one = parents.by_id(2)
    assert isinstance(one, Feature) and one.fid == 2 and len(one.values) > 1
    assert parents.by_id(12345) is None


def test_a_field_that_looks_at_itself_ends(project: Project, sources: Sources) -> None:
    layer = project.layers[PTS]
    assert isinstance(layer, VectorLayer)
    ring = replace(layer, virtual_fields=(VirtualField("own", "aggregate('pts', 'sum', \"own\" + 1)", "double"),))
    changed = replace(project, layers={**project.layers, PTS: ring})
    assert len(column(changed, sources, ring, "own", Context())) == 12


def test_broken_layer_is_an_error_of_the_expression(project: Project, sources: Sources) -> None:
    parents = project.layers[PARENTS]
    gone = replace(parents, source=replace(parents.source, path="/nowhere/at-all.gpkg"))
    changed = replace(project, layers={**project.layers, PARENTS: gone})
    layers = ProjectLayers(changed, lambda layer: open_layer(changed, layer, sources))
    broken = layers.layer("parents")
    assert broken is not None
    with pytest.raises(ExpressionError, match="Cannot read the layer parents"):
        list(broken.features(FeatureRequest()))
