"""Pictures of pixels: decoded once, drawn at any size."""

from __future__ import annotations

import io
import math
from functools import lru_cache

import cairo
import numpy as np

from qgserver.draw.canvas import Canvas

MAX_PIXELS = 16_000_000
"""Pixels of a picture that is drawn; a larger one counts as missing."""

MAX_SIZED = 4_000_000
"""Pixels that it may get in a map."""


@lru_cache(maxsize=4)
def read_image(data: bytes) -> Canvas | None:
    """The picture in these bytes (PNG, JPEG, GIF, ...: the first frame); None when it is none."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            if not 0 < image.width * image.height <= MAX_PIXELS:
                return None
            pixels = np.asarray(image.convert("RGBA"), dtype=np.uint16)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    canvas = Canvas(pixels.shape[1], pixels.shape[0])
    alpha = pixels[:, :, 3:]
    premultiplied = (pixels[:, :, 2::-1] * alpha + 127) // 255
    canvas.pixels()[:] = np.concatenate([premultiplied, alpha], axis=2).astype(np.uint8)
    canvas.surface.mark_dirty()
    return canvas


@lru_cache(maxsize=8)
def sized_image(data: bytes, width: int, height: int) -> Canvas | None:
    """The picture, ``width`` x ``height`` pixels large; None when that is too large."""
    found = read_image(data)
    return None if found is None or width * height > MAX_SIZED else found.scaled(width, height)


def faded(image: Canvas, opacity: float) -> Canvas:
    """The picture with some of its strength."""
    if opacity >= 1:
        return image
    weak = image.new_layer()
    weak.compose(image, max(opacity, 0.0))
    return weak


def draw_turned(canvas: Canvas, picture: Canvas, corner: tuple[float, float], degrees: float) -> None:
    """Draw a picture or recording turned clockwise around its left upper corner, which stands at ``corner``."""
    context = canvas.context
    context.save()
    context.translate(*corner)
    context.rotate(math.radians(degrees))
    context.set_source_surface(picture.surface, 0, 0)
    context.paint()
    context.restore()


def draw_image(canvas: Canvas, image: Canvas, x: float, y: float, degrees: float, opacity: float) -> None:
    """Draw a picture around (x, y), turned clockwise; upright at whole pixels."""
    context = canvas.context
    context.save()
    context.set_operator(canvas.operator)
    if degrees % 360:
        context.translate(x, y)
        context.rotate(math.radians(degrees))
        context.translate(-image.width / 2, -image.height / 2)
    else:
        context.translate(math.floor(x - image.width / 2 + 0.5), math.floor(y - image.height / 2 + 0.5))
    context.set_source_surface(image.surface, 0, 0)
    context.get_source().set_filter(cairo.Filter.BILINEAR if degrees % 360 else cairo.Filter.NEAREST)
    context.paint_with_alpha(opacity)
    context.restore()
