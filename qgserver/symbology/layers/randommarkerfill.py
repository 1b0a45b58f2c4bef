"""RandomMarkerFill: markers strewn over areas. Which places QGIS takes depends on its own random numbers and cannot be
repeated; ours are the same on each drawing of a feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.clipping import clipped_to
from qgserver.draw.limits import clip_rings
from qgserver.draw.paths import Paths
from qgserver.geo.geometry import Floats
from qgserver.symbology.areas import areas
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.options import Length, Options
from qgserver.symbology.paint import paint_points
from qgserver.symbology.properties import Convert, as_flag, as_integer, as_number
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing

DENSITY = 1
MOST = 20_000
"""Markers in one area."""
ROUNDS = 200


@layers.register("RandomMarkerFill")
@dataclass(frozen=True, slots=True, kw_only=True)
class RandomMarkerFill(SymbolLayer):
    """Attributes are the options of the same names; ``symbol`` is the marker, ``density_area`` the square of pixels
    that ``count`` of them stand on."""

    count: int = 10
    by_density: bool = False
    density_area: float = 250.0
    density_unit: Length = Length(1.0)
    seed: int = 0
    clip_points: bool = False

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "pointCount": ("count", as_integer),
        "randomSeed": ("seed", as_integer),
        "densityArea": ("density_area", as_number),
        "clipPoints": ("clip_points", as_flag),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            count=options.integer("point_count", default=10),
            by_density=options.integer("count_method") == DENSITY,
            density_area=options.number("density_area", default=250.0),
            density_unit=Length(1.0, options.text("density_area_unit", default="MM")),
            seed=options.integer("seed"),
            clip_points=options.flag("clip_points"),
        )

    def painter(self, env: Env) -> Painter:
        symbol = self.symbol
        if symbol is None:
            return paint_nothing

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            for owner, rings in areas(shapes):
                row = int(shapes.rows[owner])
                points = self._points(rings, env, row)
                rows = np.full(len(points), row)
                if not self.clip_points:
                    paint_points(canvas, env, symbol, points, rows)
                    continue
                with clipped_to(canvas, clip_rings(rings, _around(canvas))):
                    paint_points(canvas, env, symbol, points, rows)

        return paint

    def _points(self, rings: Paths, env: Env, row: int) -> Floats:
        """Places float64[n, 2] in the area, from top to bottom."""
        import shapely

        outer, *holes = (rings.coords[a:b] for a, b in zip(rings.starts[:-1], rings.starts[1:], strict=True))
        area = shapely.Polygon(outer, [hole for hole in holes if len(hole) > 2])
        shapely.prepare(area)
        wanted: float = self.count
        if self.by_density:
            square = self.density_area * self.density_unit.pixels(env.scale) ** 2
            wanted = self.count * area.area / square if square > 0 else 0
        wanted = min(max(round(wanted), 0), MOST)
        chance = np.random.default_rng((abs(self.seed), row))
        low, high = outer.min(axis=0), outer.max(axis=0)
        found = np.empty((0, 2))
        for _ in range(ROUNDS):
            if len(found) >= wanted:
                break
            tried = chance.uniform(low, high, (max(wanted, 64), 2))
            found = np.concatenate([found, tried[shapely.contains_xy(area, tried)]])
        found = found[:wanted]
        sorted_points: Floats = found[np.argsort(found[:, 1], kind="stable")]
        return sorted_points


def _around(canvas: Canvas) -> tuple[float, float, float, float]:
    return (-1.0, -1.0, canvas.width + 1.0, canvas.height + 1.0)
