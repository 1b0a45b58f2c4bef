"""Parameters of GetPrint, and from them to one ``PrintRequest``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from qgserver.errors import OwsError
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.scale import scale_denominator
from qgserver.ows.operations import OperationContext
from qgserver.ows.wms import params
from qgserver.ows.wms.maprequest import CAIRO_LIMIT, Chosen, chosen_layers, map_layers, read_crs
from qgserver.ows.wms.published import drawing_order, published_tree, visible_names
from qgserver.project.model import Project, RasterLayer, ThemeLayer, VectorLayer
from qgserver.project.model.layouts import Grid, LabelItem, Layout, LayoutItem, MapItem
from qgserver.render.print.request import PrintMap, PrintRequest
from qgserver.render.request import Highlight

MM_PER_INCH = 25.4
FALLBACK_DPI = 300.0
_PER_MAP = ("LAYERS", "STYLES", "HIGHLIGHT_GEOM", "HIGHLIGHT_SYMBOL")
"""Parameters that a map may have of its own."""

TEMPLATE = params.parameter(
    "TEMPLATE",
    params.text,
    "",
    "GetPrint: the name of a print layout. `map0:EXTENT`, `map1:EXTENT`, ... are the extents of its maps, in the axis "
    "order of BBOX (a map without is not drawn), `map0:SCALE`, `map0:ROTATION`, `map0:GRID_INTERVAL_X`, "
    "`map0:GRID_INTERVAL_Y`, `map0:LAYERS`, `map0:STYLES`, `map0:HIGHLIGHT_GEOM` and `map0:HIGHLIGHT_SYMBOL` what else "
    "they have of their own. A parameter named like the id of a label is its text, empty: no label. Addresses for HTML "
    "frames are refused.",
    vendor=True,
)
ATLAS_PK: params.Parameter[tuple[str, ...]] = params.parameter(
    "ATLAS_PK",
    params.items,
    params.NOTHING,
    "GetPrint: keys of features of the atlas's coverage layer, each printed (`*`: all of them), at most as many as the "
    "project's WMSMaxAtlasFeatures. PNG, JPEG and SVG have but the first.",
    vendor=True,
)


def read_print_request(context: OperationContext, *, sized: bool) -> PrintRequest:
    """The print that a request asks for; ``sized``: WIDTH and HEIGHT count. Raises ``OwsError``."""
    layout = _layout(context)
    crs, inverted = read_crs(context.request, context.version)
    texts, removed = _texts(context, layout)
    items: list[LayoutItem] = []
    absent: list[MapItem] = []
    maps: dict[str, PrintMap] = {}
    for item in layout.items:
        if isinstance(item, MapItem):
            placed = _placed_map(context, item, crs, inverted=inverted)
            if placed is None:
                absent.append(item)
                continue
            maps[item.uuid] = _print_map(context, placed)
            items.append(placed)
        elif item.uuid not in removed:
            items.append(item)
    dpi = params.DPI.of(context.request) or (layout.dpi if layout.dpi > 0 else FALLBACK_DPI)
    request = PrintRequest(
        layout=replace(layout, items=tuple(items)),
        crs=crs,
        dpi=dpi,
        maps=maps,
        texts=texts,
        size=_size(context, layout) if sized else None,
        absent=tuple(absent),
    )
    _check_size(context, request)
    return request


def _layout(context: OperationContext) -> Layout:
    name = TEMPLATE.required(context.request)
    restricted = context.project.wms.restricted_layouts
    found = next((one for one in context.project.layouts if one.name == name and name not in restricted), None)
    if found is None or not found.pages:
        raise OwsError("InvalidParameterValue", "The TEMPLATE parameter is invalid.", locator="TEMPLATE")
    if not all(page.width > 0 and page.height > 0 for page in found.pages):
        raise OwsError("InvalidParameterValue", "The print layout has no size.", locator="TEMPLATE")
    for html in found.htmls:
        if context.request.get(html.upper()):
            message = "Addresses of HTML frames are refused: the server fetches nothing."
            raise OwsError("InvalidParameterValue", message, locator=html)
    return found


def _texts(context: OperationContext, layout: Layout) -> tuple[Mapping[str, str], frozenset[str]]:
    """What labels say by their uuid, and those that are left out. Labels are named by their id or uuid."""
    texts: dict[str, str] = {}
    removed: set[str] = set()
    known = context.request.params
    for item in layout.items:
        if not isinstance(item, LabelItem):
            continue
        name = next((name for name in (item.id.upper(), item.uuid.upper()) if name and name in known), None)
        if name is not None and known[name]:
            texts[item.uuid] = known[name]
        elif name is not None:
            removed.add(item.uuid)
    return texts, frozenset(removed)


def _placed_map(context: OperationContext, item: MapItem, crs: Crs, *, inverted: bool) -> MapItem | None:
    """The map with the extent, scale and rotation asked for, None without an extent. Its height follows the shape of
    the extent, its width stays (measured)."""
    request, prefix = context.request, f"{item.name.upper()}:"
    text = request.get(f"{prefix}EXTENT").strip()
    if not text:
        return item if item.atlas_margin is not None and ATLAS_PK.text(request) else None
    own = replace(request, params={**request.params, "BBOX": text})
    extent = params.extent(own, inverted=inverted)
    height = item.width * extent.height / extent.width
    scale = _number(context, f"{prefix}SCALE")
    if scale:
        now = scale_denominator(extent, item.width, MM_PER_INCH, crs)
        grown = scale / now if now > 0 else 1.0
        (x, y), wide, tall = extent.center, extent.width * grown / 2, extent.height * grown / 2
        extent = Extent(x - wide, y - tall, x + wide, y + tall)
    rotation = _number(context, f"{prefix}ROTATION")
    turned = item.map_rotation if rotation is None else rotation
    across, down = _number(context, f"{prefix}GRID_INTERVAL_X"), _number(context, f"{prefix}GRID_INTERVAL_Y")
    grids = (_with_interval(item.grids, across, down), *item.grids[1:]) if across or down else item.grids
    return replace(item, extent=extent, height=height, map_rotation=turned, grids=grids)


def _with_interval(grids: tuple[Grid, ...], across: float | None, down: float | None) -> Grid:
    """The first grid of a map, or plain lines, at the intervals asked for."""
    grid = grids[0] if grids else Grid(interval=(0.0, 0.0))
    return replace(grid, interval=(across or grid.interval[0], down or grid.interval[1]))


def _number(context: OperationContext, name: str) -> float | None:
    text = context.request.get(name).strip()
    if not text:
        return None
    try:
        value = params.number(text)
    except ValueError as error:
        raise OwsError("InvalidParameterValue", f"{name} is not valid: {error}.", locator=name) from None
    if name.endswith(":SCALE") and value <= 0:
        raise OwsError("InvalidParameterValue", f"{name} must be greater than 0.", locator=name)
    return value


def _print_map(context: OperationContext, item: MapItem) -> PrintMap:
    """What a map shows: its locked layers, those asked for, those of its theme, or those that the project shows."""
    request, prefix = context.request, f"{item.name.upper()}:"
    own = {name: value for name in _PER_MAP if (value := request.get(prefix + name))}
    if f"{prefix}LAYERS" in request.params:
        own.setdefault("STYLES", "")
    inner = replace(context, request=replace(request, params={**request.params, **own}))
    asked = any(row.text(inner.request) for row in (params.LAYERS, params.SLD_BODY, params.HIGHLIGHT_GEOM))
    if item.locked is not None:
        chosen = _themed(context.project, item.locked)
    elif asked:
        chosen = chosen_layers(inner)
    elif item.theme in context.project.themes:
        chosen = _themed(context.project, context.project.themes[item.theme].layers)
    else:
        chosen = list(_visible(context.project))
    own_layers = asked or item.locked is not None
    return PrintMap(tuple(map_layers(chosen, inner)), own_layers, tuple(_highlights(inner)))


def _themed(project: Project, layers: tuple[ThemeLayer, ...]) -> list[Chosen]:
    """Layers that the project's author chose, bottom first."""
    found = ((project.layers.get(one.layer_id), one.style) for one in reversed(layers))
    return [
        Chosen(layer, style if style in layer.styles else "")
        for layer, style in found
        if isinstance(layer, VectorLayer | RasterLayer)
    ]


def _visible(project: Project) -> Iterator[Chosen]:
    names = frozenset(visible_names(project))
    for layer in drawing_order(project, published_tree(project)):
        if layer.published in names:
            yield Chosen(layer)


def _highlights(context: OperationContext) -> Iterator[Highlight]:
    if params.HIGHLIGHT_GEOM.text(context.request):
        from qgserver.ows.wms.highlights import read_highlights  # few requests need it

        yield from read_highlights(context.request)


def _size(context: OperationContext, layout: Layout) -> tuple[int, int] | None:
    """WIDTH and HEIGHT; one alone keeps the shape of the page."""
    width, height = params.WIDTH.of(context.request), params.HEIGHT.of(context.request)
    if not width and not height:
        return None
    page = layout.pages[0]
    return (
        width or max(int(height * page.width / page.height), 1),
        height or max(int(width * page.height / page.width), 1),
    )


def _check_size(context: OperationContext, request: PrintRequest) -> None:
    """Raise ``OwsError`` for pages that are larger than maps may be."""
    settings, wms = context.settings, context.project.wms
    widest = min(limit for limit in (settings.wms_max_width, wms.max_width, CAIRO_LIMIT) if limit > 0)
    tallest = min(limit for limit in (settings.wms_max_height, wms.max_height, CAIRO_LIMIT) if limit > 0)
    for page in range(len(request.layout.pages)):
        width, height = request.pixels(page)
        factor = max(width / request.layout.pages[page].width, height / request.layout.pages[page].height)
        # a map that is turned may need pictures of its whole size, with room for its corners
        turned = (item for item in request.layout.items if isinstance(item, MapItem) and _is_turned(item))
        largest = max((factor * (item.width + item.height) for item in turned), default=0.0)
        pixels = max(width * height, largest**2)
        too_large = width > widest or height > tallest or largest > CAIRO_LIMIT or 0 < settings.max_pixels < pixels
        if too_large or width < 1 or height < 1:
            message = "The print would have too many pixels, or none: ask for another DPI, WIDTH or HEIGHT."
            raise OwsError("InvalidParameterValue", message, locator="DPI")


def _is_turned(item: MapItem) -> bool:
    return bool(item.rotation % 360 or item.map_rotation % 360)
