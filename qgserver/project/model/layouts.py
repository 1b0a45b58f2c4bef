"""Print layouts. All lengths are millimetres, x to the right and y down from the corner of the first page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qgserver.draw.color import Color
from qgserver.draw.pen import Join
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import Floats
from qgserver.labeling.textformat import TextFormat
from qgserver.project.model.tree import ThemeLayer
from qgserver.symbology.symbol import Symbol

ARROW = "arrow"
"""An arrow head at the end of a line; other texts are files."""
BLACK: Color = (0.0, 0.0, 0.0, 1.0)
WHITE: Color = (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class LayoutMap:
    """What GetProjectSettings tells of a map."""

    name: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Border:
    """The frame around an item."""

    color: Color = BLACK
    width: float = 0.3
    join: Join = "miter"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutItem:
    """Something on a page: ``x`` and ``y`` are where its left upper corner is once it is turned around that by
    ``rotation`` degrees clockwise."""

    id: str = ""
    uuid: str = ""
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0
    rotation: float = 0.0
    z: float = 0.0
    opacity: float = 1.0
    blend_mode: int = 0
    frame: Border | None = None
    background: Color | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """Another map's extent, shown in a map; ``inverted``: what is outside of it."""

    map_uuid: str
    symbol: Symbol | None
    inverted: bool = False
    blend_mode: int = 0


@dataclass(frozen=True, slots=True)
class North:
    """The north of a map: up on its grid, or the ``true`` one in its middle; ``offset`` degrees clockwise of it."""

    map_uuid: str
    true: bool = False
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class GridFrame:
    """What runs around a map with a grid, ``width`` wide and ``margin`` away from it, on some ``sides``: ``kind`` is
    ``zebra``, ``inside``, ``outside``, ``both`` (ticks), ``line``, or "" for nothing."""

    kind: str = ""
    width: float = 2.0
    margin: float = 0.0
    pen: Border = Border()
    fills: tuple[Color, Color] = (WHITE, BLACK)
    sides: frozenset[str] = frozenset()

    @property
    def reach(self) -> tuple[float, float]:
        """How far it reaches inwards and outwards."""
        wide = self.width + self.pen.width / 2
        inwards = wide if self.kind in ("inside", "both") else 0.0
        return inwards, wide + self.margin if self.kind in ("zebra", "outside", "both") else 0.0


@dataclass(frozen=True, slots=True)
class GridNumbers:
    """Coordinates at one side of a map, ``inside`` or outside of its frame: those of the ``axes`` (0 the lines of one
    x, 1 those of one y). ``turn``: degrees clockwise by which they are turned."""

    axes: frozenset[int] = frozenset((0, 1))
    inside: bool = False
    turn: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Lines over a map, every ``interval`` units of ``crs`` (None: of the map's; with ``unit`` > 0 so many millimetres)
    from ``offset`` (x and y). ``style`` is ``lines``, ``crosses`` (arms of ``cross`` mm), ``markers`` where they meet,
    or "" for none. ``format`` None = no coordinates, which stand ``distance`` from the frame at the sides (left, right,
    top, bottom) of ``numbers``. ``notation`` says how they are written (see ``render/print/gridnumbers``),
    ``expression`` what says it for the last of these."""

    interval: tuple[float, float]
    offset: tuple[float, float] = (0.0, 0.0)
    unit: float = 0.0
    crs: Crs | None = None
    style: str = "lines"
    cross: float = 3.0
    symbol: Symbol | None = None
    marker: Symbol | None = None
    frame: GridFrame = GridFrame()
    format: TextFormat | None = None
    numbers: Mapping[str, GridNumbers] = field(default_factory=dict)
    distance: float = 0.0
    decimals: int = 0
    notation: int = 0
    expression: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapItem(LayoutItem):
    """``name`` is ``map0``, ``map1``, ... in requests. ``locked``: its own layers, top first, instead of those of the
    project or the request. ``theme`` names the map theme that it follows. ``atlas_margin`` is the share of the extent
    around an atlas's feature, None for a map that shows none; ``atlas_fixed``: at its own scale."""

    name: str = ""
    extent: Extent = Extent(0.0, 0.0, 0.0, 0.0)
    map_rotation: float = 0.0
    locked: tuple[ThemeLayer, ...] | None = None
    theme: str = ""
    overviews: tuple[Overview, ...] = ()
    grids: tuple[Grid, ...] = ()
    atlas_margin: float | None = None
    atlas_fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelItem(LayoutItem):
    """``across`` and ``down`` are 0 for left or top, 0.5 for the middle, 1 for right or bottom. ``justified``: words
    are spread over the width."""

    text: str = ""
    html: bool = False
    format: TextFormat = TextFormat()
    across: float = 0.0
    down: float = 0.0
    justified: bool = False
    margin_x: float = 0.0
    margin_y: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlItem(LayoutItem):
    """A page of HTML that stands in the project itself, with ``expressions`` in it."""

    text: str = ""
    expressions: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeItem(LayoutItem):
    """``shape`` is ``rectangle``, ``ellipse`` or ``triangle``; ``radius`` rounds the corners of the first."""

    shape: str = "rectangle"
    radius: float = 0.0
    symbol: Symbol | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesItem(LayoutItem):
    """A line or (``closed``) an area through ``nodes`` float64[n, 2] in the item; at its ends a line may have arrow
    heads (``ARROW``) or SVG pictures, ``head_width`` wide."""

    nodes: Floats
    symbol: Symbol | None = None
    closed: bool = False
    start: str = ""
    end: str = ""
    head_width: float = 4.0
    head_stroke: Border = Border()
    head_fill: Color = BLACK


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureItem(LayoutItem):
    """``resize``: 0 zooms, 1 stretches, 2 clips, 3 zooms and shrinks the frame, 4 only shrinks the frame. ``anchor``
    0..8 is where a zoomed picture stands, from left upper to right lower. With a ``north`` it points there, whatever
    ``picture_rotation`` says."""

    file: str = ""
    resize: int = 0
    anchor: int = 0
    picture_rotation: float = 0.0
    north: North | None = None
    fill: Color = WHITE
    stroke: Color = BLACK
    stroke_width: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerItem(LayoutItem):
    """A marker in the middle of the item, turned by ``turn`` degrees clockwise, or to a ``north``."""

    symbol: Symbol | None = None
    turn: float = 0.0
    north: North | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleBarItem(LayoutItem):
    """``segments`` right and ``left`` of zero, each ``units`` long, one unit being ``map_units`` of ``unit`` (with
    ``fit`` as many as make a bar of a width between ``fit``'s two)."""

    style: str = "Single Box"
    map_uuid: str = ""
    unit: str = "unknown"
    unit_label: str = ""
    units: float = 1.0
    map_units: float = 1.0
    segments: int = 2
    left: int = 0
    fit: tuple[float, float] | None = None
    bar_height: float = 3.0
    label_space: float = 3.0
    box_space: float = 1.0
    alignment: int = 0
    labels_below: bool = False
    labels_centered: bool = False
    decimals: int = 6
    line_width: float = 0.3
    line_color: Color = BLACK
    fill: Color = BLACK
    fill2: Color = WHITE
    format: TextFormat = TextFormat()


@dataclass(frozen=True, slots=True)
class LegendText:
    """One of a legend's kinds of text and the spaces around it."""

    format: TextFormat = TextFormat()
    top: float = 0.0
    bottom: float = 0.0
    left: float = 0.0


@dataclass(frozen=True, slots=True)
class LegendGroup:
    """A group that a legend names, in a ``style`` as layers have."""

    name: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class LegendLayer:
    """A layer of a legend, with the name it has there and the groups that it is in, outermost first."""

    layer_id: str
    name: str
    style: str = ""
    """``hidden``, ``group``, ``subgroup`` or "" for QGIS's choice."""
    groups: tuple[LegendGroup, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendItem(LayoutItem):
    """``texts`` by ``title``, ``group``, ``subgroup``, ``symbol``, ``symbolLabel``. ``layers``: what is shown,
    top first; None follows the project. ``columns``: the most there are, with layers torn apart between them if
    ``split_layers``. ``title_across`` is 0 for a title at the left, 1 at the right. ``fitted``: it is as large as what
    it shows."""

    title: str = ""
    map_uuid: str = ""
    box_space: float = 2.0
    symbol_width: float = 7.0
    symbol_height: float = 4.0
    texts: dict[str, LegendText] = field(default_factory=dict)
    layers: tuple[LegendLayer, ...] | None = None
    columns: int = 1
    column_space: float = 2.0
    split_layers: bool = False
    equal_widths: bool = False
    symbols_right: bool = False
    title_across: float = 0.0
    fitted: bool = True


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table: an attribute or another expression; ``width`` 0 = as wide as its texts. ``across`` is 0 for
    texts at the left, 1 for those at the right."""

    expression: str
    heading: str
    width: float = 0.0
    across: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TableItem(LayoutItem):
    """Rows of a layer's attributes in the first frame of a table: at most ``rows`` of those that ``where`` keeps.
    ``order``: expressions, and whether they sort downwards. ``header`` None = no headings, which stand as their
    columns do or at ``header_across`` (0 left, 1 right). ``grid`` has lines between rows and columns if ``across`` and
    ``down``.
    ``paint`` is behind all cells."""

    layer_id: str
    columns: tuple[TableColumn, ...] = ()
    rows: int = 0
    where: str = ""
    order: tuple[tuple[str, bool], ...] = ()
    margin: float = 1.0
    grid: Border | None = None
    across: bool = True
    down: bool = True
    paint: Color | None = None
    header_across: float | None = None
    header: TextFormat | None = None
    content: TextFormat = TextFormat()


@dataclass(frozen=True, slots=True)
class Page:
    """``y`` is where its upper edge is among the items; ``symbol`` paints it."""

    y: float
    width: float
    height: float
    symbol: Symbol | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """A print layout. ``width`` and ``height`` are those of the first page, ``maps``, ``labels`` and ``htmls`` (ids)
    what GetProjectSettings tells; ``items`` are in the order in which they are drawn."""

    name: str
    width: float
    height: float
    maps: tuple[LayoutMap, ...] = ()
    labels: tuple[str, ...] = ()
    htmls: tuple[str, ...] = ()
    atlas_layer: str | None = None
    """Id of the coverage layer when the atlas is on."""
    dpi: float = 300.0
    pages: tuple[Page, ...] = ()
    items: tuple[LayoutItem, ...] = ()
    not_drawn: tuple[str, ...] = ()
    """What it has that is left out."""
