"""The shadow of a label."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cairo

from qgserver.draw.blend import layer_operator
from qgserver.draw.canvas import Canvas
from qgserver.draw.filters import SMEAR_REACH, smeared, tinted
from qgserver.geo.geometry import Floats
from qgserver.labeling.textformat import Shadow
from qgserver.symbology.env import Env

_FADED = 8
"""Blurs of so many pixels and more reach as far as any."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture: left upper corner and size in pixels."""

    x: int
    y: int
    width: int
    height: int


def shadow_region(canvas: Canvas, env: Env, shadow: Shadow, ring: Floats, around: float) -> Region | None:
    """What of the picture a label with the box ``ring`` (engine space), and ``around`` pixels more on each side, can
    throw its shadow from; None when the shadow is not in the picture."""
    blur = shadow.radius.pixels(env.scale)
    distance = shadow.distance.pixels(env.scale)
    if not (blur >= 0 and 0 <= abs(distance) < 1e6 and around < 1e6 and shadow.opacity > 0):
        return None
    reach = SMEAR_REACH if blur >= _FADED else math.ceil(blur * 8) + 2
    low, high = ring.min(axis=0) - around - reach, ring.max(axis=0) + around + reach
    edge = reach + math.ceil(abs(distance))
    x0, x1 = max(math.floor(low[0]), -edge), min(math.ceil(high[0]), canvas.width + edge)
    top, bottom = canvas.height - high[1], canvas.height - low[1]
    y0, y1 = max(math.floor(top), -edge), min(math.ceil(bottom), canvas.height + edge)
    return Region(x0, y0, x1 - x0, y1 - y0) if x0 < x1 and y0 < y1 else None


def draw_shadow(canvas: Canvas, env: Env, shadow: Shadow, part: tuple[Canvas, Region], turned: float) -> None:
    """Draw the shadow of what is painted in ``part``, a label turned by so many radians counter-clockwise."""
    alone, region = part
    alpha = alone.pixels()[..., 3][None, ..., None]
    level = int(shadow.radius.pixels(env.scale) + 0.5)
    cast = Canvas(region.width, region.height)
    cast.pixels()[:] = tinted(smeared(alpha, level)[..., 0], shadow.color)[0]
    cast.surface.mark_dirty()
    angle = math.radians(shadow.angle) - (0.0 if shadow.from_north else turned)
    distance = shadow.distance.pixels(env.scale)
    context = canvas.context
    context.save()
    context.translate(region.x + distance * math.sin(angle), region.y - distance * math.cos(angle))
    if shadow.scale != 1:
        middle = region.width / 2, region.height / 2
        context.translate(*middle)
        context.scale(shadow.scale, shadow.scale)
        context.translate(-middle[0], -middle[1])
    context.set_operator(layer_operator(shadow.blend_mode))
    context.set_source_surface(cast.surface, 0, 0)
    context.get_source().set_filter(cairo.Filter.BILINEAR)
    context.paint_with_alpha(shadow.opacity)
    context.restore()
