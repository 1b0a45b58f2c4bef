"""A page being drawn: where items are on it, and painting with symbols."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from qgserver.draw.blend import OVER, layer_operator
from qgserver.draw.brush import Brush, fill
from qgserver.draw.canvas import Canvas
from qgserver.draw.color import Color
from qgserver.draw.paths import single_path
from qgserver.draw.pen import Pen, stroke
from qgserver.draw.units import RenderScale
from qgserver.expression.context import Context, Frame
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import Floats, GeometryArray
from qgserver.geo.scale import scale_denominator
from qgserver.project.model import Project
from qgserver.project.model.layouts import Border, LayoutItem, MapItem, Page
from qgserver.providers import Sources
from qgserver.render.legend.swatch import NO_FEATURE
from qgserver.render.print.request import PrintRequest
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.paint import line_geometry, paint_points, paint_symbol, ring_geometry
from qgserver.symbology.symbol import Symbol

MM_PER_INCH = 25.4


@dataclass(frozen=True, slots=True)
class Paper:
    """``factor`` is pixels per millimetre, ``context`` the layout's expression scope."""

    canvas: Canvas
    page: Page
    factor: float
    project: Project
    request: PrintRequest
    sources: Sources
    context: Context

    @property
    def all_maps(self) -> Mapping[str, MapItem]:
        """The maps of the layout by uuid, those too that are not drawn."""
        request = self.request
        return {item.uuid: item for item in (*request.absent, *request.layout.items) if isinstance(item, MapItem)}

    @property
    def scale(self) -> RenderScale:
        """Sizes of symbols and texts on paper, where a map unit is a millimetre."""
        return RenderScale(self.factor, 1 / self.factor, 0.0)

    @property
    def frame(self) -> Frame:
        """Where expressions of the layout are evaluated."""
        return Frame(self.context, self.request.feature)

    def corner(self, item: LayoutItem) -> tuple[float, float]:
        """The left upper corner of an item in pixels."""
        return item.x * self.factor, (item.y - self.page.y) * self.factor

    def points(self, item: LayoutItem, places: Floats) -> Floats:
        """Places float64[n, 2] in an item (mm from its corner) in pixels, turned with it."""
        moved: Floats = places @ turning(item.rotation) * self.factor + np.array(self.corner(item))
        return moved

    def place(self, item: LayoutItem, x: float, y: float) -> tuple[float, float]:
        """A place in an item (mm from its corner) in pixels."""
        right, down = self.points(item, np.array(((x, y),)))[0].tolist()
        return right, down

    def fill(self, points: Floats, color: Color) -> None:
        """Fill the area inside points in pixels."""
        fill(self.canvas, single_path(points, True), Brush(color))

    def stroke(self, points: Floats, border: Border, *, closed: bool = True) -> None:
        """Draw a line through points in pixels."""
        pen = Pen(border.color, border.width * self.factor, cap="square", join=border.join)
        stroke(self.canvas, single_path(points, closed), pen)

    def paint_area(self, symbol: Symbol, *rings: Floats) -> None:
        """Paint the area inside points in pixels with a fill symbol, without what is inside of further rings."""
        closed = ring_geometry([np.concatenate([ring, ring[:1]]) for ring in rings])
        one = np.array([0, 1], dtype=np.int64)
        self._paint(symbol, replace(closed, types=closed.types[:1], parts=one * len(rings), features=one))

    def paint_line(self, symbol: Symbol, points: Floats) -> None:
        """Paint a line through points in pixels with a line symbol."""
        self._paint(symbol, line_geometry(points[np.newaxis]))

    def paint_points(self, symbol: Symbol, points: Floats, degrees: float = 0.0) -> None:
        """Paint markers at points in pixels, turned clockwise."""
        angles = np.full(len(points), degrees) if degrees else None
        paint_points(self.canvas, self._env, symbol, points, np.zeros(len(points), dtype=np.int64), angles)

    def _paint(self, symbol: Symbol, geometry: GeometryArray) -> None:
        paint_symbol(self.canvas, self._env, symbol, Shapes(geometry, np.zeros(1, dtype=np.int64)))

    @property
    def _env(self) -> Env:
        view = Extent(0.0, 0.0, float(self.canvas.width), float(self.canvas.height))
        env = Env(self.scale, self.context, NO_FEATURE, view, exact=True, assets=self.project.assets)
        return replace(env, vector=self.canvas.vector)

    def with_scope(self, variables: Mapping[str, object]) -> Paper:
        """The paper with more variables for expressions."""
        return replace(self, context=self.context.with_scope(variables))

    def apart(self, item: LayoutItem) -> Paper:
        """A paper of its own for an item that is translucent or blended, else this one. Maps that are but translucent
        draw each layer so (measured)."""
        plain = (item.opacity >= 1 or isinstance(item, MapItem)) and layer_operator(item.blend_mode) == OVER
        return self if plain else replace(self, canvas=self.canvas.new_layer())


def turning(degrees: float) -> Floats:
    """The matrix by which places float64[n, 2] are multiplied to turn them clockwise."""
    angle = math.radians(degrees)
    return np.array(((math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))))


def rectangle(item: LayoutItem) -> Floats:
    """The corners of an item float64[4, 2], in it."""
    return np.array(((0.0, 0.0), (item.width, 0.0), (item.width, item.height), (0.0, item.height)))


def map_denominator(paper: Paper, item: MapItem) -> float:
    """The n of the scale 1:n that a map has on paper."""
    return scale_denominator(item.extent, item.width, MM_PER_INCH, paper.request.crs)
