"""The shape behind a label."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

import numpy as np

from qgserver.draw.blend import OVER, layer_operator
from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import with_alpha
from qgserver.draw.paths import Paths
from qgserver.draw.pen import Pen, stroke
from qgserver.draw.svg import SvgColors
from qgserver.geo.geometry import Floats
from qgserver.labeling.textformat import (
    CIRCLE,
    ELLIPSE,
    GROWN,
    MARKER,
    PERCENT,
    SQUARE,
    SVG,
    TURNED_ALONE,
    TURNED_FROM_LABEL,
    Background,
    TextFormat,
)
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.markers import MarkerLayer
from qgserver.symbology.options import Length
from qgserver.symbology.paint import paint_points, paint_symbol, ring_geometry
from qgserver.symbology.pictures import svg_picture

_CIRCLE_STEPS = 96
_CORNER_STEPS = 12


class Place(Protocol):
    """Where the label lies (see ``draw.Frame``)."""

    @property
    def angle(self) -> float: ...
    @property
    def width(self) -> float: ...
    @property
    def height(self) -> float: ...
    def to_device(self, points: Floats) -> Floats: ...


def draw_background(canvas: Canvas, env: Env, style: TextFormat, frame: Place) -> None:
    """Draw the shape behind a label."""
    shape = style.background
    width, height = _size(env, style, frame.width, frame.height)
    if not (0 < width < 1e6 and 0 < height < 1e6):
        return
    center, degrees = _position(env, shape, frame)
    canvas.operator = layer_operator(shape.blend_mode)
    if shape.kind in (SVG, MARKER):
        _draw_picture(canvas, env, shape, center, (width, degrees))
    else:
        ring = _turned(_outline(env, shape, width, height), degrees) + center
        _draw_outline(canvas, env, shape, ring)
    canvas.operator = OVER


def background_reach(env: Env, style: TextFormat) -> float:
    """How many pixels the shape may reach beyond the larger side of its label."""
    if not style.background.draw:
        return 0.0
    offset = style.background.offset.pixels(env.scale)
    sizes = (_pixels(env, style, length) for length in (style.background.width, style.background.height))
    return 2 * max(*sizes, 0.0) + math.hypot(*offset)


def _size(env: Env, style: TextFormat, width: float, height: float) -> tuple[float, float]:
    """Width and height in pixels of the shape behind a label of this size."""
    shape = style.background
    across, down = (_pixels(env, style, length) for length in (shape.width, shape.height))
    if shape.size_type != GROWN:
        return (across, across) if shape.kind in (SQUARE, CIRCLE, SVG, MARKER) else (across, down)
    match shape.kind:
        case k if k in (SQUARE, SVG, MARKER):
            width = height = max(width, height)
        case k if k == CIRCLE:
            width = height = math.hypot(width, height)
        case k if k == ELLIPSE:
            width, height = width * math.sqrt(2), height * math.sqrt(2)
    if shape.kind in (SVG, MARKER):
        down = across
    return width + 2 * across, height + 2 * down


def _pixels(env: Env, style: TextFormat, length: Length) -> float:
    """A size; percentages are of the font's."""
    if length.unit == "Percentage" or style.background.size_type == PERCENT:
        return style.size.pixels(env.scale) * length.value / 100
    return length.pixels(env.scale)


def _position(env: Env, shape: Background, frame: Place) -> tuple[Floats, float]:
    """The shape's centre in the picture, and degrees clockwise by which it is turned."""
    middle = frame.to_device(np.array(((frame.width / 2, -frame.height / 2),)))[0]
    degrees = -math.degrees(frame.angle)
    if shape.rotation_type == TURNED_FROM_LABEL:
        degrees += shape.rotation
    elif shape.rotation_type == TURNED_ALONE:
        degrees = shape.rotation
    offset = _turned(np.array((shape.offset.pixels(env.scale),)), degrees)[0]
    return middle + offset, degrees


def _turned(points: Floats, degrees: float) -> Floats:
    """Points turned clockwise (y down) around the origin."""
    if not degrees:
        return points
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turned: Floats = points @ np.array([[cos, sin], [-sin, cos]])
    return turned


def _outline(env: Env, shape: Background, width: float, height: float) -> Floats:
    """The ring of a shape around the origin."""
    if shape.kind in (ELLIPSE, CIRCLE):
        angles = np.linspace(0.0, 2 * math.pi, _CIRCLE_STEPS, endpoint=False)
        return np.column_stack((np.cos(angles) * width / 2, np.sin(angles) * height / 2))
    rx, ry = shape.radii.pixels(env.scale)
    rx, ry = min(max(rx, 0.0), width / 2), min(max(ry, 0.0), height / 2)
    corners = np.array(((-1, -1), (1, -1), (1, 1), (-1, 1)))
    if not rx or not ry:
        return corners * (width / 2, height / 2)
    arcs = []
    for number, corner in enumerate(corners):
        angles = np.radians(180 + 90 * number) + np.linspace(0.0, math.pi / 2, _CORNER_STEPS + 1)
        middle = corner * (width / 2 - rx, height / 2 - ry)
        arcs.append(middle + np.column_stack((np.cos(angles) * rx, np.sin(angles) * ry)))
    return np.concatenate(arcs)


def _draw_outline(canvas: Canvas, env: Env, shape: Background, ring: Floats) -> None:
    if shape.fill is not None:
        shapes = Shapes(ring_geometry([np.concatenate((ring, ring[:1]))]), np.zeros(1, np.int64))
        paint_symbol(canvas, env.with_opacity(env.opacity * shape.opacity), shape.fill, shapes)
        return
    paths = Paths(ring, np.array((0, len(ring)), dtype=np.int64), True)
    fill(canvas, paths, Brush(with_alpha(shape.color, shape.opacity)))
    width = shape.stroke_width.pixels(env.scale)
    if width > 0:
        stroke(canvas, paths, Pen(with_alpha(shape.stroke_color, shape.opacity), width, join=shape.join))


def _draw_picture(canvas: Canvas, env: Env, shape: Background, at: Floats, size: tuple[float, float]) -> None:
    """An SVG or a marker, so wide and turned by so many degrees clockwise."""
    width, degrees = size
    if shape.kind == MARKER:
        if shape.marker is None:
            return
        layers = tuple(
            replace(layer, size=Length(width, "Pixel"), angle=layer.angle + degrees)
            if isinstance(layer, MarkerLayer)
            else layer
            for layer in shape.marker.layers
        )
        marker = replace(shape.marker, layers=layers, opacity=shape.marker.opacity * shape.opacity)
        paint_points(canvas, replace(env, exact=True, painters={}), marker, at[None], np.zeros(1, np.int64))
        return
    stroke_width = shape.stroke_width.pixels(env.scale)
    picture = svg_picture(env.assets, shape.svg, SvgColors(shape.color, shape.stroke_color, stroke_width, width))
    height = width * picture.height / picture.width
    if height < 1e6:
        picture.draw(canvas, (float(at[0]), float(at[1])), (width, height), degrees, shape.opacity)
