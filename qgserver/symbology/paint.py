"""Painting with a whole symbol: all its layers, as they are for each feature."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from qgserver.draw.canvas import Canvas
from qgserver.geo.geometry import LINESTRING, POINT, POLYGON, Floats, GeometryArray, Ints, offsets
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.markers import marker_size
from qgserver.symbology.properties import as_number
from qgserver.symbology.symbol import Symbol

COARSE, COARSEST = 2.0, 6.0
"""Degrees that markers of crowded maps are turned in steps of, so that many are the same."""
SEEN = 0.6
"""Pixels of a turn at the rim of a marker that hardly show."""
MARGIN = 3
"""Markers further from the picture than so many times its size are not looked at."""


def paint_symbol(canvas: Canvas, env: Env, symbol: Symbol, shapes: Shapes) -> None:
    """Paint shapes with every layer of a symbol, the lowest layer first. What ``env`` has of opacity (a symbol layer's
    own symbol has that of the symbol around it) counts too."""
    for opacity, part in _by_opacity(env, symbol, shapes):
        inner = env.with_opacity(env.opacity * opacity)
        for layer in symbol.layers:
            if not layer.properties:
                inner.painter(layer)(canvas, part)
                continue
            if layer.effects is not None:
                layer.painted_as_defined(inner, part)(canvas, part)
                continue
            for variant, some in layer.variants(inner, part):
                variant.painted(inner)(canvas, some)


def _by_opacity(env: Env, symbol: Symbol, shapes: Shapes) -> Iterator[tuple[float, Shapes]]:
    """The symbol's opacity, which may be data-defined (0-100), for each shape."""
    item = symbol.properties.items.get("alpha")
    if item is None:
        yield symbol.opacity, shapes
        return
    values = env.defined(item)
    for i in range(len(shapes)):
        value = values[shapes.rows[i]]
        opacity = symbol.opacity if value is None else as_number(value, symbol.opacity * 100) / 100
        yield min(max(opacity, 0.0), 1.0), shapes.slice(i, i + 1)


def paint_points(
    canvas: Canvas, env: Env, symbol: Symbol, points: Floats, rows: Ints, angles: Floats | None = None
) -> None:
    """Paint a marker symbol at points float64[n, 2] that belong to the features ``rows`` int64[n], one after the
    other; ``angles`` float64[n] are degrees clockwise that each is turned by."""
    reach = MARGIN * max(canvas.width, canvas.height)
    seen = np.flatnonzero((np.abs(points) < reach).all(axis=1))
    shapes = Shapes(point_geometry(points[seen]), rows[seen])
    if angles is None:
        paint_each(canvas, env, symbol, shapes)
        return
    angles = angles[seen]
    if canvas.antialias == "fast":
        step = min(max(math.degrees(SEEN / max(marker_size(symbol, env.scale), 1.0)), COARSE), COARSEST)
        angles = np.round(angles / step) * step % 360
        order = np.argsort(angles, kind="stable")
        angles, shapes = angles[order], Shapes(point_geometry(points[seen][order]), rows[seen][order])
    edges = [0, *(np.flatnonzero(np.diff(angles)) + 1).tolist(), len(angles)]
    for start, stop in pairwise(edges):
        if start < stop:
            turned = symbol.turned(float(angles[start]))
            paint_each(canvas, replace(env, painters={}), turned, shapes.slice(start, stop))


def paint_each(canvas: Canvas, env: Env, symbol: Symbol, shapes: Shapes) -> None:
    """Shape by shape where that shows: symbols of several layers in maps that are not crowded."""
    if symbol.in_sequence or len(symbol.layers) < 2 or canvas.antialias == "fast":
        paint_symbol(canvas, env, symbol, shapes)
        return
    for i in range(len(shapes)):
        paint_symbol(canvas, env, symbol, shapes.slice(i, i + 1))


def point_geometry(points: Floats) -> GeometryArray:
    """Features of one point each."""
    count = np.arange(len(points) + 1, dtype=np.int64)
    return GeometryArray(np.full(len(points), POINT, dtype=np.uint8), points, count, count, count)


def line_geometry(ends: Floats) -> GeometryArray:
    """Features of one line each, from vertices float64[n, k, 2]."""
    count = np.arange(len(ends) + 1, dtype=np.int64)
    return GeometryArray(
        np.full(len(ends), LINESTRING, dtype=np.uint8), ends.reshape(-1, 2), count * ends.shape[1], count, count
    )


def ring_geometry(rings: Sequence[Floats]) -> GeometryArray:
    """Polygons of one outer ring float64[n, 2] each."""
    count = np.arange(len(rings) + 1, dtype=np.int64)
    bounds = offsets(np.array([len(ring) for ring in rings], dtype=np.int64))
    coords = np.concatenate([np.empty((0, 2)), *rings])
    return GeometryArray(np.full(len(rings), POLYGON, dtype=np.uint8), coords, bounds, count, count)
