"""FILTER as OGC filters, dimensions, and what they may speak of: with the bundled GeoPackage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from qgserver.errors import OwsError
from qgserver.ows.documents import DocumentCache
from qgserver.ows.operations import OperationContext
from qgserver.ows.wms.dimensions import dimension_elements
from qgserver.ows.wms.layerfilters import layer_filters
from qgserver.project.layersource import open_layer
from qgserver.project.model import Dimension, FieldConfig, Project, VectorLayer
from qgserver.project.store import ProjectStore
from qgserver.providers import Sources
from qgserver.providers.protocol import Query
from qgserver.settings import Settings
from qgserver.web.request import Request

PATH = Path(__file__).parents[3] / "fixtures/projects/wfs.qgs"


@pytest.fixture(scope="module")
def project() -> Project:
    settings = Settings(project_file=str(PATH))
    return ProjectStore(settings).get(str(PATH))


def layer_of(project: Project, **changes: object) -> VectorLayer:
    """The layer ``pts``, changed."""
    found = next(layer for layer in project.layers.values() if layer.published == "pts")
    assert isinstance(found, VectorLayer)
    return replace(found, **changes)  # type: ignore[arg-type]


def passing(project: Project, sources: Sources, layer: VectorLayer, **params: str) -> list[int]:
    """Values of ``num`` of the features that get through."""
    context = OperationContext(Request(params=params), project, Settings(), sources, "WMS", "1.3.0", DocumentCache(1))
    where = layer_filters(context, [layer], {"pts"}, ["pts"])[layer.id]
    query = Query(columns=("num",), geometry=False, where=where)
    return [value for batch in open_layer(project, layer, sources).read(query) for value in batch.columns["num"].values]


def condition(inner: str) -> str:
    return f'<Filter xmlns="http://www.opengis.net/ogc">{inner}</Filter>'


def test_an_ogc_filter_for_each_layer(project: Project, sources: Sources) -> None:
    less = condition("<PropertyIsLessThan><PropertyName>num</PropertyName><Literal>4</Literal></PropertyIsLessThan>")
    layer = layer_of(project)
    assert passing(project, sources, layer, FILTER=less) == [1, 2, 3]
    assert passing(project, sources, layer, FILTER=f"({less})") == [1, 2, 3]
    assert passing(project, sources, layer, FILTER=condition('<FeatureId fid="pts.2"/>')) == [2]
    with pytest.raises(OwsError, match="2 filters for 1 layers"):
        passing(project, sources, layer, FILTER=f"({less})({less})")


@pytest.mark.parametrize(
    "text", ['pts:"num" < 4', condition("<PropertyIsNull><PropertyName>num</PropertyName></PropertyIsNull>")]
)
def test_a_hidden_field_is_as_good_as_none(project: Project, sources: Sources, text: str) -> None:
    layer = layer_of(project, fields=(FieldConfig("num", hidden_wms=True),))
    with pytest.raises(OwsError) as hidden:
        passing(project, sources, layer, FILTER=text)
    with pytest.raises(OwsError) as absent:
        passing(project, sources, layer_of(project), FILTER=text.replace("num", "nix"))
    assert hidden.value.message == absent.value.message.replace("nix", "num")


ALL = list(range(1, 13))


@pytest.mark.parametrize(
    ("display", "params", "expected"),
    [
        (0, {}, ALL),
        (1, {}, [1]),
        (2, {}, [12]),
        (3, {}, [7]),
        (1, {"ELEVATION": "5"}, [5]),
        (0, {"ELEVATION": "2, 11/70"}, [2, 11, 12]),
        (0, {"ELEVATION": "11/99/PT1H"}, [11, 12]),
        (0, {"DIM_ELEVATION": "3,4"}, [3, 4]),
        (0, {"ELEVATION": "1000"}, []),
    ],
)
def test_a_dimension_chooses_features(
    project: Project, sources: Sources, display: int, params: dict[str, str], expected: list[int]
) -> None:
    dimension = Dimension("elevation", "num", default_display=display, reference_value="7")
    assert passing(project, sources, layer_of(project, dimensions=(dimension,)), **params) == expected


def test_a_value_of_another_type_is_refused(project: Project, sources: Sources) -> None:
    layer = layer_of(project, dimensions=(Dimension("elevation", "num"),))
    with pytest.raises(OwsError) as caught:
        passing(project, sources, layer, ELEVATION="high")
    assert caught.value.code == "InvalidDimensionValue"


def test_capabilities_list_the_values(project: Project, sources: Sources) -> None:
    kind = Dimension("kind", "kind", default_display=1, units="", unit_symbol="k")
    layer = layer_of(project, dimensions=(kind,))
    provider = open_layer(project, layer, sources)
    (latest,) = (etree.fromstring(text) for text in dimension_elements(layer, provider, "1.3.0"))
    expected = {
        "name": "kind",
        "units": "",
        "unitSymbol": "k",
        "default": "farm",
        "multipleValues": "1",
        "nearestValue": "0",
    }
    assert {str(name): str(value) for name, value in latest.attrib.items()} == expected
    assert latest.text == "farm, mill, park, school, shop"
    first, second = (etree.fromstring(text) for text in dimension_elements(layer, provider, "1.1.1"))
    assert (first.tag, second.tag, second.text) == ("Dimension", "Extent", latest.text)
