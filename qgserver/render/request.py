"""What a map is asked for, once all protocol words, versions and axis orders are settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qgserver.draw.color import Color
from qgserver.expression.nodes import Node
from qgserver.geo.crs import Crs
from qgserver.geo.extent import Extent
from qgserver.project.model import Layer
from qgserver.symbology.renderer import Renderer

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True)
class MapLayer:
    """One layer to draw: ``style`` is a name in ``layer.styles`` ("" = current), ``opacity`` replaces the layer's
    own unless None (measured), ``where`` is a client's filter, ``selection`` feature ids to draw in the selection
    colour."""

    layer: Layer
    style: str = ""
    opacity: float | None = None
    where: Node | None = None
    selection: Sequence[int | str] = ()


@dataclass(frozen=True, slots=True)
class Highlight:
    """A geometry in the CRS of the map and how it is drawn."""

    geometry: BaseGeometry
    renderer: Renderer


@dataclass(frozen=True, slots=True)
class MapRequest:
    """A picture of ``layers`` (bottom first). ``extent`` is in ``crs``, x before y, exactly as asked.

    ``dpi`` is 25.4/0.28 unless asked otherwise. ``background`` None = transparent. ``stretch`` is WMS 1.3.0's rule
    for a BBOX whose aspect ratio is not the picture's: draw with square pixels, then scale the picture; without
    it (1.1.1) the extent grows instead. ``tile_buffer`` pixels are drawn around and cut off. ``highlights`` are drawn
    above all layers. ``rotation``: the map is turned by so many degrees clockwise around the middle of ``extent``.
    """

    crs: Crs
    extent: Extent
    width: int
    height: int
    layers: tuple[MapLayer, ...]
    dpi: float = 25.4 / 0.28
    background: Color | None = (1.0, 1.0, 1.0, 1.0)
    stretch: bool = True
    tile_buffer: int = 0
    highlights: tuple[Highlight, ...] = ()
    rotation: float = 0.0
