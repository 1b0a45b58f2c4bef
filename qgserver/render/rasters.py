"""Drawing one raster layer: the cells of the map's pixels, coloured."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

from qgserver.draw.canvas import Canvas
from qgserver.geo.extent import Extent
from qgserver.geo.transform import Transform, get_transform
from qgserver.project.model import Project, RasterLayer, RasterStyle
from qgserver.providers import Sources
from qgserver.rasters.model import MAP_S, Grid, Picture, RasterInfo, RasterSource
from qgserver.rasters.open import open_raster
from qgserver.rasters.pipe import Pipe
from qgserver.rasters.resample import resampled
from qgserver.rasters.values import Bands, bands_at
from qgserver.rasters.warp import warped
from qgserver.render.request import MapLayer
from qgserver.render.view import View

MAX_BLOCK = 2000
"""Columns and rows drawn at once (QGIS's number: each block is reprojected for itself)."""
MOST_GROWTH = 2.5
"""Times the view's size that is drawn to stay with QGIS's grid of pixels."""


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
    pipe = style.pipe if item.opacity is None else replace(style.pipe, opacity=item.opacity)
    # Counted from when the map is planned: however many layers there are, other servers are waited for once.
    reading = replace(pipe.reading, dpi=view.dpi, until=time.monotonic() + MAP_S)
    style = replace(style, pipe=replace(pipe, reading=reading))
    return RasterPlan(item, layer, style, get_transform(layer.crs, view.crs, project.operations))


def paint_raster(canvas: Canvas, plan: RasterPlan, sources: Sources, view: View) -> None:
    """Draw the part of the layer that the map shows, block by block. Raises ProviderError."""
    pipe = plan.style.pipe
    if pipe.renderer is None or pipe.opacity <= 0:
        return
    source = open_raster(plan.layer.source, sources)
    info = source.info(pipe.reading)
    box = info.grid.extent if plan.transform is None else plan.transform.extent(info.grid.extent)
    shown = None if box is None else box.intersection(_visible(view, plan.transform))
    if shown is None or not (shown.width > 0 and shown.height > 0):
        return
    columns, rows = _pixels(shown, view)
    whole = Grid(shown, len(columns), len(rows))
    for row in _starts(rows, view.height):
        for column in _starts(columns, view.width):
            part = _part(whole, column - columns.start, row - rows.start)
            canvas.compose(_canvas(_block(source, info, pipe, part, plan.transform)), at=(column, row))


def raster_bands(layer: RasterLayer, style: RasterStyle, point: tuple[float, float], sources: Sources) -> Bands:
    """The bands of a layer at a point in its CRS; none outside of it. Raises ProviderError."""
    return bands_at(open_raster(layer.source, sources), style.pipe, point)


def _visible(view: View, transform: Transform | None) -> Extent:
    """The part of the world that is drawn: the view, or as in QGIS the box in the map's CRS of its box in the layer's,
    which is a little larger (measured); where it grows far beyond the view, the view again."""
    if transform is None:
        return view.extent
    box = transform.inverse.extent(view.extent)
    back = None if box is None else transform.extent(box)
    if back is None or max(back.width / view.extent.width, back.height / view.extent.height) > MOST_GROWTH:
        return view.extent
    return back


def _pixels(shown: Extent, view: View) -> tuple[range, range]:
    """Columns and rows of the map that show something (they may lie outside of it).

    QGIS spreads what is shown over these whole pixels, so a raster's cells come out a little wider where it ends
    within the map (measured)."""
    (x, y), resolution = view.extent.center, view.resolution
    return (
        _whole(shown.xmin, shown.xmax, x, resolution, view.width),
        _whole(-shown.ymax, -shown.ymin, -y, resolution, view.height),
    )


def _whole(begin: float, end: float, center: float, resolution: float, size: int) -> range:
    """Of one axis. The arithmetic is QGIS's: its last digits decide where an edge of the raster is a pixel's."""
    factor = 1 / resolution
    shift = 0.5 * size - center * factor
    return range(math.floor(factor * begin + shift), math.ceil(factor * end + shift))


def _starts(pixels: range, size: int) -> range:
    """Where blocks begin, of which some part is in the map."""
    skipped = max(-pixels.start // MAX_BLOCK, 0) * MAX_BLOCK
    return range(pixels.start + skipped, min(pixels.stop, size), MAX_BLOCK)


def _part(whole: Grid, column: int, row: int) -> Grid:
    """A block of the grid from a column and row on."""
    if whole.width <= MAX_BLOCK and whole.height <= MAX_BLOCK:
        return whole
    width, height = min(MAX_BLOCK, whole.width - column), min(MAX_BLOCK, whole.height - row)
    xmin = whole.extent.xmin + column * whole.cell_width
    ymax = whole.extent.ymax - row * whole.cell_height
    return Grid(Extent(xmin, ymax - height * whole.cell_height, xmin + width * whole.cell_width, ymax), width, height)


def _block(source: RasterSource, info: RasterInfo, pipe: Pipe, grid: Grid, transform: Transform | None) -> Picture:
    """The picture of some pixels of the map."""

    def paint(wanted: Grid) -> Picture:
        own = info.grid if info.sized else None
        return resampled(lambda other: pipe.paint(source, other), wanted, own, pipe.resampling)

    return paint(grid) if transform is None else warped(paint, grid, info.grid.extent, transform)


def _canvas(picture: Picture) -> Canvas:
    canvas = Canvas(picture.shape[1], picture.shape[0])
    canvas.pixels()[:] = picture
    canvas.surface.mark_dirty()
    return canvas
