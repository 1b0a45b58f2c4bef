"""Drawing one raster layer: the cells of the map's pixels, coloured."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from qgserver.draw.canvas import Canvas
from qgserver.geo.extent import Extent
from qgserver.geo.transform import Transform, get_transform
from qgserver.project.model import Project, RasterLayer, RasterStyle
from qgserver.providers import Sources
from qgserver.rasters.model import Grid, Picture, RasterInfo, RasterSource
from qgserver.rasters.open import open_raster
from qgserver.rasters.pipe import Pipe
from qgserver.rasters.resample import resampled
from qgserver.rasters.warp import warped
from qgserver.render.request import MapLayer
from qgserver.render.view import View

MAX_BLOCK = 2000
"""Columns and rows drawn at once (QGIS's number: each block is reprojected for itself)."""


Bands = tuple[tuple[str, float | None], ...]
"""Names and values of bands; None is nothing."""


@dataclass(frozen=True, slots=True)
class RasterPlan:
    """One raster layer as it will be drawn."""

    item: MapLayer
    layer: RasterLayer
    style: RasterStyle
    transform: Transform | None


def plan_raster(project: Project, item: MapLayer, layer: RasterLayer, view: View) -> RasterPlan | None:
    """How the layer comes to the map; None when it does not show at its scale."""
    style = layer.styles.get(item.style) or layer.style
    if not style.scale_range.contains(view.denominator):
        return None
    if item.opacity is not None:
        style = replace(style, pipe=replace(style.pipe, opacity=item.opacity))
    return RasterPlan(item, layer, style, get_transform(layer.crs, view.crs, project.operations))


def paint_raster(canvas: Canvas, plan: RasterPlan, sources: Sources, view: View) -> None:
    """Draw the part of the layer that the map shows, block by block. Raises ProviderError."""
    pipe = plan.style.pipe
    if pipe.renderer is None or pipe.opacity <= 0:
        return
    source = open_raster(plan.layer.source, sources)
    info = source.info()
    box = info.grid.extent if plan.transform is None else plan.transform.extent(info.grid.extent)
    pixels = None if box is None else _pixels(box, view)
    if pixels is None:
        return
    left, top, right, bottom = pixels
    for row in range(top, bottom, MAX_BLOCK):
        for column in range(left, right, MAX_BLOCK):
            width, height = min(MAX_BLOCK, right - column), min(MAX_BLOCK, bottom - row)
            grid = Grid(_extent(view, column, row, width, height), width, height)
            picture = _block(source, info, pipe, grid, plan.transform)
            canvas.compose(_canvas(picture), at=(column, row))


def raster_bands(layer: RasterLayer, style: RasterStyle, point: tuple[float, float], sources: Sources) -> Bands:
    """The bands of a layer at a point in its CRS; none outside of it. Raises ProviderError."""
    if not all(map(math.isfinite, point)):
        return ()
    source, pipe = open_raster(layer.source, sources), style.pipe
    values = source.identify(*point, pipe.reading.plain)
    ranges = (pipe.nodata.get(band, ()) for band in range(1, len(values) + 1))
    names = [band.name for band in source.info().bands] if values else []
    return tuple(
        (name, None if value is None or any(low <= value <= high for low, high in own) else value)
        for name, value, own in zip(names, values, ranges, strict=True)
    )


def _pixels(box: Extent, view: View) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the whole pixels that show something of ``box``; None when there are none."""
    shown = box.intersection(view.extent)
    if shown is None:
        return None
    left = max(math.floor((shown.xmin - view.extent.xmin) / view.resolution), 0)
    top = max(math.floor((view.extent.ymax - shown.ymax) / view.resolution), 0)
    right = min(math.ceil((shown.xmax - view.extent.xmin) / view.resolution), view.width)
    bottom = min(math.ceil((view.extent.ymax - shown.ymin) / view.resolution), view.height)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _extent(view: View, column: int, row: int, width: int, height: int) -> Extent:
    xmin, ymax = view.extent.xmin + column * view.resolution, view.extent.ymax - row * view.resolution
    return Extent(xmin, ymax - height * view.resolution, xmin + width * view.resolution, ymax)


def _block(source: RasterSource, info: RasterInfo, pipe: Pipe, grid: Grid, transform: Transform | None) -> Picture:
    """The picture of some pixels of the map."""

    def paint(wanted: Grid) -> Picture:
        own = info.grid if info.sized else None
        return resampled(lambda other: pipe.paint(source, other), wanted, own, pipe.resampling)

    return paint(grid) if transform is None else warped(paint, grid, info, transform)


def _canvas(picture: Picture) -> Canvas:
    canvas = Canvas(picture.shape[1], picture.shape[0])
    canvas.pixels()[:] = picture
    canvas.surface.mark_dirty()
    return canvas
