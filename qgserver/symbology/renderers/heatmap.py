"""heatmapRenderer: how densely points lie, as colours."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from qgserver.draw.canvas import Canvas
from qgserver.draw.units import RenderScale, parse_map_unit_scale
from qgserver.errors import ExpressionError
from qgserver.expression.columns import to_values
from qgserver.expression.context import Context
from qgserver.expression.evaluate import evaluate
from qgserver.expression.nodes import Node, used_fields
from qgserver.geo.geometry import POINT, Floats
from qgserver.providers.batch import Batch
from qgserver.symbology.heat import heat
from qgserver.symbology.options import Length, parse_number
from qgserver.symbology.properties import as_number, merge_fields
from qgserver.symbology.ramp import ColorRamp, read_ramp
from qgserver.symbology.renderer import Common, Jobs, LegendItem, Renderer, Source, jobs_of, read_common, renderers
from qgserver.symbology.scene import Scene
from qgserver.symbology.symbol import Symbol

UNITS = ("MM", "MapUnit", "Pixel", "Percentage", "Point", "Inch", "", "RenderMetersInMapUnits")
"""Units by the numbers that ``radius_unit`` has."""
LARGEST = 20_000.0
"""Pixels of the radius that are drawn at most."""
FINEST = 500.0
"""Cells of the radius: of a larger one several pixels are one cell, which does not show."""
SHADES = 4096


@dataclass(frozen=True, slots=True)
class HeatmapRenderer:
    """``radius`` of a point's kernel, ``most`` the value of the ramp's last colour (0 = the highest there is),
    ``coarse`` pixels that are one cell, ``weight`` of a point (1 where it is none)."""

    common: Common
    ramp: ColorRamp | None
    radius: Length
    most: float = 0.0
    coarse: int = 1
    weight: Node | None = None
    symbols: tuple[Symbol, ...] = field(default=(), init=False)

    def used_fields(self) -> frozenset[str] | None:
        own = frozenset[str]() if self.weight is None else used_fields(self.weight)
        return merge_fields([own, self.common.order_fields()])

    def classify(self, batch: Batch, context: Context, scale: float) -> Jobs:
        """No feature has a symbol."""
        return jobs_of(np.full(len(batch), -1, dtype=np.int64))

    def legend(self) -> tuple[LegendItem, ...]:
        return ()

    def filters(self, scale: float) -> bool:
        return False

    def margin(self, scale: RenderScale) -> float:
        return min(self.radius.pixels(scale), LARGEST)

    def draw(self, scene: Scene) -> None:
        """Colour the whole picture, where there are no points by the ramp's first colour."""
        if self.ramp is None:
            return
        canvas = scene.canvas
        reach = self.margin(scene.env.scale)
        coarse = max(self.coarse, ceil(reach / FINEST))
        shape = -(-canvas.height // coarse), -(-canvas.width // coarse)
        points, weights = self._points(scene)
        values = heat(points / coarse, weights, int(reach / coarse + 0.5), shape)
        most = self.most or float(values.max(initial=0.0))
        shares = np.clip(values / most, 0.0, 1.0) if most > 0 else np.zeros(shape)
        picture = Canvas(shape[1], shape[0])
        picture.pixels()[:] = _shades(self.ramp)[(shares * (SHADES - 1) + 0.5).astype(np.int64)]
        picture.surface.mark_dirty()
        if coarse > 1:
            picture = picture.scaled(canvas.width, canvas.height)
        canvas.compose(picture, scene.env.opacity, canvas.operator)

    def _points(self, scene: Scene) -> tuple[Floats, Floats]:
        """All points float64[n, 2] in pixels and their weights float64[n]."""
        geometry = scene.geometry
        owners = np.repeat(np.arange(len(geometry)), np.diff(geometry.vertex_offsets()))
        owners = owners[np.repeat(geometry.ring_kinds() == POINT, np.diff(geometry.rings))]
        pixels = scene.to_pixels(geometry)
        points = pixels.coords[np.repeat(pixels.ring_kinds() == POINT, np.diff(pixels.rings))]
        weights = self._weights(scene)[owners]
        usable = np.isfinite(points).all(axis=1) & np.isfinite(weights)
        return points[usable], weights[usable]

    def _weights(self, scene: Scene) -> Floats:
        batch = scene.env.batch
        if self.weight is None:
            return np.ones(len(batch))
        try:
            values = to_values(evaluate(self.weight, batch, scene.env.context))
        except ExpressionError:
            return np.ones(len(batch))
        return np.array([1.0 if value is None else as_number(value, 1.0) for value in values], dtype=np.float64)


@lru_cache(maxsize=16)
def _shades(ramp: ColorRamp) -> NDArray[np.uint8]:
    """uint8[SHADES, 4]: the ramp's colours, premultiplied, as ``Canvas.pixels`` has them."""
    colors = np.array([ramp.color(number / (SHADES - 1)) for number in range(SHADES)])
    bytes_ = np.floor(colors * 255 + 0.5) / 255
    alpha = bytes_[:, 3:]
    table: NDArray[np.uint8] = np.floor(np.column_stack([bytes_[:, 2::-1] * alpha, alpha]) * 255 + 0.5).astype(np.uint8)
    return table


@renderers.register("heatmapRenderer")
def read(element: etree._Element, source: Source) -> Renderer:
    ramp = read_ramp(None, element.find("colorramp"))
    if ramp is None:
        source.problems.add(source.layer, "renderer heatmapRenderer", "its colour ramp has no colours")
    unit = int(parse_number(element.get("radius_unit", "0"), 0.0))
    limits = parse_map_unit_scale(element.get("radius_map_unit_scale"))
    text = element.get("weight_expression", "")
    return HeatmapRenderer(
        read_common(element, source),
        ramp,
        Length(
            max(parse_number(element.get("radius", "10"), 10.0), 0.0), dict(enumerate(UNITS)).get(unit, "MM"), limits
        ),
        max(parse_number(element.get("max_value", "0"), 0.0), 0.0),
        int(min(max(parse_number(element.get("quality", "2"), 2.0), 1.0), 64.0)),
        source.expression(text, "weight_expression") if text.strip() else None,
    )
