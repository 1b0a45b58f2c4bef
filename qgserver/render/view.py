"""From what was asked to the pixels that are drawn: picture size, square pixels, scale, units."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

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
    per pixel, ``scale`` the denominator that scale limits are compared with. With a ``rotation`` (degrees clockwise
    around the middle) ``extent`` is the box around all that shows."""

    crs: Crs
    extent: Extent
    width: int
    height: int
    resolution: float
    dpi: float
    denominator: float
    scale: RenderScale
    rotation: float = 0.0

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
        if not self.rotation:
            return (points - (self.extent.xmin, self.extent.ymax)) * (factor, -factor)
        level = (points - self.extent.center) * (factor, -factor)
        turned: Floats = level @ _turning(self.rotation) + (self.width / 2, self.height / 2)
        return turned

    @property
    def corner(self) -> Floats:
        """The map coordinates float64[1, 2] of the left upper corner of the picture."""
        if not self.rotation:
            return np.array([[self.extent.xmin, self.extent.ymax]])
        level = np.array([[-self.width / 2, -self.height / 2]]) @ _turning(-self.rotation)
        found: Floats = level * (self.resolution, -self.resolution) + self.extent.center
        return found

    def widened(self, right: int, down: int) -> View:
        """The view and so many pixels more on each side."""
        width, height = self.width + 2 * right, self.height + 2 * down
        extent = self.extent.grown(right * self.resolution, down * self.resolution)
        if self.rotation:
            extent = _around(self.extent.center, width * self.resolution, height * self.resolution, self.rotation)
        return replace(self, extent=extent, width=width, height=height)

    def with_reference_scale(self, reference: float) -> RenderScale:
        """Sizes for a renderer whose symbols are true at the denominator ``reference`` (0 = always true)."""
        return replace(self.scale, reference_factor=reference / self.denominator) if reference > 0 else self.scale


def _turning(degrees: float) -> Floats:
    """The matrix by which points float64[n, 2] with y down are multiplied to turn clockwise."""
    angle = math.radians(degrees)
    return np.array(((math.cos(angle), math.sin(angle)), (-math.sin(angle), math.cos(angle))))


def _around(center: tuple[float, float], width: float, height: float, degrees: float) -> Extent:
    """The box around a turned one of this size."""
    (x, y), angle = center, math.radians(degrees)
    cos, sin = abs(math.cos(angle)) / 2, abs(math.sin(angle)) / 2
    across, up = width * cos + height * sin, width * sin + height * cos
    return Extent(x - across, y - up, x + across, y + up)


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
    rotation = request.rotation % 360
    if rotation:
        extent = _around((x, y), extent.width, extent.height, rotation)
    size = width + 2 * buffer, height + 2 * buffer
    return View(request.crs, extent, *size, resolution, request.dpi, denominator, scale, rotation)
