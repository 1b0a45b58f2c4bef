"""Legends on a page: symbols and labels drawn as GetLegendGraphic does, laid out as layouts do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from qgserver.draw.fonts import BOLD
from qgserver.draw.images import draw_turned
from qgserver.draw.units import RenderScale
from qgserver.draw.vector import VectorCanvas
from qgserver.project.model import Layer, OtherLayer
from qgserver.project.model.layouts import LegendItem, LegendText
from qgserver.render.legend.nodes import LayerNode, legend_nodes
from qgserver.render.legend.picture import Sheet, draw_legend
from qgserver.render.legend.request import TEXT_SCALE, LegendRequest, LegendStyle, TextStyle
from qgserver.render.print.paper import MM_PER_INCH, Paper, map_denominator
from qgserver.render.request import MapLayer


def draw_layout_legend(paper: Paper, item: LegendItem) -> None:
    """The legend of an item."""
    sheet = _sheet(paper, item)
    first = True
    if item.title:
        text = item.texts.get("title", LegendText())
        _heading(sheet, item.title, text)
        sheet.height += _style(text).font.descent / TEXT_SCALE
    for node, title, style in _nodes(paper, item):
        _put(sheet, item, replace(node, title=title), style, first=first)
        first = False
    sheet.width += item.box_space
    sheet.height += item.box_space
    kind = VectorCanvas if item.rotation % 360 else type(paper.canvas)
    picture = draw_legend(paper.project, sheet, sheet.pixels, item.background, kind)
    x, y = paper.corner(item)
    if item.rotation % 360:
        draw_turned(paper.canvas, picture, (x, y), item.rotation)
    else:
        paper.canvas.compose(picture, at=(math.floor(x + 0.5), math.floor(y + 0.5)))


def _sheet(paper: Paper, item: LegendItem) -> Sheet:
    """An empty sheet, whose symbols in map units are as large as in the legend's map."""
    shown = paper.all_maps.get(item.map_uuid)
    unit = 1.0 / paper.factor
    scale = RenderScale(paper.factor, unit, 0.0)
    if shown is not None and shown.width > 0 and shown.extent.width > 0:
        unit = shown.extent.width / (shown.width * paper.factor)
        scale = RenderScale(paper.factor, unit, map_denominator(paper, shown))
    style = LegendStyle(
        box_space=item.box_space,
        symbol_space=item.texts.get("symbol", LegendText(top=2.5)).top,
        label_space=item.texts.get("symbolLabel", LegendText(left=2.0)).left,
        symbol_width=item.symbol_width,
        symbol_height=item.symbol_height,
        item_text=_style(item.texts.get("symbolLabel", LegendText())),
    )
    sheet = Sheet(style, scale, paper.factor * MM_PER_INCH)
    sheet.width = sheet.height = item.box_space
    return sheet


def _style(text: LegendText) -> TextStyle:
    look = text.format
    points = look.size.pixels(RenderScale(1.0, 1.0, 0.0)) / MM_PER_INCH * 72
    return TextStyle(look.family, points, look.weight >= BOLD, look.italic, look.color)


def _heading(sheet: Sheet, title: str, text: LegendText) -> None:
    style = _style(text)
    sheet.height += style.font.ascent / TEXT_SCALE
    sheet.text(sheet.style.box_space, sheet.height, title, style)
    sheet.height += text.bottom


def _nodes(paper: Paper, item: LegendItem) -> Iterator[tuple[LayerNode, str, str]]:
    """What is shown: the node of each layer, its name and the kind of its heading."""
    project, request = paper.project, paper.request
    asked = request.maps.get(item.map_uuid)
    drawn = {one.layer.id: one for one in asked.layers} if asked is not None else {}
    entries = [(one.layer_id, one.name, one.style) for one in item.layers or ()]
    if item.layers is None:
        entries = [(leaf.layer_id, leaf.name, "") for leaf in project.tree.leaves()]
    for layer_id, name, style in entries:
        layer: Layer | None = project.layers.get(layer_id)
        if layer is None or isinstance(layer, OtherLayer) or (item.layers is None and drawn and layer_id not in drawn):
            continue
        one = drawn.get(layer_id, MapLayer(layer))
        for node in legend_nodes(project, LegendRequest((one,)), paper.sources):
            if isinstance(node, LayerNode):
                yield node, name or layer.name, style


def _put(sheet: Sheet, item: LegendItem, node: LayerNode, style: str, *, first: bool) -> None:
    """A heading and the rows of a layer; a lone symbol stands beside the layer's name instead."""
    alone = len(node.rows) == 1 and node.rows[0].symbol is not None
    kind = style if style in ("group", "subgroup") else "subgroup"
    headed = not alone and style != "hidden"
    if headed:
        text = item.texts.get(kind, LegendText(top=3.0))
        sheet.height += 0.0 if first else text.top
        _heading(sheet, node.title, text)
    indent = max((sheet.block_size(row)[0] for row in node.rows), default=0.0)
    for number, row in enumerate(node.rows):
        # nothing is above the very first row but the legend's title (measured)
        sheet.height += sheet.style.symbol_space if number or headed or not first else 0.0
        sheet.row(node, replace(row, label=node.title) if alone else row, indent)
