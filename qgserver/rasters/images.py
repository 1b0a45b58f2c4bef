"""Pictures of other servers as pixels, within bounds."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from qgserver.rasters.colors import Words

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MAX_SIDE = 8192
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)


def decoded(data: bytes, max_pixels: int) -> Words | None:
    """uint32[height, width] of a picture; None when it is none, is broken or has more pixels: its header tells before
    anything is unpacked."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if max(width, height) > MAX_SIDE or not 0 < width * height <= max_pixels:
                return None
            pixels = np.asarray(picture.convert("RGBA"))
    except _BROKEN:
        return None
    return _premultiplied(pixels)


def _premultiplied(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Words:
    """Straight R, G, B, A to pixels, rounded as Qt rounds them."""
    alpha = pixels[..., 3]
    out = pixels[..., [2, 1, 0, 3]]
    if (alpha != 255).any():
        product = out[..., :3].astype(np.uint16) * alpha[..., None]
        out[..., :3] = (product + (product >> 8) + 128) >> 8
    words: Words = np.ascontiguousarray(out).view(np.uint32)[..., 0]
    return words
