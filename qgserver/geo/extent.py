"""Axis-aligned rectangles, always x before y."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extent:
    """A rectangle in some CRS, x = easting/longitude, y = northing/latitude, whatever the CRS's axis order."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float

    @property
    def width(self) -> float:
        return self.xmax - self.xmin

    @property
    def height(self) -> float:
        return self.ymax - self.ymin

    @property
    def center(self) -> tuple[float, float]:
        return (self.xmin + self.xmax) / 2, (self.ymin + self.ymax) / 2

    @property
    def is_finite(self) -> bool:
        return all(math.isfinite(v) for v in self.as_tuple())

    @property
    def is_empty(self) -> bool:
        """True for a null box (inverted or not finite); a point or a line is not empty."""
        return not self.is_finite or self.xmin > self.xmax or self.ymin > self.ymax

    def as_tuple(self) -> tuple[float, float, float, float]:
        return self.xmin, self.ymin, self.xmax, self.ymax

    def grown(self, dx: float, dy: float | None = None) -> Extent:
        """The rectangle with ``dx`` added left and right and ``dy`` (default ``dx``) below and above."""
        dy = dx if dy is None else dy
        return Extent(self.xmin - dx, self.ymin - dy, self.xmax + dx, self.ymax + dy)

    def union(self, other: Extent) -> Extent:
        """The smallest rectangle that holds both."""
        return Extent(
            min(self.xmin, other.xmin),
            min(self.ymin, other.ymin),
            max(self.xmax, other.xmax),
            max(self.ymax, other.ymax),
        )

    def intersection(self, other: Extent) -> Extent | None:
        """The common rectangle (may have no area), or None."""
        box = Extent(
            max(self.xmin, other.xmin),
            max(self.ymin, other.ymin),
            min(self.xmax, other.xmax),
            min(self.ymax, other.ymax),
        )
        return None if box.is_empty else box

    def intersects(self, other: Extent) -> bool:
        return self.intersection(other) is not None

    def contains(self, other: Extent) -> bool:
        return (
            self.xmin <= other.xmin and self.ymin <= other.ymin and self.xmax >= other.xmax and self.ymax >= other.ymax
        )
