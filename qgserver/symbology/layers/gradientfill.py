"""GradientFill: areas in colours that change from one point to another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color, with_alpha
from qgserver.draw.paths import Paths
from qgserver.draw.patterns import Box, Gradient, fill_each, fill_with
from qgserver.symbology.areas import areas, centroid
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.options import Offset, Options, parse_pair
from qgserver.symbology.properties import Convert, as_choice, as_color, as_flag, as_number, as_offset
from qgserver.symbology.ramp import ColorRamp, ramp_from_options
from qgserver.symbology.symbol import SymbolLayer, layers

Point = tuple[float, float]
KINDS = {"linear": 0, "radial": 1, "conical": 2}
MODES = {"feature": 0, "viewport": 1}
SPREADS = {"pad": 0, "reflect": 1, "repeat": 2}
VIEWPORT, CONICAL = 1, 2
UNIT: Box = (0.0, 0.0, 1.0, 1.0)
SMALLEST = 1e-6
"""Pixels: a box is taken for at least so wide and high."""


@layers.register("GradientFill")
@dataclass(frozen=True, slots=True, kw_only=True)
class GradientFill(SymbolLayer):
    """Attributes are the options of the same names; ``x1`` ... ``y2`` are the reference points in the unit square over
    the area (or the picture: ``mode``), ``ramp`` None with two colours."""

    kind: int = 0
    color: Color = (0.0, 0.0, 1.0, 1.0)
    color2: Color = (1.0, 1.0, 1.0, 1.0)
    ramp: ColorRamp | None = None
    mode: int = 0
    spread: int = 0
    x1: float = 0.5
    y1: float = 0.0
    x2: float = 0.5
    y2: float = 1.0
    centroid1: bool = False
    centroid2: bool = False
    angle: float = 0.0
    offset: Offset = Offset()

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "fillColor": ("color", as_color),
        "color2": ("color2", as_color),
        "angle": ("angle", as_number),
        "gradientType": ("kind", as_choice(KINDS)),
        "gradientMode": ("mode", as_choice(MODES)),
        "gradientSpread": ("spread", as_choice(SPREADS)),
        "gradientRef1X": ("x1", as_number),
        "gradientRef1Y": ("y1", as_number),
        "gradientRef2X": ("x2", as_number),
        "gradientRef2Y": ("y2", as_number),
        "gradientRef1Centroid": ("centroid1", as_flag),
        "gradientRef2Centroid": ("centroid2", as_flag),
        "offset": ("offset", as_offset),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        x1, y1 = parse_pair(options.text("reference_point1", default="0.5,0"))
        x2, y2 = parse_pair(options.text("reference_point2", default="0.5,1"))
        has_ramp = options.integer("color_type") == 1 and {"color1", "color2"} <= options.values.keys()
        return cls(
            in_sequence=True,
            kind=options.integer("type"),
            color=options.color("color", default=(0.0, 0.0, 1.0, 1.0)),
            color2=options.color("gradient_color2", default=(1.0, 1.0, 1.0, 1.0)),
            ramp=ramp_from_options(dict(options.values)) if has_ramp else None,
            mode=options.integer("coordinate_mode"),
            spread=options.integer("spread"),
            x1=x1,
            y1=y1,
            x2=x2,
            y2=y2,
            centroid1=options.flag("reference_point1_iscentroid"),
            centroid2=options.flag("reference_point2_iscentroid"),
            angle=options.number("angle"),
            offset=options.offset(),
        )

    def painter(self, env: Env) -> Painter:
        dx, dy = self.offset.pixels(env.scale)
        stops = self.ramp.stops if self.ramp else ((0.0, self.color), (1.0, self.color2))
        faded = tuple((position, with_alpha(color, env.opacity)) for position, color in stops)
        whole = (0.0, 0.0, env.view.width, env.view.height)

        alike = self.kind != CONICAL and not (self.centroid1 or self.centroid2)

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            found = areas(shapes, dx, dy)
            boxes = np.full((len(found.owners), 4), whole) if self.mode == VIEWPORT else found.boxes
            boxes[:, 2:] = np.maximum(boxes[:, 2:], SMALLEST)
            if alike and len(boxes):
                pattern = Gradient(self.kind, faded, *self._ends(None, UNIT), self.spread).pattern(canvas, UNIT)
                fill_each(canvas, found.rings, found.bounds, pattern, boxes)
                return
            for (_, rings), (x, y, width, height) in zip(found, boxes.tolist(), strict=True):
                box = (x, y, width, height)
                gradient = Gradient(self.kind, faded, *self._ends(rings, box), self.spread)
                fill_with(canvas, rings, gradient.pattern(canvas, box))

        return paint

    def _ends(self, rings: Paths | None, box: Box) -> tuple[Point, Point]:
        points = (self.x1, self.y1), (self.x2, self.y2)
        if rings is not None and (self.centroid1 or self.centroid2):
            x, y = centroid(rings).tolist()
            middle = ((x - box[0]) / box[2], (y - box[1]) / box[3])
            points = middle if self.centroid1 else points[0], middle if self.centroid2 else points[1]
        return _turned(points[0], self.angle), _turned(points[1], self.angle)


def _turned(point: Point, degrees: float) -> Point:
    """A reference point turned counter-clockwise around the middle of the unit square, but not out of it."""
    if not degrees % 360:
        return point
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    x, y = point[0] - 0.5, point[1] - 0.5
    turned = (0.5 + x * cos + y * sin, 0.5 - x * sin + y * cos)
    return min(max(turned[0], 0.0), 1.0), min(max(turned[1], 0.0), 1.0)
