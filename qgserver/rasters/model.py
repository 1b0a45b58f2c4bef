"""The types that raster sources, renderers, filters and the map exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from qgserver.draw.color import Color
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.symbology.ramp import ColorRamp
from qgserver.symbology.symbol import Symbol

Picture = NDArray[np.uint8]
"""uint8[height, width, 4], premultiplied, in cairo's memory order B, G, R, A: what ``Canvas.pixels`` gives."""
Values = NDArray[Any]
"""[height, width] values of a band in the data type of the source."""
Mask = NDArray[np.bool_]
Resampling = Literal[
    "nearestNeighbour", "bilinear", "cubic", "cubicSpline", "lanczos", "average", "mode", "gauss"
]  # QGIS's words


@dataclass(frozen=True, slots=True)
class Grid:
    """``height`` rows of ``width`` cells over ``extent`` (of the source's CRS), the first row at the top."""

    extent: Extent
    width: int
    height: int

    @property
    def cell_width(self) -> float:
        return self.extent.width / self.width

    @property
    def cell_height(self) -> float:
        return self.extent.height / self.height


@dataclass(frozen=True, slots=True)
class BandInfo:
    """A band as the source describes it: ``dtype`` is numpy's name, ``name`` what QGIS shows of it ("Band 1" or
    "Band 1: elevation"), ``nodata`` the source's own value for nothing, ``palette`` value -> colour,
    ``interpretation`` what it means, in GDAL's word ("Gray", "Palette", "Red"; empty: undefined): legends show it."""

    dtype: str
    name: str
    nodata: float | None = None
    palette: Mapping[int, Color] = field(default_factory=dict)
    interpretation: str = ""


@dataclass(frozen=True, slots=True)
class RasterInfo:
    """What a source is: its cells cover ``grid`` in ``crs`` (None: it does not say). ``sized``: it has cells of its
    own; False for services that give a picture of any resolution (their ``grid`` is 0 x 0)."""

    grid: Grid
    bands: tuple[BandInfo, ...]
    crs: Crs | None = None
    sized: bool = True


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of a source on ``grid``: band number (from 1) -> values, and where they are nothing (outside the source or
    its no-data value; the layer's own no-data ranges are added by the pipe)."""

    grid: Grid
    values: Mapping[int, Values]
    nothing: Mapping[int, Mask]


@dataclass(frozen=True, slots=True)
class Reading:
    """How cells are read. The source resamples values itself by ``zoomed_in`` where cells are wanted finer than its
    own, by ``zoomed_out`` up to ``max_oversampling`` times coarser; beyond, and in the other cases, the nearest counts.
    ``plain``: bands whose no-data value is a value like others. Services take notice only of ``dpi``, the resolution of
    the map, and ``until``, when (of ``time.monotonic``) a map is done waiting for them."""

    zoomed_in: Resampling = "nearestNeighbour"
    zoomed_out: Resampling = "nearestNeighbour"
    max_oversampling: float = 2.0
    plain: frozenset[int] = frozenset()
    dpi: float = 90.0
    until: float | None = None


AS_IS = Reading()
MAP_S = 20.0
"""Seconds that one map may wait for services, all in all."""


class RasterSource(Protocol):
    """An open source. Raises ProviderError when it can't be reached or read."""

    def info(self, reading: Reading = AS_IS) -> RasterInfo:
        """Shape, bands and CRS; read at the first call."""

    def read(self, grid: Grid, bands: Sequence[int], reading: Reading = AS_IS) -> Cells:
        """The cells of a window, which may reach beyond the source, at any resolution (overviews are used).
        ``bands`` count from 1; one that the source lacks is nothing everywhere."""

    def identify(self, x: float, y: float, plain: frozenset[int] = frozenset()) -> Sequence[float | None]:
        """The values of all bands at a point in the source's CRS: None is nothing; an empty sequence outside.
        ``plain`` as in ``Reading``."""

    def close(self) -> None:
        """Let go of files and connections; the next call opens them again."""


@dataclass(frozen=True, slots=True)
class LegendRamp:
    """A bar of colours: ``ramp`` from its low to its high end, with the texts ``low`` and ``high``. ``upright``: it
    stands; ``descending``: its high end is at the top (right)."""

    ramp: ColorRamp
    low: str
    high: str
    upright: bool = True
    descending: bool = True


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One line of a raster layer's legend: a colour patch, a symbol, or (``ramp``) a bar of colours with texts at its
    ends. ``band``: the label is the name of that band."""

    label: str
    color: Color | None = None
    symbol: Symbol | None = None
    ramp: LegendRamp | None = None
    band: int = 0


class RasterRenderer(Protocol):
    """How cells become colours: one file in ``renderers``, registered under its ``type``. ``opacity`` and
    ``nodataColor`` are the pipe's, so a renderer paints opaque colours unless its own items are translucent."""

    def bands(self) -> Sequence[int]:
        """The numbers of the bands it needs."""

    def paint(self, cells: Cells) -> Picture:
        """The picture of the cells; what is nothing in a needed band stays transparent."""

    def legend(self) -> Sequence[LegendEntry]:
        """Lines of the legend, top first; none for renderers that have no legend."""


@runtime_checkable
class ReadingRenderer(Protocol):
    """A renderer that reads cells of other grids than the picture's (contours: of a coarser one); used instead of
    ``RasterRenderer.paint`` where a renderer has it."""

    def draw(self, grid: Grid, read: Callable[[Grid], Cells]) -> Picture:
        """The picture of ``grid``; ``read`` gives the needed bands on any grid."""


@runtime_checkable
class NeighbourRenderer(Protocol):
    """A renderer of which a pixel depends on the cells around its own, too; others may be given the cells in parts."""

    def reach(self) -> int:
        """How many rows and columns around."""


@runtime_checkable
class FollowingRenderer(Protocol):
    """A renderer whose limits may follow what a map shows."""

    def following(self, cells: Cells) -> RasterRenderer:
        """The renderer as it is where these cells are all that is shown; itself where its limits stand."""


class ColorFilter(Protocol):
    """A change of colours after the renderer (brightness and contrast; hue and saturation)."""

    def apply(self, picture: Picture) -> Picture:
        """The changed picture; may be ``picture`` itself, changed in place."""
