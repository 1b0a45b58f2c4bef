"""Maps on a page."""

from __future__ import annotations

import math
from dataclasses import replace

from qgserver.draw.blend import OVER, layer_operator
from qgserver.draw.canvas import Canvas
from qgserver.draw.clipping import clipped_to
from qgserver.draw.images import draw_turned
from qgserver.draw.paths import box_path, single_path
from qgserver.draw.vector import VectorCanvas
from qgserver.geo.extent import Extent
from qgserver.project.model import RasterLayer, VectorLayer
from qgserver.project.model.layouts import MapItem, Overview
from qgserver.render.map import render_map
from qgserver.render.print.gridlines import on_map, on_paper
from qgserver.render.print.grids import draw_grid
from qgserver.render.print.paper import MM_PER_INCH, Paper, rectangle
from qgserver.render.print.request import PrintMap
from qgserver.render.request import MapLayer, MapRequest

BEYOND = 0.1
"""How far the area around an overview goes on beyond the map, which hides its outline: share of the map's size."""


def draw_map(paper: Paper, item: MapItem) -> None:
    """The map of an item, upright ones to the fraction of a pixel where they belong."""
    if not (item.width > 0 and item.height > 0 and item.extent.width > 0):
        return
    if item.rotation % 360:
        _draw_turned(paper, item)
    else:
        _draw_upright(paper, item)
    for grid in item.grids:
        draw_grid(paper, item, grid)
    for overview in item.overviews:
        _draw_overview(paper, item, overview)


def _draw_upright(paper: Paper, item: MapItem) -> None:
    """What the page has of a map, however far that reaches beyond: nothing beyond the whole pixels of the item's box
    (as Qt clips)."""
    x, y = paper.corner(item)
    left, top = max(math.floor(x), 0), max(math.floor(y), 0)
    width = min(math.ceil(x + item.width * paper.factor), paper.canvas.width) - left
    height = min(math.ceil(y + item.height * paper.factor), paper.canvas.height) - top
    if width < 1 or height < 1:
        return
    picture = _picture(paper, item, _part(paper, item, (left - x, top - y), (width, height)), (width, height))
    sides = (math.floor(side + 0.5) for side in (x, y, x + item.width * paper.factor, y + item.height * paper.factor))
    west, north, east, south = sides
    with clipped_to(paper.canvas, box_path(west, north, east, south)):
        paper.canvas.compose(picture, at=(left, top))


def _part(paper: Paper, item: MapItem, corner: tuple[float, float], size: tuple[int, int]) -> Extent:
    """The extent of a part of a map, before the map is turned: ``corner`` is where the part begins in the item, both in
    pixels."""
    unit = item.extent.width / (item.width * paper.factor)
    across = corner[0] + size[0] / 2 - item.width * paper.factor / 2
    down = corner[1] + size[1] / 2 - item.height * paper.factor / 2
    angle = math.radians(item.map_rotation)
    cos, sin = math.cos(angle), math.sin(angle)
    middle_x, middle_y = item.extent.center
    x = middle_x + (across * cos + down * sin) * unit
    y = middle_y - (down * cos - across * sin) * unit
    wide, tall = size[0] * unit / 2, size[1] * unit / 2
    return Extent(x - wide, y - tall, x + wide, y + tall)


def _draw_turned(paper: Paper, item: MapItem) -> None:
    """A map in an item that is turned itself: recorded upright, then played back turned."""
    width, height = math.ceil(item.width * paper.factor), math.ceil(item.height * paper.factor)
    picture = _picture(paper, item, _part(paper, item, (0.0, 0.0), (width, height)), (width, height), VectorCanvas)
    with clipped_to(paper.canvas, single_path(paper.points(item, rectangle(item)), True)):
        draw_turned(paper.canvas, picture, paper.corner(item), item.rotation)


def _picture(
    paper: Paper, item: MapItem, extent: Extent, size: tuple[int, int], kind: type[Canvas] | None = None
) -> Canvas:
    asked = paper.request.maps.get(item.uuid, PrintMap())
    layers = asked.layers
    if item.opacity < 1 and layer_operator(item.blend_mode) == OVER:
        layers = tuple(_faded(layer, item.opacity) for layer in layers)
    request = MapRequest(
        crs=paper.request.crs,
        extent=extent,
        width=size[0],
        height=size[1],
        layers=layers,
        dpi=paper.factor * MM_PER_INCH,
        background=None,
        stretch=False,
        highlights=asked.highlights,
        rotation=item.map_rotation,
    )
    return render_map(paper.project, request, paper.sources, kind or type(paper.canvas))


def _faded(item: MapLayer, opacity: float) -> MapLayer:
    own = item.opacity
    if own is None and isinstance(item.layer, VectorLayer | RasterLayer):
        own = (item.layer.styles.get(item.style) or item.layer.style).opacity
    return replace(item, opacity=opacity * (1.0 if own is None else own))


def _draw_overview(paper: Paper, item: MapItem, overview: Overview) -> None:
    """The extent that another map of the layout has."""
    other = paper.all_maps.get(overview.map_uuid)
    if other is None or overview.symbol is None or other.width <= 0 or other.extent.width <= 0:
        return
    edges, frame = rectangle(other), rectangle(item)
    ring = paper.points(item, on_paper(item, on_map(other, edges)))
    operator = layer_operator(overview.blend_mode)
    target = paper if operator == OVER else replace(paper, canvas=paper.canvas.new_layer())
    with clipped_to(target.canvas, single_path(paper.points(item, frame), True)):
        if overview.inverted:
            far = frame + (frame - frame.mean(axis=0)) * BEYOND
            target.paint_area(overview.symbol, paper.points(item, far), ring)
        else:
            target.paint_area(overview.symbol, ring)
    if target is not paper:
        paper.canvas.compose(target.canvas, 1.0, operator)
