"""From parameters of either version to one ``MapRequest``: names to layers, axis order, sizes, styles, filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qgserver.draw.color import Color
from qgserver.errors import OwsError
from qgserver.geo.crs import Crs, parse_crs
from qgserver.ows.operations import OperationContext
from qgserver.ows.wms import params
from qgserver.ows.wms.filters import read_selection
from qgserver.ows.wms.layerfilters import layer_filters
from qgserver.ows.wms.published import Published, layers_by_name
from qgserver.project.model import Project, VectorLayer
from qgserver.render.request import Highlight, MapLayer, MapRequest
from qgserver.settings import Settings
from qgserver.web.request import Request

CAIRO_LIMIT = 32767
"""Largest side of a picture."""
DEFAULT_DPI = 25.4 / 0.28


@dataclass(frozen=True, slots=True)
class Chosen:
    """A layer that a request names: its style ("" = current) and opacity (None = the style's)."""

    layer: Published
    style: str = ""
    opacity: float | None = None


def read_map_request(context: OperationContext, *, transparent: bool) -> MapRequest:
    """The map a GetMap request asks for; ``transparent``: TRANSPARENT counts. Raises ``OwsError``."""
    request, project = context.request, context.project
    # Required in both versions: without it nobody knows the order of the axes in BBOX.
    params.VERSION.required(request)
    crs, inverted = read_crs(request, context.version)
    layers = chosen_layers(context)
    width, height = read_size(request, project, context.settings)
    dpi = params.DPI.of(request) or DEFAULT_DPI
    background: Color | None = params.BGCOLOR.of(request)
    return MapRequest(
        crs=crs,
        extent=params.extent(request, inverted=inverted),
        width=width,
        height=height,
        layers=tuple(map_layers(layers, context)),
        dpi=dpi,
        background=None if transparent and params.TRANSPARENT.of(request) else background,
        stretch=context.version == "1.3.0",
        tile_buffer=project.wms.tile_buffer if params.TILED.of(request) else 0,
        highlights=_highlights(request),
    )


def _highlights(request: Request) -> tuple[Highlight, ...]:
    if not params.HIGHLIGHT_GEOM.text(request):
        return ()
    from qgserver.ows.wms.highlights import read_highlights  # few requests need it

    return tuple(read_highlights(request))


def read_crs(request: Request, version: str) -> tuple[Crs, bool]:
    """The CRS asked for, and whether BBOX is written y first in it: from 1.3.0 on, when its axes say so (clause
    6.7.2). Raises ``OwsError`` InvalidCRS, in 1.1.1 InvalidSRS."""
    code, row = ("InvalidCRS", params.CRS) if version == "1.3.0" else ("InvalidSRS", params.SRS)
    text = row.of(request)
    crs = parse_crs(text)
    if crs is None:
        raise OwsError(code, f"The CRS '{text[:80]}' is not valid.", locator=row.names[0])
    return crs, version == "1.3.0" and crs.inverted_axes


def read_size(request: Request, project: Project, settings: Settings) -> tuple[int, int]:
    """WIDTH and HEIGHT within the limits of the project, the settings and of what can be drawn."""
    width, height = params.WIDTH.required(request), params.HEIGHT.required(request)
    sides = (
        ("WIDTH", width, (project.wms.max_width, settings.wms_max_width)),
        ("HEIGHT", height, (project.wms.max_height, settings.wms_max_height)),
    )
    for name, value, limits in sides:
        limit = min((limit for limit in limits if limit > 0), default=CAIRO_LIMIT)
        if not 1 <= value <= min(limit, CAIRO_LIMIT):
            raise OwsError("InvalidParameterValue", f"{name} must lie between 1 and {limit}.", locator=name)
    if settings.max_pixels and width * height > settings.max_pixels:
        raise OwsError("InvalidParameterValue", "WIDTH x HEIGHT is too large.", locator="WIDTH")
    return width, height


def chosen_layers(context: OperationContext) -> list[Chosen]:
    """The layers that a request names, bottom first: those of SLD_BODY if there is one (LAYERS and STYLES do not count
    then, as in QGIS), else those of LAYERS. Raises ``OwsError`` and ``ProviderError``."""
    request, project = context.request, context.project
    if params.SLD.text(request):
        message = "SLD is not supported, as the server fetches nothing: send the document itself as SLD_BODY."
        raise OwsError("InvalidParameterValue", message, locator="SLD")
    body = params.SLD_BODY.of(request)
    if not body and params.HIGHLIGHT_GEOM.text(request) and not params.LAYERS.text(request):
        return []  # nothing but highlights, as in QGIS
    if not body:
        return read_layers(request, project, context.settings)
    from qgserver.ows.sldread import read_document  # few requests need it
    from qgserver.ows.wms.userstyles import USER_STYLE, restyled

    known, opacities = layers_by_name(project), params.OPACITIES.of(request)
    chosen: list[Chosen] = []
    for place, styled in enumerate(read_document(body)):
        if styled.name not in known:
            raise OwsError("LayerNotDefined", f"The layer '{styled.name[:80]}' does not exist.", locator="SLD_BODY")
        opacity = opacities[place] if place < len(opacities) else None
        for layer in known[styled.name]:
            if styled.user_style is None or not isinstance(layer, VectorLayer):
                chosen.append(Chosen(layer, checked_style(layer, styled.style_name), opacity))
            elif (drawn := restyled(context, layer, styled)) is not None:
                chosen.append(Chosen(drawn, USER_STYLE, opacity))
        _check_count(chosen, context.settings)
    return chosen


def _check_count(chosen: Sequence[Chosen], settings: Settings) -> None:
    if settings.max_layers and len(chosen) > settings.max_layers:
        raise OwsError("InvalidParameterValue", "The map has too many layers.", locator="LAYERS")


def read_layers(request: Request, project: Project, settings: Settings) -> list[Chosen]:
    """The layers of LAYERS, bottom first: groups taken apart, each with its style and opacity."""
    names = params.LAYERS.required(request)
    styles, opacities = params.STYLES.of(request), params.OPACITIES.of(request)
    known = layers_by_name(project)
    chosen: list[Chosen] = []
    for place, name in enumerate(names):
        if name not in known:
            raise OwsError("LayerNotDefined", f"The layer '{name[:80]}' does not exist.", locator="LAYERS")
        style = styles[place] if place < len(styles) else ""
        opacity = opacities[place] if place < len(opacities) else None
        chosen += [Chosen(layer, checked_style(layer, style), opacity) for layer in known[name]]
        _check_count(chosen, settings)
    return chosen


def checked_style(layer: Published, style: str) -> str:
    """The style asked for; ``OwsError`` StyleNotDefined when the layer has none of that name."""
    if not style or style in layer.styles:
        return style
    raise OwsError(
        "StyleNotDefined", f"Style '{style[:80]}' does not exist for layer '{layer.published}'.", locator="STYLES"
    )


def map_layers(chosen: Sequence[Chosen], context: OperationContext) -> Iterator[MapLayer]:
    """The chosen layers with the client's filters and selections, which name them as LAYERS does."""
    request = context.request
    layers = [one.layer for one in chosen]
    names = {layer.published for layer in layers}
    listed = [one.layer.published for one in chosen] if params.SLD_BODY.text(request) else params.LAYERS.of(request)
    filters = layer_filters(context, layers, names, listed)
    selection: Mapping[str, tuple[str, ...]] = read_selection(params.SELECTION.of(request))
    for one in chosen:
        layer = one.layer
        if layer.id in filters:
            marked = selection.get(layer.published, ())
            yield MapLayer(layer, one.style, one.opacity, filters[layer.id], marked)
