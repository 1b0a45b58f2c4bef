"""What the files of this room exchange.

Engine space: pixels of the picture, x to the right and **y up**, (0, 0) the lower left corner of the picture. Angles
are radians, counter-clockwise. A label's box is ``width`` x ``height`` from its lower left corner, turned around that
corner.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from shapely.geometry.base import BaseGeometry

from qgserver.geo.geometry import Floats


class Mode(IntEnum):
    """``placement/@placement``."""

    AROUND_POINT = 0
    OVER_POINT = 1
    LINE = 2
    CURVED = 3
    HORIZONTAL = 4
    FREE = 5
    ORDERED = 6
    PERIMETER_CURVED = 7
    OUTSIDE = 8


class LineFlags(IntFlag):
    """``placement/@placementFlags``: where a label may lie beside its line."""

    ON = 1
    ABOVE = 2
    BELOW = 4
    MAP_ORIENTATION = 8


class PolygonFlags(IntFlag):
    """``placement/@polygonPlacementFlags``: on which side of the outline."""

    OUTSIDE = 1
    INSIDE = 2


class Upright(IntEnum):
    """``rendering/@upsidedownLabels``: text that would stand on its head."""

    TURNED = 0
    WHEN_PINNED = 1
    ALLOWED = 2


class ObstacleKind(IntEnum):
    """``rendering/@obstacleType``: which part of a polygon labels avoid."""

    INTERIOR = 0
    BOUNDARY = 1
    WHOLE = 2


@dataclass(frozen=True, slots=True)
class Placing:
    """The placement settings of one label, data-defined values applied and all lengths in pixels.

    ``quadrant`` is (-1..1, -1..1): (-1, 1) above left, (0, 0) over. ``offset`` x right, y **up**. ``symbol`` is the
    half-width and half-height of the feature's marker when distances start at its bounds, else (0, 0). ``max_turn_in``
    and ``max_turn_out`` are degrees between glyphs of curved text, both positive.
    """

    mode: Mode = Mode.AROUND_POINT
    line_flags: LineFlags = LineFlags.ABOVE | LineFlags.MAP_ORIENTATION
    polygon_flags: PolygonFlags = PolygonFlags.INSIDE
    distance: float = 0.0
    quadrant: tuple[int, int] = (0, 0)
    fixed_quadrant: bool = False
    """Data demand the quadrant: around a point, the only candidate then."""
    offset: tuple[float, float] = (0.0, 0.0)
    positions: tuple[str, ...] = ("TR", "TL", "BR", "BL", "R", "L", "TSR", "BSR")
    symbol: tuple[float, float] = (0.0, 0.0)
    centroid_inside: bool = False
    fit_in_polygon: bool = False
    overrun: float = 0.0
    anchor: float = 0.5
    anchor_strict: bool = False
    max_turn_in: float = 25.0
    max_turn_out: float = 25.0
    upright: Upright = Upright.TURNED


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One thing to place: the label of a feature, of a part of it or of a merged line, or a diagram.

    ``source`` numbers the label sources of the map (a layer's labels or one of their rules, a layer's diagrams) in
    drawing order, bottom first; ``feature`` names the feature within its layer: it is no obstacle for its own label.
    ``geometry`` is clipped to the map; polygons with centroid placements bring the whole polygon in ``whole`` when the
    centre shall be that of all of it. ``margins`` are the empty pixels at the top and bottom of the box, which ordered
    positions do not count. ``advances`` float64[n] are the widths of the glyphs of curved text, from left to right.
    ``pinned`` is the lower left corner that the feature's data demand; ``angle`` holds for all candidates unless None.
    ``content`` is what will be drawn; the engine does not look into it.
    """

    source: int
    layer: str
    feature: Hashable
    geometry: BaseGeometry
    width: float
    height: float
    placing: Placing
    content: object
    whole: BaseGeometry | None = None
    priority: float = 5.0
    z_index: float = 0.0
    always_show: bool = False
    pinned: tuple[float, float] | None = None
    angle: float | None = None
    margins: tuple[float, float] = (0.0, 0.0)
    advances: Floats | None = None
    show_unplaced: bool = False
    """Drawn even where it hits others (``displayAll``), at the candidate that hits least."""


@dataclass(frozen=True, slots=True, eq=False)
class Obstacle:
    """Something labels avoid: ``factor`` 0..2. Points bring the box of their marker as a polygon with kind WHOLE."""

    layer: str
    feature: Hashable
    geometry: BaseGeometry
    factor: float = 1.0
    kind: ObstacleKind = ObstacleKind.BOUNDARY


@dataclass(frozen=True, slots=True)
class Engine:
    """``properties/PAL``: project-wide settings. Candidate counts per cm of line and per cm2 of area on the map;
    ``px_per_mm`` of the map drawn. ``width`` and ``height`` of the picture."""

    width: float
    height: float
    px_per_mm: float
    candidates_line_per_cm: float = 5.0
    candidates_polygon_per_cm2: float = 2.5
    partials: bool = True
    show_all: bool = False
    version: int = 2
    """1, or 2 of projects that QGIS made since 3.12: the number written in them and one."""
    unplaced: bool = False
    """Labels that found no room are asked for too."""
    unit: float = 1.0
    corner: tuple[float, float] | None = None
    """Of a map that is not turned: map units per pixel, and the map coordinates of the picture's left upper corner."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A label that found its place: the lower left corner of its box and its angle. ``glyphs`` float64[n, 3] (x, y,
    angle) are the lower left corners of the boxes (advance x height) of the glyphs of curved text, in the order in
    which they are read along the line. ``unplaced``: it found no room, and is drawn only where a project shows such
    labels in a colour of their own."""

    item: Item
    x: float
    y: float
    angle: float = 0.0
    glyphs: Floats | None = None
    quadrant: tuple[int, int] | None = None
    """On which side of its point it lies, for the alignment of several lines."""
    unplaced: bool = False
