"""Pages of a print layout: (project, request, open sources) -> pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from qgserver.draw.blend import layer_operator
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import with_alpha
from qgserver.project.model import Project
from qgserver.project.model.layouts import (
    HtmlItem,
    LabelItem,
    LayoutItem,
    LegendItem,
    MapItem,
    MarkerItem,
    NodesItem,
    PictureItem,
    ScaleBarItem,
    ShapeItem,
    TableItem,
)
from qgserver.providers import Sources
from qgserver.render.context import project_context
from qgserver.render.print.labels import draw_html_item, draw_label
from qgserver.render.print.legends import fit_legend
from qgserver.render.print.maps import draw_map
from qgserver.render.print.paper import MM_PER_INCH, Paper, map_denominator, rectangle
from qgserver.render.print.pictures import fit_picture
from qgserver.render.print.request import PrintRequest
from qgserver.render.print.scalebars import fit_scale_bar
from qgserver.render.print.shapes import draw_marker, draw_nodes, draw_shape
from qgserver.render.print.tables import draw_table

Kind = TypeVar("Kind", bound=Canvas)

_DRAW: Mapping[type[LayoutItem], Callable[[Paper, Any], None]] = {
    MapItem: draw_map,
    LabelItem: draw_label,
    HtmlItem: draw_html_item,
    ShapeItem: draw_shape,
    NodesItem: draw_nodes,
    MarkerItem: draw_marker,
    TableItem: draw_table,
}
_FITTED: Mapping[type[LayoutItem], Callable[[Paper, Any], tuple[LayoutItem, Callable[[Paper], None]]]] = {
    LegendItem: fit_legend,
    PictureItem: fit_picture,
    ScaleBarItem: fit_scale_bar,
}
"""Items that are as large as what they show: from an item to one of the right size, and what draws it."""


def draw_page(project: Project, request: PrintRequest, sources: Sources, number: int, kind: type[Kind]) -> Kind:
    """A page on a canvas of that kind. Raises ``ProviderError`` (with the layer's name) when a layer's source can't be
    read."""
    page = request.layout.pages[number]
    width, height = request.pixels(number)
    # what is drawn keeps its shape: a fraction of a pixel that the picture lacks is missing on both sides
    factor = min(width / page.width, height / page.height)
    if kind.vector:
        factor = request.dpi / MM_PER_INCH
        width, height = math.ceil(page.width * factor), math.ceil(page.height * factor)
    canvas = kind(width, height)
    paper = Paper(canvas, page, factor, project, request, sources, project_context(project, sources))
    paper = paper.with_scope(_scope(paper, number))
    if page.symbol is not None:
        # whole pixels, and one more than it takes (measured)
        right, bottom = math.floor(page.width * factor) + 1.0, math.floor(page.height * factor) + 1.0
        paper.paint_area(page.symbol, rectangle(LayoutItem(width=right, height=bottom)))
    for item in request.layout.items:
        _draw(paper, item)
    return canvas


def _draw(paper: Paper, item: LayoutItem) -> None:
    """An item over its background, in its frame."""
    draw: Callable[[Paper], None]
    if (fit := _FITTED.get(type(item))) is not None:
        item, draw = fit(paper, item)
    else:
        draw = partial(_draw_plain, item)
    apart = paper.apart(item)
    fading = item.opacity if apart is paper else 1.0
    box = apart.points(item, rectangle(item))
    if item.background is not None and not isinstance(item, NodesItem):
        apart.fill(box, with_alpha(item.background, fading))
    draw(apart)
    if item.frame is not None:
        apart.stroke(box, replace(item.frame, color=with_alpha(item.frame.color, fading)))
    if apart is not paper:
        paper.canvas.compose(apart.canvas, item.opacity, layer_operator(item.blend_mode))


def _draw_plain(item: LayoutItem, paper: Paper) -> None:
    _DRAW[type(item)](paper, item)


def _scope(paper: Paper, number: int) -> dict[str, object]:
    """The variables that layouts add."""
    request, page = paper.request, paper.page
    feature = request.feature
    return {
        "layout_name": request.layout.name,
        "layout_numpages": len(request.layout.pages),
        "layout_page": number + 1,
        "layout_pagewidth": page.width,
        "layout_pageheight": page.height,
        "layout_dpi": paper.factor * MM_PER_INCH,
        "layout_items": {item.id or item.uuid: _map_scope(paper, item) for item in paper.all_maps.values()},
        "atlas_totalfeatures": request.total,
        "atlas_featurenumber": request.number,
        "atlas_feature": feature,
        "atlas_featureid": feature.fid if feature is not None else None,
        "atlas_geometry": feature.geometry if feature is not None else None,
    }


def _map_scope(paper: Paper, item: MapItem) -> dict[str, object]:
    x, y = item.extent.center
    return {
        "map_id": item.id,
        "map_scale": map_denominator(paper, item) if item.width > 0 else None,
        "map_rotation": item.map_rotation,
        "map_crs": paper.request.crs.authid,
        "map_extent_width": item.extent.width,
        "map_extent_height": item.extent.height,
        "map_extent_center_x": x,
        "map_extent_center_y": y,
    }
