"""Pages as documents: PDF, and SVG. Their content is a picture at the resolution of the print."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

import cairo

from qgserver.draw.canvas import Canvas
from qgserver.draw.encode import ImageOptions, encode_png

MM_PER_INCH = 25.4
POINTS_PER_MM = 72 / MM_PER_INCH

Size = tuple[float, float]
"""Width and height in mm."""


def write_pdf(pages: Iterable[tuple[Canvas, Size]]) -> bytes:
    """A PDF of these pages, which are taken one at a time."""
    out = io.BytesIO()
    with cairo.PDFSurface(out, 1, 1) as surface:
        for picture, (width, height) in pages:
            surface.set_size(width * POINTS_PER_MM, height * POINTS_PER_MM)
            context = cairo.Context(surface)
            context.scale(width * POINTS_PER_MM / picture.width, height * POINTS_PER_MM / picture.height)
            context.set_source_surface(picture.surface, 0, 0)
            context.paint()
            surface.show_page()
    return out.getvalue()


def write_svg(picture: Canvas, dpi: float) -> bytes:
    """An SVG of one page, as large as its whole pixels are."""
    width, height = picture.width / dpi * MM_PER_INCH, picture.height / dpi * MM_PER_INCH
    pixels = f'width="{picture.width}" height="{picture.height}"'
    data = base64.b64encode(encode_png(picture, ImageOptions(True, dpi))).decode()
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'version="1.2" baseProfile="tiny" width="{width:.6g}mm" height="{height:.6g}mm" '
        f'viewBox="0 0 {picture.width} {picture.height}">\n'
        f'<image {pixels} xlink:href="data:image/png;base64,{data}"/>\n</svg>\n'
    )
    return text.encode()
