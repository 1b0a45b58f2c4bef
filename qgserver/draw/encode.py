"""Pictures as bytes: PNG in QGIS Server's depths, JPEG, WebP."""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.canvas import Canvas
from qgserver.registry import Registry

if TYPE_CHECKING:
    from PIL import Image

Bytes = NDArray[np.uint8]

DEFAULT_DPI = 25.4 / 0.28
DEFAULT_QUALITY = 75
"""Of JPEG and WebP where neither request nor project asks for another (the files equal QGIS Server's byte for byte)."""


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """``transparent`` keeps alpha where the format can; ``quality`` 0..100 of lossy formats (-1 = default)."""

    transparent: bool = False
    dpi: float = DEFAULT_DPI
    quality: int = -1


Encode = Callable[[Canvas, ImageOptions], bytes]


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """``name`` is the FORMAT value, ``mime`` what answers say they are, ``listed`` whether capabilities name it.

    ``opaque``: the format has no alpha, so TRANSPARENT must not keep the background from being painted.
    """

    name: str
    mime: str
    encode: Encode
    listed: bool = True
    opaque: bool = False


_FORMATS: Registry[ImageFormat] = Registry("image format")


def _key(name: str) -> str:
    return "".join(name.casefold().split())


def _register(name: str, *aliases: str, listed: bool = True, opaque: bool = False) -> Callable[[Encode], Encode]:
    def add(encode: Encode) -> Encode:
        mime = name.partition(";")[0]
        _FORMATS.register(_key(name), *aliases)(ImageFormat(name, mime, encode, listed, opaque))
        return encode

    return add


def image_format(name: str) -> ImageFormat | None:
    """The format a FORMAT value names (case and spaces do not count), None when we have none."""
    return _FORMATS.get(_key(name))


def image_formats() -> tuple[ImageFormat, ...]:
    """Every format once, in the order capabilities list them."""
    return tuple(dict.fromkeys(_FORMATS[name] for name in _FORMATS))


def _image(canvas: Canvas, mode: Literal["RGB", "RGBA"]) -> Image.Image:
    """The picture for Pillow, which also takes alpha out of the colours."""
    from PIL import Image

    layout = "BGRX" if mode == "RGB" else "BGRa"
    size, stride = (canvas.width, canvas.height), canvas.surface.get_stride()
    return Image.frombuffer(mode, size, canvas.pixels(), "raw", layout, stride, 1)


# PNG -----------------------------------------------------------------------------------------------------------------

_RGB, _PALETTE, _RGBA = 2, 3, 6
"""PNG colour types."""


def _compress(data: bytes | memoryview) -> bytes:
    """Level 1 is enough for unfiltered maps; ISA-L does it five times faster than zlib."""
    try:
        from isal import isal_zlib
    except ImportError:  # no wheel for this machine
        return zlib.compress(data, 1)
    packed: bytes = isal_zlib.compress(data, 1)
    return packed


def _chunk(kind: bytes, data: bytes) -> Iterator[bytes]:
    yield struct.pack(">I4s", len(data), kind)
    yield data
    yield struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


def _png(size: tuple[int, int], kind: tuple[int, int], rows: Bytes, dpi: float, palette: Bytes | None = None) -> bytes:
    """A PNG of packed pixel rows uint8[height, bytes]; ``kind`` is bit depth and colour type, ``palette`` uint8[n, 4].

    No filter: on maps that is faster and smaller.
    """
    scanlines = np.zeros((rows.shape[0], rows.shape[1] + 1), np.uint8)
    scanlines[:, 1:] = rows
    per_metre = math.floor(dpi / 0.0254 + 0.5)
    chunks = [(b"IHDR", struct.pack(">2I5B", *size, *kind, 0, 0, 0))]
    if palette is not None:
        chunks.append((b"PLTE", palette[:, :3].tobytes()))
        if (palette[:, 3] < 255).any():
            chunks.append((b"tRNS", palette[:, 3].tobytes()))
    chunks.append((b"pHYs", struct.pack(">2IB", per_metre, per_metre, 1)))
    chunks.append((b"IDAT", _compress(scanlines.data)))
    chunks.append((b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(part for name, data in chunks for part in _chunk(name, data))


def _true_colour(canvas: Canvas, transparent: bool, dpi: float) -> bytes:
    image = _image(canvas, "RGBA" if transparent else "RGB")
    rows = np.frombuffer(image.tobytes(), np.uint8).reshape(canvas.height, -1)
    return _png((canvas.width, canvas.height), (8, _RGBA if transparent else _RGB), rows, dpi)


@_register("image/jpeg", opaque=True)
def _jpeg(canvas: Canvas, options: ImageOptions) -> bytes:
    quality = options.quality if 0 <= options.quality <= 100 else DEFAULT_QUALITY
    dots = math.floor(options.dpi + 0.5)
    out = io.BytesIO()
    _image(canvas, "RGB").save(out, "JPEG", quality=quality, dpi=(dots, dots))
    return out.getvalue()


@_register("image/png", "png")
def encode_png(canvas: Canvas, options: ImageOptions) -> bytes:
    """RGB, or RGBA when transparent."""
    return _true_colour(canvas, options.transparent, options.dpi)


@_register("image/png; mode=16bit")
def _png16(canvas: Canvas, options: ImageOptions) -> bytes:
    """Four bits a channel, alpha included (that is what QGIS Server means by 16 bit), stored in eight."""
    coarse = Canvas(canvas.width, canvas.height)
    coarse.pixels()[:] = canvas.pixels() // 16 * 17
    coarse.surface.mark_dirty()
    return _true_colour(coarse, True, options.dpi)


@_register("image/png; mode=8bit")
def _png8(canvas: Canvas, options: ImageOptions) -> bytes:
    """At most 256 colours: the picture's own when they are no more, else the nearest of an octree."""
    image = _image(canvas, "RGBA" if options.transparent else "RGB")
    colours = image.getcolors(256)
    if colours is not None:
        indices, palette = _own_palette(image)
    else:
        from PIL import Image

        reduced = image.quantize(256, Image.Quantize.FASTOCTREE)
        indices = np.asarray(reduced)
        bands = reduced.getpalette("RGBA") or []
        palette = np.array(bands, np.uint8).reshape(-1, 4)
    return _png((canvas.width, canvas.height), (8, _PALETTE), indices, options.dpi, palette)


_HASH_SLOTS = 1 << 16


def _own_palette(image: Image.Image) -> tuple[Bytes, Bytes]:
    """Indices uint8[h, w] and palette uint8[n, 4] of a picture of at most 256 colours, by a hash without collisions."""
    pixels = np.frombuffer(image.convert("RGBA").tobytes(), "<u4")
    found = [colour for _, colour in image.getcolors(256) or ()]
    palette = np.array([[*colour, 255][:4] for colour in found if isinstance(colour, tuple)], np.uint8)
    keys = palette.view("<u4").ravel()
    multiplier = np.uint32(0x9E3779B1)
    while len(np.unique(keys * multiplier >> np.uint32(16))) < len(keys):
        multiplier = np.uint32((int(multiplier) * 0x2C9277B5 + 2) & 0xFFFFFFFF | 1)
    slots = np.zeros(_HASH_SLOTS, np.uint8)
    slots[keys * multiplier >> np.uint32(16)] = np.arange(len(keys))
    return slots[pixels * multiplier >> np.uint32(16)].reshape(image.height, image.width), palette


@_register("image/png; mode=1bit")
def _png1(canvas: Canvas, options: ImageOptions) -> bytes:
    """Black and white, split at half of Qt's grey, without dithering; what is transparent is black."""
    red, green, blue, _ = np.moveaxis(np.asarray(_image(canvas, "RGBA")).astype(np.uint16), 2, 0)
    rows = np.packbits((red * 11 + green * 16 + blue * 5) // 32 < 128, axis=1)
    palette = np.array([[255, 255, 255, 255], [0, 0, 0, 255]], np.uint8)
    return _png((canvas.width, canvas.height), (1, _PALETTE), rows, options.dpi, palette)


@_register("image/webp", "webp", listed=False)
def _webp(canvas: Canvas, options: ImageOptions) -> bytes:
    quality = options.quality if 0 <= options.quality <= 100 else DEFAULT_QUALITY
    out = io.BytesIO()
    _image(canvas, "RGBA" if options.transparent else "RGB").save(out, "WEBP", quality=quality)
    return out.getvalue()
