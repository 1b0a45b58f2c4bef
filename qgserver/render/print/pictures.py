"""Pictures on a page: SVG or pixels, from files or kept in the project itself. Nothing is fetched from the network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from qgserver.draw.images import draw_image, read_image, sized_image
from qgserver.draw.svg import SvgColors, read_picture
from qgserver.project.model.layouts import PictureItem
from qgserver.render.print.norths import north_angle
from qgserver.render.print.paper import Paper
from qgserver.symbology.pictures import svg_picture

ZOOM, STRETCH, CLIP, ZOOM_FRAME, SHRINK_FRAME = range(5)
"""``resizeMode``."""

_INLINE_SVG = ("base64:PHN2Zy", "base64:PD94bWw")
"""How ``<svg`` and ``<?xml`` begin in base64."""

Pair = tuple[float, float]


def fit_picture(paper: Paper, item: PictureItem) -> tuple[PictureItem, Callable[[Paper], None]]:
    """The item, as large as its picture if it is to be, and what draws it; nothing where there is no picture."""
    if item.resize == SHRINK_FRAME and (found := _natural(paper, item)) is not None:
        # pixels of the picture are those of the print, whatever its resolution (measured)
        item = replace(item, width=found[0] / paper.factor, height=found[1] / paper.factor)
    return item, partial(_draw_picture, item=item)


def _natural(paper: Paper, item: PictureItem) -> Pair | None:
    """Pixels of a picture, None where there is none."""
    if _is_svg(item):
        data = paper.project.assets.svg(item.file)
        found = read_picture(data, SvgColors(item.fill, item.stroke, 1.0, 1.0)) if data else None
        return None if found is None else (found.width, found.height)
    data = paper.project.assets.image(item.file)
    image = read_image(data) if data else None
    return None if image is None else (float(image.width), float(image.height))


def _is_svg(item: PictureItem) -> bool:
    return item.file.lower().endswith(".svg") or item.file.startswith(_INLINE_SVG)


def _draw_picture(paper: Paper, item: PictureItem) -> None:
    if not item.file or item.width <= 0 or item.height <= 0:
        return
    degrees = north_angle(paper, item.north, item.picture_rotation)
    if not _is_svg(item):
        _draw_pixels(paper, item, degrees)
    elif paper.project.assets.svg(item.file) is not None:
        _draw_svg(paper, item, degrees)


def _draw_svg(paper: Paper, item: PictureItem, degrees: float) -> None:
    nominal = item.width * paper.factor
    colors = SvgColors(item.fill, item.stroke, item.stroke_width * paper.factor, nominal)
    picture = svg_picture(paper.project.assets, item.file, colors)
    # nothing is cut off an SVG: it fills the item (measured)
    natural = (item.width, item.height) if item.resize == CLIP else (picture.width, picture.height)
    size = _size(item, natural, degrees)
    pixels = size[0] * paper.factor, size[1] * paper.factor
    if min(pixels) >= 1:
        picture.draw(paper.canvas, _middle(paper, item, size, degrees), pixels, item.rotation + degrees, 1.0)


def _draw_pixels(paper: Paper, item: PictureItem, degrees: float) -> None:
    data = paper.project.assets.image(item.file)
    image = read_image(data) if data else None
    if data is None or image is None:
        return
    size = _size(item, (image.width, image.height), degrees)
    width, height = (max(int(side * paper.factor + 0.5), 1) for side in size)
    sized = sized_image(data, width, height)
    if sized is not None:
        draw_image(paper.canvas, sized, *_middle(paper, item, size, degrees), item.rotation + degrees, 1.0)


def _size(item: PictureItem, natural: Pair, degrees: float) -> Pair:
    """Width and height in mm: as large as it fits when it is turned, but for ``STRETCH``."""
    if item.resize == STRETCH and not degrees % 360:
        return item.width, item.height
    angle = math.radians(degrees)
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    wide, tall = natural[0] * cos + natural[1] * sin, natural[0] * sin + natural[1] * cos
    grown = min(item.width / wide, item.height / tall)
    return natural[0] * grown, natural[1] * grown


def _middle(paper: Paper, item: PictureItem, size: Pair, degrees: float) -> Pair:
    """Where the middle of the picture is, in pixels: a turned one is always in the middle of the item."""
    across, down = (0.5, 0.5) if degrees % 360 else ((item.anchor % 3) / 2, (item.anchor // 3) / 2)
    x = across * (item.width - size[0]) + size[0] / 2
    y = down * (item.height - size[1]) + size[1] / 2
    return paper.place(item, x, y)
