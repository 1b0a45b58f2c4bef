"""LineburstLine: lines in colours that change from their left side to their right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from qgserver.draw.bands import MakeBrush, across
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color, with_alpha
from qgserver.draw.patterns import Gradient
from qgserver.symbology.brushed import BrushedLine, read_brushed
from qgserver.symbology.env import Env
from qgserver.symbology.options import Options
from qgserver.symbology.properties import Convert, as_cap, as_color, as_join, as_length
from qgserver.symbology.ramp import ColorRamp, ramp_from_options
from qgserver.symbology.symbol import layers


@layers.register("Lineburst", "LineburstLine")
@dataclass(frozen=True, slots=True, kw_only=True)
class LineburstLine(BrushedLine):
    """Attributes are the options of the same names; ``ramp`` None with two colours."""

    color: Color = (0.0, 0.0, 1.0, 1.0)
    color2: Color = (1.0, 1.0, 1.0, 1.0)
    ramp: ColorRamp | None = None

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "outlineWidth": ("width", as_length),
        "offset": ("offset", as_length),
        "capStyle": ("cap", as_cap),
        "joinStyle": ("join", as_join),
        "fillColor": ("color", as_color),
        "color2": ("color2", as_color),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        has_ramp = options.integer("color_type") == 1 and {"color1", "color2"} <= options.values.keys()
        return read_brushed(
            cls(
                color=options.color("color", default=(0.0, 0.0, 1.0, 1.0)),
                color2=options.color("gradient_color2", default=(1.0, 1.0, 1.0, 1.0)),
                ramp=ramp_from_options(dict(options.values)) if has_ramp else None,
            ),
            options,
        )

    def brush(self, env: Env, canvas: Canvas, width: float) -> MakeBrush | None:
        stops = self.ramp.stops if self.ramp else ((0.0, self.color), (1.0, self.color2))
        faded = tuple((position, with_alpha(color, env.opacity)) for position, color in stops)
        return across(Gradient(0, faded, (0.0, 0.0), (0.0, 1.0)), canvas, width)
