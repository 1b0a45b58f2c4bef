"""Pages as documents: PDF and SVG. Shapes stay shapes; pictures are what is blended in ways that the format does not
know, and what is made of pixels in the first place."""

from __future__ import annotations

import io
from collections.abc import Iterable

import cairo

from qgserver.draw.vector import VectorCanvas

MM_PER_INCH = 25.4
POINTS_PER_MM = 72 / MM_PER_INCH

Size = tuple[float, float]
"""Width and height in mm."""


def write_pdf(pages: Iterable[tuple[VectorCanvas, Size]], dpi: float, title: str = "") -> bytes:
    """A PDF of these pages, which are taken one at a time; ``dpi`` is what their units are."""
    out = io.BytesIO()
    with cairo.PDFSurface(out, 1, 1) as surface:
        surface.set_metadata(cairo.PDFMetadata.TITLE, title)
        for page, (width, height) in pages:
            surface.set_size(width * POINTS_PER_MM, height * POINTS_PER_MM)
            surface.set_device_scale(72 / dpi, 72 / dpi)
            _put(surface, page, dpi)
            surface.show_page()
    return out.getvalue()


def write_svg(page: VectorCanvas, size: Size, dpi: float) -> bytes:
    """An SVG of one page."""
    out = io.BytesIO()
    with cairo.SVGSurface(out, *size) as surface:
        surface.set_document_unit(cairo.SVGUnit.MM)
        surface.set_device_scale(MM_PER_INCH / dpi, MM_PER_INCH / dpi)
        _put(surface, page, dpi)
    return out.getvalue()


def _put(surface: cairo.PDFSurface | cairo.SVGSurface, page: VectorCanvas, dpi: float) -> None:
    surface.set_fallback_resolution(dpi, dpi)
    context = cairo.Context(surface)
    context.set_source_surface(page.surface, 0, 0)
    context.paint()
