"""Layers: names, links, flags, fields, styles, across versions of QGIS."""

from __future__ import annotations

import pytest
from project_xml import CRS, RENDERER, layer_xml, project_xml, read, read_layer

from qgserver.errors import Problems, ProjectError
from qgserver.geo.extent import Extent
from qgserver.project.model import (
    Dimension,
    FieldConfig,
    Join,
    Link,
    OtherLayer,
    RasterLayer,
    ScaleRange,
    Temporal,
    VirtualField,
    Widget,
)
from qgserver.project.reading import read_project


def test_common_parts() -> None:
    layer = read_layer(
        f"""<shortname>short</shortname><title>T</title><abstract>A</abstract><srs>{CRS}</srs>
        <keywordList><value>a, b</value><value></value></keywordList>
        <extent><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></extent>
        <dataUrl format="text/plain"> http://d </dataUrl><attribution href="http://a">Who</attribution>
        <metadataUrls><metadataUrl type="FGDC" format="text/xml">http://m</metadataUrl><metadataUrl/></metadataUrls>
        <flags><Identifiable>0</Identifiable><Private>1</Private></flags>"""
    )
    assert (layer.id, layer.name, layer.published, layer.title, layer.abstract) == ("id", "name", "short", "T", "A")
    assert layer.crs is not None
    assert layer.crs.authid == "EPSG:2154"
    assert layer.keywords == ("a", "b")
    assert layer.extent == Extent(1, 2, 3, 4)
    assert layer.data_url == Link("http://d", "text/plain")
    assert layer.attribution == Link("http://a", title="Who")
    assert layer.metadata_urls == (Link("http://m", "text/xml", "FGDC"),)
    assert (layer.identifiable, layer.searchable, layer.private) == (False, True, True)
    assert (layer.source.path, layer.source.table, layer.source.encoding) == ("/srv/maps/d.gpkg", "t", "UTF-8")


def test_defaults() -> None:
    layer = read_layer()
    assert (layer.published, layer.crs, layer.extent, layer.temporal) == ("name", None, None, None)
    assert (layer.identifiable, layer.searchable, layer.private) == (True, True, False)
    assert (layer.style_name, list(layer.styles)) == ("default", ["default"])
    assert (layer.style.opacity, layer.style.labels_enabled, layer.style.scale_range) == (1, False, ScaleRange())
    assert layer.geometry_type == "Point"


@pytest.mark.parametrize("sides", ["0 0 0 0", "1 1 0 0", "inf inf -inf -inf", "nan nan nan nan", "1e999 0 1 1"])
def test_null_extents(sides: str) -> None:
    tags = zip(("xmin", "ymin", "xmax", "ymax"), sides.split(), strict=True)
    assert read_layer("<extent>" + "".join(f"<{t}>{v}</{t}>" for t, v in tags) + "</extent>").extent is None


def test_published_by_id() -> None:
    project = read(layer_xml("<shortname>s</shortname>"), '<WMSUseLayerIDs type="bool">true</WMSUseLayerIDs>')
    assert project.layers["id"].published == "id"


def test_layers_not_identifiable_in_qgis_2() -> None:
    entry = "<Identify><disabledLayers type='QStringList'><value>id</value></disabledLayers></Identify>"
    assert not read(layer_xml(), entry).layers["id"].identifiable


def test_metadata_url_before_3_22() -> None:
    layer = read_layer('<metadataUrl type="TC211" format="text/xml">http://m</metadataUrl>')
    assert layer.metadata_urls == (Link("http://m", "text/xml", "TC211"),)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('hasScaleBasedVisibilityFlag="1" minScale="1e+06" maxScale="100"', ScaleRange(1e6, 100)),
        ('hasScaleBasedVisibilityFlag="0" minScale="1e+06" maxScale="100"', ScaleRange()),
        ('hasScaleBasedVisibilityFlag="1" minimumScale="100" maximumScale="1e+06"', ScaleRange(1e6, 100)),
    ],
)
def test_scale_range_of_qgis_3_and_2(attributes: str, expected: ScaleRange) -> None:
    assert read_layer(attributes=attributes).style.scale_range == expected


@pytest.mark.parametrize(
    ("body", "opacity"),
    [
        ("<layerOpacity>0.25</layerOpacity>", 0.25),
        ("<layerTransparency>30</layerTransparency>", 0.7),
        ("<layerOpacity>x</layerOpacity>", 1.0),
    ],
)
def test_opacity_of_qgis_3_and_2(body: str, opacity: float) -> None:
    assert read_layer(body).style.opacity == opacity


def test_styles_of_the_manager() -> None:
    other = f'<qgis hasScaleBasedVisibilityFlag="1" minScale="9">{RENDERER}<blendMode>6</blendMode></qgis>'
    layer = read_layer(
        f"""<blendMode>1</blendMode><map-layer-style-manager current="now"><map-layer-style name="other">{other}
        </map-layer-style><map-layer-style name="now"/><map-layer-style name="empty"/></map-layer-style-manager>"""
    )
    assert layer.style_name == "now"
    assert {name: style.blend_mode for name, style in layer.styles.items()} == {"now": 1, "other": 6}
    assert layer.styles["other"].scale_range == ScaleRange(9, 0)


def test_labeling_is_kept_as_text() -> None:
    body = '<labeling type="simple"><settings/></labeling>'
    assert read_layer(body).style.labels_enabled
    style = read_layer(body, 'labelsEnabled="0"').style
    assert (style.labels_enabled, style.labeling) == (False, body)


@pytest.mark.parametrize("beside", ["", '<labeling type="simple"/>'])
def test_labels_of_qgis_2(beside: str) -> None:
    """2.14 to 2.18 wrote an empty element beside the properties; QGIS 3.22 draws the labels of those projects."""
    properties = '<property key="labeling" value="pal"/><property key="labeling/enabled" value="{}"/>'
    for value, enabled in (("true", True), ("false", False)):
        style = read_layer(f"{beside}<customproperties>{properties.format(value)}</customproperties>").style
        assert style.labels_enabled is enabled
        assert "labeling/enabled" in style.labeling


def test_diagrams_are_kept_when_switched_on() -> None:
    diagram = '<SingleCategoryDiagramRenderer><DiagramCategory enabled="{}"/></SingleCategoryDiagramRenderer>'
    settings = '<DiagramLayerSettings dist="0"/>'
    assert read_layer(diagram.format(0) + settings).style.diagrams == ""
    shown = diagram.format(1) + settings
    assert read_layer(shown).style.diagrams == f"<diagrams>{shown}</diagrams>"


def test_fields() -> None:
    layer = read_layer(
        """<fieldConfiguration><field name="a" configurationFlags="NotSearchable|HideFromWfs">
          <editWidget type="ValueMap">
          <config><Option type="Map"><Option name="map" type="Map">
          <Option name="One" type="QString" value="1"/></Option>
          </Option></config></editWidget></field><field name="b" configurationFlags="None"/></fieldConfiguration>
        <aliases><alias field="a" index="0" name="Alias"/></aliases>
        <excludeAttributesWMS><attribute>b</attribute></excludeAttributesWMS>
        <defaults><default field="b" expression="now()" applyOnUpdate="1"/></defaults>
        <constraints><constraint field="a" constraints="3"/><constraint field="b" constraints="4"/></constraints>
        <constraintExpressions><constraint field="a" exp="x"/><constraint field="b" exp="y"/></constraintExpressions>
        <editable><field name="b" editable="0"/></editable>"""
    )
    value_map = Widget("ValueMap", {"map": [{"One": "1"}]})
    assert layer.fields == (
        FieldConfig("a", alias="Alias", hidden_wfs=True, widget=value_map, not_null=True, unique=True),
        FieldConfig(
            "b", hidden_wms=True, default="now()", apply_default_on_update=True, constraint="y", editable=False
        ),
    )
    assert layer.field_config("c") == FieldConfig("c")


def test_widgets_of_qgis_2() -> None:
    layer = read_layer(
        """<edittypes><edittype name="a" widgetv2type="ValueMap"><widgetv2config fieldEditable="1">
        <value key="One" value="1"/></widgetv2config></edittype></edittypes>"""
    )
    assert layer.fields[0].widget == Widget("ValueMap", {"fieldEditable": "1", "map": [{"One": "1"}]})


def test_virtual_fields_written_twice_are_read_once() -> None:
    field = '<field name="v" expression="1+1" type="6" typeName="double" length="10" precision="3"/>'
    element = f"<expressionfields>{field}</expressionfields>"
    assert read_layer(element + element).virtual_fields == (VirtualField("v", "1+1", "double", "double", 10, 3),)


def test_joins() -> None:
    layer = read_layer(
        """<vectorjoins><join joinLayerId="id" targetFieldName="t" joinFieldName="j"
        hasCustomPrefix="1" customPrefix=""/>
        <join joinLayerId="id" targetFieldName="t" joinFieldName="j">
        <joinFieldsSubset><field name="x"/></joinFieldsSubset>
        </join></vectorjoins>"""
    )
    assert layer.joins == (Join("id", "t", "j", ""), Join("id", "t", "j", "name_", ("x",)))


def test_dimensions_and_time() -> None:
    layer = read_layer(
        """<wmsDimensions>
        <dimension name="pop" fieldName="p" units="u" unitSymbol="s" defaultDisplayType="2"/></wmsDimensions>
        <temporal enabled="1" mode="1" startField="d"><fixedRange><start/><end/></fixedRange></temporal>"""
    )
    assert layer.dimensions == (Dimension("pop", "p", "", "u", "s", 2, ""),)
    assert layer.temporal == Temporal(1, "d")


def test_raster() -> None:
    pipe = '<pipe><rasterrenderer opacity="0.5" type="singlebandgray"/></pipe>'
    project = read(
        f"""<projectlayers><maplayer type="raster"><id>r</id><layername>r</layername><datasource>./r.tif</datasource>
        <provider>gdal</provider>{pipe}<blendMode>2</blendMode></maplayer></projectlayers>"""
    )
    layer = project.layers["r"]
    assert isinstance(layer, RasterLayer)
    assert (layer.style.opacity, layer.style.blend_mode, list(layer.styles)) == (0.5, 2, ["default"])
    assert layer.source.path == "/srv/maps/r.tif"


def test_layers_of_other_kinds_are_noted() -> None:
    body = '<projectlayers><maplayer type="mesh"><id>m</id><layername>M</layername></maplayer></projectlayers>'
    project = read_project(project_xml(body), "", Problems())
    assert isinstance(project.layers["m"], OtherLayer)
    assert [(p.layer, p.element) for p in project.problems] == [("M", "maplayer")]
    with pytest.raises(ProjectError, match="mesh"):
        read(body)
