"""From what was asked to the pixels that are drawn: picture size, square pixels, scale, units."""

from __future__ import annotations

from dataclasses import dataclass, replace

from qgserver.draw.units import RenderScale
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.geo.geometry import Floats, GeometryArray
from qgserver.geo.scale import meters_to_map_units, scale_denominator
from qgserver.render.request import MapRequest

ASPECT_TOLERANCE = 0.0001
"""Difference of the aspect ratios of BBOX and picture from which WMS 1.3.0 stretches (measured)."""
MM_PER_INCH = 25.4


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn: ``width`` x ``height`` square pixels over ``extent`` (in ``crs``). ``resolution`` is map units
    per pixel, ``scale`` the denominator that scale limits are compared with."""

    crs: Crs
    extent: Extent
    width: int
    height: int
    resolution: float
    dpi: float
    denominator: float
    scale: RenderScale

    @property
    def pixel_extent(self) -> Extent:
        """The picture in device pixels."""
        return Extent(0.0, 0.0, float(self.width), float(self.height))

    def to_device(self, geometry: GeometryArray) -> GeometryArray:
        """Map coordinates as device pixels, y down; heights are dropped."""
        coords = self.points_to_device(geometry.coords)
        return replace(geometry, coords=coords, z=None, m=None)

    def points_to_device(self, points: Floats) -> Floats:
        """Map coordinates float64[n, 2] as device pixels."""
        factor = 1.0 / self.resolution
        return (points - (self.extent.xmin, self.extent.ymax)) * (factor, -factor)

    def with_reference_scale(self, reference: float) -> RenderScale:
        """Sizes for a renderer whose symbols are true at the denominator ``reference`` (0 = always true)."""
        return replace(self.scale, reference_factor=reference / self.denominator) if reference > 0 else self.scale


def make_view(request: MapRequest) -> View:
    """The view of a request. A BBOX of another shape than the picture is, in WMS 1.3.0, drawn with square cells and
    the picture stretched afterwards; before, the extent grows on both sides (both measured)."""
    extent, width, height = request.extent, request.width, request.height
    across, down = extent.width / width, extent.height / height
    ratio, wanted = width / height, extent.width / extent.height
    if request.stretch and abs(ratio - wanted) > ASPECT_TOLERANCE:
        cell = (across + down) / 2
        width, height = max(int(extent.width / cell), 1), max(int(extent.height / cell), 1)
        across, down = extent.width / width, extent.height / height
    resolution = max(across, down)
    x, y = extent.center
    half_width, half_height = resolution * width / 2, resolution * height / 2
    extent = Extent(x - half_width, y - half_height, x + half_width, y + half_height)
    denominator = scale_denominator(extent, width, request.dpi, request.crs)
    buffer = request.tile_buffer
    extent = extent.grown(buffer * resolution)
    scale = RenderScale(request.dpi / MM_PER_INCH, resolution, denominator, meters_to_map_units(extent, request.crs))
    return View(
        request.crs, extent, width + 2 * buffer, height + 2 * buffer, resolution, request.dpi, denominator, scale
    )
