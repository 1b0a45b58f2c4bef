"""What GetProjectSettings adds to capabilities; expected values from QGIS Server."""

from __future__ import annotations

import pytest

from qgserver.ows.wms.projectsettings import SettingsExtras, wfs_layers
from qgserver.ows.wms.published import Leaf
from qgserver.project.model import Group, Project, Style, TreeLayer, VectorLayer, WfsProperties
from qgserver.providers import Sources
from qgserver.providers.uri import DataSource
from qgserver.symbology.renderers.null import NullRenderer


def project(layer: VectorLayer | None = None, wfs: tuple[str, ...] = ()) -> Project:
    nodes = () if layer is None else (TreeLayer(layer.id, layer.name),)
    layers = {} if layer is None else {layer.id: layer}
    return Project(
        path="p",
        version=(3, 22, 16),
        title="",
        abstract="",
        crs=None,
        layers=layers,
        tree=Group("", nodes),
        wfs=WfsProperties(layers=wfs),
    )


def test_a_list_of_layers_that_are_gone_is_empty_but_there() -> None:
    assert list(wfs_layers(project(wfs=("gone",)))) == ["<WFSLayers></WFSLayers>"]
    assert list(wfs_layers(project())) == []


@pytest.mark.parametrize(
    ("expression", "shown"),
    [('"Obj. Id"', "Obj. Id"), ('"a ""b"""', 'a "b"'), ('"a" || "b"', "maptip"), ("concat('a')", "maptip")],
)
def test_the_field_that_names_features_may_be_gone(expression: str, shown: str) -> None:
    style = Style("default", NullRenderer(), display_expression=expression)
    layer = VectorLayer("a", "a", "a", DataSource("memory"), None, styles={"default": style})
    made = project(layer)
    leaf = Leaf(layer, made.tree.children[0])  # type: ignore[arg-type]
    assert SettingsExtras(made, Sources()).attributes(leaf)["displayField"] == shown
