"""Items of print layouts, one reader for each kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from qgserver.draw.color import Color, parse_color
from qgserver.draw.pen import Join
from qgserver.errors import Problems
from qgserver.geo.extent import Extent
from qgserver.project.model.layouts import (
    ARROW,
    BLACK,
    WHITE,
    Border,
    LabelItem,
    LayoutItem,
    LegendGroup,
    LegendItem,
    LegendLayer,
    LegendText,
    MapItem,
    MarkerItem,
    NodesItem,
    North,
    Overview,
    PictureItem,
    ScaleBarItem,
    ShapeItem,
)
from qgserver.project.model.tree import ThemeLayer
from qgserver.project.reading.elements import Element, flag, integer, number
from qgserver.project.reading.layoutgrids import grids_not_drawn, read_grids
from qgserver.project.reading.layouttexts import read_font
from qgserver.symbology.options import JOINS
from qgserver.symbology.symbol import Symbol, read_symbol

MAP, PICTURE, LABEL, LEGEND, SHAPE = "65639", "65640", "65641", "65642", "65643"
MARKER = "65653"
POLYGON, POLYLINE, SCALE_BAR, FRAME, HTML, TABLE = "65644", "65645", "65646", "65647", "65648", "65649"
"""Values of the attribute ``type``."""
OF_LAYER = "0"
"""``source`` of a table of a layer's features; those of an atlas's feature or a relation are not read."""
MM_PER_UNIT = {
    "mm": 1.0,
    "cm": 10.0,
    "m": 1000.0,
    "in": 25.4,
    "ft": 304.8,
    "pt": 25.4 / 72,
    "pi": 25.4 / 6,
    "px": 25.4 / 300,
}
"""Pixels are those of the layout's usual 300 dpi."""
MOST_SEGMENTS = 100
MOST_COLUMNS = 100
_ACROSS = {1: 0.0, 2: 1.0, 4: 0.5, 8: 0.0}
_DOWN = {32: 0.0, 64: 1.0, 128: 0.5}
"""Qt's alignments."""
_JUSTIFIED = "8"
_SHAPES = ("ellipse", "rectangle", "triangle")

Reader = Callable[[Element, Mapping[str, Any], Problems], LayoutItem]


def read_item(element: Element, problems: Problems) -> LayoutItem | None:
    """The item, None for one that is not shown or of a kind that is not drawn."""
    reader = _READERS.get(element.get("type", ""))
    if reader is None or not flag(element.get("visibility"), True) or flag(element.get("excludeFromExports")):
        return None
    return reader(element, common_values(element), problems)


def not_drawn(layout: Element) -> tuple[str, ...]:
    """What a layout has that is left out, each once."""
    kinds = [_NOT_DRAWN.get(item.get("type", "")) for item in layout]
    tables = (table for table in layout if table.get("type") == TABLE and table.get("source", OF_LAYER) != OF_LAYER)
    of_others = ("tables of atlas features and relations" for _ in tables)
    return tuple(dict.fromkeys([*filter(None, kinds), *grids_not_drawn(layout), *of_others]))


def lengths(value: str | None) -> tuple[float, ...]:
    """``"297,210,mm"`` in mm: the numbers before the unit."""
    *numbers, unit = (value or "0,mm").split(",")
    factor = MM_PER_UNIT.get(unit.strip(), 1.0)
    return tuple(number(part) * factor for part in numbers)


def pair(value: str | None) -> tuple[float, float]:
    """Two lengths in mm; zeros when they are not two."""
    found = lengths(value)
    return (found[0], found[1]) if len(found) == 2 else (0.0, 0.0)


def map_size(element: Element) -> tuple[float, float]:
    """A map's height is what its extent asks for: the written one is rounded to six digits (measured)."""
    width, height = pair(element.get("size"))
    extent = _extent(element)
    if extent.width > 0 and extent.height > 0:
        height = width * extent.height / extent.width
    return width, height


def _extent(element: Element) -> Extent:
    found = element.find("Extent")
    sides = [0.0] * 4 if found is None else [number(found.get(side)) for side in ("xmin", "ymin", "xmax", "ymax")]
    return Extent(*sides)


def common_values(element: Element) -> dict[str, Any]:
    """What all items have."""
    width, height = pair(element.get("size"))
    x, y = _corner(element, width, height)
    frame = None
    if flag(element.get("frame")):
        join: Join = JOINS.get(element.get("frameJoinStyle", ""), "miter")
        thick = lengths(element.get("outlineWidthM") or "0.3,mm")
        frame = Border(_color(element.find("FrameColor"), BLACK), thick[0] if thick else 0.3, join)
    return {
        "id": element.get("id", ""),
        "uuid": element.get("uuid", ""),
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "rotation": number(element.get("itemRotation")),
        "z": number(element.get("zValue")),
        "opacity": min(max(number(element.get("opacity"), 1.0), 0.0), 1.0),
        "blend_mode": integer(element.get("blendMode")),
        "frame": frame,
        "background": _color(element.find("BackgroundColor"), WHITE) if flag(element.get("background")) else None,
    }


def _corner(element: Element, width: float, height: float) -> tuple[float, float]:
    """The left upper corner of an item, which is placed, and turned, by one of nine points (0 that corner, 8 the
    right lower one; measured)."""
    x, y = pair(element.get("position"))
    down, across = divmod(min(max(integer(element.get("referencePoint")), 0), 8), 3)
    right, below = across / 2 * width, down / 2 * height
    angle = math.radians(number(element.get("itemRotation")))
    cos, sin = math.cos(angle), math.sin(angle)
    return x - right * cos + below * sin, y - right * sin - below * cos


def _color(element: Element | None, default: Color) -> Color:
    """``<FrameColor red= green= blue= alpha=>``."""
    if element is None:
        return default
    red, green, blue = (min(max(number(element.get(name)) / 255, 0.0), 1.0) for name in ("red", "green", "blue"))
    return red, green, blue, min(max(number(element.get("alpha"), 255.0) / 255, 0.0), 1.0)


def _symbol(element: Element | None, problems: Problems) -> Symbol | None:
    found = None if element is None else element.find("symbol")
    return None if found is None else read_symbol(found, "", problems)


def _map(element: Element, common: Mapping[str, Any], problems: Problems) -> MapItem:
    width, height = map_size(element)
    locked = None
    if flag(element.get("keepLayerSet")):
        styles = flag(element.get("keepLayerStyles"))
        named = {found.get("layer", ""): found.get("name", "") for found in element.iterfind("LayerStyles/LayerStyle")}
        ids = [(found.text or "").strip() for found in element.iterfind("LayerSet/Layer")]
        locked = tuple(ThemeLayer(layer, named.get(layer, "") if styles else "") for layer in ids)
    shown = (found for found in element.iterfind("ComposerMapOverview") if flag(found.get("show"), True))
    overviews = tuple(_overview(found, problems) for found in shown)
    atlas = element.find("AtlasMap")
    driven = atlas is not None and flag(atlas.get("atlasDriven"))
    return MapItem(
        **{**common, "width": width, "height": height},
        extent=_extent(element),
        map_rotation=number(element.get("mapRotation")),
        locked=locked,
        theme=element.get("followPresetName", "") if flag(element.get("followPreset")) else "",
        overviews=overviews,
        grids=read_grids(element, problems),
        atlas_margin=max(number(atlas.get("margin"), 0.1), 0.0) if atlas is not None and driven else None,
        atlas_fixed=atlas is not None and atlas.get("scalingMode") == "1",
    )


def _overview(element: Element, problems: Problems) -> Overview:
    return Overview(
        element.get("frameMap", ""),
        _symbol(element, problems),
        flag(element.get("inverted")),
        integer(element.get("blendMode")),
    )


def _label(element: Element, common: Mapping[str, Any], problems: Problems) -> LabelItem:
    return LabelItem(
        **common,
        text=element.get("labelText", ""),
        html=flag(element.get("htmlState")),
        format=read_font(element, "LabelFont", problems, _color(element.find("FontColor"), BLACK)),
        across=_ACROSS.get(integer(element.get("halign")), 0.0),
        justified=element.get("halign") == _JUSTIFIED,
        down=_DOWN.get(integer(element.get("valign")), 0.0),
        margin_x=number(element.get("marginX")),
        margin_y=number(element.get("marginY")),
    )


def _shape(element: Element, common: Mapping[str, Any], problems: Problems) -> ShapeItem:
    kind = integer(element.get("shapeType"))
    radius = lengths(element.get("cornerRadiusMeasure"))
    return ShapeItem(
        **common,
        shape=_SHAPES[kind] if 0 <= kind < len(_SHAPES) else "rectangle",
        radius=radius[0] if radius else 0.0,
        symbol=_symbol(element, problems),
    )


def _nodes(element: Element, common: Mapping[str, Any], problems: Problems) -> NodesItem:
    points = [(number(node.get("x")), number(node.get("y"))) for node in element.iterfind("nodes/node")]
    heads = Border(
        parse_color(element.get("arrowHeadOutlineColor"), BLACK), number(element.get("outlineWidth"), 1.0), "bevel"
    )
    return NodesItem(
        **common,
        nodes=np.array(points, dtype=np.float64).reshape(-1, 2),
        symbol=_symbol(element, problems),
        closed=element.get("type") == POLYGON,
        start=_end(element, "startMarkerMode", "startMarkerFile"),
        end=_end(element, "markerMode", "endMarkerFile"),
        head_width=number(element.get("arrowHeadWidth"), 4.0),
        head_stroke=heads,
        head_fill=parse_color(element.get("arrowHeadFillColor"), BLACK),
    )


def _end(element: Element, mode: str, file: str) -> str:
    """What stands at an end of a line."""
    kind = element.get(mode)
    return ARROW if kind == "1" else element.get(file, "") if kind == "2" else ""


def _picture(element: Element, common: Mapping[str, Any], problems: Problems) -> PictureItem:
    return PictureItem(
        **common,
        file=element.get("file", ""),
        resize=integer(element.get("resizeMode")),
        anchor=min(max(integer(element.get("anchorPoint")), 0), 8),
        picture_rotation=number(element.get("pictureRotation")),
        north=_north(element),
        fill=parse_color(element.get("svgFillColor"), WHITE),
        stroke=parse_color(element.get("svgBorderColor"), BLACK),
        stroke_width=number(element.get("svgBorderWidth"), 0.2),
    )


def _north(element: Element) -> North | None:
    """The map whose north an item points to."""
    uuid = element.get("mapUuid", "")
    return North(uuid, element.get("northMode") == "1", number(element.get("northOffset"))) if uuid else None


def _marker(element: Element, common: Mapping[str, Any], problems: Problems) -> MarkerItem:
    return MarkerItem(
        **common, symbol=_symbol(element, problems), turn=number(element.get("arrowRotation")), north=_north(element)
    )


def _scale_bar(element: Element, common: Mapping[str, Any], problems: Problems) -> ScaleBarItem:
    fit = number(element.get("minBarWidth"), 50.0), number(element.get("maxBarWidth"), 150.0)
    digits = element.find("numericFormat/Option/Option[@name='decimals']")
    return ScaleBarItem(
        **common,
        style=element.get("style", "Single Box"),
        map_uuid=element.get("mapUuid", ""),
        unit=element.get("unitType", "unknown"),
        unit_label=element.get("unitLabel", ""),
        units=number(element.get("numUnitsPerSegment"), 1.0),
        map_units=number(element.get("numMapUnitsPerScaleBarUnit"), 1.0) or 1.0,
        segments=min(max(integer(element.get("numSegments"), 2), 0), MOST_SEGMENTS),
        left=min(max(integer(element.get("numSegmentsLeft")), 0), MOST_SEGMENTS),
        fit=fit if element.get("segmentSizeMode") == "1" else None,
        bar_height=number(element.get("height"), 3.0),
        label_space=number(element.get("labelBarSpace"), 3.0),
        box_space=number(element.get("boxContentSpace"), 1.0),
        alignment=integer(element.get("alignment")),
        labels_below=element.get("labelVerticalPlacement") == "1",
        labels_centered=element.get("labelHorizontalPlacement") == "1",
        decimals=integer(digits.get("value") if digits is not None else None, 6),
        line_width=number(element.get("outlineWidth"), 0.3),
        line_color=_color(element.find("strokeColor"), BLACK),
        fill=_color(element.find("fillColor"), BLACK),
        fill2=_color(element.find("fillColor2"), WHITE),
        format=read_font(element, "scaleBarFont", problems, _color(element.find("textColor"), BLACK)),
    )


def _legend(element: Element, common: Mapping[str, Any], problems: Problems) -> LegendItem:
    color = parse_color(element.get("fontColor"), BLACK)
    texts = {
        style.get("name", ""): LegendText(
            read_font(style, "styleFont", problems, color),
            number(style.get("marginTop")),
            number(style.get("marginBottom")),
            number(style.get("marginLeft")),
        )
        for style in element.iterfind("styles/style")
    }
    tree = element.find("layer-tree-group")
    return LegendItem(
        **common,
        title=element.get("title", ""),
        map_uuid=element.get("map_uuid", ""),
        box_space=number(element.get("boxSpace"), 2.0),
        symbol_width=number(element.get("symbolWidth"), 7.0),
        symbol_height=number(element.get("symbolHeight"), 4.0),
        texts=texts,
        layers=None if tree is None else tuple(_legend_layers(tree, ())),
        columns=min(max(integer(element.get("columnCount"), 1), 1), MOST_COLUMNS),
        column_space=number(element.get("columnSpace"), 2.0),
        split_layers=flag(element.get("splitLayer")),
        equal_widths=flag(element.get("equalColumnWidth")),
        symbols_right=element.get("symbolAlignment") == "2",
        title_across=_ACROSS.get(integer(element.get("titleAlignment")), 0.0),
        fitted=flag(element.get("resizeToContents"), True),
    )


def _legend_layers(group: Element, above: tuple[LegendGroup, ...]) -> Iterator[LegendLayer]:
    """The layers of a legend's own tree, top first."""
    for member in group:
        if member.tag == "layer-tree-layer":
            yield _legend_layer(member, above)
        elif member.tag == "layer-tree-group":
            options = _custom(member)
            name = options.get("legend/title-label") or member.get("name") or ""
            yield from _legend_layers(member, (*above, LegendGroup(name, options.get("legend/title-style", ""))))


def _legend_layer(element: Element, above: tuple[LegendGroup, ...]) -> LegendLayer:
    options = _custom(element)
    return LegendLayer(
        element.get("id", ""),
        options.get("legend/title-label") or options.get("cached_name") or element.get("name") or "",
        options.get("legend/title-style", ""),
        above,
    )


def _custom(element: Element) -> dict[str, str]:
    """Custom properties in either form."""
    found = element.findall("customproperties/Option/Option") or element.findall("customproperties/property")
    return {one.get("name") or one.get("key") or "": one.get("value") or "" for one in found}


_NOT_DRAWN: Mapping[str, str] = {
    "65651": "3D maps",
    "65652": "tables",
    "65654": "elevation profiles",
}
_READERS: Mapping[str, Reader] = {
    MAP: _map,
    LABEL: _label,
    SHAPE: _shape,
    POLYGON: _nodes,
    POLYLINE: _nodes,
    PICTURE: _picture,
    SCALE_BAR: _scale_bar,
    MARKER: _marker,
    LEGEND: _legend,
}
