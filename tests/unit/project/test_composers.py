"""Print composers of QGIS 2, against what QGIS 3.22 makes of the same composer when it saves the project anew; and the
points that place items."""

from __future__ import annotations

from typing import TypeVar

import pytest
from project_xml import read

from qgserver.project.model.layouts import (
    ARROW,
    Layout,
    LayoutItem,
    LayoutMap,
    MapItem,
    NodesItem,
    PictureItem,
    ScaleBarItem,
    ShapeItem,
    TableItem,
)

Kind = TypeVar("Kind", bound=LayoutItem)

COMPOSER = """
<Composer title="composer title"><Composition printResolution="305" paperWidth="297" paperHeight="210" numPages="2">
 <ComposerArrow arrowHeadWidth="12" outlineWidth="3" markerMode="0">
  <StartPoint x="266.622" y="371.215"/><StopPoint x="261.581" y="296.606"/>
  <ComposerItem x="253.46" y="288.485" width="21.2836" height="90.8516" zValue="13" uuid="{arrow}"/></ComposerArrow>
 <ComposerShape shapeType="2" cornerRadius="4">
  <ComposerItem x="100" y="50" width="20" height="10" itemRotation="90" zValue="9" background="true"/></ComposerShape>
 <ComposerScaleBar units="1" mapId="0" height="3"><textColor red="255" green="0" blue="0" alpha="255"/>
  <ComposerItem x="140.608" y="184.506" width="62.9878" height="20.2" zValue="7" id="bar"/></ComposerScaleBar>
 <ComposerPicture mapId="-1" file="../a.svg">
  <ComposerItem x="1" y="2" width="3" height="4" zValue="3"/></ComposerPicture>
 <ComposerLabel labelText="t"><ComposerItem id="words" zValue="2" width="9" height="9"/></ComposerLabel>
 <ComposerMap id="0" mapRotation="45"><Extent xmin="0" ymin="0" xmax="51" ymax="99"/>
  <ComposerItem id="my map" uuid="{map}" x="24.1399" y="6" width="102" height="198" zValue="1" frame="true"
   outlineWidth="0.6" transparency="22"/></ComposerMap>
 <ComposerHtml><ComposerFrame><ComposerItem uuid="{f}" id="page" zValue="16"/></ComposerFrame></ComposerHtml>
 <ComposerAttributeTableV2 vectorLayer="points1" source="0"><displayColumns><column attribute="a"/></displayColumns>
  <ComposerFrame><ComposerItem uuid="{t}" x="5" y="6" width="7" height="8" zValue="15"/></ComposerFrame>
 </ComposerAttributeTableV2>
</Composition><Atlas enabled="true" coverageLayer="polys"/></Composer>"""


def the_layout(xml: str) -> Layout:
    (layout,) = read(xml).layouts
    return layout


def the_item(layout: Layout, kind: type[Kind]) -> Kind:
    (found,) = [item for item in layout.items if isinstance(item, kind)]
    return found


def test_a_composer_is_a_layout() -> None:
    layout = the_layout(COMPOSER)
    assert (layout.name, layout.width, layout.height, layout.dpi) == ("composer title", 297, 210, 305)
    assert [page.y for page in layout.pages] == [0, 220]
    assert layout.maps == (LayoutMap("map0", 102, 198),)
    assert (layout.labels, layout.htmls, layout.atlas_layer) == (("words",), ("page",), "polys")


def test_items_of_composers_keep_their_places_and_maps() -> None:
    layout = the_layout(COMPOSER)
    shown, bar = the_item(layout, MapItem), the_item(layout, ScaleBarItem)
    assert (shown.x, shown.y, shown.opacity) == pytest.approx((24.1399, 6, 0.78))
    assert (shown.id, shown.map_rotation) == ("my map", 45)
    assert shown.frame is not None and shown.frame.width == 0.6
    assert (bar.map_uuid, bar.unit, bar.format.color) == (shown.uuid, "meters", (1.0, 0.0, 0.0, 1.0))
    assert the_item(layout, PictureItem).north is None
    table = the_item(layout, TableItem)
    assert table.layer_id == "points1" and (table.x, table.y) == pytest.approx((5, 6))


def test_an_arrow_is_a_line_with_a_head() -> None:
    arrow = the_item(the_layout(COMPOSER), NodesItem)
    assert (arrow.x, arrow.y, arrow.start, arrow.end) == (261.581, 296.606, "", ARROW)
    assert (arrow.width, arrow.height) == pytest.approx((5.041, 74.609))
    assert arrow.nodes.round(3).tolist() == [[5.041, 74.609], [0, 0]]


def test_composers_turn_items_around_their_middle() -> None:
    """A rectangle of 20 x 10 mm turned by a right angle stands on its short side around the same middle."""
    shape = the_item(the_layout(COMPOSER), ShapeItem)
    assert (shape.x, shape.y, shape.rotation) == pytest.approx((115, 45, 90))
    assert (shape.radius, shape.background) == (4, None)


def test_composers_of_the_first_builds_of_qgis_3() -> None:
    layout = the_layout(
        """<Layouts><Composer><Composition name="composer" numPages="1" paperWidth="297" paperHeight="210">
        <ComposerMap id="0"><ComposerItem width="195" height="125" opacity="0.5"/></ComposerMap>
        </Composition></Composer></Layouts>"""
    )
    assert (layout.name, layout.maps) == ("composer", (LayoutMap("map0", 195, 125),))
    assert the_item(layout, MapItem).opacity == 0.5


@pytest.mark.parametrize("numbers", ['numPages="999999999"', 'numPages="-1"', 'numPages="x" paperHeight="nan"'])
def test_odd_composers_have_a_bounded_number_of_pages(numbers: str) -> None:
    assert 1 <= len(the_layout(f'<Composer title="c"><Composition {numbers}/></Composer>').pages) <= 100
    assert the_layout('<Composer title="c"/>').name == "c"


@pytest.mark.parametrize(
    ("point", "rotation", "corner"),
    [("0", "0", (50, 40)), ("8", "0", (30, 30)), ("2", "0", (30, 40)), ("1", "90", (50, 30))],
)
def test_items_are_placed_by_one_of_nine_points(point: str, rotation: str, corner: tuple[float, float]) -> None:
    """Measured: an item placed by its right upper corner (2) is saved with the place of that corner."""
    layout = the_layout(
        f"""<Layouts><Layout name="L"><LayoutItem type="65643" position="50,40,mm" size="20,10,mm"
        referencePoint="{point}" itemRotation="{rotation}"/></Layout></Layouts>"""
    )
    shape = the_item(layout, ShapeItem)
    assert (shape.x, shape.y) == pytest.approx(corner)


@pytest.mark.parametrize(("mode", "ends"), [("0", ("", ARROW)), ("1", ("", "")), ("2", ("a.svg", "b.svg"))])
def test_ends_of_arrows(mode: str, ends: tuple[str, str]) -> None:
    composer = f"""<Composer title="c"><Composition><ComposerArrow markerMode="{mode}" startMarkerFile="a.svg"
        endMarkerFile="b.svg"><StartPoint x="0" y="0"/><StopPoint x="9" y="9"/><ComposerItem/></ComposerArrow>
        </Composition></Composer>"""
    arrow = the_item(the_layout(composer), NodesItem)
    assert (arrow.start, arrow.end) == ends
