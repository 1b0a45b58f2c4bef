"""What GetProjectSettings adds to capabilities; expected values from QGIS Server."""

from __future__ import annotations

import pytest

from qgserver.ows.wms.projectsettings import SettingsExtras, wfs_layers
from qgserver.ows.wms.published import Leaf
from qgserver.project.model import Group, Project, RasterLayer, Style, TreeLayer, VectorLayer, WfsProperties
from qgserver.providers import Sources
from qgserver.providers.uri import DataSource, parse_datasource
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


@pytest.mark.parametrize("published", [True, False])
def test_the_address_of_a_remote_layer_is_told_without_the_way_in_where_the_author_wants_that(published: bool) -> None:
    """As QGIS Server tells it, but for the password."""
    source = "crs=EPSG:21781&username=u&password=p&layers=a&layers=b&styles=&url=https://me:pw@h/wms?map%3D1%26x"
    custom = {"WMSBackgroundLayer": "true", "WMSPublishDataSourceUrl": str(published).lower(), "WMSPrintLayer": "x=1&y"}
    layer = RasterLayer("r", "r", "r", parse_datasource("wms", source, ""), None, custom_properties=custom)
    told = "crs=EPSG:21781&amp;layers=a&amp;layers=b&amp;styles=&amp;url=https://h/wms?map=1%26x"
    found = list(SettingsExtras(project(), Sources()).children(Leaf(layer, TreeLayer("r", "r"))))
    expected = ["<TreeName>r</TreeName>", "<WMSBackgroundLayer>1</WMSBackgroundLayer>"]
    expected += [f"<WMSDataSource>{told}</WMSDataSource>"] if published else []
    assert found == [*expected, "<WMSPrintLayer>x=1&amp;y</WMSPrintLayer>"]
