"""Device paths: polylines and rings of many features as flat arrays, and their way into cairo."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cairo
import numpy as np
from numpy.typing import NDArray

from qgserver.geo.geometry import Floats, Ints, rows_at

_POINTER = 8
_MOVE, _LINE, _CLOSE = 0 | 2 << 32, 1 | 2 << 32, 3 | 1 << 32
"""Headers of ``cairo_path_data_t`` as one little-endian int64: type, then number of 16-byte items it takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """k polylines (``closed``: rings, whose last vertex need not repeat the first).

    ``coords`` float64[n, 2] in device pixels, y down; ``starts`` int64[k+1], from 0 to n: path i is
    ``coords[starts[i]:starts[i+1]]``.
    """

    coords: Floats
    starts: Ints
    closed: bool

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, indices: Ints) -> Paths:
        """The paths of these numbers, in this order."""
        counts = np.diff(self.starts)[indices]
        starts = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=starts[1:])
        rows = np.arange(starts[-1]) + np.repeat(self.starts[:-1][indices] - starts[:-1], counts)
        return Paths(rows_at(self.coords, rows), starts, self.closed)

    def translate(self, dx: float, dy: float) -> Paths:
        """All paths moved by (dx, dy) pixels."""
        return Paths(self.coords + np.array((dx, dy)), self.starts, self.closed)


def single_path(coords: Floats, closed: bool) -> Paths:
    """One path of the vertices float64[n, 2]."""
    return Paths(coords, np.array([0, len(coords)], np.int64), closed)


def box_path(left: float, top: float, right: float, bottom: float) -> Paths:
    """A rectangle."""
    return single_path(np.array(((left, top), (right, top), (right, bottom), (left, bottom))), True)


def joined(paths: Sequence[Paths]) -> Paths:
    """Several sets of paths, all closed or all open, as one."""
    if len(paths) == 1:
        return paths[0]
    counts = [np.diff(one.starts) for one in paths]
    starts = np.cumsum(np.concatenate([np.zeros(1, dtype=np.int64), *counts]))
    closed = all(one.closed for one in paths)
    return Paths(np.concatenate([np.empty((0, 2)), *(one.coords for one in paths)]), starts, closed)


def path_items(paths: Paths) -> tuple[Floats, Ints]:
    """The paths as an array of ``cairo_path_data_t`` (float64[m, 2]) and the first item int64[k+1] of each path."""
    count = len(paths.coords)
    if not paths.closed:
        packed = np.empty((count, 4))
        headers = packed.view(np.int64)[:, 0]
        headers[:] = _LINE
        headers[paths.starts[:-1][np.diff(paths.starts) > 0]] = _MOVE
        packed[:, 2:] = paths.coords
        return packed.reshape(-1, 2), paths.starts * 2
    counts = np.diff(paths.starts)
    filled = counts > 0
    closings = np.concatenate([[0], np.cumsum(filled)])
    firsts = paths.starts * 2 + closings
    items = np.empty((firsts[-1], 2))
    heads = items.view(np.int64)[:, 0]
    rows = np.arange(0, 2 * count, 2) + np.repeat(closings[:-1], counts)
    heads[rows] = _LINE
    heads[firsts[:-1][filled]] = _MOVE
    heads[firsts[1:][filled] - 1] = _CLOSE
    items[rows + 1] = paths.coords
    return items, firsts


_PATH = np.dtype([("status", "<i4"), ("_", "<i4"), ("data", "<u8"), ("count", "<i4"), ("__", "<i4")])
"""``cairo_path_t`` where pointers have 8 bytes."""

Append = Callable[[int], None]
"""Adds one of many paths to cairo's current path, by its key."""
Appender = tuple[Append, list[int]]
"""What adds the paths, and their keys in order."""

_ITEM_BYTES = 16


def _slow_appender(context: cairo.Context[cairo.ImageSurface], items: Floats, bounds: Ints) -> Appender:
    """Feeds items one by one, for other Python implementations."""
    heads, edges = items.view(np.int64)[:, 0], bounds.tolist()

    def append(number: int) -> None:
        position = edges[number]
        while position < edges[number + 1]:
            head = int(heads[position])
            if head == _CLOSE:
                context.close_path()
                position += 1
                continue
            draw = context.move_to if head == _MOVE else context.line_to
            draw(*items[position + 1])
            position += 2

    return append, list(range(len(bounds) - 1))


@lru_cache(maxsize=1)
def _native() -> Callable[[cairo.Context[cairo.ImageSurface], Floats, Ints], Appender] | None:
    """Makes appenders that call ``cairo_append_path``; None where a pycairo context does not look as we know it.

    pycairo keeps the ``cairo_t*`` right behind the header of its object, before one more pointer.
    """
    layout = object.__basicsize__ + 2 * _POINTER
    known = sys.implementation.name == "cpython" and sys.byteorder == "little" and cairo.Context.__basicsize__ == layout
    if not known or ctypes.sizeof(ctypes.c_void_p) != _POINTER:
        return None
    try:
        native = ctypes.CDLL(sys.modules["cairo._cairo"].__file__).cairo_append_path
    except (AttributeError, KeyError, OSError):
        return None
    native.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    native.restype = None
    offset = object.__basicsize__

    def appender(context: cairo.Context[cairo.ImageSurface], items: Floats, bounds: Ints) -> Appender:
        items = np.ascontiguousarray(items)
        paths = np.zeros(len(bounds) - 1, _PATH)
        paths["data"] = items.ctypes.data + _ITEM_BYTES * bounds[:-1]
        paths["count"] = np.diff(bounds)
        where = ctypes.c_void_p.from_address(id(context) + offset)

        def append(address: int, _alive: tuple[object, ...] = (items, paths)) -> None:
            native(where, address)

        return append, (paths.ctypes.data + _PATH.itemsize * np.arange(len(paths))).tolist()

    return appender if _draws_alike(appender) else None


def _draws_alike(appender: Callable[[cairo.Context[cairo.ImageSurface], Floats, Ints], Appender]) -> bool:
    """Whether the native way gives the path that ``line_to`` gives."""
    triangle = Paths(np.array([[1.0, 2.0], [7.5, 3.25], [4.0, 9.0]]), np.array([0, 3], np.int64), True)
    contexts = [cairo.Context(cairo.ImageSurface(cairo.Format.A8, 16, 16)) for _ in range(2)]
    items, bounds = path_items(triangle)
    for make, context in zip((appender, _slow_appender), contexts, strict=True):
        append, keys = make(context, items, bounds)
        append(keys[0])
    return str(contexts[0].copy_path()) == str(contexts[1].copy_path())


def appender(context: cairo.Context[cairo.ImageSurface], items: Floats, bounds: Ints) -> Appender:
    """What adds n paths to the current path of ``context``: the i-th has the items (from ``path_items``) ``bounds[i]``
    to ``bounds[i+1]``.

    Coordinates must be finite and within cairo's range (see ``limits``). The context must outlive the function.
    """
    return (_native() or _slow_appender)(context, items, bounds)


def append_paths(context: cairo.Context[cairo.ImageSurface], paths: Paths) -> None:
    """Add the paths to cairo's current path. Coordinates must be finite and within cairo's range (see ``limits``)."""
    append_items(context, path_items(paths)[0])


def append_items(context: cairo.Context[cairo.ImageSurface], items: Floats) -> None:
    """Add items (from ``path_items``) to cairo's current path."""
    if len(items):
        append, keys = appender(context, items, np.array([0, len(items)], np.int64))
        append(keys[0])


KAPPA = 0.5522847498
"""Distance of the control points of a quarter circle of radius 1."""

FILL_TOLERANCE = 0.125
"""How flat QGIS makes the curves of areas and of pens wider than a pixel. It shows: a circle of 5 px has 16 corners,
and 8 in its outline."""

THIN_TOLERANCE = 0.25
"""The same for pens up to one pixel: their outlines are coarser than the areas in them."""

_MAX_HALVINGS = 6


def _cross(a: Floats, b: Floats) -> Floats:
    return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _too_bent(curves: Floats, tolerance: float) -> NDArray[np.bool_]:
    """Whether a control point lies too far from the chord, in Qt's measure (chord length as |dx| + |dy|)."""
    chord = curves[:, 3] - curves[:, 0]
    limit = tolerance * np.abs(chord).sum(axis=1)
    first, second = _cross(chord, curves[:, 1] - curves[:, 0]), _cross(chord, curves[:, 2] - curves[:, 0])
    bent: NDArray[np.bool_] = (first >= limit) | (second >= limit)
    return bent


def _halves(curves: Floats) -> Floats:
    """float64[2k, 4, 2]: each curve cut in the middle."""
    p0, p1, p2, p3 = (curves[:, i] for i in range(4))
    a, b, c = (p0 + p1) / 2, (p1 + p2) / 2, (p2 + p3) / 2
    ab, bc = (a + b) / 2, (b + c) / 2
    middle = (ab + bc) / 2
    return np.stack([p0, a, ab, middle, middle, bc, c, p3], axis=1).reshape(-1, 4, 2)


def flatten_bezier(curves: Floats, tolerance: float = FILL_TOLERANCE) -> Floats:
    """Polyline float64[n, 2] through k connected cubic curves ``curves`` float64[k, 4, 2] in pixels, by halving."""
    for _ in range(_MAX_HALVINGS):
        bent = _too_bent(curves, tolerance)
        if not bent.any():
            break
        pieces = np.repeat(curves, np.where(bent, 2, 1), axis=0)
        pieces[np.repeat(bent, np.where(bent, 2, 1))] = _halves(curves[bent])
        curves = pieces
    return np.concatenate([curves[:1, 0], curves[:, 3]])


def arc_curves(start: float, span: float) -> Floats:
    """Cubic curves float64[k, 4, 2] of a unit circle's arc: radians, counter-clockwise on a screen (y down)."""
    count = max(1, math.ceil(abs(span) / (math.pi / 2) - 1e-9))
    step = span / count
    begin = start + step * np.arange(count)
    angles = np.stack([begin, begin + step], axis=1)
    points = np.stack([np.cos(angles), -np.sin(angles)], axis=2)
    tangents = np.stack([-np.sin(angles), -np.cos(angles)], axis=2)
    # KAPPA for quarters as Qt has it; the general formula for what is left of a shorter arc
    reach = math.copysign(KAPPA, span) if math.isclose(abs(step), math.pi / 2) else 4 / 3 * math.tan(step / 4)
    controls = points + tangents * np.array([[reach], [-reach]])
    return np.stack([points[:, 0], controls[:, 0], controls[:, 1], points[:, 1]], axis=1)


def arc(box: tuple[float, float, float, float], start: float, span: float, tolerance: float = FILL_TOLERANCE) -> Floats:
    """Polyline float64[n, 2] of the arc in ``box`` (x, y, width, height); degrees, counter-clockwise from +x."""
    x, y, width, height = box
    curves = arc_curves(math.radians(start), math.radians(span))
    return flatten_bezier(curves * (width / 2, height / 2) + (x + width / 2, y + height / 2), tolerance)


def circle(cx: float, cy: float, rx: float, ry: float, tolerance: float = FILL_TOLERANCE) -> Paths:
    """A closed ellipse of four flattened quarter curves, as QGIS draws circles. Sizes in pixels, as drawn."""
    return single_path(arc((cx - rx, cy - ry, 2 * rx, 2 * ry), 0.0, 360.0, tolerance)[:-1], True)
