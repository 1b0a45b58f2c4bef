"""GetPrint: a print layout of the project as a picture or a document."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from qgserver.draw.canvas import Canvas
from qgserver.draw.document import Size, write_pdf, write_svg
from qgserver.draw.encode import ImageOptions, image_format
from qgserver.draw.vector import VectorCanvas
from qgserver.errors import OwsError, ProviderError
from qgserver.ows.operations import OperationContext, operation
from qgserver.ows.wms import params
from qgserver.ows.wms.atlas import atlas_pages
from qgserver.ows.wms.printparams import read_print_request
from qgserver.render.print.page import draw_page
from qgserver.render.print.request import PrintRequest
from qgserver.web.response import Response

log = logging.getLogger("qgserver")

Kind = TypeVar("Kind", bound=Canvas)

PDF, SVG = "application/pdf", "image/svg+xml"
_NAMES = {"": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "image/jpg": "image/jpeg", "pdf": PDF, "svg": SVG}
"""FORMAT values beside those of images, and what they mean."""


def print_formats(version: str) -> tuple[str, ...]:
    """FORMAT values as GetProjectSettings lists them."""
    return ("svg", "png", "pdf")


@operation("WMS", "GetPrint", formats=print_formats)
def get_print(context: OperationContext) -> Response:
    """The layout TEMPLATE with the maps at the extents asked for."""
    if context.settings.disable_getprint:
        raise OwsError("OperationNotSupported", "GetPrint is switched off on this server.", status=501)
    asked = params.FORMAT.of(context.request)
    name = _NAMES.get(asked.lower(), asked)
    image = image_format(name)
    if image is None and name not in (PDF, SVG):
        raise OwsError("InvalidFormat", f"The format '{asked[:80]}' is not supported.", locator="FORMAT")
    request = read_print_request(context, sized=image is not None)
    prints = atlas_pages(context, request)
    if name == PDF:
        return Response(write_pdf(_pages(context, prints), request.dpi, request.layout.name), content_type=PDF)
    first = next(prints)
    if image is None:
        page = first.layout.pages[0]
        document = write_svg(_draw(context, first, VectorCanvas), (page.width, page.height), first.dpi)
        return Response(document, content_type=SVG)
    picture = _draw(context, first, Canvas)
    quality = params.IMAGE_QUALITY.of(context.request)
    default = context.project.wms.image_quality
    options = ImageOptions(not image.opaque, first.dpi, quality if quality >= 0 else default)
    return Response(image.encode(picture, options), content_type=image.mime)


def _pages(context: OperationContext, prints: Iterator[PrintRequest]) -> Iterator[tuple[VectorCanvas, Size]]:
    for request in prints:
        for number, page in enumerate(request.layout.pages):
            yield _draw(context, request, VectorCanvas, number), (page.width, page.height)


def _draw(context: OperationContext, request: PrintRequest, kind: type[Kind], page: int = 0) -> Kind:
    """A page on a canvas of that kind; with QGIS_SERVER_IGNORE_BAD_LAYERS without the layers whose source fails."""
    while True:
        try:
            return draw_page(context.project, request, context.sources, page, kind)
        except ProviderError as error:
            rest = {
                uuid: replace(shown, layers=tuple(one for one in shown.layers if one.layer.published != error.layer))
                for uuid, shown in request.maps.items()
            }
            if not context.settings.ignore_bad_layers or rest == request.maps:
                raise
            log.warning("layer %s is left out of a print: %s", error.layer, error.message)
            request = replace(request, maps=rest)
