"""RasterMarker and AnimatedMarker: a picture at each point, the first one of those that move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.images import draw_image, read_image, sized_image
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.markers import LARGEST, PLACED, MarkerLayer, read_placed
from qgserver.symbology.options import Options
from qgserver.symbology.properties import Convert, as_length, as_share, as_text
from qgserver.symbology.symbol import layers, paint_nothing


@layers.register("RasterMarker", "AnimatedMarker")
@dataclass(frozen=True, slots=True, kw_only=True)
class RasterMarker(MarkerLayer):
    """Attributes are the options of the same names; ``aspect`` is height by width, 0 = the picture's own."""

    file: str = ""
    alpha: float = 1.0
    aspect: float = 0.0

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        **PLACED,
        "name": ("file", as_text),
        "width": ("size", as_length),
        "alpha": ("alpha", as_share),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            file=options.text("imageFile"),
            alpha=options.number("alpha", default=1.0),
            aspect=options.number("fixedAspectRatio"),
            **read_placed(options),
        )

    def painter(self, env: Env) -> Painter:
        width = self.size.pixels(env.scale)
        data = env.assets.image(self.file)
        original = read_image(data) if data else None
        if data is None or original is None or not 0 < width <= LARGEST:
            return paint_nothing
        height = width * (self.aspect if self.aspect > 0 else original.height / original.width)
        if not 0 < height <= LARGEST:
            return paint_nothing
        image = sized_image(data, max(int(width), 1), max(int(height), 1))
        move = np.array(self.displacement(env.scale, width, height))
        opacity = min(max(self.alpha * env.opacity, 0.0), 1.0)

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            for x, y in (shapes.geometry.coords + move).tolist():
                if image is not None and abs(x) < 1e6 and abs(y) < 1e6:
                    draw_image(canvas, image, x, y, self.rotation, opacity)

        return paint
