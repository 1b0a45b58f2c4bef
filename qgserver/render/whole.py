"""Drawing a layer whose renderer must know all its features first."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from qgserver.draw.canvas import Antialias, Canvas
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import GeometryArray
from qgserver.geo.merge import snapped
from qgserver.geo.transform import Transform
from qgserver.geo.view import reproject_for_view, source_length
from qgserver.geo.wkb import nulls
from qgserver.providers.batch import Batch, Column, concat_batches
from qgserver.render.geometry import CROWDED_TOLERANCE, Way, device_geometry
from qgserver.render.painter import Painting, has_levels, paint, paint_levels
from qgserver.render.view import View
from qgserver.symbology.env import Env
from qgserver.symbology.renderer import Jobs
from qgserver.symbology.scene import Palette, Scene, WholeLayer

MOST_VIEWS = 2.0
"""Times the view's size around it from which features are read at most."""


def grown_extent(extent: Extent, renderer: WholeLayer, view: View, transform: Transform | None) -> Extent:
    """The extent to ask a source for (layer CRS) with what counts around it."""
    pixels = min(renderer.margin(view.scale), MOST_VIEWS * max(view.width, view.height))
    reach = source_length(pixels * view.resolution, transform, extent)
    return extent.grown(reach) if reach and np.isfinite(reach) else extent


def one_batch(batches: Iterable[Batch], columns: Iterable[str]) -> Batch:
    """All features as one batch, perhaps of none."""
    parts = list(batches)
    if parts:
        return concat_batches(parts)
    empty = {name: Column(np.empty(0, dtype=object)) for name in columns}
    return Batch(np.empty(0, dtype=np.int64), empty, nulls(0))


def paint_whole(
    canvas: Canvas, renderer: WholeLayer, env: Env, transform: Transform | None, way: Way, room: int
) -> int:
    """Draw the features of ``env.batch``. ``way`` leads from the map's CRS to pixels; up to ``room`` vertices are drawn
    exactly. Returns how many there were."""
    geometry = env.batch.geometry
    if geometry is None:
        return 0
    view = way.view
    if transform is not None:
        geometry = reproject_for_view(geometry, transform, view.extent, clip=False)
    points = len(geometry.coords)
    antialias: Antialias = "exact" if points <= room else "fast"
    if antialias == "fast":
        geometry = snapped(geometry, CROWDED_TOLERANCE * view.resolution)

    def to_pixels(some: GeometryArray) -> GeometryArray:
        return device_geometry(some, way, len(some.coords), False)[0]

    def paint_jobs(env: Env, pixels: GeometryArray, jobs: Jobs, palette: Palette) -> None:
        painting = Painting(canvas, env, pixels, jobs, antialias)
        if has_levels(palette):
            paint_levels([painting], palette)
        else:
            paint(painting, palette)

    renderer.draw(Scene(canvas, env, geometry, view.extent, to_pixels, paint_jobs))
    return points
