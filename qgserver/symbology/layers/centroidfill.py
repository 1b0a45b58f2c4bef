"""CentroidFill: a marker in the middle of each area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.draw.clipping import clipped_to
from qgserver.draw.paths import Paths
from qgserver.geo.geometry import Floats, Ints
from qgserver.geo.wkb import to_shapely
from qgserver.symbology.env import Env, Painter, Shapes
from qgserver.symbology.options import Options
from qgserver.symbology.paint import paint_points
from qgserver.symbology.properties import Convert, as_flag
from qgserver.symbology.symbol import SymbolLayer, layers, paint_nothing


@layers.register("CentroidFill")
@dataclass(frozen=True, slots=True, kw_only=True)
class CentroidFill(SymbolLayer):
    """Attributes are the options of the same names; ``symbol`` is the marker."""

    on_surface: bool = False
    all_parts: bool = True
    clip_points: bool = False

    DEFINED: ClassVar[Mapping[str, tuple[str, Convert]]] = {
        "pointOnSurface": ("on_surface", as_flag),
        "clipPoints": ("clip_points", as_flag),
    }

    @classmethod
    def read(cls, options: Options) -> Self:
        return cls(
            on_surface=options.flag("point_on_surface"),
            all_parts=options.flag("point_on_all_parts", default=True),
            clip_points=options.flag("clip_points"),
        )

    def painter(self, env: Env) -> Painter:
        symbol = self.symbol
        if symbol is None:
            return paint_nothing

        def paint(canvas: Canvas, shapes: Shapes) -> None:
            points, owners = self._points(shapes)
            if not self.clip_points:
                paint_points(canvas, env, symbol, points, shapes.rows[owners])
                return
            for point, owner in zip(points, owners.tolist(), strict=True):
                area = shapes.slice(owner, owner + 1).geometry
                with clipped_to(canvas, Paths(area.coords, area.rings, True)):
                    paint_points(canvas, env, symbol, point[None], shapes.rows[owner : owner + 1])

        return paint

    def _points(self, shapes: Shapes) -> tuple[Floats, Ints]:
        """Points float64[n, 2] and the numbers int64[n] of their features; of the largest part only if so chosen."""
        import shapely

        whole = to_shapely(shapes.geometry)
        areas, owners = shapely.get_parts(whole, return_index=True)
        polygons = shapely.get_dimensions(areas) == 2
        areas, owners = areas[polygons], owners[polygons]
        if not self.all_parts and len(areas):
            order = np.lexsort((-shapely.area(areas), owners))
            areas, owners = areas[order], owners[order]
            first = np.concatenate([[True], np.diff(owners) > 0])
            areas, owners = areas[first], owners[first]
        found = shapely.centroid(areas)
        if self.on_surface:
            found = np.where(shapely.contains(areas, found), found, shapely.point_on_surface(areas))
        there = ~shapely.is_empty(found)
        return shapely.get_coordinates(found[there]), owners[there].astype(np.int64)
