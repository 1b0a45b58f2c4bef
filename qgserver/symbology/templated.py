"""What MarkerLine and HashLine share: where on lines and rings something is drawn again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from qgserver.draw.units import RenderScale
from qgserver.geo.geometry import GeometryArray
from qgserver.symbology.along import Places, Track, central, every, segment_centers, track, vertices
from qgserver.symbology.env import Shapes
from qgserver.symbology.lines import filtered_rings, is_polygonal, offset_lines, offset_polygons
from qgserver.symbology.looks import paths_of
from qgserver.symbology.options import Length, Options
from qgserver.symbology.properties import Convert, as_length
from qgserver.symbology.symbol import SymbolLayer


@dataclass(frozen=True, slots=True)
class Spacing:
    """Lengths in pixels: ``interval`` between places, ``offset`` of the first along the line, ``average`` length that
    a direction is taken over."""

    interval: float
    offset: float
    average: float


PLACEMENTS: Mapping[str, Callable[[Track, Spacing], Places]] = {
    "interval": lambda line, spacing: every(line, spacing.interval, spacing.offset, spacing.average),
    "vertex": lambda line, spacing: vertices(line, spacing.offset),
    "innervertices": lambda line, spacing: vertices(line, spacing.offset, first=False, last=False),
    "firstvertex": lambda line, spacing: vertices(line, spacing.offset, last=False, inner=False),
    "lastvertex": lambda line, spacing: vertices(line, -spacing.offset, first=False, inner=False),
    "centralpoint": lambda line, spacing: central(line, spacing.average),
    "segmentcenter": lambda line, spacing: segment_centers(line),
}
"""``placement`` (or one of ``placements``) in lower case. Curved segments are straightened on reading: no place is a
point of a curve."""

SPACED: Mapping[str, tuple[str, Convert]] = {
    "interval": ("interval", as_length),
    "offsetAlongLine": ("offset_along_line", as_length),
    "averageAngleLength": ("average_angle", as_length),
    "offset": ("offset", as_length),
}


def as_placement(value: object, static: tuple[str, ...]) -> tuple[str, ...]:
    """``vertex``, ``interval``, ...; an unknown one leaves the static value."""
    name = str(value).lower()
    return (name,) if name in PLACEMENTS else static


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatedLine(SymbolLayer):
    """Attributes are the options of the same names; ``rotate``: what is drawn turns with the line."""

    placements: tuple[str, ...] = ("interval",)
    interval: Length = Length(3.0)
    offset_along_line: Length = Length(0.0)
    average_angle: Length = Length(4.0)
    offset: Length = Length(0.0)
    rotate: bool = True
    ring_filter: int = 0

    @classmethod
    def read(cls, options: Options) -> Self:
        several = options.text("placements")
        names = several.split("|") if several else [options.text("placement", default="interval")]
        average = options.length("average_angle_length", default=4.0)
        return cls(
            placements=tuple(name.lower() for name in names if name.lower() in PLACEMENTS),
            interval=options.length("interval", default=3.0),
            offset_along_line=options.length("offset_along_line", default=0.0),
            average_angle=replace(average, unit=options.text("average_angle_unit", default="MM")),
            offset=options.length("offset", default=0.0),
            rotate=options.flag("rotate", default=True),
            ring_filter=options.integer("ring_filter"),
        )

    def places(self, shapes: Shapes, scale: RenderScale) -> Iterator[tuple[int, Places]]:
        """(number among the shapes, places) for each line and ring, in drawing order."""
        average = self.average_angle.pixels(scale) if self.rotate else 0.0
        spacing = Spacing(self.interval.pixels(scale), 0.0, average)
        for paths, features in paths_of(self._prepared(shapes.geometry, scale)):
            owners = np.repeat(np.arange(len(features) - 1), np.diff(features)).tolist()
            for number, owner in enumerate(owners):
                line = track(paths.coords[paths.starts[number] : paths.starts[number + 1]], paths.closed)
                if line is None:
                    continue
                along = self.offset_along_line
                offset = along.value / 100 * line.length if along.unit == "Percentage" else along.pixels(scale)
                for name in self.placements:
                    yield owner, PLACEMENTS[name](line, replace(spacing, offset=offset))

    def _prepared(self, geometry: GeometryArray, scale: RenderScale) -> GeometryArray:
        offset = self.offset.pixels(scale)
        if offset:
            geometry = offset_polygons(geometry, offset) if is_polygonal(geometry) else offset_lines(geometry, offset)
        return filtered_rings(geometry, self.ring_filter)
