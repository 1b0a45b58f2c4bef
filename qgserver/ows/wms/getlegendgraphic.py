"""GetLegendGraphic: the legend of layers as a picture or, QGIS's own, as JSON."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from math import floor

import orjson

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.encode import ImageFormat, ImageOptions, image_format
from qgserver.draw.units import RenderScale
from qgserver.errors import OwsError, ProviderError
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wms import params
from qgserver.ows.wms.legendparams import RULE, read_legend_request
from qgserver.ows.wms.maprequest import CAIRO_LIMIT, read_size
from qgserver.render.legend.icons import legend_json
from qgserver.render.legend.nodes import LayerNode, Node, Row, legend_nodes
from qgserver.render.legend.picture import Sheet, draw_legend, draw_rule, lay_out
from qgserver.render.legend.request import MM_PER_INCH, LegendRequest
from qgserver.web.response import Response

log = logging.getLogger("qgserver")

JSON = "application/json"
DEFAULT_FORMAT = "image/png"

MEASURING_DPI = 88.0
"""Resolution that QGIS assumes when it measures how large a legend becomes: it shows in symbols sized in pixels."""
DEGREES_PER_METER = 1 / 111_319.5
"""What QGIS takes for map units of a metre where there is no map."""
UNIT_DPI = 96.0
"""Resolution at which symbols are as large in a legend as in its map, when their size is in map units. The map is that
of BBOX; without, one where the project says how many map units a millimetre stands for (both measured)."""


def legend_formats(version: str) -> tuple[str, ...]:
    """FORMAT values as capabilities list them."""
    return ("image/jpeg", DEFAULT_FORMAT, JSON)


@operation("WMS", "GetLegendGraphic", "GetLegendGraphics", formats=legend_formats)
def get_legend_graphic(context: OperationContext) -> Response:
    """The legend of LAYERS, or with RULE the symbol of one class."""
    asked = params.FORMAT.of(context.request) or DEFAULT_FORMAT
    as_json = asked.lower() == JSON
    image = image_format(asked)
    if image is None and not as_json:
        raise OwsError("InvalidFormat", f"The format '{asked[:80]}' is not supported.", locator="FORMAT")
    request = read_legend_request(context)

    def build() -> bytes:
        return _document(context, request) if image is None else _picture(context, request, image)

    if request.content is not None or request.counts or params.SLD_BODY.text(context.request):
        data = build()
    else:
        values = context.request.params
        key = (context.version, *(f"{name}={values[name]}" for name in sorted(values) if name != "MAP"))
        data = context.documents.picture(context.project, key, build)
    return Response(data, content_type=JSON if image is None else image.mime)


def _document(context: OperationContext, request: LegendRequest) -> bytes:
    if RULE.of(context.request):
        raise OwsError("InvalidParameterValue", f"RULE cannot be combined with FORMAT={JSON}.", locator="RULE")
    unit = context.project.wms.default_map_units_per_mm
    return orjson.dumps(legend_json(context.project, readable_nodes(context, request), unit))


def _picture(context: OperationContext, request: LegendRequest, image: ImageFormat) -> bytes:
    values = context.request
    transparent = params.TRANSPARENT.of(values) and not image.opaque
    background: Color | None = None if transparent else params.BGCOLOR.of(values)
    draw = _draw_rule if RULE.of(values) else _draw_legend
    canvas = draw(context, request, background)
    quality = params.IMAGE_QUALITY.of(values)
    default = context.project.wms.image_quality
    options = ImageOptions(transparent, request.dpi, quality if quality >= 0 else default)
    return image.encode(canvas, options)


def readable_nodes(context: OperationContext, request: LegendRequest) -> tuple[Node, ...]:
    """The nodes; with QGIS_SERVER_IGNORE_BAD_LAYERS without content and counts where a source fails."""
    try:
        return legend_nodes(context.project, request, context.sources)
    except ProviderError as error:
        if not context.settings.ignore_bad_layers:
            raise
        log.warning("the legend leaves content out, as layer %s cannot be read: %s", error.layer, error.message)
        return legend_nodes(context.project, replace(request, content=None, counts=False), context.sources)


def _draw_legend(context: OperationContext, request: LegendRequest, background: Color | None) -> Canvas:
    nodes = readable_nodes(context, request)
    size = lay_out(_empty_sheet(context, request, MEASURING_DPI), nodes).pixels
    _check_size(context, *size)
    # Qt draws at whole dots per inch
    sheet = lay_out(_empty_sheet(context, request, floor(request.dpi + 0.5)), nodes)
    return draw_legend(context.project, sheet, size, background)


def _check_size(context: OperationContext, width: int, height: int) -> None:
    """Raise ``OwsError`` for what is larger than maps may be."""
    settings, wms = context.settings, context.project.wms
    widest = min(limit for limit in (settings.wms_max_width, wms.max_width, CAIRO_LIMIT) if limit > 0)
    tallest = min(limit for limit in (settings.wms_max_height, wms.max_height, CAIRO_LIMIT) if limit > 0)
    if width > widest or height > tallest or 0 < settings.max_pixels < width * height:
        raise OwsError("InvalidParameterValue", "The legend is too large: ask for fewer layers, or smaller ones.")


def _draw_rule(context: OperationContext, request: LegendRequest, background: Color | None) -> Canvas:
    if request.content is not None:
        raise OwsError("InvalidParameterValue", "RULE cannot be combined with BBOX.", locator="RULE")
    size = read_size(context.request, context.project, context.settings)
    # a class is known by its whole label, whatever other parameters make of it
    request = replace(request, counts=False, style=replace(request.style, labels="all"))
    rule = RULE.of(context.request)
    nodes = readable_nodes(context, request)
    found = next(((node, row) for node, row in _rows(nodes) if row.label == rule), None)
    if found is None:
        raise OwsError("InvalidParameterValue", f"No class is called '{rule[:80]}'.", locator="RULE")
    return draw_rule(context.project, found, _empty_sheet(context, request, request.dpi), size, background)


def _rows(nodes: tuple[Node, ...]) -> Iterator[tuple[LayerNode, Row]]:
    for node in nodes:
        if isinstance(node, LayerNode):
            yield from ((node, row) for row in node.rows)
        else:
            yield from _rows(node.members)


def _empty_sheet(context: OperationContext, request: LegendRequest, dpi: float) -> Sheet:
    """A sheet for symbols drawn at ``dpi``."""
    content = request.content
    if content is None:
        unit = context.project.wms.default_map_units_per_mm * MM_PER_INCH / request.dpi
        scale = RenderScale(dpi / MM_PER_INCH, unit * UNIT_DPI / dpi, request.scale, DEGREES_PER_METER)
    else:
        unit = content.resolution
        scale = replace(content.scale, px_per_mm=dpi / MM_PER_INCH, map_units_per_pixel=unit * UNIT_DPI / dpi)
    return Sheet(request.style, scale, request.dpi)
