"""GetMap."""

from __future__ import annotations

import logging
from dataclasses import replace

from qgserver.draw.canvas import Canvas
from qgserver.draw.encode import ImageFormat, ImageOptions, image_format, image_formats
from qgserver.errors import OwsError, ProviderError
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wms import params
from qgserver.ows.wms.dxffile import MIME as DXF
from qgserver.ows.wms.imageerror import image_error
from qgserver.ows.wms.maprequest import read_map_request
from qgserver.render.map import render_map
from qgserver.render.request import MapRequest
from qgserver.web.request import Request
from qgserver.web.response import Response

log = logging.getLogger("qgserver")

OPAQUE = ("image/jpeg",)
"""Formats without transparency: TRANSPARENT does not count, BGCOLOR does."""


def map_formats(version: str) -> tuple[str, ...]:
    """FORMAT values as capabilities list them."""
    return (*(found.name for found in image_formats()), DXF)


@operation("WMS", "GetMap", formats=map_formats, on_error=image_error)
def get_map(context: OperationContext) -> Response:
    """The picture of LAYERS over BBOX."""
    request = context.request
    if params.FORMAT.text(request).lower() == DXF:
        from qgserver.ows.wms.dxf import get_dxf  # few requests need it

        return get_dxf(context)
    found = read_format(request)
    map_request = read_map_request(context, transparent=found.mime not in OPAQUE)
    quality = params.IMAGE_QUALITY.of(request)
    options = ImageOptions(
        transparent=map_request.background is None,
        dpi=map_request.dpi,
        quality=quality if quality >= 0 else context.project.wms.image_quality,
    )
    return Response(found.encode(draw(context, map_request), options), content_type=found.mime)


def read_format(request: Request) -> ImageFormat:
    """The image format asked for; ``OwsError`` InvalidFormat."""
    name = params.FORMAT.of(request)
    found = image_format(name)
    if found is None:
        raise OwsError("InvalidFormat", f"The format '{name[:80]}' is not supported.", locator="FORMAT")
    return found


def draw(context: OperationContext, map_request: MapRequest) -> Canvas:
    """The map; with QGIS_SERVER_IGNORE_BAD_LAYERS without the layers whose source fails."""
    while True:
        try:
            return render_map(context.project, map_request, context.sources)
        except ProviderError as error:
            rest = tuple(item for item in map_request.layers if item.layer.published != error.layer)
            if not context.settings.ignore_bad_layers or len(rest) == len(map_request.layers):
                raise
            log.warning("layer %s is left out of a map: %s", error.layer, error.message)
            map_request = replace(map_request, layers=rest)
