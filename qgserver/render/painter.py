"""From jobs (feature, symbol) to paint: in which order, and how many features at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qgserver.draw.areas import draw_sequence
from qgserver.draw.canvas import Canvas
from qgserver.draw.sprites import stamp_sequence
from qgserver.geo.geometry import GeometryArray, Ints
from qgserver.geo.orient import oriented, signed_areas
from qgserver.geo.wkb import take
from qgserver.symbology.env import Env, Shapes
from qgserver.symbology.layers.simplemarker import StampPainter
from qgserver.symbology.lines import is_polygonal
from qgserver.symbology.looks import LookPainter, paths_of
from qgserver.symbology.properties import as_number
from qgserver.symbology.renderer import Jobs, Renderer
from qgserver.symbology.symbol import Symbol

STRICT = 64
"""Up to so many features, symbols that can't be painted in one sequence are painted one feature at a time."""
OVERLAPPING = 1.2
"""Polygons whose areas sum up to more than this part of the picture surely overlap."""
GATHER = 256
"""Neighbours among which features of one symbol are painted together when polygons overlap."""
TURNS = 7
"""Crowded polygons side by side are painted in so many turns, every seventh in one: neighbours then come one after the
other, and the later one's fill covers half of the outline between them, as it does in QGIS."""


@dataclass(frozen=True, slots=True)
class Painting:
    """What is painted on: the canvas and the drawing environment of one batch, with its geometry in device pixels."""

    canvas: Canvas
    env: Env
    geometry: GeometryArray


def paint_jobs(painting: Painting, renderer: Renderer, jobs: Jobs) -> None:
    """Draw the jobs of one batch."""
    symbols = renderer.symbols
    levels = sorted({level for number in np.unique(jobs.symbols) for level in symbols[number].levels()})
    common = renderer.common
    if (common.symbol_levels or common.level_by_feature) and len(levels) > 1:
        for level in levels:
            _paint_level(painting, symbols, jobs, level, by_feature=common.level_by_feature)
    elif not _paint_stamps(painting, symbols, jobs):
        _paint_in_order(painting, symbols, jobs)


def _paint_level(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs, level: int, *, by_feature: bool) -> None:
    """All symbol layers of one level: feature by feature (rules), or symbol by symbol."""
    at_level = tuple(
        replace(symbol, layers=tuple(layer for layer in symbol.layers if layer.level == level)) for symbol in symbols
    )
    drawn = np.array([bool(symbol.layers) for symbol in at_level])
    keep = drawn[jobs.symbols]
    rows, numbers = jobs.rows[keep], jobs.symbols[keep]
    if not by_feature:
        order = np.argsort(numbers, kind="stable")
        rows, numbers = rows[order], numbers[order]
    _paint_in_order(painting, at_level, Jobs(rows, numbers))


def _paint_in_order(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs) -> None:
    polygonal = is_polygonal(painting.geometry)
    if painting.canvas.antialias == "exact" or not polygonal:
        if not _paint_sequence(painting, symbols, jobs):
            _paint_runs(painting, symbols, jobs if len(jobs) <= STRICT else _gathered(jobs, GATHER))
    else:
        _paint_runs(painting, symbols, _gathered(jobs, GATHER) if _overlap(painting) else _in_turns(jobs))


def _paint_sequence(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs) -> bool:
    """Lines and polygons of brushes and pens alone: all of them in one sequence, in the order of the jobs. False when
    a symbol is more than that."""
    painters: dict[int, list[LookPainter]] = {}
    for number in np.unique(jobs.symbols).tolist():
        symbol = symbols[number]
        env = painting.env.with_opacity(symbol.opacity)
        if symbol.properties or any(layer.properties for layer in symbol.layers):
            return False
        found = [env.painter(layer) for layer in symbol.layers]
        plain = [painter for painter in found if isinstance(painter, LookPainter) and not painter.moved]
        if len(plain) < len(found):
            return False
        painters[number] = plain
    counts = np.array([len(painters[number]) for number in jobs.symbols.tolist()], dtype=np.int64)
    rows, numbers = np.repeat(jobs.rows, counts), np.repeat(jobs.symbols, counts)
    deepest = max(map(len, painters.values()), default=0)
    layer = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    which = numbers * deepest + layer
    looks = {n * deepest + i: p.look for n, of_symbol in painters.items() for i, p in enumerate(of_symbol)}
    for paths, features in paths_of(take(painting.geometry, rows)):
        draw_sequence(painting.canvas, paths, features, looks, which)
    return True


def _paint_runs(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs) -> None:
    """Features of one symbol that follow each other are painted together."""
    geometry = take(painting.geometry, jobs.rows)
    if painting.canvas.antialias != "exact" and is_polygonal(geometry):
        geometry = oriented(geometry)
    shapes = Shapes(geometry, jobs.rows)
    for number, start, stop in _runs(jobs.symbols):
        symbol = symbols[number]
        step = 1 if len(jobs) <= STRICT and not symbol.in_sequence else stop - start
        for first in range(start, stop, step):
            paint_symbol(painting.canvas, painting.env, symbol, shapes.slice(first, min(first + step, stop)))


def _overlap(painting: Painting) -> bool:
    """True for polygons that cannot all lie side by side in the picture."""
    inked = float(np.abs(signed_areas(painting.geometry)).sum())
    return inked > OVERLAPPING * painting.canvas.width * painting.canvas.height


def _gathered(jobs: Jobs, among: int) -> Jobs:
    """Jobs sorted by symbol inside groups of neighbours, so that runs of one symbol become long."""
    order = np.lexsort((jobs.symbols, np.arange(len(jobs)) // among))
    return Jobs(jobs.rows[order], jobs.symbols[order])


def _in_turns(jobs: Jobs) -> Jobs:
    """Jobs sorted by turn (every seventh feature), then symbol."""
    order = np.lexsort((jobs.symbols, jobs.rows % TURNS))
    return Jobs(jobs.rows[order], jobs.symbols[order])


def _runs(numbers: Ints) -> Iterator[tuple[int, int, int]]:
    """(symbol, start, stop) for each run of equal numbers."""
    if not len(numbers):
        return
    edges = np.flatnonzero(np.diff(numbers)) + 1
    starts, stops = [0, *edges.tolist()], [*edges.tolist(), len(numbers)]
    for start, stop in zip(starts, stops, strict=True):
        yield int(numbers[start]), start, stop


def paint_symbol(canvas: Canvas, env: Env, symbol: Symbol, shapes: Shapes) -> None:
    """Paint shapes with every layer of a symbol, the lowest layer first."""
    for opacity, part in _by_opacity(env, symbol, shapes):
        inner = env.with_opacity(opacity)
        for layer in symbol.layers:
            if not layer.properties:
                inner.painter(layer)(canvas, part)
                continue
            for variant, some in layer.variants(inner, part):
                variant.painter(inner)(canvas, some)


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


def _paint_stamps(painting: Painting, symbols: Sequence[Symbol], jobs: Jobs) -> bool:
    """Points whose symbols are all one ready-made sprite: stamp them in feature order. False when they are not."""
    used = np.unique(jobs.symbols).tolist()
    stamps: dict[int, StampPainter] = {}
    for number in used:
        symbol = symbols[number]
        if len(symbol.layers) != 1 or symbol.properties or symbol.layers[0].properties:
            return False
        painter = painting.env.with_opacity(symbol.opacity).painter(symbol.layers[0])
        if not isinstance(painter, StampPainter):
            return False
        stamps[number] = painter
    geometry = take(painting.geometry, jobs.rows)
    which = np.repeat(jobs.symbols, np.diff(geometry.vertex_offsets()))
    xs, ys = np.empty(len(which), dtype=np.int32), np.empty(len(which), dtype=np.int32)
    for number, painter in stamps.items():
        mine = which == number
        xs[mine], ys[mine] = painter.positions(geometry.coords[mine])
    stamp_sequence(painting.canvas, {number: painter.sprite for number, painter in stamps.items()}, which, xs, ys)
    return True
