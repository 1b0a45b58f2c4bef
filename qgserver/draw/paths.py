"""Device paths: polylines and rings of many features as flat arrays, and their way into cairo."""

from __future__ import annotations

from dataclasses import dataclass

import cairo

from qgserver.geo.geometry import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """k polylines (``closed``: rings, whose last vertex need not repeat the first).

    ``coords`` float64[n, 2] in device pixels, y down; ``starts`` int64[k+1]: path i is ``coords[starts[i]:starts[i+1]]``.
    """

    coords: Floats
    starts: Ints
    closed: bool

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, indices: Ints) -> Paths:
        """The paths of these numbers, in this order."""
        raise NotImplementedError

    def translate(self, dx: float, dy: float) -> Paths:
        """All paths moved by (dx, dy) pixels."""
        raise NotImplementedError


def append_paths(context: cairo.Context[cairo.Surface], paths: Paths) -> None:
    """Add the paths to cairo's current path. Coordinates must be finite and within cairo's range (see ``clip``)."""
    raise NotImplementedError


def flatten_bezier(curves: Floats) -> Floats:
    """Polyline float64[n, 2] through k connected cubic curves ``curves`` float64[k, 4, 2], by Qt's halving rule."""
    raise NotImplementedError


def circle(cx: float, cy: float, rx: float, ry: float) -> Paths:
    """A closed ellipse of four flattened quarter curves, as QGIS draws circles."""
    raise NotImplementedError


def arc(box: tuple[float, float, float, float], start: float, span: float) -> Floats:
    """Polyline float64[n, 2] of the arc in ``box`` (x, y, width, height); degrees, counter-clockwise from +x."""
    raise NotImplementedError
