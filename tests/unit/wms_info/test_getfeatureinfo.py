"""GetFeatureInfo from parameters to text: what is asked, what may be seen, how it is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from qgserver.errors import OwsError, Problems, ProviderError
from qgserver.ows.documents import DocumentCache
from qgserver.ows.operations import OperationContext
from qgserver.ows.wms.getfeatureinfo import get_feature_info
from qgserver.ows.wms.infoformats import find_format, info_formats
from qgserver.project.model import FormContainer, Project, Style, VectorLayer
from qgserver.project.reading import read_project
from qgserver.providers import Sources
from qgserver.settings import Settings
from qgserver.symbology.renderer import read_renderer
from qgserver.web.request import Request

FIXTURES = Path(__file__).parents[3] / "fixtures"
POL, PTS, LIN = "pol_layer_001", "pts_layer_000", "lin_layer_004"
MAP = {
    "CRS": "EPSG:2154",
    "BBOX": "842000,6517000,850000,6523000",
    "WIDTH": "400",
    "HEIGHT": "300",
    "FEATURE_COUNT": "10",
    "INFO_FORMAT": "text/xml",
}
POINT = {"QUERY_LAYERS": "pts", "I": "340", "J": "243"}
POLYGON = {"QUERY_LAYERS": "pol", "I": "43", "J": "268"}
GML = "application/vnd.ogc.gml"


@pytest.fixture(scope="module")
def plain() -> Project:
    file = FIXTURES / "projects/featureinfo.qgs"
    return read_project(file.read_bytes(), str(file), Problems())


@pytest.fixture(scope="module")
def project(plain: Project) -> Project:
    """The project as its author might have it: geometry allowed."""
    return replace(plain, wms=replace(plain.wms, add_geometry=True, precision=2))


def vector(project: Project, layer_id: str) -> VectorLayer:
    layer = project.layers[layer_id]
    assert isinstance(layer, VectorLayer)
    return layer


def with_layer(project: Project, layer: VectorLayer) -> Project:
    return replace(project, layers={**project.layers, layer.id: layer})


def with_style(project: Project, layer_id: str, style: Style) -> Project:
    layer = vector(project, layer_id)
    return with_layer(project, replace(layer, styles={layer.style_name: style}))


def ask(project: Project, sources: Sources, query: dict[str, str], *, version: str = "1.3.0", **settings: bool) -> str:
    params = {**MAP, **query}
    context = OperationContext(
        request=Request(params={name: value for name, value in params.items() if value}),
        project=project,
        settings=Settings(**settings),  # type: ignore[arg-type]
        sources=sources,
        service="WMS",
        version=version,
        documents=DocumentCache(1),
    )
    return get_feature_info(context).get_data(as_text=True)


def attributes(text: str) -> dict[str, str]:
    root = etree.fromstring(text.encode())
    return {item.get("name", ""): item.get("value", "") for item in root.iter("Attribute")}


def fids(text: str) -> list[str]:
    return [item.get("id", "") for item in etree.fromstring(text.encode()).iter("Feature")]


# -- the request ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"INFO_FORMAT": "application/foo"}, "InvalidFormat"),
        ({"QUERY_LAYERS": ""}, "MissingParameterValue"),
        ({"QUERY_LAYERS": "nope"}, "LayerNotDefined"),
        ({"QUERY_LAYERS": ",".join(["pts"] * 1001)}, "InvalidParameterValue"),
        ({"QUERY_LAYERS": "notqueryable"}, "LayerNotQueryable"),
        ({"LAYERS": "nope"}, "LayerNotDefined"),
        ({"LAYERS": "pts", "STYLES": "nope"}, "StyleNotDefined"),
        ({"J": ""}, "MissingParameterValue"),
        ({"I": "", "J": ""}, "MissingParameterValue"),
        ({"I": "400"}, "InvalidPoint"),
        ({"J": "-1"}, "InvalidPoint"),
        ({"I": "1.5"}, "InvalidParameterValue"),
        ({"FEATURE_COUNT": "abc"}, "InvalidParameterValue"),
        ({"CRS": "EPSG:0"}, "InvalidCRS"),
        ({"BBOX": ""}, "MissingParameterValue"),
        ({"FILTER": 'lin:"num" = 1'}, "LayerNotDefined"),
        ({"I": "", "J": "", "FILTER_GEOM": "POLYGON((("}, "InvalidParameterValue"),
    ],
)
def test_refused(plain: Project, sources: Sources, changes: dict[str, str], code: str) -> None:
    with pytest.raises(OwsError) as caught:
        ask(plain, sources, POINT | changes)
    assert caught.value.code == code


@pytest.mark.parametrize("names", [("I", "J"), ("X", "Y")])
@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_point_by_both_names_in_both_versions(
    plain: Project, sources: Sources, names: tuple[str, str], version: str
) -> None:
    query = {"QUERY_LAYERS": "pol", names[0]: "43", names[1]: "268"}
    assert fids(ask(plain, sources, query, version=version)) == ["1"]


def test_layers_is_not_needed_and_counts_below_one_are_one(plain: Project, sources: Sources) -> None:
    query = POINT | {"FI_POINT_TOLERANCE": "400", "FEATURE_COUNT": "-3"}
    assert len(fids(ask(plain, sources, query))) == 1


@pytest.mark.parametrize(
    ("asked", "mime"),
    [
        ("", "text/plain"),
        ("TEXT/XML", "text/xml"),
        ("text/xml; subtype=x", "text/xml"),
        (GML, GML),
        (f"{GML}/2", GML),
        (f"{GML}/3", f"{GML}/3.1.1"),
        ("application/geo json", "application/geo+json"),
    ],
)
def test_format_names(asked: str, mime: str) -> None:
    assert find_format(asked).mime == mime


def test_formats_of_the_capabilities() -> None:
    listed = ("text/plain", "text/html", "text/xml", GML, f"{GML}/3.1.1", "application/json", "application/geo+json")
    assert info_formats("1.3.0") == listed


# -- what is found --------------------------------------------------------------------------------------------------


def test_tolerance_by_kind_of_geometry(plain: Project, sources: Sources) -> None:
    near = {"I": "347", "J": "243"}  # 7 pixels beside point 4: beyond the default of a hundredth
    assert fids(ask(plain, sources, POINT | near)) == []
    assert fids(ask(plain, sources, POINT | near | {"FI_LINE_TOLERANCE": "8"})) == []
    assert fids(ask(plain, sources, POINT | near | {"FI_POINT_TOLERANCE": "8"})) == ["4"]


def test_only_what_is_drawn(plain: Project, sources: Sources) -> None:
    rules = (
        '<renderer-v2 type="RuleRenderer"><rules><rule filter="fid &gt; 1" symbol="0"/></rules><symbols/></renderer-v2>'
    )
    style = vector(plain, POL).style
    problems = Problems()
    by_rule = replace(style, renderer=read_renderer(etree.fromstring(rules), "pol", problems))
    assert fids(ask(plain, sources, POLYGON)) == ["1"]
    assert fids(ask(with_style(plain, POL, by_rule), sources, POLYGON)) == []
    # Measured: a layer that is drawn with nothing at all can be asked.
    null = replace(style, renderer=read_renderer(etree.fromstring('<renderer-v2 type="nullSymbol"/>'), "pol", problems))
    assert fids(ask(with_style(plain, POL, null), sources, POLYGON)) == ["1"]


def test_layer_out_of_scale_is_left_out(plain: Project, sources: Sources) -> None:
    style = vector(plain, POL).style
    hidden = replace(style, scale_range=replace(style.scale_range, min_scale=1000.0))
    answer = ask(with_style(plain, POL, hidden), sources, POLYGON | {"QUERY_LAYERS": "pol,lin"})
    assert [layer.get("name") for layer in etree.fromstring(answer.encode()).iter("Layer")] == ["lin"]


def test_group_top_to_bottom_without_what_may_not_be_asked(plain: Project, sources: Sources) -> None:
    named = replace(plain, title="everything")
    answer = ask(named, sources, POINT | {"QUERY_LAYERS": "everything", "INFO_FORMAT": "text/plain"})
    found = [line.split("'")[1] for line in answer.splitlines() if line.startswith("Layer ")]
    assert "notqueryable" not in found
    leaves = [plain.layers[leaf.layer_id].published for leaf in plain.tree.leaves()]
    assert found == [name for name in leaves if name != "notqueryable"]


def test_restricted_layer_is_unknown(plain: Project, sources: Sources) -> None:
    closed = replace(plain, wms=replace(plain.wms, restricted=frozenset({"pts"})))
    with pytest.raises(OwsError, match="does not exist"):
        ask(closed, sources, POINT)


def test_filter_alone_needs_no_map(plain: Project, sources: Sources) -> None:
    query = {"QUERY_LAYERS": "pol,parents", "FILTER": 'pol:"num" IN ( 2 , 4 )', "BBOX": "", "WIDTH": "", "CRS": ""}
    answer = ask(plain, sources, query)
    root = etree.fromstring(answer.encode())
    assert fids(answer)[:2] == ["2", "4"]
    assert len(fids(answer)) > 2, "a table without geometry counts too"
    assert root[0].tag == "BoundingBox" and root[0].get("CRS") == "EPSG:4326"


def test_filter_inside_a_map_and_its_box(plain: Project, sources: Sources) -> None:
    query = {"QUERY_LAYERS": "pts", "FILTER": 'pts:"num" < 4', "FEATURE_COUNT": "20"}
    root = etree.fromstring(ask(plain, sources, query).encode())
    assert dict(root[0].attrib) == {
        "CRS": "EPSG:2154", "minx": "842773.85", "miny": "6517767.16", "maxx": "846937.08", "maxy": "6518092.81",
    }  # fmt: skip  # the answer of QGIS Server


def test_area(plain: Project, sources: Sources) -> None:
    triangle = "POLYGON((842000 6517000,842000 6523000,846000 6523000,842000 6517000))"
    assert fids(ask(plain, sources, {"QUERY_LAYERS": "pts", "FILTER_GEOM": triangle})) == ["5", "9", "10"]
    assert fids(ask(plain, sources, {"QUERY_LAYERS": "parents", "FILTER_GEOM": triangle})) == []
    bow_tie = "POLYGON((842000 6517000,850000 6523000,850000 6517000,842000 6523000,842000 6517000))"
    assert fids(ask(plain, sources, {"QUERY_LAYERS": "pol", "FILTER_GEOM": bow_tie}))


def test_hidden_fields_are_neither_shown_nor_asked(plain: Project, sources: Sources) -> None:
    layer = vector(plain, POL)
    fields = tuple(replace(field, hidden_wms=field.name == "big") for field in layer.fields)
    closed = with_layer(plain, replace(layer, fields=fields))
    for mime in info_formats("1.3.0"):
        assert "19176854354" not in ask(closed, sources, POLYGON | {"INFO_FORMAT": mime})
    for name in ('"big"', '"BIG"', '"nope"'):
        with pytest.raises(OwsError, match="no property"):
            ask(closed, sources, POLYGON | {"FILTER": f"pol:{name} > 0"})


def test_broken_layer(plain: Project, sources: Sources) -> None:
    layer = vector(plain, POL)
    broken = with_layer(plain, replace(layer, source=replace(layer.source, path="/no/such/file.gpkg")))
    with pytest.raises(ProviderError) as caught:
        ask(broken, sources, POLYGON | {"QUERY_LAYERS": "pol,lin"})
    assert caught.value.layer == "pol" and "/no/such" not in caught.value.message
    assert fids(ask(broken, sources, POLYGON | {"QUERY_LAYERS": "lin"})) == []
    tolerated = ask(broken, sources, POLYGON | {"QUERY_LAYERS": "pol,lin"}, ignore_bad_layers=True)
    assert [item.get("name") for item in etree.fromstring(tolerated.encode())] == ["pol", "lin"]


# -- what is written ------------------------------------------------------------------------------------------------


def test_geometry_only_where_the_project_allows(plain: Project, project: Project, sources: Sources) -> None:
    wanted = POLYGON | {"WITH_GEOMETRY": "TRUE"}
    assert "geometry" not in attributes(ask(plain, sources, wanted))
    assert "BoundingBox" not in ask(plain, sources, wanted)
    assert "geometry" not in attributes(ask(project, sources, POLYGON))
    assert "BoundingBox" in ask(project, sources, POLYGON)
    assert attributes(ask(project, sources, wanted))["geometry"].startswith("Polygon ((843727.9 6517750, ")


def test_geometry_in_the_crs_asked_for(project: Project, sources: Sources) -> None:
    query = POINT | {"CRS": "EPSG:4326", "BBOX": "45.745,4.91,45.748,4.914", "FI_POINT_TOLERANCE": "500"}
    query |= {"WITH_GEOMETRY": "true", "FEATURE_COUNT": "1", "WMS_PRECISION": "3"}
    answer = ask(project, sources, query)
    x, y = attributes(answer)["geometry"].removeprefix("Point (").rstrip(")").split()
    box = next(etree.fromstring(answer.encode()).iter("BoundingBox"))
    assert 4 < float(x) < 6 and 45 < float(y) < 46 and len(x.partition(".")[2]) <= 3
    assert (box.get("CRS"), box.get("minx"), box.get("miny")) == ("EPSG:4326", x, y)
    feature = json.loads(ask(project, sources, query | {"INFO_FORMAT": "application/json"}))["features"][0]
    assert feature["geometry"] == {"type": "Point", "coordinates": [float(x), float(y)]}


def test_map_tip_is_the_authors_and_data_stays_data(plain: Project, sources: Sources) -> None:
    tip = "[% aggregate('parents', 'count', \"fid\") %]<b>[% \"name\" %]</b> "
    tip += "[% '[% 1+' || '1 %' || ']' %] [% nope( %] [% null %]."
    tipped = with_style(plain, POL, replace(vector(plain, POL).style, map_tip=tip))
    assert "maptip" not in ask(tipped, sources, POLYGON)
    shown = attributes(ask(tipped, sources, POLYGON | {"WITH_MAPTIP": "true"}))["maptip"]
    assert shown == "5<b>Lyon</b> [% 1+1 %] [% nope( %] ."


def test_html_escapes_data_not_the_map_tip(plain: Project, sources: Sources) -> None:
    tipped = with_style(plain, POL, replace(vector(plain, POL).style, map_tip='<i>[% "num" %]</i>'))
    answer = ask(tipped, sources, POLYGON | {"INFO_FORMAT": "text/html", "WITH_MAPTIP": "true"})
    assert "Lyon &amp; &lt;Caluire&gt; &quot;0&quot;" in answer
    assert "<TR><TH>maptip</TH><TD><i>1</i></TD></TR>" in answer


def test_form_nests_and_chooses(plain: Project, sources: Sources) -> None:
    form = FormContainer("", (FormContainer("Tab 1", ("name", FormContainer("Group <b>", ("num", "gone")))), "kind"))
    formed = with_layer(plain, replace(vector(plain, POL), form=form))
    formed = replace(formed, wms=replace(formed.wms, use_attribute_form=True))
    feature = next(etree.fromstring(ask(formed, sources, POLYGON).encode()).iter("Feature"))
    assert [child.tag for child in feature] == ["Tab1", "Attribute"]
    assert [child.tag for child in feature[0]] == ["Attribute", "Groupb"]
    properties = json.loads(ask(formed, sources, POLYGON | {"INFO_FORMAT": "application/json"}))["features"][0]
    assert set(properties["properties"]) == {"name", "num", "kind"}
    assert "name = 'Lyon'\nnum = '1'\nkind = " in ask(formed, sources, POLYGON | {"INFO_FORMAT": "text/plain"})


def test_document_element_and_layer_aliases(plain: Project, sources: Sources) -> None:
    wms = replace(
        plain.wms,
        info_document_element="My Doc",
        info_document_element_ns="http://my/ns",
        info_schema="http://my/ns http://my/schema.xsd",
        info_layer_aliases={"pol": "Areas"},
    )
    answer = ask(replace(plain, wms=wms), sources, POLYGON)
    root = etree.fromstring(answer.encode())
    assert root.tag == "{http://my/ns}MyDoc" and root[0].get("name") == "Areas"
    named = json.loads(ask(replace(plain, wms=wms), sources, POLYGON | {"INFO_FORMAT": "application/json"}))
    assert named["features"][0]["id"] == "pol.1"


def test_sia2045(plain: Project, sources: Sources) -> None:
    layer = vector(plain, POL)
    fields = tuple(replace(field, alias="1 <a> é" if field.name == "num" else "") for field in layer.fields)
    swiss = with_layer(plain, replace(layer, fields=fields))
    answer = ask(replace(swiss, wms=replace(swiss.wms, sia2045=True)), sources, POLYGON)
    feature = etree.fromstring(answer.encode())[0]
    assert feature.tag == "pol" and [child.tag for child in feature][:3] == ["fid", "aé", "name"]


@pytest.mark.parametrize("mime", [GML, f"{GML}/3.1.1", "text/xml"])
def test_names_and_values_that_xml_cannot_hold(plain: Project, sources: Sources, mime: str) -> None:
    layer = replace(vector(plain, POL), published="1 <pol> & co", name="1 <pol> & co")
    odd = with_layer(plain, layer)
    style = replace(layer.style, map_tip='\x01\r[% char(2) %]<&"')
    odd = with_style(odd, POL, style)
    answer = ask(odd, sources, POLYGON | {"QUERY_LAYERS": layer.published, "INFO_FORMAT": mime, "WITH_MAPTIP": "1"})
    assert etree.fromstring(answer.encode()) is not None
