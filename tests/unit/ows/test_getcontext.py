"""What GetContext tells of a project's place and of its layers; expected values from QGIS Server."""

from __future__ import annotations

import pytest

from qgserver.geo.crs import parse_crs
from qgserver.geo.extent import Extent
from qgserver.ows.wms.getcontext import write_context
from qgserver.project.model import Group, Project, RasterLayer, RasterStyle, TreeLayer, WmsProperties
from qgserver.providers import Sources
from qgserver.providers.uri import DataSource


def context(crs: str, extent: Extent, name: str = "a") -> str:
    styles = {"default": RasterStyle("default")}
    layer = RasterLayer("a", name, name, DataSource("wms"), parse_crs(crs), styles=styles)
    project = Project(
        path="p.qgs",
        version=(3, 22, 16),
        title="",
        abstract="",
        crs=parse_crs(crs),
        layers={"a": layer},
        tree=Group("", (TreeLayer("a", name),)),
        wms=WmsProperties(crs_list=("EPSG:3857",), extent=extent),
    )
    return "".join(write_context(project, Sources()))


@pytest.mark.parametrize(
    ("crs", "extent", "lower", "upper"),
    [
        ("EPSG:4326", Extent(-3.5, -1, 3.5, 1), "-1 -3.5", "1 3.5"),
        ("EPSG:2154", Extent(1, 2, 3, 4), "1 2", "3 4"),
    ],
)
def test_the_box_is_in_the_projects_crs_and_in_the_order_of_its_axes(
    crs: str, extent: Extent, lower: str, upper: str
) -> None:
    corners = f"<ows:LowerCorner>{lower}</ows:LowerCorner><ows:UpperCorner>{upper}</ows:UpperCorner>"
    assert f'<ows:BoundingBox crs="{crs}">{corners}' in context(crs, extent)


@pytest.mark.parametrize(("name", "id"), [("lines-gpkg", "lines_gpkg"), ("testlayer èé", "testlayer_èé")])
def test_ids_of_layers_are_words(name: str, id: str) -> None:
    assert f'id="{id}" name="{name}"' in context("EPSG:4326", Extent(0, 0, 1, 1), name)
