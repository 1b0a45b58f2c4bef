"""What a legend shows: groups, layers and the rows of each layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from qgserver.diagrams.reading import read_diagrams
from qgserver.draw.color import Color
from qgserver.errors import ProviderError
from qgserver.project.layersource import open_layer
from qgserver.project.model import Layer, Project, RasterLayer, Style, VectorLayer
from qgserver.providers import Sources
from qgserver.rasters.model import LegendRamp
from qgserver.render.legend.content import Census, count_features, find_visible
from qgserver.render.legend.rasters import raster_rows
from qgserver.render.legend.request import LegendGroup, LegendRequest
from qgserver.render.request import MapLayer
from qgserver.symbology.renderer import LegendItem, Renderer
from qgserver.symbology.renderers.rules import RuleRenderer
from qgserver.symbology.symbol import Symbol


@dataclass(frozen=True, slots=True)
class Row:
    """A symbol and its label; ``symbol`` is None for rules that only group others, and where a part of a diagram is
    shown by its ``color``, colours of a raster by a ``patch`` or a ``ramp``."""

    label: str
    symbol: Symbol | None
    min_scale: float = 0.0
    max_scale: float = 0.0
    color: Color | None = None
    patch: Color | None = None
    ramp: LegendRamp | None = None


@dataclass(frozen=True, slots=True)
class LayerNode:
    """A layer: its heading and rows. ``opacity`` is that of the whole layer."""

    layer: Layer
    title: str
    rows: tuple[Row, ...]
    opacity: float = 1.0


@dataclass(frozen=True, slots=True)
class GroupNode:
    """A heading over what is in it."""

    title: str
    members: tuple[Node, ...]


Node = LayerNode | GroupNode


def legend_nodes(project: Project, request: LegendRequest, sources: Sources) -> tuple[Node, ...]:
    """The nodes of a legend, top first. Sources are read for counts and content only; ``ProviderError`` names the layer
    that can't be read."""

    def nodes(entries: Iterable[LegendGroup | MapLayer]) -> Iterator[Node]:
        for entry in entries:
            if isinstance(entry, LegendGroup):
                members = tuple(nodes(entry.members))
                if members:
                    yield GroupNode(entry.title, members)
            else:
                node = _layer_node(project, request, entry, sources)
                if node is not None:
                    yield node

    return tuple(nodes(request.entries))


def layer_style(item: MapLayer) -> Style | None:
    """The style that a vector layer is asked for in; None for other layers."""
    layer = item.layer
    return (layer.styles.get(item.style) or layer.style) if isinstance(layer, VectorLayer) else None


def _layer_node(project: Project, request: LegendRequest, item: MapLayer, sources: Sources) -> LayerNode | None:
    """The node of a layer, None when it is out of scale or has nothing in view."""
    layer = item.layer
    style = layer_style(item)
    title = layer.title or layer.name
    if isinstance(layer, RasterLayer):
        return _raster_node(item, layer, title, request, sources)
    if style is None or not isinstance(layer, VectorLayer):
        return LayerNode(layer, title, ())
    if request.scale and not style.scale_range.contains(request.scale):
        return None
    items: Iterable[LegendItem] = style.renderer.legend()
    census = None
    try:
        if request.content is not None and layer.has_geometry:
            visible = find_visible(project, item, style, open_layer(project, layer, sources), request.content)
            if not visible:
                return None
            items = [one for one in items if one.symbol in visible]
        if request.counts:
            census = count_features(project, layer, style, open_layer(project, layer, sources))
    except ProviderError as error:
        error.layer = error.layer or layer.published
        raise
    kept = [one for one in items if in_scale(one, request.scale)]
    if census is not None:
        title = f"{title} [{census.total}]"
    rows = (*_rows(kept, style.renderer, title, census, request), *_diagram_rows(style, layer, request))
    return LayerNode(layer, title, rows, style.opacity)


def _raster_node(
    item: MapLayer, layer: RasterLayer, title: str, request: LegendRequest, sources: Sources
) -> LayerNode | None:
    style = layer.styles.get(item.style) or layer.style
    if request.scale and not style.scale_range.contains(request.scale):
        return None
    silent = request.style.labels == "none"
    rows = (
        Row(" " if silent else one.label, one.symbol, patch=one.patch, ramp=one.ramp)
        for one in raster_rows(layer, style, sources)
    )
    return LayerNode(layer, title, tuple(rows))


def _diagram_rows(style: Style, layer: Layer, request: LegendRequest) -> Iterator[Row]:
    """What the colours of a layer's diagrams mean."""
    diagrams, _ = read_diagrams(style.diagrams, layer.name)
    if diagrams is not None and diagrams.legend:
        for one in diagrams.category.attributes:
            yield Row(" " if request.style.labels == "none" else one.label, None, color=(*one.color[:3], 1.0))


def in_scale(item: LegendItem, scale: float) -> bool:
    """Whether a class shows at a scale denominator (0 = any)."""
    if not scale:
        return True
    return (not item.min_scale or scale >= item.min_scale) and (not item.max_scale or scale <= item.max_scale)


def _rows(
    items: list[LegendItem], renderer: Renderer, title: str, census: Census | None, request: LegendRequest
) -> Iterator[Row]:
    # A lone symbol without a name of its own (a lone rule always) stands for the layer.
    alone = len(items) == 1 and (not items[0].label or isinstance(renderer, RuleRenderer))
    for item in items:
        label = title if alone else item.label
        if census is not None and not alone:
            label = f"{label} [{census.by_symbol.get(item.symbol, 0)}]"
        if request.style.labels == "none":
            label = " "
        elif request.style.labels == "classes" and alone:
            label = ""
        symbol = renderer.symbols[item.symbol] if item.symbol >= 0 else None
        yield Row(label, symbol, item.min_scale, item.max_scale)
