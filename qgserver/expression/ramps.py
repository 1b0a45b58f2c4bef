"""Colour ramps as values."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

Rgba = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Ramp:
    """A gradient through ``stops`` (position 0..1, red, green, blue, alpha 0..255), in order; ``discrete`` jumps."""

    stops: tuple[tuple[float, Rgba], ...]
    discrete: bool = False
    kind: str = "gradient"

    def color(self, position: float) -> Rgba:
        """The colour at a position, ends held beyond 0 and 1."""
        if position <= self.stops[0][0] or position != position:
            return self.stops[0][1]
        if position >= self.stops[-1][0]:
            return self.stops[-1][1]
        at = bisect_right([stop for stop, _ in self.stops], position)
        (low, start), (high, end) = self.stops[at - 1], self.stops[at]
        if self.discrete:
            return start
        share = (position - low) / (high - low) if high > low else 1.0
        red, green, blue, alpha = (int(a + (b - a) * share + 0.5) for a, b in zip(start, end, strict=True))
        return red, green, blue, alpha
