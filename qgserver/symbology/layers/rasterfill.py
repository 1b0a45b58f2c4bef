"""RasterFill: areas covered with a picture again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from qgserver.draw.canvas import Canvas
from qgserver.draw.images import faded, read_image, sized_image
from qgserver.draw.patterns import box_of, fill_with, tiled
from qgserver.symbology.areas import areas
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.options import Length, Offset, Options
from qgserver.symbology.properties import Convert, as_length, as_number, as_offset, as_share, as_text
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing

MAX_TILE = 4000
VIEWPORT = 1


@layers.register("RasterFill")
@dataclass(frozen=True, slots=True, kw_only=True)
class RasterFill(SymbolLayer):
    """Attributes are the options of the same names; a ``width`` of 0 is the picture's own."""

    file: str = ""
    width: Length = Length(0.0, "Pixel")
    alpha: float = 1.0
    angle: float = 0.0
    mode: int = 0
    offset: Offset = Offset()

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "file": ("file", as_text),
        "width": ("width", as_length),
        "alpha": ("alpha", as_share),
        "angle": ("angle", as_number),
        "offset": ("offset", as_offset),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            file=options.text("imageFile"),
            width=options.length("width", default=0.0),
            alpha=options.number("alpha", default=1.0),
            angle=options.number("angle"),
            mode=options.integer("coordinate_mode"),
            offset=options.offset(),
        )

    def painter(self, env: Env) -> Painter:
        data = env.assets.image(self.file)
        original = read_image(data) if data else None
        if data is None or original is None:
            return paint_nothing
        width = self.width.pixels(env.scale) if self.width.value > 0 else original.width
        height = width * original.height / original.width
        if not (1 <= width <= MAX_TILE and 1 <= height <= MAX_TILE):
            return paint_nothing
        image = sized_image(data, int(width), int(height))
        if image is None:
            return paint_nothing
        tile = faded(image, self.alpha * env.opacity)
        dx, dy = self.offset.pixels(env.scale)

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            for _, rings in areas(shapes):
                x, y = (0.0, 0.0) if self.mode == VIEWPORT else box_of(rings)[:2].tolist()
                fill_with(canvas, rings, tiled(tile, round(x + dx), round(y + dy), self.angle))

        return paint
