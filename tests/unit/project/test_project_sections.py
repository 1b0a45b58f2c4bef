"""Sections of the project file: entries, CRS, tree, themes, relations, layouts, options."""

from __future__ import annotations

import pytest
from lxml import etree
from project_xml import CRS, layer_xml, project_xml, read, read_layer

from qgserver.errors import Problems
from qgserver.geo.extent import Extent
from qgserver.project.model import CoordinateOperation, Group, Relation, ThemeLayer, TreeLayer
from qgserver.project.model.layouts import LayoutMap
from qgserver.project.reading import read_project
from qgserver.project.reading.options import read_option


@pytest.mark.parametrize("text", ['type="bool">true<', 'type="int">1<', 'type="QString">True<', 'type="bool">1<'])
def test_flags_of_any_type(text: str) -> None:
    assert read(properties=f"<WMSUseLayerIDs {text}/WMSUseLayerIDs>").wms.use_layer_ids


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('type="bool">true<', True),
        ('type="QString">enabled<', True),
        ('type="int">1<', False),
        ('type="bool">false<', False),
    ],
)
def test_flags_that_qgis_server_compares_as_text(text: str, expected: bool) -> None:
    assert read(properties=f"<WMSAddWktGeometry {text}/WMSAddWktGeometry>").wms.add_geometry is expected


def test_entries() -> None:
    project = read(
        properties="""
        <WMSCrsList type="QStringList"><value>EPSG:3857</value><value></value><value>EPSG:4326</value></WMSCrsList>
        <WMSExtent type="QStringList"><value>1</value><value>2</value><value>3.5</value><value>4</value></WMSExtent>
        <WMSMaxWidth type="int">-1</WMSMaxWidth><WMSMaxHeight type="int">500</WMSMaxHeight>
        <WMSPrecision type="QString">8</WMSPrecision>
        <properties name="WMSUrl" type="QString">http://h/</properties>
        <WFSLayers type="QStringList"><value>a</value><value>b</value></WFSLayers>
        <WFSLayersPrecision><a type="int">3</a></WFSLayersPrecision>
        <WFSTLayers><Insert type="QStringList"><value>a</value></Insert><Update type="QStringList"/></WFSTLayers>
        <Variables><variableNames type="QStringList"><value>x</value><value>y</value></variableNames>
        <variableValues type="QStringList"><value></value><value>2</value></variableValues></Variables>
        <Gui><CanvasColorRedPart type="int">51</CanvasColorRedPart>
        <SelectionColorAlphaPart type="int">0</SelectionColorAlphaPart>
        </Gui>"""
    )
    assert project.wms.crs_list == ("EPSG:3857", "EPSG:4326")
    assert project.wms.extent == Extent(1, 2, 3.5, 4)
    assert (project.wms.max_width, project.wms.max_height, project.wms.precision) == (0, 500, 8)
    assert project.wms.url == "http://h/"
    assert project.wfs.layers == ("a", "b")
    assert project.wfs.precision == {"a": 3}
    assert (project.wfs.insertable, project.wfs.updatable) == ({"a"}, frozenset())
    assert project.variables == {"x": "", "y": "2"}
    assert project.background == (0.2, 1.0, 1.0, 1.0)
    assert project.selection_color == (1.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize("sides", [["1", "2", "3"], ["1", "2", "3", "x"], ["5", "2", "3", "4"], []])
def test_an_extent_that_is_none_is_ignored(sides: list[str]) -> None:
    values = "".join(f"<value>{side}</value>" for side in sides)
    assert read(properties=f'<WMSExtent type="QStringList">{values}</WMSExtent>').wms.extent is None


def test_epsg_numbers_of_qgis_1() -> None:
    text = '<WMSEpsgList type="QStringList"><value>2154</value></WMSEpsgList>'
    assert read(properties=text).wms.crs_list == ("EPSG:2154",)


PROJECT_CRS = f"<projectCrs>{CRS}</projectCrs>"
CANVAS_CRS = f"<mapcanvas><destinationsrs>{CRS}</destinationsrs></mapcanvas>"
OFF = "<SpatialRefSys><ProjectionsEnabled type='int'>0</ProjectionsEnabled></SpatialRefSys>"
ABSENT = "<SpatialRefSys/>"


@pytest.mark.parametrize(
    ("version", "body", "entry", "authid"),
    [
        ("3.22.16", PROJECT_CRS, "", "EPSG:2154"),
        ("3.22.16", "<projectCrs><spatialrefsys/></projectCrs>", "", None),
        ("3.22.16", PROJECT_CRS, OFF, None),
        ("3.22.16", PROJECT_CRS, ABSENT, None),
        ("2.18.16", CANVAS_CRS, ABSENT, "EPSG:2154"),
        ("2.18.16", CANVAS_CRS, OFF, None),
    ],
)
def test_project_crs(version: str, body: str, entry: str, authid: str | None) -> None:
    data = project_xml(body, version=version)
    if entry:
        head, _, rest = data.partition(b"<SpatialRefSys>")
        data = head + entry.encode() + rest.partition(b"</SpatialRefSys>")[2]
    crs = read_project(data, "", Problems()).crs
    assert (crs.authid if crs else None) == authid


def test_transform_context() -> None:
    ends = f"<src>{CRS}</src><dest><spatialrefsys><authid/><wkt>WKT</wkt></spatialrefsys></dest>"
    project = read(
        f"""<transformContext><srcDest coordinateOp="+proj=noop" allowFallback="0">{ends}</srcDest>
        <srcDest coordinateOp="">{ends}</srcDest>
        <srcDest coordinateOp="+proj=x" source="EPSG:1" dest="EPSG:2"/></transformContext>"""
    )
    assert project.operations == (
        CoordinateOperation("EPSG:2154", "WKT", "+proj=noop", allow_fallback=False),
        CoordinateOperation("EPSG:1", "EPSG:2", "+proj=x"),
    )


TREE = """<layer-tree-group><customproperties/>
<layer-tree-group name="G" checked="Qt::PartiallyChecked" expanded="0" mutually-exclusive="1" groupLayer="gl">
  <customproperties><property key="wmsShortName" value="g"/>
  <property key="wmsTitle" value="The group"/></customproperties>
  <layer-tree-layer id="id" name="old name" checked="Qt::Unchecked"/>
</layer-tree-group>
<layer-tree-layer id="gone" name="gone"/>
<custom-order enabled="1"><item>gone</item><item>id</item></custom-order></layer-tree-group>"""


def test_tree() -> None:
    project = read(TREE + layer_xml())
    group, leaf = project.tree.children
    assert isinstance(group, Group)
    assert (group.name, group.published, group.title) == ("G", "g", "The group")
    assert (group.checked, group.expanded, group.mutually_exclusive, group.layer_id) == (True, False, True, "gl")
    assert group.children == (TreeLayer("id", "name", checked=False),)
    assert leaf == TreeLayer("gone", "gone")
    assert project.custom_order == ("gone", "id")


def test_custom_order_counts_only_when_it_is_on() -> None:
    assert read(TREE.replace('enabled="1"', 'enabled="0"')).custom_order is None
    canvas = '<layer-tree-canvas><custom-order enabled="1"><item>a</item></custom-order></layer-tree-canvas>'
    assert read(canvas, version="2.18.0").custom_order == ("a",)


def test_restricted_layers_by_group_or_name() -> None:
    restricted = '<WMSRestrictedLayers type="QStringList"><value>{}</value></WMSRestrictedLayers>'
    for name, hidden in (("G", {"id"}), ("name", {"id"}), ("g", set())):
        assert read(TREE + layer_xml(), restricted.format(name)).restricted_ids() == hidden


def test_legend_of_projects_before_the_tree() -> None:
    legend = """<legend><legendgroup name="G"><legendlayer name="l" checked="Qt::Unchecked"><filegroup>
    <legendlayerfile layerid="id"/></filegroup></legendlayer></legendgroup></legend>"""
    assert read(legend).tree == Group("", (Group("G", (TreeLayer("id", "l", checked=False),)),))


def test_themes_follow_the_tree() -> None:
    project = read(
        TREE
        + """<visibility-presets><visibility-preset name="T"><layer id="gone" visible="1" style="s"/>
        <layer id="id" visible="1" style=""/><layer id="other" visible="0"/></visibility-preset></visibility-presets>"""
    )
    assert project.themes["T"].layers == (ThemeLayer("id", ""), ThemeLayer("gone", "s"))


def test_relations() -> None:
    project = read(
        """<relations><relation id="r" name="n" referencingLayer="a" referencedLayer="b" strength="Composition">
        <fieldRef referencingField="x" referencedField="y"/></relation></relations>"""
    )
    assert project.relations == (Relation("r", "n", "a", "b", (("x", "y"),), "Composition"),)


def test_layout() -> None:
    (layout,) = read(
        """<Layouts><Layout name="L"><PageCollection><LayoutItem type="65638" size="29.7,21,cm"/></PageCollection>
        <LayoutItem type="65639" size="80,60.1,mm"><Extent xmin="0" ymin="0" xmax="4" ymax="3"/></LayoutItem>
        <LayoutItem type="65641" id="a"/><LayoutItem type="65641" id=""/>
        <LayoutItem type="65647" uuid="{f}" id="frame"/><LayoutItem type="65639" size="1,1,in"/>
        <LayoutMultiFrame type="65648"><childFrame uuid="{f}"/></LayoutMultiFrame>
        <Atlas enabled="1" coverageLayer="id"/></Layout></Layouts>"""
    ).layouts
    assert (layout.width, layout.height) == (297, 210)
    assert layout.maps == (LayoutMap("map0", 80, 60), LayoutMap("map1", 25.4, 25.4))
    assert (layout.labels, layout.htmls, layout.atlas_layer) == (("a",), ("frame",), "id")


def test_option_tree() -> None:
    option = etree.fromstring("""<Option type="Map"><Option name="i" type="int" value="-3"/>
        <Option name="b" type="bool" value="true"/><Option name="n" type="invalid" value=""/><Option name="e"/>
        <Option name="l" type="LongLong" value="9007199254740993"/><Option name="d" type="double" value="1.5"/>
        <Option name="s" type="StringList"><Option value="x" type="QString"/></Option>
        <Option name="m" type="List"><Option type="Map"><Option name="k" type="QString" value="v"/></Option></Option>
        </Option>""")
    assert read_option(option) == {
        "i": -3,
        "b": True,
        "n": None,
        "e": None,
        "l": 9007199254740993,
        "d": 1.5,
        "s": ["x"],
        "m": [{"k": "v"}],
    }


@pytest.mark.parametrize(
    "properties",
    [
        '<property key="variableNames" value="a"/><property key="variableValues" value="1"/>',
        """<property key="variableNames"><value>a</value></property>
        <property key="variableValues"><value>1</value></property>""",
        """<Option type="Map"><Option name="variableNames" type="StringList"><Option value="a"/></Option>
        <Option name="variableValues" type="StringList"><Option value="1"/></Option></Option>""",
    ],
)
def test_layer_variables_in_either_form(properties: str) -> None:
    assert read_layer(f"<customproperties>{properties}</customproperties>").variables == {"a": "1"}
