"""ShapeburstFill: areas in colours that change from the edge inwards."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color, with_alpha
from qgserver.draw.distance import distances
from qgserver.draw.filters import Pixels, masked, smeared
from qgserver.draw.paths import Paths
from qgserver.draw.patterns import Stops, color_table
from qgserver.draw.pen import Pen, stroke
from qgserver.symbology.areas import areas
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.options import Length, Offset, Options
from qgserver.symbology.properties import Convert, as_color, as_flag, as_integer, as_length, as_offset
from qgserver.symbology.ramp import ColorRamp, ramp_from_options
from qgserver.symbology.symbol import SymbolLayer, layers

MAX_BLUR = 100
SMALLEST = 1e-6
"""Pixels: at a shorter distance all of the area has the last colour."""
SIDE = 4
"""Pixels around the picture of an area."""
BLACK: Color = (0.0, 0.0, 0.0, 1.0)
WHITE: Color = (1.0, 1.0, 1.0, 1.0)


@layers.register("ShapeburstFill")
@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeburstFill(SymbolLayer):
    """Attributes are the options of the same names; ``ramp`` None with two colours."""

    color: Color = (0.0, 0.0, 1.0, 1.0)
    color2: Color = (1.0, 1.0, 1.0, 1.0)
    ramp: ColorRamp | None = None
    blur_radius: int = 0
    whole_shape: bool = True
    max_distance: Length = Length(5.0)
    ignore_rings: bool = False
    offset: Offset = Offset()

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "fillColor": ("color", as_color),
        "color2": ("color2", as_color),
        "blurRadius": ("blur_radius", as_integer),
        "shapeburstWholeShape": ("whole_shape", as_flag),
        "shapeburstMaxDist": ("max_distance", as_length),
        "shapeburstIgnoreRings": ("ignore_rings", as_flag),
        "offset": ("offset", as_offset),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        has_ramp = options.integer("color_type") == 1 and {"color1", "color2"} <= options.values.keys()
        distance = options.length("max_distance", default=5.0)
        return cls(
            color=options.color("color", default=(0.0, 0.0, 1.0, 1.0)),
            color2=options.color("gradient_color2", default=(1.0, 1.0, 1.0, 1.0)),
            ramp=ramp_from_options(dict(options.values)) if has_ramp else None,
            blur_radius=options.integer("blur_radius"),
            whole_shape=options.flag("use_whole_shape", default=True),
            max_distance=Length(distance.value, options.text("distance_unit", default="MM"), distance.map_unit_scale),
            ignore_rings=options.flag("ignore_rings"),
            offset=options.offset(),
        )

    def painter(self, env: Env) -> Painter:
        dx, dy = self.offset.pixels(env.scale)
        stops = self.ramp.stops if self.ramp else ((0.0, self.color), (1.0, self.color2))
        faded = [(position, with_alpha(color, env.opacity)) for position, color in stops]
        furthest = math.inf if self.whole_shape else max(self.max_distance.pixels(env.scale), 0.0)

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            for _, rings in areas(shapes, dx, dy):
                corner, picture = self._picture(canvas, rings, faded, furthest)
                left, top = (np.rint if env.exact else np.trunc)(corner).astype(np.int64).tolist()
                if picture is not None:
                    canvas.compose(picture, 1.0, canvas.operator, (left, top))

        return paint

    def _picture(
        self, canvas: Canvas, rings: Paths, stops: Stops, furthest: float
    ) -> tuple[NDArray[np.float64], Canvas | None]:
        """The corner of an area float64[2], and its picture: it begins there, wherever that lies, is put at a whole
        pixel (towards zero, in legends the nearest), and shows all pixels that the area touches (measured)."""
        low = np.maximum(rings.coords.min(axis=0), (-canvas.width, -canvas.height))
        width, height = (np.minimum(rings.coords.max(axis=0), (2 * canvas.width, 2 * canvas.height)) - low).tolist()
        if not (width > 0 and height > 0):
            return low, None
        placed = rings.translate(*(SIDE - low).tolist())
        size = int(width) + 2 * SIDE, int(height) + 2 * SIDE
        light, alpha = _stencil(placed, size)
        inside = _stencil(placed.take(np.zeros(1, dtype=np.int64)), size)[0] if self.ignore_rings else light
        found = distances(inside > 0, furthest)
        largest = float(found.max()) if self.whole_shape else furthest
        share = np.minimum(found / largest, 1.0) if largest > SMALLEST else np.ones_like(found)
        table = _colors(stops)
        pixels = table[(share * (len(table) - 1)).astype(np.int64)]
        radius = min(self.blur_radius, MAX_BLUR)
        picture = Canvas(*size)
        picture.pixels()[:] = masked(smeared(pixels[None], radius)[0], alpha)
        picture.surface.mark_dirty()
        return low - SIDE, picture


def _colors(stops: Stops) -> NDArray[np.uint8]:
    """``color_table``, mixed before transparency takes its share: a see-through end keeps its hue (measured)."""
    table = color_table([(position, (*color[:3], 1.0)) for position, color in stops])
    positions, alphas = [position for position, _ in stops], [color[3] for _, color in stops]
    alpha = np.interp(np.linspace(0.0, 1.0, len(table)), positions, alphas)
    mixed: NDArray[np.uint8] = np.rint(table * alpha[:, None]).astype(np.uint8)
    return mixed


def _stencil(rings: Paths, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """uint8[height, width] each: where the area is, its outline left out, and its alpha with the outline of a pixel's
    width (measured): neighbours in one area still have it between them."""
    mask = Canvas(*size)
    fill(mask, rings, Brush(WHITE))
    stroke(mask, rings, Pen(BLACK, 1.0))
    pixels = mask.pixels()
    return pixels[:, :, 0], pixels[:, :, 3]
