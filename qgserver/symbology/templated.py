"""What MarkerLine and HashLine share: where on lines and rings something is drawn again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from qgserver.draw.paths import Paths, single_path
from qgserver.draw.units import RenderScale
from qgserver.geo.geometry import GeometryArray, Ints
from qgserver.symbology.along import Places, Track, central, every, segment_centers, track, tracks, vertices
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


INTERVAL = "interval"
PLACEMENTS: Mapping[str, Callable[[Track, Spacing], Places]] = {
    "vertex": lambda line, spacing: vertices(line, spacing.offset),
    "innervertices": lambda line, spacing: vertices(line, spacing.offset, first=False, last=False),
    "firstvertex": lambda line, spacing: vertices(line, spacing.offset, last=False, inner=False),
    "lastvertex": lambda line, spacing: vertices(line, -spacing.offset, first=False, inner=False),
    "centralpoint": lambda line, spacing: central(line, spacing.average),
    "segmentcenter": lambda line, spacing: segment_centers(line),
}
"""``placement`` (or one of ``placements``) in lower case, but for those at intervals. Curved segments are
straightened on reading: no place is a point of a curve."""

SPACED: Mapping[str, tuple[str, Convert]] = {
    "interval": ("interval", as_length),
    "offsetAlongLine": ("offset_along_line", as_length),
    "averageAngleLength": ("average_angle", as_length),
    "offset": ("offset", as_length),
}


def as_placement(value: object, static: tuple[str, ...]) -> tuple[str, ...]:
    """``vertex``, ``interval``, ...; an unknown one leaves the static value."""
    name = str(value).lower()
    return (name,) if name == INTERVAL or name in PLACEMENTS else static


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplatedLine(SymbolLayer):
    """Attributes are the options of the same names; ``rotate``: what is drawn turns with the line."""

    placements: tuple[str, ...] = (INTERVAL,)
    interval: Length = Length(3.0)
    offset_along_line: Length = Length(0.0)
    average_angle: Length = Length(4.0)
    offset: Length = Length(0.0)
    rotate: bool = True
    ring_filter: int = 0

    @classmethod
    def read(cls, options: Options) -> Self:
        several = options.text("placements")
        names = several.split("|") if several else [options.text("placement", default=INTERVAL)]
        average = options.length("average_angle_length", default=4.0)
        return cls(
            placements=tuple(name.lower() for name in names if name.lower() in (INTERVAL, *PLACEMENTS)),
            interval=options.length("interval", default=3.0),
            offset_along_line=options.length("offset_along_line", default=0.0),
            average_angle=replace(average, unit=options.text("average_angle_unit", default="MM")),
            offset=options.length("offset", default=0.0),
            rotate=options.flag("rotate", default=True),
            ring_filter=options.integer("ring_filter"),
        )

    def places(self, shapes: Shapes, scale: RenderScale) -> Iterator[tuple[Ints, Places]]:
        """(row of the batch int64[n] of each place, the places), in drawing order."""
        average = self.average_angle.pixels(scale) if self.rotate else 0.0
        spacing = Spacing(self.interval.pixels(scale), self.offset_along_line.pixels(scale), average)
        for some, features in paths_of(self._prepared(shapes.geometry, scale)):
            rows = np.repeat(shapes.rows, np.diff(features))
            paths = some.take(np.flatnonzero(np.diff(some.starts) > 1))
            rows = rows[np.diff(some.starts) > 1]
            for name in self.placements if len(paths) else ():
                if name == INTERVAL and self.offset_along_line.unit != "Percentage":
                    places, owners = every(
                        tracks(paths), spacing.interval, self.offset_along_line.pixels(scale), average
                    )
                    yield rows[owners], places
                else:
                    yield from self._one_by_one(name, paths, rows, spacing, scale)

    def _one_by_one(
        self, name: str, paths: Paths, rows: Ints, spacing: Spacing, scale: RenderScale
    ) -> Iterator[tuple[Ints, Places]]:
        along = self.offset_along_line
        for number, row in enumerate(rows.tolist()):
            line = track(paths.coords[paths.starts[number] : paths.starts[number + 1]], paths.closed)
            if line is None:
                continue
            offset = along.value / 100 * line.length if along.unit == "Percentage" else along.pixels(scale)
            if name == INTERVAL:
                places, _ = every(tracks(single_path(line.coords, False)), spacing.interval, offset, spacing.average)
            else:
                places = PLACEMENTS[name](line, replace(spacing, offset=offset))
            yield np.full(len(places), row), places

    def _prepared(self, geometry: GeometryArray, scale: RenderScale) -> GeometryArray:
        offset = self.offset.pixels(scale)
        if offset:
            geometry = offset_polygons(geometry, offset) if is_polygonal(geometry) else offset_lines(geometry, offset)
        return filtered_rings(geometry, self.ring_filter).drop_nonfinite()
