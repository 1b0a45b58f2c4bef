"""RasterLine: lines covered with a picture again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from qgserver.draw.bands import MakeBrush, along
from qgserver.draw.canvas import Canvas
from qgserver.draw.images import faded, read_image, sized_image
from qgserver.symbology.brushed import BrushedLine, read_brushed
from qgserver.symbology.env import Env
from qgserver.symbology.options import Options
from qgserver.symbology.properties import Convert, as_cap, as_join, as_length, as_share, as_text
from qgserver.symbology.symbol import layers


@layers.register("RasterLine")
@dataclass(frozen=True, slots=True, kw_only=True)
class RasterLine(BrushedLine):
    """Attributes are the options of the same names; the picture is as high as the line is wide."""

    file: str = ""
    alpha: float = 1.0

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "outlineWidth": ("width", as_length),
        "offset": ("offset", as_length),
        "capStyle": ("cap", as_cap),
        "joinStyle": ("join", as_join),
        "file": ("file", as_text),
        "alpha": ("alpha", as_share),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return read_brushed(
            cls(file=options.text("imageFile"), alpha=options.number("alpha", default=1.0)),
            options,
        )

    def brush(self, env: Env, canvas: Canvas, width: float) -> MakeBrush | None:
        data = env.assets.image(self.file)
        original = read_image(data) if data else None
        if data is None or original is None:
            return None
        across = max(round(width * original.width / original.height), 1)
        image = sized_image(data, across, max(round(width), 1))
        return None if image is None else along(faded(image, self.alpha * env.opacity), width)
